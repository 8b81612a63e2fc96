/// What a rule's value depends on besides the policy: the input, the data, and the functions that are replaced.
///
/// The first context is the query's. A `with` makes another one, with a memo of its own.
struct EvaluationContext {
    var input: Value
    var data: Value
    /// Documents that a `with` put in the place of rules, the last one first.
    var replaced: [(path: [Value], value: Value)] = []
    /// Functions that a `with` replaced, by `ProgramBuilder.calleeNumber`.
    var functions: [Int: Mock] = [:]
    /// The documents that were evaluated here. The first context has a table instead.
    var memo: [Int: Value] = [:]

    enum Mock {
        case value(Value)
        case function(Int)
    }

    /// The document that stands in the place of a rule; nil when the rule itself is to be asked.
    func replacement(of path: [Value]) -> Value? {
        for (replacedPath, value) in replaced where replacedPath.count <= path.count && path.starts(with: replacedPath) {
            var found = value
            for key in path[replacedPath.count...] { found = found.lookup(key) }
            return found
        }
        return nil
    }
}

extension Arena {
    /// A value with another one at a path; objects on the way are made or copied, everything else is given up.
    func replacing(_ value: Value, at path: ArraySlice<Value>, with new: Value) -> Value {
        guard let key = path.first else { return new }
        let rest = path.dropFirst()
        if value.isObject {
            var entries = value.entries
            if let index = value.keys.index(of: key) {
                entries[index].value = replacing(entries[index].value, at: rest, with: new)
            } else {
                entries.append((key, replacing(.undefined, at: rest, with: new)))
            }
            return object(entries)
        }
        return object([(key, replacing(.undefined, at: rest, with: new))])
    }
}
