/// Trees as the JSON that OPA shows: empty lists and what is not there are left out, positions too.
extension GraphQL {
    struct TreeWriter {
        let arena: Arena

        private typealias Fields = [(String, Rego.Value)]

        private func text(_ text: String) -> Rego.Value { arena.string(text) }

        private func list<Element>(_ name: String, _ elements: [Element], _ write: (Element) -> Rego.Value) -> Fields {
            elements.isEmpty ? [] : [(name, arena.array(elements.map(write)))]
        }

        func write(_ document: QueryDocument) -> Rego.Value {
            arena.record(list("Operations", document.operations, operation) + list("Fragments", document.fragments, fragment))
        }

        private func operation(_ operation: OperationDefinition) -> Rego.Value {
            arena.record(
                [("Operation", text(operation.operation)), ("Name", text(operation.name))]
                    + list("VariableDefinitions", operation.variables, variable) + directives(operation.directives)
                    + selections(operation.selections))
        }

        private func fragment(_ fragment: FragmentDefinition) -> Rego.Value {
            arena.record(
                [("Name", text(fragment.name)), ("TypeCondition", text(fragment.typeCondition))]
                    + list("VariableDefinition", fragment.variables, variable) + directives(fragment.directives)
                    + selections(fragment.selections))
        }

        private func variable(_ variable: VariableDefinition) -> Rego.Value {
            arena.record(
                [("Variable", text(variable.name)), ("Type", type(variable.type)), ("Used", .false)]
                    + (variable.defaultValue.map { [("DefaultValue", value($0))] } ?? []) + directives(variable.directives))
        }

        private func selections(_ selections: [Selection]) -> Fields {
            list("SelectionSet", selections) { selection in
                switch selection {
                case .field(let field):
                    arena.record(
                        [("Alias", text(field.alias)), ("Name", text(field.name))] + arguments(field.arguments)
                            + directives(field.directives) + self.selections(field.selections))
                case .spread(let spread): arena.record([("Name", text(spread.name))] + directives(spread.directives))
                case .inline(let inline):
                    arena.record(
                        [("TypeCondition", text(inline.typeCondition))] + directives(inline.directives)
                            + self.selections(inline.selections))
                }
            }
        }

        private func arguments(_ arguments: [Argument]) -> Fields {
            list("Arguments", arguments) { arena.record([("Name", text($0.name)), ("Value", value($0.value))]) }
        }

        private func directives(_ directives: [Directive]) -> Fields {
            list("Directives", directives) {
                arena.record([("Name", text($0.name)), ("Location", text($0.location))] + arguments($0.arguments))
            }
        }

        private func value(_ value: Value) -> Rego.Value {
            arena.record(
                [
                    ("Kind", Rego.Value(value.kind.rawValue)), ("Raw", text(value.raw)),
                    ("ExpectedTypeHasDefault", Rego.Value(value.expectedTypeHasDefault)),
                ]
                    + list("Children", value.children) {
                        arena.record([("Name", text($0.name)), ("Value", self.value($0.value))])
                    })
        }

        private func type(_ type: TypeReference) -> Rego.Value {
            arena.record(
                [("NamedType", text(type.name)), ("NonNull", Rego.Value(type.isNonNull))]
                    + (type.element.first.map { [("Elem", self.type($0))] } ?? []))
        }

        func write(_ document: SchemaDocument) -> Rego.Value {
            arena.record(
                list("Schema", document.schema, schema) + list("SchemaExtension", document.schemaExtensions, schema)
                    + list("Directives", document.directives, directive) + list("Definitions", document.definitions, definition)
                    + list("Extensions", document.extensions, definition))
        }

        private func schema(_ definition: SchemaDefinition) -> Rego.Value {
            arena.record(
                [("Description", text(definition.description))] + directives(definition.directives)
                    + list("OperationTypes", definition.operationTypes) {
                        arena.record([("Operation", text($0.operation)), ("Type", text($0.type))])
                    })
        }

        private func definition(_ definition: Definition) -> Rego.Value {
            arena.record(
                [
                    ("Kind", text(definition.kind.rawValue)), ("Description", text(definition.description)),
                    ("Name", text(definition.name)), ("BuiltIn", Rego.Value(definition.isBuiltIn)),
                ]
                    + directives(definition.directives) + list("Interfaces", definition.interfaces, text)
                    + list("Fields", definition.fields, field) + list("Types", definition.types, text)
                    + list("EnumValues", definition.enumValues) {
                        arena.record(
                            [("Description", text($0.description)), ("Name", text($0.name))] + directives($0.directives))
                    })
        }

        private func field(_ field: FieldDefinition) -> Rego.Value {
            arena.record(
                [("Description", text(field.description)), ("Name", text(field.name)), ("Type", type(field.type))]
                    + list("Arguments", field.arguments, argument) + (field.defaultValue.map { [("DefaultValue", value($0))] } ?? [])
                    + directives(field.directives))
        }

        private func argument(_ argument: ArgumentDefinition) -> Rego.Value {
            arena.record(
                [("Description", text(argument.description)), ("Name", text(argument.name)), ("Type", type(argument.type))]
                    + (argument.defaultValue.map { [("DefaultValue", value($0))] } ?? []) + directives(argument.directives))
        }

        private func directive(_ directive: DirectiveDefinition) -> Rego.Value {
            arena.record(
                [
                    ("Description", text(directive.description)), ("Name", text(directive.name)),
                    ("IsRepeatable", Rego.Value(directive.isRepeatable)),
                ] + list("Arguments", directive.arguments, argument) + list("Locations", directive.locations, text))
        }
    }
}
