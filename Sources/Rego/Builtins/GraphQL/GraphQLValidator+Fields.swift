/// Rules about fields, arguments, directives and values (spec §5.3, §5.4, §5.6, §5.7).
extension GraphQL.Validator {
    mutating func checkField(
        _ field: GraphQL.Field, _ definition: GraphQL.FieldDefinition?, _ parent: GraphQL.Definition?, _ type: GraphQL.Definition?
    ) {
        guard let parent else { return }
        guard let definition else {
            report("Cannot query field \"\(field.name)\" on type \"\(parent.name)\".", field.position)
            return
        }
        for argument in field.arguments where !definition.arguments.contains(where: { $0.name == argument.name }) {
            report("Unknown argument \"\(argument.name)\" on field \"\(parent.name).\(field.name)\".", field.position)
        }
        for wanted in definition.arguments where wanted.type.isNonNull && wanted.defaultValue == nil {
            if !field.arguments.contains(where: { $0.name == wanted.name }) {
                report(
                    "Field \"\(field.name)\" argument \"\(wanted.name)\" of type \"\(wanted.type.text)\" is required, "
                        + "but it was not provided.", field.position)
            }
        }
        if let type {
            if !type.kind.isComposite && !field.selections.isEmpty {
                report(
                    "Field \"\(field.name)\" must not have a selection since type \"\(type.name)\" has no subfields.", field.position)
            }
            if type.kind.isComposite && field.selections.isEmpty {
                report(
                    "Field \"\(field.name)\" of type \"\(definition.type.text)\" must have a selection of subfields. "
                        + "Did you mean \"\(field.name) { ... }\"?", field.position)
            }
        }
        checkUnique(field.arguments)
    }

    private mutating func checkUnique(_ arguments: [GraphQL.Argument]) {
        var names: Set<String> = []
        for argument in arguments where !names.insert(argument.name).inserted {
            report("There can be only one argument named \"\(argument.name)\".", argument.position)
        }
    }

    mutating func checkDirective(_ directive: GraphQL.Directive, _ definition: GraphQL.DirectiveDefinition?, at location: String) {
        checkUnique(directive.arguments)
        guard let definition else {
            report("Unknown directive \"@\(directive.name)\".", directive.position)
            return
        }
        if !definition.locations.contains(location) {
            report("Directive \"@\(directive.name)\" may not be used on \(location).", directive.position)
        }
        for argument in directive.arguments where !definition.arguments.contains(where: { $0.name == argument.name }) {
            report("Unknown argument \"\(argument.name)\" on directive \"@\(directive.name)\".", directive.position)
        }
        for wanted in definition.arguments where wanted.type.isNonNull && wanted.defaultValue == nil {
            if !directive.arguments.contains(where: { $0.name == wanted.name }) {
                report(
                    "Directive \"@\(directive.name)\" argument \"\(wanted.name)\" of type \"\(wanted.type.text)\" is required, "
                        + "but it was not provided.", directive.position)
            }
        }
    }

    mutating func checkSpread(
        parent: GraphQL.Definition?, condition: GraphQL.Definition?, name: String?, _ position: GraphQL.Position?
    ) {
        guard let parent, let condition, parent.kind.isComposite, condition.kind.isComposite else { return }
        let possible = schema.possibleTypes[parent.name] ?? []
        if possible.isDisjoint(with: schema.possibleTypes[condition.name] ?? []) {
            let what = name.map { "Fragment \"\($0)\"" } ?? "Fragment"
            report(
                "\(what) cannot be spread here as objects of type \"\(parent.name)\" can never be of type \"\(condition.name)\".",
                position)
        }
    }

    mutating func checkValue(_ value: GraphQL.Value, expected: GraphQL.TypeReference?, definition: GraphQL.Definition?) {
        if value.kind == .object {
            var names: Set<String> = []
            for child in value.children where !names.insert(child.name).inserted {
                report("There can be only one input field named \"\(child.name)\".", child.position)
            }
        }
        guard let expected, let definition else { return }
        if value.kind == .null && expected.isNonNull {
            report("Expected value of type \"\(expected.text)\", found null.", value.position)
        }
        if definition.kind == .scalar, !["Int", "Float", "String", "Boolean", "ID"].contains(definition.name) { return }
        let bad = "Expected value of type \"\(expected.text)\", found \(shown(value))."
        func check(_ names: String...) -> Bool { names.contains(definition.name) }
        switch value.kind {
        case .null, .variable:
            return
        case .list:
            if expected.element.isEmpty { report(bad, value.position) }
        case .int:
            if !check("Int", "Float", "ID") {
                report(bad, value.position)
            } else if check("Int"), Int32(value.raw) == nil {
                report("Int cannot represent non 32-bit signed integer value: \(value.raw)", value.position)
            }
        case .float:
            if !check("Float") { report(bad, value.position) }
        case .string, .block:
            if definition.kind == .enumeration {
                report("Enum \"\(definition.name)\" cannot represent non-enum value: \(shown(value)).", value.position)
            } else if !check("String", "ID") {
                report(bad, value.position)
            }
        case .boolean:
            if !check("Boolean") { report(bad, value.position) }
        case .enumeration:
            if definition.kind != .enumeration || !definition.enumValues.contains(where: { $0.name == value.raw }) {
                report(
                    definition.kind == .enumeration
                        ? "Value \"\(value.raw)\" does not exist in \"\(expected.text)\" enum." : bad, value.position)
            }
        case .object:
            guard definition.kind == .inputObject else {
                report(bad, value.position)
                return
            }
            for field in definition.fields where field.type.isNonNull && field.defaultValue == nil {
                let given = value.children.first { $0.name == field.name }
                if given == nil {
                    report(
                        "Field \"\(definition.name).\(field.name)\" of required type \"\(field.type.text)\" was not provided.",
                        value.position)
                }
            }
            for child in value.children where !definition.fields.contains(where: { $0.name == child.name }) {
                report("Field \"\(child.name)\" is not defined by type \"\(definition.name)\".", child.position)
            }
        }
    }

    private func shown(_ value: GraphQL.Value) -> String {
        switch value.kind {
        case .variable: "$\(value.raw)"
        case .string, .block: GoQuote.quoted(value.raw)
        case .list: "[\(value.children.map { shown($0.value) }.joined(separator: ","))]"
        case .object: "{\(value.children.map { "\($0.name):\(shown($0.value))" }.joined(separator: ","))}"
        default: value.raw
        }
    }
}
