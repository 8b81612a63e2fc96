/// Rules about operations, fragments and variables (spec §5.2, §5.5, §5.8).
extension GraphQL.Validator {
    mutating func checkOperationsAndFragments() {
        var names: Set<String> = []
        for operation in document.operations {
            if !operation.name.isEmpty, !names.insert(operation.name).inserted {
                report("There can be only one operation named \"\(operation.name)\".", operation.position)
            }
            if operation.name.isEmpty && document.operations.count > 1 {
                report("This anonymous operation must be the only defined operation.", operation.position)
            }
        }
        names = []
        for fragment in document.fragments where !names.insert(fragment.name).inserted {
            report("There can be only one fragment named \"\(fragment.name)\".", fragment.position)
        }
        var used: Set<String> = []
        for operation in document.operations { collectSpreads(operation.selections, into: &used) }
        for fragment in document.fragments where !used.contains(fragment.name) {
            report("Fragment \"\(fragment.name)\" is never used.", fragment.position)
        }
    }

    /// The names of all fragments that are used, also by fragments.
    private func collectSpreads(_ selections: [GraphQL.Selection], into names: inout Set<String>) {
        for selection in selections {
            switch selection {
            case .field(let field): collectSpreads(field.selections, into: &names)
            case .inline(let inline): collectSpreads(inline.selections, into: &names)
            case .spread(let spread):
                if names.insert(spread.name).inserted, let fragment = fragments[spread.name] {
                    collectSpreads(fragment.selections, into: &names)
                }
            }
        }
    }

    mutating func checkCycle(_ fragment: GraphQL.FragmentDefinition) {
        var used: Set<String> = []
        collectSpreads(fragment.selections, into: &used)
        if used.contains(fragment.name) {
            report("Cannot spread fragment \"\(fragment.name)\" within itself.", fragment.position)
        }
    }

    mutating func checkVariables(_ operation: GraphQL.OperationDefinition) {
        var names: Set<String> = []
        for variable in operation.variables {
            if !names.insert(variable.name).inserted {
                report("There can be only one variable named \"$\(variable.name)\".", variable.position)
            }
            guard let type = schema.definition(variable.type) else {
                reportUnknown(type: variable.type.innermostName, variable.type.position ?? variable.position)
                continue
            }
            if !type.kind.isInput {
                report("Variable \"$\(variable.name)\" cannot be non-input type \"\(variable.type.text)\".", variable.position)
            }
        }
    }

    /// Every variable that is used is defined, and the other way round.
    mutating func checkVariableUse(_ operation: GraphQL.OperationDefinition) {
        var uses: [(name: String, position: GraphQL.Position?)] = []
        var seen: Set<String> = []
        collectVariables(operation.directives, into: &uses)
        for variable in operation.variables {
            collectVariables(variable.directives, into: &uses)
            if let value = variable.defaultValue { collectVariables(value, into: &uses) }
        }
        collectVariables(operation.selections, &seen, into: &uses)
        let used = Set(uses.map(\.name))
        let suffix = operation.name.isEmpty ? "" : " by operation \"\(operation.name)\""
        for use in uses where !operation.variables.contains(where: { $0.name == use.name }) {
            report("Variable \"$\(use.name)\" is not defined\(suffix).", use.position)
        }
        let within = operation.name.isEmpty ? "" : " in operation \"\(operation.name)\""
        for variable in operation.variables where !used.contains(variable.name) {
            report("Variable \"$\(variable.name)\" is never used\(within).", variable.position)
        }
    }

    private typealias Uses = [(name: String, position: GraphQL.Position?)]

    private func collectVariables(_ selections: [GraphQL.Selection], _ seen: inout Set<String>, into uses: inout Uses) {
        for selection in selections {
            switch selection {
            case .field(let field):
                for argument in field.arguments { collectVariables(argument.value, into: &uses) }
                collectVariables(field.directives, into: &uses)
                collectVariables(field.selections, &seen, into: &uses)
            case .inline(let inline):
                collectVariables(inline.directives, into: &uses)
                collectVariables(inline.selections, &seen, into: &uses)
            case .spread(let spread):
                collectVariables(spread.directives, into: &uses)
                if seen.insert(spread.name).inserted, let fragment = fragments[spread.name] {
                    collectVariables(fragment.selections, &seen, into: &uses)
                }
            }
        }
    }

    private func collectVariables(_ directives: [GraphQL.Directive], into uses: inout Uses) {
        for directive in directives {
            for argument in directive.arguments { collectVariables(argument.value, into: &uses) }
        }
    }

    private func collectVariables(_ value: GraphQL.Value, into uses: inout Uses) {
        if value.kind == .variable { uses.append((value.raw, value.position)) }
        for child in value.children { collectVariables(child.value, into: &uses) }
    }

    /// A subscription has one field at its root.
    mutating func checkSubscription(_ operation: GraphQL.OperationDefinition) {
        var fields: [GraphQL.Field] = []
        var seen: Set<String> = []
        collectRootFields(operation.selections, &seen, into: &fields)
        let name = operation.name.isEmpty ? "Anonymous Subscription" : "Subscription \"\(operation.name)\""
        if Set(fields.map(\.alias)).count > 1 { report("\(name) must select only one top level field.", fields[1].position) }
        for field in fields where field.name.utf8.starts(with: "__".utf8) {
            report("\(name) must not select an introspection top level field.", field.position)
        }
    }

    private func collectRootFields(_ selections: [GraphQL.Selection], _ seen: inout Set<String>, into fields: inout [GraphQL.Field]) {
        for selection in selections {
            switch selection {
            case .field(let field): fields.append(field)
            case .inline(let inline): collectRootFields(inline.selections, &seen, into: &fields)
            case .spread(let spread):
                if seen.insert(spread.name).inserted, let fragment = fragments[spread.name] {
                    collectRootFields(fragment.selections, &seen, into: &fields)
                }
            }
        }
    }

    mutating func checkVariablePosition(
        _ value: GraphQL.Value, _ operation: GraphQL.OperationDefinition, expected: GraphQL.TypeReference?, hasDefault: Bool
    ) {
        guard let expected, let variable = operation.variables.first(where: { $0.name == value.raw }) else { return }
        var wanted = expected
        // A default, of the variable or of the place, stands in for null.
        if wanted.isNonNull, !variable.type.isNonNull {
            if variable.defaultValue.map({ $0.kind != .null }) ?? false || hasDefault { wanted.isNonNull = false }
        }
        if !GraphQL.SchemaCheck.isCompatible(variable.type, wanted) {
            report(
                "Variable \"$\(value.raw)\" of type \"\(variable.type.text)\" used in position expecting type \"\(expected.text)\".",
                value.position)
        }
    }
}
