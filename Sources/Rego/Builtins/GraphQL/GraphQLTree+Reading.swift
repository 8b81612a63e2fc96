/// Trees from the JSON that `graphql.parse_query` and `graphql.parse_schema` gave; what is not there is empty.
extension GraphQL {
    struct TreeReader {

        private func text(_ value: Rego.Value, _ key: StaticString) throws(Trouble) -> String {
            let found = value[key]
            if found.isUndefined || found.isNull { return "" }
            guard let text = found.asString else { throw Trouble(message: "\(key) must be a string", position: nil) }
            return text
        }

        private func flag(_ value: Rego.Value, _ key: StaticString) -> Bool { value[key].isTrue }

        private func list<Element>(
            _ value: Rego.Value, _ key: StaticString, _ depth: Int, _ read: (Rego.Value, Int) throws(Trouble) -> Element
        ) throws(Trouble) -> [Element] {
            if depth > BuiltinLimits.depthMax { throw Trouble(message: "tree is nested too deep", position: nil) }
            let found = value[key]
            if found.isUndefined || found.isNull { return [] }
            guard found.isArray else { throw Trouble(message: "\(key) must be an array", position: nil) }
            var elements: [Element] = []
            for element in found.elements { elements.append(try read(element, depth + 1)) }
            return elements
        }

        private func strings(_ value: Rego.Value, _ key: StaticString) throws(Trouble) -> [String] {
            try list(value, key, 0) { element, _ throws(Trouble) in
                guard let text = element.asString else { throw Trouble(message: "\(key) must hold strings", position: nil) }
                return text
            }
        }

        func query(_ value: Rego.Value) throws(Trouble) -> QueryDocument {
            QueryDocument(
                operations: try list(value, "Operations", 0) { value, depth throws(Trouble) in
                    OperationDefinition(
                        operation: try text(value, "Operation"), name: try text(value, "Name"),
                        variables: try list(value, "VariableDefinitions", depth, variable), directives: try directives(value, depth),
                        selections: try selections(value, depth))
                },
                fragments: try list(value, "Fragments", 0) { value, depth throws(Trouble) in
                    FragmentDefinition(
                        name: try text(value, "Name"), variables: try list(value, "VariableDefinition", depth, variable),
                        typeCondition: try text(value, "TypeCondition"), directives: try directives(value, depth),
                        selections: try selections(value, depth))
                })
        }

        private func variable(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> VariableDefinition {
            VariableDefinition(
                name: try text(value, "Variable"), type: try type(value["Type"], depth),
                defaultValue: try optional(value["DefaultValue"], depth), directives: try directives(value, depth))
        }

        private func selections(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> [Selection] {
            try list(value, "SelectionSet", depth) { value, depth throws(Trouble) in
                if value["Alias"].isDefined {
                    return .field(
                        Field(
                            alias: try text(value, "Alias"), name: try text(value, "Name"), arguments: try arguments(value, depth),
                            directives: try directives(value, depth), selections: try selections(value, depth)))
                }
                if value["Name"].isDefined {
                    return .spread(FragmentSpread(name: try text(value, "Name"), directives: try directives(value, depth)))
                }
                return .inline(
                    InlineFragment(
                        typeCondition: try text(value, "TypeCondition"), directives: try directives(value, depth),
                        selections: try selections(value, depth)))
            }
        }

        private func arguments(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> [Argument] {
            try list(value, "Arguments", depth) { value, depth throws(Trouble) in
                Argument(name: try text(value, "Name"), value: try self.value(value["Value"], depth))
            }
        }

        private func directives(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> [Directive] {
            try list(value, "Directives", depth) { value, depth throws(Trouble) in
                Directive(name: try text(value, "Name"), arguments: try arguments(value, depth), location: try text(value, "Location"))
            }
        }

        private func optional(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> Value? {
            value.isUndefined || value.isNull ? nil : try self.value(value, depth)
        }

        private func value(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> Value {
            let number = value["Kind"].asInt64 ?? 0
            guard let kind = Value.Kind(rawValue: Int(number)) else {
                throw Trouble(message: "Kind must be a number from 0 to 9", position: nil)
            }
            return Value(
                kind: kind, raw: try text(value, "Raw"),
                children: try list(value, "Children", depth) { child, depth throws(Trouble) in
                    Value.Child(name: try text(child, "Name"), value: try self.value(child["Value"], depth))
                }, expectedTypeHasDefault: flag(value, "ExpectedTypeHasDefault"))
        }

        private func type(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> TypeReference {
            if depth > BuiltinLimits.depthMax { throw Trouble(message: "tree is nested too deep", position: nil) }
            var type = TypeReference(name: try text(value, "NamedType"), nonNull: flag(value, "NonNull"))
            if value["Elem"].isObject { type.element = [try self.type(value["Elem"], depth + 1)] }
            return type
        }

        func schema(_ value: Rego.Value) throws(Trouble) -> SchemaDocument {
            SchemaDocument(
                schema: try list(value, "Schema", 0, schemaDefinition),
                schemaExtensions: try list(value, "SchemaExtension", 0, schemaDefinition),
                directives: try list(value, "Directives", 0) { value, depth throws(Trouble) in
                    DirectiveDefinition(
                        description: try text(value, "Description"), name: try text(value, "Name"),
                        arguments: try list(value, "Arguments", depth, argument), locations: try strings(value, "Locations"),
                        isRepeatable: flag(value, "IsRepeatable"))
                }, definitions: try list(value, "Definitions", 0, definition), extensions: try list(value, "Extensions", 0, definition))
        }

        private func schemaDefinition(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> SchemaDefinition {
            var definition = SchemaDefinition(description: try text(value, "Description"), directives: try directives(value, depth))
            definition.operationTypes = try list(value, "OperationTypes", depth) { value, _ throws(Trouble) in
                (try text(value, "Operation"), try text(value, "Type"), nil)
            }
            return definition
        }

        private func definition(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> Definition {
            guard let kind = Kind(rawValue: try text(value, "Kind")) else {
                throw Trouble(message: "Kind is none of SCALAR, OBJECT, INTERFACE, UNION, ENUM, INPUT_OBJECT", position: nil)
            }
            return Definition(
                kind: kind, description: try text(value, "Description"), name: try text(value, "Name"),
                directives: try directives(value, depth), interfaces: try strings(value, "Interfaces"),
                fields: try list(value, "Fields", depth) { value, depth throws(Trouble) in
                    FieldDefinition(
                        description: try text(value, "Description"), name: try text(value, "Name"),
                        arguments: try list(value, "Arguments", depth, argument), defaultValue: try optional(value["DefaultValue"], depth),
                        type: try type(value["Type"], depth), directives: try directives(value, depth))
                }, types: try strings(value, "Types"),
                enumValues: try list(value, "EnumValues", depth) { value, depth throws(Trouble) in
                    EnumValueDefinition(
                        description: try text(value, "Description"), name: try text(value, "Name"),
                        directives: try directives(value, depth))
                }, isBuiltIn: flag(value, "BuiltIn"))
        }

        private func argument(_ value: Rego.Value, _ depth: Int) throws(Trouble) -> ArgumentDefinition {
            ArgumentDefinition(
                description: try text(value, "Description"), name: try text(value, "Name"),
                defaultValue: try optional(value["DefaultValue"], depth), type: try type(value["Type"], depth),
                directives: try directives(value, depth))
        }
    }
}
