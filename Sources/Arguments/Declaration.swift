/// One argument, whatever its type: what help shows and the parser needs.
struct Declaration {
    enum Kind { case option, flag, positional }

    let kind: Kind
    let names: ArgumentNames
    let help: ArgumentHelp
    let expectation: String
    /// All values there are, if they are few.
    let words: [String]
    let defaultWord: String
    let isRepeatable: Bool
    var isRequired = false
    /// Set when the property is known.
    var property = ""
    var title = ""
    /// Takes a word; false if it is no value.
    let take: (String) -> Bool
    /// Takes the default away, before the first of several values.
    let clear: () -> Void

    init<Value: ExpressibleByArgument>(
        _ kind: Kind, _ names: ArgumentNames, _ help: ArgumentHelp?, _: Value.Type, default defaultWord: String = "",
        isRepeatable: Bool = false,
        clear: @escaping () -> Void = {}, put: @escaping (Value) -> Void
    ) {
        self.kind = kind
        self.names = names
        self.help = help ?? ArgumentHelp()
        self.defaultWord = defaultWord
        self.isRepeatable = isRepeatable
        self.clear = clear
        expectation = Value.expectation
        words = kind == .flag ? [] : Value.allWords
        take = { word in
            guard let value = Value(argument: word) else { return false }
            put(value)
            return true
        }
    }

    /// `-f` and `--format`, as they are typed.
    var spellings: [String] { names.names.map { $0.text(property) } }

    /// What stands for the value: `<file>`.
    var placeholder: String {
        let name = help.valueName ?? kebabCase(spellings.last { $0.hasPrefix("--") }.map { $0.dropFirst(2) } ?? property[...])
        return "<\(name)>"
    }

    /// The name to speak of it by: `--format <format>`, `--json`, `<file>`.
    var spoken: String {
        switch kind {
        case .option: "\(longest) \(placeholder)"
        case .flag: longest
        case .positional: placeholder
        }
    }

    var longest: String { spellings.last { $0.hasPrefix("--") } ?? spellings.last ?? placeholder }
}

/// A property that is an argument.
protocol Declared {
    var declaration: Declaration { get }
}

/// A property that is a group of arguments.
protocol DeclaredGroup {
    var title: String { get }
    var group: any ParsableArguments { get }
}

/// The arguments of an instance, in the order of its properties, and its groups.
struct Declarations {
    private(set) var all: [Declaration] = []
    private(set) var groups: [any ParsableArguments] = []

    init(of arguments: any ParsableArguments, title: String = "") {
        for child in Mirror(reflecting: arguments).children {
            // A property wrapper is stored as `_property`.
            guard let label = child.label, label.hasPrefix("_") else { continue }
            if let declared = child.value as? any Declared {
                var declaration = declared.declaration
                declaration.property = String(label.dropFirst())
                declaration.title = title
                all.append(declaration)
            } else if let group = child.value as? any DeclaredGroup {
                let inner = Declarations(of: group.group, title: group.title.isEmpty ? title : group.title)
                all += inner.all
                groups += inner.groups + [group.group]
            }
        }
    }

    var positionals: [Declaration] { all.filter { $0.kind == .positional } }
    var options: [Declaration] { all.filter { $0.kind != .positional } }
}
