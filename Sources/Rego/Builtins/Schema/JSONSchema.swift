/// JSON Schema, drafts 4, 6 and 7: checks of a schema itself. References lead only within it.
struct JSONSchema {
    let root: Value
    let context: BuiltinContext
    /// Schemas that name themselves, by their name.
    private(set) var identifiers: [String: Value] = [:]
    let isDraft4: Bool

    /// - Throws: when it is no schema, with OPA's words where they are known.
    init(_ root: Value, _ context: BuiltinContext) throws(BuiltinFailure) {
        self.root = root
        self.context = context
        isDraft4 = root["$schema"].asString?.contains("draft-04") ?? false
        guard root.isObject || root.asBool != nil else { throw BuiltinFailure("schema must be an object or a boolean") }
        try check(root, depth: 0)
    }

    private static let types = ["array", "boolean", "integer", "number", "null", "object", "string"]

    private func invalid(_ key: String, _ wanted: String) -> BuiltinFailure { BuiltinFailure("\(key) must be of type \(wanted)") }

    private mutating func check(_ schema: Value, depth: Int) throws(BuiltinFailure) {
        if depth > BuiltinLimits.depthMax { throw .tooLarge("depth of a schema", BuiltinLimits.depthMax) }
        if schema.asBool != nil { return }
        guard schema.isObject else { throw BuiltinFailure("schema must be an object or a boolean") }
        for key in ["$id", "id"] as [StaticString] {
            if let name = schema[key].asString, identifiers[name] == nil { identifiers[name] = schema }
        }
        for (keyValue, value) in schema.entries {
            guard let key = keyValue.asString else { continue }
            switch key {
            case "type": try checkType(value)
            case "properties", "patternProperties", "definitions", "dependencies", "$defs":
                guard value.isObject else { throw invalid(key, "object") }
                for (name, part) in value.entries {
                    if key == "patternProperties" { _ = try Pattern.compile(Array(name.utf8), context) }
                    if key == "dependencies", part.isArray {
                        guard part.elements.allSatisfy(\.isString) else { throw invalid("dependency", "array of strings") }
                        continue
                    }
                    try check(part, depth: depth + 1)
                }
            case "additionalProperties", "additionalItems", "not", "contains", "propertyNames", "if", "then", "else":
                guard value.isObject || value.asBool != nil else { throw invalid(key, "valid schema") }
                try check(value, depth: depth + 1)
            case "items":
                guard value.isObject || value.isArray || value.asBool != nil else { throw invalid(key, "array/object") }
                for part in value.isArray ? value.elements : [value] { try check(part, depth: depth + 1) }
            case "allOf", "anyOf", "oneOf":
                guard value.isArray else { throw invalid(key, "array") }
                if value.count == 0 { throw BuiltinFailure("\(key) must not be empty") }
                for part in value.elements { try check(part, depth: depth + 1) }
            case "required":
                guard value.isArray, value.elements.allSatisfy(\.isString) else { throw invalid(key, "array of strings") }
                if Set(value.elements).count < value.count { throw BuiltinFailure("\(key) items must be unique") }
            case "enum":
                guard value.isArray else { throw invalid(key, "array") }
                if Set(value.elements).count < value.count { throw BuiltinFailure("\(key) items must be unique") }
            case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
                guard value.isNumber, let count = value.asInt64 else { throw invalid(key, "integer") }
                if count < 0 { throw BuiltinFailure("\(key) must be greater than or equal to 0") }
            case "minimum", "maximum":
                guard value.isNumber else { throw invalid(key, "number") }
            case "exclusiveMinimum", "exclusiveMaximum":
                guard value.isNumber || value.asBool != nil else { throw invalid(key, "boolean/number") }
            case "multipleOf":
                guard value.isNumber else { throw invalid(key, "number") }
                if Value.compare(value, Value(0)) <= 0 { throw BuiltinFailure("multipleOf must be strictly greater than 0") }
            case "pattern":
                guard value.isString else { throw invalid(key, "string") }
                do throws(BuiltinFailure) {
                    _ = try Pattern.compile(Array(value.utf8), context)
                } catch {
                    throw BuiltinFailure("pattern must be a valid regex: \(error.message)")
                }
            case "format", "title", "description", "$ref", "$schema", "$id":
                guard value.isString else { throw invalid(key, "string") }
                if key == "$ref" { _ = try resolve(value.asString!) }
            case "uniqueItems":
                guard value.asBool != nil else { throw invalid(key, "boolean") }
            default: break
            }
        }
    }

    private func checkType(_ value: Value) throws(BuiltinFailure) {
        let names = value.isArray ? value.elements : [value]
        for name in names {
            guard let text = name.asString else { throw invalid("type", "string/array of strings") }
            guard Self.types.contains(text) else {
                throw BuiltinFailure(
                    "has a primitive type that is NOT VALID -- given: /\(text)/ Expected valid values are:"
                        + "[\(Self.types.joined(separator: " "))]")
            }
        }
        if Set(names).count < names.count { throw BuiltinFailure("type items must be unique") }
    }

    /// The schema that a reference means.
    func resolve(_ reference: String) throws(BuiltinFailure) -> Value {
        let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let document = String(parts[0])
        var found: Value
        if document.isEmpty || root["$id"].asString == document || root["id"].asString == document {
            found = root
        } else if let known = identifiers[document] ?? find(identifier: document, in: root, depth: 0) {
            found = known
        } else if document.utf8.starts(with: "http://json-schema.org/draft-0".utf8) {
            // The schema of schemas: anything that is a schema, which is not gone into.
            return .true
        } else {
            throw BuiltinFailure("remote reference loading disabled: \(reference)")
        }
        guard parts.count == 2, !parts[1].isEmpty else { return found }
        if parts[1].utf8.first != UInt8(ascii: "/") {
            guard let named = find(identifier: "#" + parts[1], in: root, depth: 0) else {
                throw BuiltinFailure("Object has no key '\(parts[1])'")
            }
            return named
        }
        for part in parts[1].utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let key = DocumentPath.unescaped((try? URLCoding.unescape(Array(part), in: .path)) ?? Array(part))
            let name = String(decoding: key, as: UTF8.self)
            found = found.isArray ? found.lookup(Int64(name).map { Value($0) } ?? .undefined) : found[context.arena.string(key)]
            guard found.isDefined else { throw BuiltinFailure("Object has no key '\(name)'") }
        }
        return found
    }

    private func find(identifier: String, in schema: Value, depth: Int) -> Value? {
        if depth > BuiltinLimits.depthMax { return nil }
        if schema.isObject, schema["$id"].asString == identifier || schema["id"].asString == identifier { return schema }
        for index in 0..<schema.count {
            if let found = find(identifier: identifier, in: schema.slot(index), depth: depth + 1) { return found }
        }
        return nil
    }
}
