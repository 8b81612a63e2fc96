/// Paths into documents, as `json.filter`, `json.remove` and `json.patch` take them: "a/b~1c/0", or an array of keys.
enum DocumentPath {
    /// The keys of a path; nil when it is neither a string nor an array.
    static func keys(_ value: Value, _ arena: Arena) -> [Value]? {
        if value.isArray { return value.elements }
        guard value.isString else { return nil }
        var text = Array(value.utf8)[...]
        // Nothing is the whole document; "/" is the empty key.
        if text.isEmpty { return [] }
        text = text.drop { $0 == UInt8(ascii: "/") }
        return text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { arena.string(unescaped(Array($0))) }
    }

    /// RFC 6901: "~1" is "/", "~0" is "~".
    static func unescaped(_ text: [UInt8]) -> [UInt8] {
        if !text.contains(UInt8(ascii: "~")) { return text }
        return ByteText.replace(
            ByteText.replace(text, Array("~1".utf8), with: Array("/".utf8)), Array("~0".utf8), with: Array("~".utf8))
    }
}

/// Many paths as a tree; a path that ends covers all that begin with it.
final class PathTree {
    private(set) var children: [Value: PathTree] = [:]
    private(set) var isEnd = false

    static func read(_ value: Value, position: Int, _ arena: Arena) throws(BuiltinFailure) -> PathTree {
        guard value.isArray || value.isSet else { throw .operand(position, mustBe: .set, .array, got: value) }
        let root = PathTree()
        for element in value.elements {
            guard let keys = DocumentPath.keys(element, arena) else {
                throw BuiltinFailure(
                    "operand \(position) must be one of {set, array} containing string paths or array of path segments "
                        + "but got \(element.kind.name)", kind: .type)
            }
            if keys.count > BuiltinLimits.depthMax { throw .tooLarge("keys of a path", BuiltinLimits.depthMax) }
            root.add(keys)
        }
        return root
    }

    private func add(_ keys: [Value]) {
        var node = self
        for (index, key) in keys.enumerated() {
            if node.isEnd { return }
            let last = index == keys.count - 1
            let next = node.children[key] ?? PathTree()
            node.children[key] = next
            if last {
                next.isEnd = true
                next.children = [:]
            }
            node = next
        }
    }

    /// The subtree for an element of an array, whose index a path has as a string or as a number.
    private func child(_ index: Int, _ arena: Arena) -> PathTree? { children[arena.string(String(index))] ?? children[Value(index)] }

    /// Only what lies on a path.
    func filter(_ value: Value, _ arena: Arena) -> Value {
        if isEnd { return value }
        switch value.kind {
        case .array:
            return arena.array(
                value.elements.enumerated().compactMap { index, element in child(index, arena)?.filter(element, arena) })
        case .set: return arena.set(value.elements.compactMap { element in children[element]?.filter(element, arena) })
        case .object:
            return arena.object(
                value.entries.compactMap { key, element in children[key].map { (key, $0.filter(element, arena)) } })
        default: return value
        }
    }

    /// Everything but what lies at the end of a path; undefined when nothing is left of the value itself.
    func remove(from value: Value, _ arena: Arena) -> Value {
        if isEnd { return .undefined }
        func rest(_ element: Value, _ child: PathTree?) -> Value { child?.remove(from: element, arena) ?? element }
        switch value.kind {
        case .array:
            return arena.array(value.elements.enumerated().map { rest($1, child($0, arena)) }.filter(\.isDefined))
        case .set: return arena.set(value.elements.map { rest($0, children[$0]) }.filter(\.isDefined))
        case .object: return arena.object(value.entries.map { ($0, rest($1, children[$0])) }.filter { $0.1.isDefined })
        default: return value
        }
    }
}
