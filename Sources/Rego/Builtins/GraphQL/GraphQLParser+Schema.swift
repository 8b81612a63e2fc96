extension GraphQL.Parser {
    static func schema(_ bytes: [UInt8]) throws(GraphQL.Trouble) -> GraphQL.SchemaDocument {
        var parser = GraphQL.Parser(bytes)
        var document = GraphQL.SchemaDocument()
        while try parser.peek().kind != .end {
            let descriptionToken = try parser.peek()
            let description = try parser.description()
            let token = try parser.peek()
            guard token.kind == .name else { throw parser.unexpected(token) }
            switch token.value {
            case "schema":
                document.schema.append(try parser.schemaDefinition(description))
            case "directive":
                document.directives.append(try parser.directiveDefinition(description))
            case "extend":
                if !description.isEmpty { throw parser.unexpected(descriptionToken) }
                try parser.next()
                try parser.extensionDefinition(into: &document)
            default:
                document.definitions.append(try parser.definition(description))
            }
        }
        return document
    }

    private mutating func description() throws(GraphQL.Trouble) -> String {
        let kind = try peek().kind
        return kind == .string || kind == .block ? try next().value : ""
    }

    private mutating func schemaDefinition(_ description: String) throws(GraphQL.Trouble) -> GraphQL.SchemaDefinition {
        var definition = GraphQL.SchemaDefinition(description: description)
        definition.position = try peek().position
        try expectKeyword("schema")
        definition.directives = try directives(constant: true)
        definition.operationTypes = try list(.braceLeft, .braceRight, atLeastOne: true) { parser throws(GraphQL.Trouble) in
            let position = try parser.peek().position
            let operation = try parser.operationType()
            try parser.expect(.colon)
            return (operation, try parser.name(), position)
        }
        return definition
    }

    private mutating func extensionDefinition(into document: inout GraphQL.SchemaDocument) throws(GraphQL.Trouble) {
        if try peek().value == "schema" {
            let definition = try schemaDefinition("")
            if definition.directives.isEmpty && definition.operationTypes.isEmpty { throw try unexpected() }
            document.schemaExtensions.append(definition)
            return
        }
        let definition = try definition("")
        // An extension must add something.
        let adds =
            switch definition.kind {
            case .scalar: false
            case .object: !definition.interfaces.isEmpty || !definition.fields.isEmpty
            case .interface, .inputObject: !definition.fields.isEmpty
            case .union: !definition.types.isEmpty
            case .enumeration: !definition.enumValues.isEmpty
            }
        if definition.directives.isEmpty && !adds { throw try unexpected() }
        document.extensions.append(definition)
    }

    private mutating func definition(_ description: String) throws(GraphQL.Trouble) -> GraphQL.Definition {
        let token = try peek()
        let kinds: [String: GraphQL.Kind] = [
            "scalar": .scalar, "type": .object, "interface": .interface, "union": .union, "enum": .enumeration, "input": .inputObject,
        ]
        guard token.kind == .name, let kind = kinds[token.value] else { throw unexpected(token) }
        try next()
        var definition = GraphQL.Definition(kind: kind, description: description)
        definition.position = try peek().position
        definition.name = try name()
        if kind == .object || kind == .interface { definition.interfaces = try interfaces() }
        definition.directives = try directives(constant: true)
        switch kind {
        case .scalar:
            break
        case .object, .interface:
            definition.fields = try list(.braceLeft, .braceRight, atLeastOne: true) { parser throws(GraphQL.Trouble) in
                try parser.fieldDefinition()
            }
        case .inputObject:
            definition.fields = try list(.braceLeft, .braceRight, atLeastOne: true) { parser throws(GraphQL.Trouble) in
                let argument = try parser.argumentDefinition()
                return GraphQL.FieldDefinition(
                    description: argument.description, name: argument.name, defaultValue: argument.defaultValue, type: argument.type,
                    directives: argument.directives, position: argument.position)
            }
        case .union:
            if try skip(.equals) { definition.types = try names(separatedBy: .pipe) }
        case .enumeration:
            definition.enumValues = try list(.braceLeft, .braceRight, atLeastOne: true) { parser throws(GraphQL.Trouble) in
                let description = try parser.description()
                let position = try parser.peek().position
                return GraphQL.EnumValueDefinition(
                    description: description, name: try parser.name(), directives: try parser.directives(constant: true),
                    position: position)
            }
        }
        return definition
    }

    /// Names with a sign between them, which may also stand before the first.
    private mutating func names(separatedBy separator: GraphQL.Token.Kind) throws(GraphQL.Trouble) -> [String] {
        _ = try skip(separator)
        var names = [try name()]
        while try skip(separator) { names.append(try name()) }
        return names
    }

    private mutating func interfaces() throws(GraphQL.Trouble) -> [String] {
        guard try peek().value == "implements" else { return [] }
        try next()
        return try names(separatedBy: .ampersand)
    }

    private mutating func fieldDefinition() throws(GraphQL.Trouble) -> GraphQL.FieldDefinition {
        var field = GraphQL.FieldDefinition(description: try description())
        field.position = try peek().position
        field.name = try name()
        field.arguments = try argumentDefinitions()
        try expect(.colon)
        field.type = try typeReference()
        field.directives = try directives(constant: true)
        return field
    }

    private mutating func argumentDefinitions() throws(GraphQL.Trouble) -> [GraphQL.ArgumentDefinition] {
        try list(.parenthesisLeft, .parenthesisRight, atLeastOne: true) { parser throws(GraphQL.Trouble) in
            try parser.argumentDefinition()
        }
    }

    private mutating func argumentDefinition() throws(GraphQL.Trouble) -> GraphQL.ArgumentDefinition {
        var argument = GraphQL.ArgumentDefinition(description: try description())
        argument.position = try peek().position
        argument.name = try name()
        try expect(.colon)
        argument.type = try typeReference()
        if try skip(.equals) { argument.defaultValue = try value(constant: true) }
        argument.directives = try directives(constant: true)
        return argument
    }

    private mutating func directiveDefinition(_ description: String) throws(GraphQL.Trouble) -> GraphQL.DirectiveDefinition {
        var definition = GraphQL.DirectiveDefinition(description: description)
        try expectKeyword("directive")
        try expect(.at)
        definition.position = try peek().position
        definition.name = try name()
        definition.arguments = try argumentDefinitions()
        if try peek().value == "repeatable" {
            try next()
            definition.isRepeatable = true
        }
        try expectKeyword("on")
        _ = try skip(.pipe)
        repeat {
            let token = try expect(.name)
            guard GraphQL.directiveLocations.contains(token.value) else { throw unexpected(token) }
            definition.locations.append(token.value)
        } while try skip(.pipe)
        return definition
    }
}
