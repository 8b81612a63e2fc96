import RegoSyntax

/// Compiled rules and queries: immutable, and shared by all machines that run it.
// SAFETY: everything is written by the initialiser and only read afterwards; the memory lives as long as the program.
final class Program: @unchecked Sendable {
    struct Function: Sendable {
        let entry: Int
        let registers: Int
        let arguments: Int
        /// A document: evaluated once a query.
        let isMemoised: Bool
        /// `a`, `b`, `p`
        let path: [Value]
    }

    struct Node: Sendable {
        let path: [Value]
        let children: [(key: Value, node: Int)]
        let group: Int?
        let dynamic: Int?
        let isFunction: Bool
        /// A rule with variables in its reference may make a whole value here, below which other rules go on: both is a conflict.
        let isInsideOfValue: Bool
    }

    let words: UnsafeMutablePointer<UInt64>
    let wordCount: Int
    let constants: UnsafeMutablePointer<Value>
    let functions: [Function]
    let functionTable: UnsafeMutablePointer<Entry>
    let nodes: [Node]
    /// Functions of the tree; queries come after them.
    let groupCount: Int
    let builtins: BuiltinTable
    /// Their functions alone, for the loop.
    let builtinCalls: UnsafeMutablePointer<Builtin.Function>
    private let indices: [RuleIndex]
    let indexViews: UnsafeMutablePointer<RuleIndex.View>
    let files: [String]
    private let locations: [(word: Int, file: Int, location: Location)]
    /// Keeps what the constants point to.
    let constantStore: Constants

    /// What a call reads.
    struct Entry {
        var entry: Int32
        var registers: Int32
        var isMemoised: Bool
    }

    init(_ builder: ProgramBuilder) {
        wordCount = builder.code.words.count
        words = .allocate(capacity: max(wordCount, 1))
        words.initialize(from: builder.code.words, count: wordCount)
        constantStore = builder.constants
        constants = .allocate(capacity: max(builder.constants.values.count, 1))
        constants.initialize(from: builder.constants.values, count: builder.constants.values.count)
        functions = builder.functions
        functionTable = .allocate(capacity: max(functions.count, 1))
        for (index, one) in functions.enumerated() {
            (functionTable + index).initialize(
                to: Entry(entry: Int32(one.entry), registers: Int32(one.registers), isMemoised: one.isMemoised))
        }
        let tree = builder.tree
        let inside = Program.insideOfValues(tree)
        nodes = tree.nodes.map { node in
            Node(
                path: node.path, children: node.children.sorted { $0.key < $1.key }, group: node.group, dynamic: node.dynamic,
                isFunction: node.group.map { tree.groups[$0].kind == .function } ?? false, isInsideOfValue: inside.contains(node.index))
        }
        groupCount = tree.groups.count
        builtins = builder.builtins
        builtinCalls = .allocate(capacity: max(builtins.all.count, 1))
        builtinCalls.initialize(from: builtins.all.map(\.call), count: builtins.all.count)
        indices = builder.indices
        indexViews = .allocate(capacity: max(indices.count, 1))
        for (number, index) in indices.enumerated() { (indexViews + number).initialize(to: index.view()) }
        files = builder.files
        locations = builder.code.locations
    }

    private static func insideOfValues(_ tree: RuleTree) -> Set<Int> {
        var found: Set<Int> = []
        for node in tree.nodes {
            guard let dynamic = node.dynamic else { continue }
            for rule in tree.groups[dynamic].rules {
                var level = [node.index]
                for part in rule.suffix {
                    let key = tree.constants.scalar(part.value)
                    level = level.flatMap { index in tree.nodes[index].children.filter { key == nil || $0.key == key }.map(\.node) }
                }
                found.formUnion(level.filter { !tree.nodes[$0].children.isEmpty && tree.nodes[$0].group == nil })
            }
        }
        return found
    }

    deinit {
        words.deallocate()
        constants.deallocate()
        functionTable.deallocate()
        builtinCalls.deinitialize(count: builtins.all.count)
        builtinCalls.deallocate()
        indexViews.deallocate()
    }

    /// Where the instruction at a word comes from.
    func place(of word: Int) -> (file: String, location: Location)? {
        var (low, high) = (0, locations.count)
        while low < high {
            let middle = (low + high) / 2
            if locations[middle].word <= word { low = middle + 1 } else { high = middle }
        }
        guard low > 0, locations[low - 1].file < files.count else { return nil }
        return (files[locations[low - 1].file], locations[low - 1].location)
    }
}
