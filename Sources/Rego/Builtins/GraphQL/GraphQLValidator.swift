extension GraphQL {
    /// Checks a query against a schema by the rules of the spec, §5. Errors come in the order of one walk through the document.
    struct Validator {
        let schema: Schema
        let document: QueryDocument
        let fragments: [String: FragmentDefinition]
        private(set) var troubles: [Trouble] = []
        private var operation: OperationDefinition?
        private var spreadsSeen: Set<String> = []
        /// Steps of the pairwise comparison of fields; fragments within fragments multiply.
        var comparisonsLeft = BuiltinLimits.matchStepsMax

        init(schema: Schema, document: QueryDocument) {
            self.schema = schema
            self.document = document
            fragments = Dictionary(document.fragments.map { ($0.name, $0) }) { first, _ in first }
        }

        /// All errors; none when the query is valid.
        static func troubles(in document: QueryDocument, schema: Schema) -> [Trouble] {
            var validator = Validator(schema: schema, document: document)
            validator.validate()
            return validator.troubles
        }

        mutating func report(_ message: String, _ position: Position?) {
            troubles.append(Trouble(message: message, position: position))
        }

        private mutating func validate() {
            checkOperationsAndFragments()
            for operation in document.operations {
                spreadsSeen = []
                visit(operation)
            }
            operation = nil
            for fragment in document.fragments {
                spreadsSeen = []
                visit(fragment)
            }
        }

        private mutating func visit(_ operation: OperationDefinition) {
            self.operation = operation
            let root = schema.roots[operation.operation].flatMap { schema.types[$0] }
            if root == nil { report("Schema does not support operation type \"\(operation.operation)\"", operation.position) }
            checkVariables(operation)
            for variable in operation.variables {
                let type = schema.definition(variable.type)
                if let value = variable.defaultValue { visit(value, expected: variable.type, hasDefault: false, definition: type) }
                visit(variable.directives, at: "VARIABLE_DEFINITION")
            }
            visit(operation.directives, at: operation.operation.uppercased())
            visit(operation.selections, parent: root)
            checkVariableUse(operation)
            if operation.operation == "subscription" { checkSubscription(operation) }
            checkOverlaps(operation.selections, parent: root)
        }

        private mutating func visit(_ fragment: FragmentDefinition) {
            let type = schema.types[fragment.typeCondition]
            visit(fragment.directives, at: "FRAGMENT_DEFINITION")
            if let type {
                if !type.kind.isComposite {
                    report(
                        "Fragment \"\(fragment.name)\" cannot condition on non composite type \"\(fragment.typeCondition)\".",
                        fragment.position)
                }
            } else if !fragment.typeCondition.isEmpty {
                reportUnknown(type: fragment.typeCondition, fragment.position)
            }
            visit(fragment.selections, parent: type)
            checkCycle(fragment)
            checkOverlaps(fragment.selections, parent: type)
        }

        private mutating func visit(_ selections: [Selection], parent: Definition?) {
            for selection in selections {
                switch selection {
                case .field(let field): visit(field, parent: parent)
                case .inline(let inline):
                    var next = parent
                    if !inline.typeCondition.isEmpty {
                        next = schema.types[inline.typeCondition]
                        if let next {
                            if !next.kind.isComposite {
                                report(
                                    "Fragment cannot condition on non composite type \"\(inline.typeCondition)\".", inline.position)
                            }
                        } else {
                            reportUnknown(type: inline.typeCondition, inline.position)
                        }
                    }
                    visit(inline.directives, at: "INLINE_FRAGMENT")
                    visit(inline.selections, parent: next)
                    checkSpread(parent: parent, condition: next, name: nil, inline.position)
                case .spread(let spread):
                    let fragment = fragments[spread.name]
                    let next = fragment.flatMap { schema.types[$0.typeCondition] }
                    visit(spread.directives, at: "FRAGMENT_SPREAD")
                    if let fragment, spreadsSeen.insert(fragment.name).inserted { visit(fragment.selections, parent: next) }
                    if fragment == nil { report("Unknown fragment \"\(spread.name)\".", spread.position) }
                    checkSpread(parent: parent, condition: next, name: spread.name, spread.position)
                }
            }
        }

        private mutating func visit(_ field: Field, parent: Definition?) {
            let definition = self.definition(of: field, in: parent)
            let type = definition.flatMap { schema.definition($0.type) }
            for argument in field.arguments {
                let wanted = definition?.arguments.first { $0.name == argument.name }
                visit(argument, wanted)
            }
            visit(field.directives, at: "FIELD")
            visit(field.selections, parent: type)
            checkField(field, definition, parent, type)
        }

        func definition(of field: Field, in parent: Definition?) -> FieldDefinition? {
            if field.name == "__typename" { return FieldDefinition(name: "__typename", type: TypeReference(name: "String")) }
            return parent?.fields.first { $0.name == field.name }
        }

        private mutating func visit(_ argument: Argument, _ wanted: ArgumentDefinition?) {
            visit(
                argument.value, expected: wanted?.type, hasDefault: wanted?.defaultValue != nil,
                definition: wanted.flatMap { schema.definition($0.type) })
        }

        private mutating func visit(_ directives: [Directive], at location: String) {
            var seen: Set<String> = []
            for directive in directives {
                let definition = schema.directives[directive.name]
                for argument in directive.arguments {
                    let wanted = definition?.arguments.first { $0.name == argument.name }
                    visit(argument, wanted)
                }
                checkDirective(directive, definition, at: location)
                if definition?.isRepeatable != true, !seen.insert(directive.name).inserted {
                    report("The directive \"@\(directive.name)\" can only be used once at this location.", directive.position)
                }
            }
        }

        private mutating func visit(_ value: Value, expected: TypeReference?, hasDefault: Bool, definition: Definition?) {
            for child in value.children {
                switch value.kind {
                case .object:
                    let field = definition?.fields.first { $0.name == child.name }
                    visit(
                        child.value, expected: field?.type, hasDefault: field?.defaultValue != nil,
                        definition: field.flatMap { schema.definition($0.type) })
                case .list:
                    let element = expected?.element.first
                    visit(child.value, expected: element, hasDefault: false, definition: element == nil ? nil : definition)
                default: break
                }
            }
            checkValue(value, expected: expected, definition: definition)
            if value.kind == .variable, let operation {
                checkVariablePosition(value, operation, expected: expected, hasDefault: hasDefault)
            }
        }

        mutating func reportUnknown(type: String, _ position: Position?) { report("Unknown type \"\(type)\".", position) }
    }
}
