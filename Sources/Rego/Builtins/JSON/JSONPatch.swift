/// `json.patch` (RFC 6902), also into sets, whose members are their own keys.
struct JSONPatch {
    let arena: Arena

    func apply(_ operations: [Value], to document: Value) throws(BuiltinFailure) -> Value {
        var document = document
        for operation in operations {
            guard operation.isObject else { throw BuiltinFailure("operand 2 must be array of objects", kind: .type) }
            document = try apply(operation, to: document)
        }
        return document
    }

    private func apply(_ operation: Value, to document: Value) throws(BuiltinFailure) -> Value {
        guard let name = operation["op"].asString else { throw BuiltinFailure("missing or invalid 'op' attribute") }
        let path = try path(operation, "path")
        switch name {
        case "add":
            return try add(try value(operation), at: path[...], to: document)
        case "remove":
            return try remove(path[...], from: document)
        case "replace":
            return try replace(path[...], in: document, with: try value(operation))
        case "move":
            let from = try self.path(operation, "from")
            let moved = try get(from, in: document)
            return try add(moved, at: path[...], to: try remove(from[...], from: document))
        case "copy":
            return try add(try get(try self.path(operation, "from"), in: document), at: path[...], to: document)
        case "test":
            let found = try get(path, in: document)
            guard found == (try value(operation)) else { throw BuiltinFailure("value from EditTree != patch value") }
            return document
        default:
            throw BuiltinFailure("unrecognized op '\(name)'")
        }
    }

    private func path(_ operation: Value, _ attribute: StaticString) throws(BuiltinFailure) -> [Value] {
        guard let keys = DocumentPath.keys(operation[attribute], arena) else {
            throw BuiltinFailure("missing or invalid '\(attribute)' attribute")
        }
        if keys.count > BuiltinLimits.depthMax { throw .tooLarge("keys of a path", BuiltinLimits.depthMax) }
        return keys
    }

    private func value(_ operation: Value) throws(BuiltinFailure) -> Value {
        let value = operation["value"]
        if value.isUndefined { throw BuiltinFailure("missing 'value' attribute") }
        return value
    }

    private func missing(_ key: Value) -> BuiltinFailure {
        BuiltinFailure("path \(String(decoding: TermText.bytes(key), as: UTF8.self)) does not exist in the document")
    }

    /// An index that an element has; `end` allows the place behind the last one, and "-" for it.
    private func index(_ key: Value, _ count: Int, end: Bool) -> Int? {
        if end, key.isString, key.utf8.elementsEqual("-".utf8) { return count }
        var found: Int64?
        if key.isString {
            let text = key.asString!
            // Only digits, and no zero in front of others.
            if text.utf8.allSatisfy(ASCII.isDigit), text.utf8.count == 1 || text.utf8.first != 0x30 { found = Int64(text) }
        } else {
            found = key.asInt64
        }
        guard let found, found >= 0, found < Int64(count) + (end ? 1 : 0) else { return nil }
        return Int(found)
    }

    private func child(_ key: Value, of value: Value) throws(BuiltinFailure) -> Value {
        switch value.kind {
        case .object where value[key].isDefined: value[key]
        case .set where value.contains(key): key
        case .array:
            if let index = index(key, value.count, end: false) { value.slot(index) } else { throw missing(key) }
        default: throw missing(key)
        }
    }

    private func get(_ path: [Value], in document: Value) throws(BuiltinFailure) -> Value {
        var value = document
        for key in path { value = try child(key, of: value) }
        return value
    }

    /// Changes the container at the end of a path, and with it all above.
    private func change(
        _ path: ArraySlice<Value>, in value: Value, _ change: (Value, Value) throws(BuiltinFailure) -> Value
    ) throws(BuiltinFailure) -> Value {
        let key = path.first!
        if path.count == 1 { return try change(value, key) }
        let old = try child(key, of: value)
        let new = try self.change(path.dropFirst(), in: old, change)
        switch value.kind {
        case .object: return put(new, at: key, in: value)
        case .set: return arena.set(value.elements.filter { $0 != key } + [new])
        default:
            var elements = value.elements
            elements[index(key, value.count, end: false)!] = new
            return arena.array(elements)
        }
    }

    private func put(_ new: Value, at key: Value, in object: Value) -> Value {
        arena.object(object.entries.filter { $0.key != key } + [(key, new)])
    }

    private func add(_ new: Value, at path: ArraySlice<Value>, to document: Value) throws(BuiltinFailure) -> Value {
        if path.isEmpty { return new }
        return try change(path, in: document) { container, key throws(BuiltinFailure) in
            switch container.kind {
            case .object: return put(new, at: key, in: container)
            case .set:
                guard key == new else { throw BuiltinFailure("set key does not equal value to be inserted") }
                return arena.set(container.elements + [new])
            case .array:
                guard let index = index(key, container.count, end: true) else { throw missing(key) }
                var elements = container.elements
                elements.insert(new, at: index)
                return arena.array(elements)
            default: throw missing(key)
            }
        }
    }

    private func remove(_ path: ArraySlice<Value>, from document: Value) throws(BuiltinFailure) -> Value {
        if path.isEmpty { throw BuiltinFailure("the whole document cannot be removed") }
        return try change(path, in: document) { container, key throws(BuiltinFailure) in
            _ = try child(key, of: container)
            switch container.kind {
            case .object: return arena.object(container.entries.filter { $0.key != key })
            case .set: return arena.set(container.elements.filter { $0 != key })
            default:
                var elements = container.elements
                elements.remove(at: index(key, container.count, end: false)!)
                return arena.array(elements)
            }
        }
    }

    private func replace(_ path: ArraySlice<Value>, in document: Value, with new: Value) throws(BuiltinFailure) -> Value {
        if path.isEmpty { return new }
        return try change(path, in: document) { container, key throws(BuiltinFailure) in
            _ = try child(key, of: container)
            switch container.kind {
            case .object: return put(new, at: key, in: container)
            case .set: return arena.set(container.elements.filter { $0 != key } + [new])
            default:
                var elements = container.elements
                elements[index(key, container.count, end: false)!] = new
                return arena.array(elements)
            }
        }
    }
}
