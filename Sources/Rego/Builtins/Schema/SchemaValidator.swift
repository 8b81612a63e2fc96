/// Checks a document against a schema; errors in the words of the library that OPA uses.
struct SchemaValidator {
    struct Trouble: Equatable {
        let type: String
        let field: String
        let description: String
    }

    let schema: JSONSchema
    private(set) var troubles: [Trouble] = []
    /// `$ref` may lead in circles, and `anyOf` multiply.
    private var stepsLeft = BuiltinLimits.matchStepsMax

    static func troubles(_ document: Value, _ schema: JSONSchema) throws(BuiltinFailure) -> [Trouble] {
        var validator = SchemaValidator(schema: schema)
        try validator.validate(document, schema.root, [], depth: 0)
        return validator.troubles
    }

    private init(schema: JSONSchema) { self.schema = schema }

    private mutating func report(_ type: String, _ path: [String], _ description: String) {
        troubles.append(Trouble(type: type, field: path.isEmpty ? "(root)" : path.joined(separator: "."), description: description))
    }

    /// What the schema says about the value, without adding it to the errors.
    private mutating func troubles(of value: Value, _ part: Value, _ path: [String], _ depth: Int) throws(BuiltinFailure) -> [Trouble] {
        let kept = troubles
        troubles = []
        try validate(value, part, path, depth: depth + 1)
        let found = troubles
        troubles = kept
        return found
    }

    private mutating func validate(_ value: Value, _ part: Value, _ path: [String], depth: Int) throws(BuiltinFailure) {
        stepsLeft -= 1
        if stepsLeft < 0 || depth > BuiltinLimits.depthMax { throw .tooLarge("steps of a schema", BuiltinLimits.matchStepsMax) }
        if let allowed = part.asBool {
            if !allowed { report("false", path, "False always fails validation") }
            return
        }
        if let reference = part["$ref"].asString {
            try validate(value, try schema.resolve(reference), path, depth: depth + 1)
            return
        }
        guard checkType(value, part, path) else { return }
        try checkCombinations(value, part, path, depth)
        let field = path.isEmpty ? "(root)" : path.joined(separator: ".")
        if part["const"].isDefined, part["const"] != value {
            report("const", path, "\(field) does not match: \(Self.shown(part["const"]))")
        }
        if part["enum"].isArray, !part["enum"].elements.contains(value) {
            report("enum", path, "\(field) must be one of the following: \(part["enum"].elements.map(Self.shown).joined(separator: ", "))")
        }
        switch value.kind {
        case .object: try checkObject(value, part, path, depth)
        case .array, .set: try checkArray(value, part, path, depth)
        case .string: try checkString(value, part, path)
        case .number: try checkNumber(value, part, path)
        default: break
        }
    }

    private static func shown(_ value: Value) -> String { JSONWriter.text(value) }

    private mutating func checkType(_ value: Value, _ part: Value, _ path: [String]) -> Bool {
        let wanted = part["type"]
        guard wanted.isDefined else { return true }
        let names = (wanted.isArray ? wanted.elements : [wanted]).compactMap(\.asString)
        var given = value.kind.name
        if value.isSet { given = "array" }
        if value.isNumber { given = value.asInteger != nil ? "integer" : "number" }
        if names.contains(given) || (given == "integer" && names.contains("number")) { return true }
        report("invalid_type", path, "Invalid type. Expected: \(names.joined(separator: "/")), given: \(given)")
        return false
    }

    private mutating func checkCombinations(_ value: Value, _ part: Value, _ path: [String], _ depth: Int) throws(BuiltinFailure) {
        if part["anyOf"].isArray {
            var best: [Trouble]?
            for option in part["anyOf"].elements {
                let found = try troubles(of: value, option, path, depth)
                if best.map({ found.count < $0.count }) ?? true { best = found }
                if found.isEmpty { break }
            }
            if let best, !best.isEmpty {
                report("number_any_of", path, "Must validate at least one schema (anyOf)")
                troubles += best
            }
        }
        if part["oneOf"].isArray {
            var valid = 0
            var best: [Trouble]?
            for option in part["oneOf"].elements {
                let found = try troubles(of: value, option, path, depth)
                if found.isEmpty { valid += 1 }
                if best.map({ found.count < $0.count }) ?? true { best = found }
            }
            if valid != 1 {
                report("number_one_of", path, "Must validate one and only one schema (oneOf)")
                if valid == 0, let best { troubles += best }
            }
        }
        if part["allOf"].isArray {
            var valid = true
            for option in part["allOf"].elements {
                let found = try troubles(of: value, option, path, depth)
                if !found.isEmpty { valid = false }
                troubles += found
            }
            if !valid { report("number_all_of", path, "Must validate all the schemas (allOf)") }
        }
        if part["not"].isDefined, try troubles(of: value, part["not"], path, depth).isEmpty {
            report("number_not", path, "Must not validate the schema (not)")
        }
        if part["if"].isDefined, !schema.isDraft4 {
            let holds = try troubles(of: value, part["if"], path, depth).isEmpty
            let next = holds ? part["then"] : part["else"]
            if next.isDefined {
                let found = try troubles(of: value, next, path, depth)
                if !found.isEmpty {
                    report(
                        holds ? "condition_then" : "condition_else", path,
                        holds ? "Must validate \"then\" as \"if\" was valid" : "Must validate \"else\" as \"if\" was not valid")
                    troubles += found
                }
            }
        }
    }

    private mutating func checkObject(_ value: Value, _ part: Value, _ path: [String], _ depth: Int) throws(BuiltinFailure) {
        for name in part["required"].elements where value[name].isUndefined {
            report("required", path, "\(name.asString ?? "") is required")
        }
        if let least = part["minProperties"].asInt64, value.count < least {
            report("array_min_properties", path, "Must have at least \(least) properties")
        }
        if let most = part["maxProperties"].asInt64, value.count > most {
            report("array_max_properties", path, "Must have at most \(most) properties")
        }
        let dependencies = part["dependencies"]
        for (name, dependency) in dependencies.entries where value[name].isDefined {
            if dependency.isArray {
                for other in dependency.elements where value[other].isUndefined {
                    report("missing_dependency", path, "Has a dependency on \(other.asString ?? "")")
                }
            } else {
                try validate(value, dependency, path, depth: depth + 1)
            }
        }
        let (properties, patterns, additional) = (part["properties"], part["patternProperties"], part["additionalProperties"])
        for (key, element) in value.entries {
            let name = key.asString ?? Self.shown(key)
            var isKnown = false
            if properties[key].isDefined {
                isKnown = true
                try validate(element, properties[key], path + [name], depth: depth + 1)
            }
            for (pattern, option) in patterns.entries {
                guard try Pattern.compile(Array(pattern.utf8), schema.context).matches(key.utf8) else { continue }
                isKnown = true
                try validate(element, option, path + [name], depth: depth + 1)
            }
            if !isKnown, additional.isDefined {
                if additional.isFalse {
                    report("additional_property_not_allowed", path, "Additional property \(name) is not allowed")
                } else {
                    try validate(element, additional, path + [name], depth: depth + 1)
                }
            }
            if part["propertyNames"].isDefined, !schema.isDraft4,
                try !troubles(of: key, part["propertyNames"], path, depth).isEmpty
            {
                report("invalid_property_name", path, "Property name of \"\(name)\" does not match")
            }
        }
    }

    private mutating func checkArray(_ value: Value, _ part: Value, _ path: [String], _ depth: Int) throws(BuiltinFailure) {
        let items = part["items"]
        for (index, element) in value.elements.enumerated() {
            if items.isArray {
                if index < items.count {
                    try validate(element, items.slot(index), path + [String(index)], depth: depth + 1)
                } else if part["additionalItems"].isFalse {
                    report("array_no_additional_items", path, "No additional items allowed on array")
                    break
                } else if part["additionalItems"].isObject {
                    try validate(element, part["additionalItems"], path + [String(index)], depth: depth + 1)
                }
            } else if items.isDefined {
                try validate(element, items, path + [String(index)], depth: depth + 1)
            }
        }
        if let least = part["minItems"].asInt64, value.count < least {
            report("array_min_items", path, "Array must have at least \(least) items")
        }
        if let most = part["maxItems"].asInt64, value.count > most {
            report("array_max_items", path, "Array must have at most \(most) items")
        }
        if part["uniqueItems"].isTrue {
            var seen: [Value: Int] = [:]
            for (index, element) in value.elements.enumerated() {
                if let first = seen[element] {
                    report("unique", path, "array items[\(first),\(index)] must be unique")
                } else {
                    seen[element] = index
                }
            }
        }
        if part["contains"].isDefined, !schema.isDraft4 {
            var found = false
            for element in value.elements where !found { found = try troubles(of: element, part["contains"], path, depth).isEmpty }
            if !found { report("contains", path, "At least one of the items must match") }
        }
    }

    private mutating func checkString(_ value: Value, _ part: Value, _ path: [String]) throws(BuiltinFailure) {
        let length = Runes.count(Array(value.utf8))
        if let least = part["minLength"].asInt64, length < least {
            report("string_gte", path, "String length must be greater than or equal to \(least)")
        }
        if let most = part["maxLength"].asInt64, length > most {
            report("string_lte", path, "String length must be less than or equal to \(most)")
        }
        if let pattern = part["pattern"].asString,
            try !Pattern.compile(Array(pattern.utf8), schema.context).matches(value.utf8)
        {
            report("pattern", path, "Does not match pattern '\(pattern)'")
        }
        if let format = part["format"].asString, !SchemaFormat.accepts(Array(value.utf8), as: format, schema.context) {
            report("format", path, "Does not match format '\(format)'")
        }
    }

    private mutating func checkNumber(_ value: Value, _ part: Value, _ path: [String]) throws(BuiltinFailure) {
        func bound(_ key: StaticString) -> (limit: Value, text: String)? {
            part[key].isNumber ? (part[key], part[key].numberText ?? "") : nil
        }
        if part["multipleOf"].isNumber, !Self.isMultiple(value, of: part["multipleOf"]) {
            report("multiple_of", path, "Must be a multiple of \(part["multipleOf"].numberText ?? "")")
        }
        if let (limit, text) = bound("minimum") {
            let order = Value.compare(value, limit)
            if part["exclusiveMinimum"].isTrue ? order <= 0 : order < 0 {
                part["exclusiveMinimum"].isTrue
                    ? report("number_gt", path, "Must be greater than \(text)")
                    : report("number_gte", path, "Must be greater than or equal to \(text)")
            }
        }
        if let (limit, text) = bound("exclusiveMinimum"), Value.compare(value, limit) <= 0 {
            report("number_gt", path, "Must be greater than \(text)")
        }
        if let (limit, text) = bound("maximum") {
            let order = Value.compare(value, limit)
            if part["exclusiveMaximum"].isTrue ? order >= 0 : order > 0 {
                part["exclusiveMaximum"].isTrue
                    ? report("number_lt", path, "Must be less than \(text)")
                    : report("number_lte", path, "Must be less than or equal to \(text)")
            }
        }
        if let (limit, text) = bound("exclusiveMaximum"), Value.compare(value, limit) >= 0 {
            report("number_lt", path, "Must be less than \(text)")
        }
    }

    /// Exactly: both numbers are scaled until they are whole.
    private static func isMultiple(_ value: Value, of divisor: Value) -> Bool {
        guard let a = DecimalText(Array((value.numberText ?? "").utf8)), let b = DecimalText(Array((divisor.numberText ?? "").utf8)),
            !b.digits.isEmpty, abs(a.exponent) < 1000, abs(b.exponent) < 1000, a.digits.count < 1000, b.digits.count < 1000
        else { return false }
        var (left, right) = (Magnitude(decimal: a.digits), Magnitude(decimal: b.digits))
        if a.exponent > b.exponent { left.multiply(byPowerOfTen: a.exponent - b.exponent) }
        if b.exponent > a.exponent { right.multiply(byPowerOfTen: b.exponent - a.exponent) }
        return left.remainder(dividingBy: right).isZero
    }
}
