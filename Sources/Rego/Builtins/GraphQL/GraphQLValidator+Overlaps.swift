/// Fields that end under one name in the answer must be the same (spec §5.3.2).
extension GraphQL.Validator {
    private struct Occurrence {
        let field: GraphQL.Field
        let parent: GraphQL.Definition?
        let definition: GraphQL.FieldDefinition?
    }

    mutating func checkOverlaps(_ selections: [GraphQL.Selection], parent: GraphQL.Definition?) {
        let trouble = overlap(in: occurrences(selections, parent))
        if let trouble {
            report(
                "Fields \"\(trouble.name)\" conflict because \(trouble.reason). Use different aliases on the fields to fetch both if this was intentional.",
                trouble.position)
        }
        for selection in selections {
            switch selection {
            case .field(let field):
                let definition = definition(of: field, in: parent)
                if trouble == nil { checkOverlaps(field.selections, parent: definition.flatMap { schema.definition($0.type) }) }
            case .inline(let inline):
                let next = inline.typeCondition.isEmpty ? parent : schema.types[inline.typeCondition]
                if trouble == nil { checkOverlaps(inline.selections, parent: next) }
            case .spread: break
            }
        }
    }

    private func occurrences(_ selections: [GraphQL.Selection], _ parent: GraphQL.Definition?) -> [Occurrence] {
        var result: [Occurrence] = []
        var seen: Set<String> = []
        collect(selections, parent, &seen, into: &result)
        return result
    }

    private func collect(
        _ selections: [GraphQL.Selection], _ parent: GraphQL.Definition?, _ seen: inout Set<String>, into result: inout [Occurrence]
    ) {
        for selection in selections {
            switch selection {
            case .field(let field):
                result.append(Occurrence(field: field, parent: parent, definition: definition(of: field, in: parent)))
            case .inline(let inline):
                collect(
                    inline.selections, inline.typeCondition.isEmpty ? parent : schema.types[inline.typeCondition], &seen, into: &result)
            case .spread(let spread):
                if seen.insert(spread.name).inserted, let fragment = fragments[spread.name] {
                    collect(fragment.selections, schema.types[fragment.typeCondition], &seen, into: &result)
                }
            }
        }
    }

    private typealias Conflict = (name: String, reason: String, position: GraphQL.Position?)

    private mutating func overlap(in occurrences: [Occurrence]) -> Conflict? {
        var byAlias: [String: [Occurrence]] = [:]
        var order: [String] = []
        for occurrence in occurrences {
            if byAlias[occurrence.field.alias] == nil { order.append(occurrence.field.alias) }
            byAlias[occurrence.field.alias, default: []].append(occurrence)
        }
        for alias in order {
            let group = byAlias[alias]!
            for (index, first) in group.enumerated() {
                for second in group[(index + 1)...] {
                    comparisonsLeft -= 1
                    if comparisonsLeft == 0 { return (alias, "the query is too large to be compared", first.field.position) }
                    if comparisonsLeft < 0 { return nil }
                    if let reason = conflict(first, second, exclusive: false) { return (alias, reason, first.field.position) }
                }
            }
        }
        return nil
    }

    private mutating func conflict(_ first: Occurrence, _ second: Occurrence, exclusive: Bool) -> String? {
        comparisonsLeft -= 1
        if comparisonsLeft < 0 { return nil }
        // Two object types exclude each other; then only the shape of the answer must agree.
        let exclusive =
            exclusive
            || (first.parent?.name != second.parent?.name && first.parent?.kind == .object && second.parent?.kind == .object)
        if !exclusive {
            if first.field.name != second.field.name {
                return "\"\(first.field.name)\" and \"\(second.field.name)\" are different fields"
            }
            if !Self.sameArguments(first.field.arguments, second.field.arguments) { return "they have differing arguments" }
        }
        if let one = first.definition?.type, let other = second.definition?.type, differ(one, other) {
            return "they return conflicting types \"\(one.text)\" and \"\(other.text)\""
        }
        if first.field.selections.isEmpty || second.field.selections.isEmpty { return nil }
        let one = occurrences(first.field.selections, first.definition.flatMap { schema.definition($0.type) })
        let other = occurrences(second.field.selections, second.definition.flatMap { schema.definition($0.type) })
        for left in one {
            for right in other where left.field.alias == right.field.alias {
                if conflict(left, right, exclusive: exclusive) != nil {
                    return "subfields \"\(left.field.alias)\" conflict"
                }
            }
        }
        return nil
    }

    private func differ(_ one: GraphQL.TypeReference, _ other: GraphQL.TypeReference) -> Bool {
        if one.isNonNull != other.isNonNull || one.element.isEmpty != other.element.isEmpty { return true }
        if let left = one.element.first, let right = other.element.first { return differ(left, right) }
        let isLeaf = !(schema.types[one.name]?.kind.isComposite ?? false) || !(schema.types[other.name]?.kind.isComposite ?? false)
        return isLeaf && one.name != other.name
    }

    private static func sameArguments(_ one: [GraphQL.Argument], _ other: [GraphQL.Argument]) -> Bool {
        guard one.count == other.count else { return false }
        return one.allSatisfy { argument in
            other.contains { $0.name == argument.name && sameValue($0.value, argument.value) }
        }
    }

    private static func sameValue(_ one: GraphQL.Value, _ other: GraphQL.Value) -> Bool {
        one.kind == other.kind && one.raw == other.raw && one.children.count == other.children.count
            && zip(one.children, other.children).allSatisfy { $0.name == $1.name && sameValue($0.value, $1.value) }
    }
}
