extension GraphQL {
    /// A schema that has been checked: types by name, root types, who implements what.
    struct Schema {
        private(set) var types: [String: Definition] = [:]
        private(set) var directives: [String: DirectiveDefinition] = [:]
        private(set) var roots: [String: String] = [:]
        /// The object types that a value of a type may have.
        private(set) var possibleTypes: [String: Set<String>] = [:]

        /// Checks a document together with the prelude.
        init(_ document: SchemaDocument) throws(Trouble) {
            var definitions: [String] = []
            for definition in prelude.definitions + document.definitions {
                guard types[definition.name] == nil else {
                    throw Trouble(message: "Cannot redeclare type \(definition.name).", position: definition.position)
                }
                types[definition.name] = definition
                definitions.append(definition.name)
            }
            for addition in document.extensions {
                // A type that is only extended counts as defined: federated schemas are written so.
                if types[addition.name] == nil {
                    types[addition.name] = Definition(kind: addition.kind, name: addition.name, position: addition.position)
                    definitions.append(addition.name)
                }
                let base = types[addition.name]!.kind
                guard base == addition.kind else {
                    throw Trouble(
                        message: "Cannot extend type \(addition.name) because the base type is a \(base.rawValue), "
                            + "not \(addition.kind.rawValue).", position: addition.position)
                }
                types[addition.name]!.directives += addition.directives
                types[addition.name]!.interfaces += addition.interfaces
                types[addition.name]!.fields += addition.fields
                types[addition.name]!.types += addition.types
                types[addition.name]!.enumValues += addition.enumValues
            }
            for name in definitions {
                let definition = types[name]!
                switch definition.kind {
                case .union: possibleTypes[name, default: []].formUnion(definition.types)
                case .object, .inputObject:
                    for interface in definition.interfaces { possibleTypes[interface, default: []].insert(name) }
                    possibleTypes[name, default: []].insert(name)
                case .interface:
                    for interface in definition.interfaces { possibleTypes[interface, default: []].insert(name) }
                default: break
                }
            }
            for directive in prelude.directives + document.directives {
                // The built-in directives may be defined again; others not.
                guard directives[directive.name] == nil || prelude.directives.contains(where: { $0.name == directive.name }) else {
                    throw Trouble(message: "Cannot redeclare directive \(directive.name).", position: directive.position)
                }
                directives[directive.name] = directive
            }
            try readRoots(document)
            for name in types.keys.sorted() { try SchemaCheck(schema: self).check(types[name]!) }
            for name in directives.keys.sorted() { try SchemaCheck(schema: self).check(directives[name]!) }
            if document.schema.isEmpty {
                for (operation, type) in [("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")]
                where roots[operation] == nil && types[type] != nil { roots[operation] = type }
            }
            if let query = roots["query"] {
                var named = TypeReference(name: "__Schema", nonNull: true)
                types[query]!.fields.append(FieldDefinition(name: "__schema", type: named))
                named = TypeReference(name: "String", nonNull: true)
                types[query]!.fields.append(
                    FieldDefinition(
                        name: "__type", arguments: [ArgumentDefinition(name: "name", type: named)], type: TypeReference(name: "__Type")))
            }
        }

        private mutating func readRoots(_ document: SchemaDocument) throws(Trouble) {
            if document.schema.count > 1 {
                throw Trouble(
                    message: "Cannot have multiple schema entry points, consider schema extensions instead.",
                    position: document.schema[1].position)
            }
            for definition in document.schema + document.schemaExtensions {
                for (operation, type, position) in definition.operationTypes {
                    guard types[type] != nil else {
                        throw Trouble(
                            message: "Schema root \(operation) refers to a type \(type) that does not exist.", position: position)
                    }
                    roots[operation] = type
                }
                try SchemaCheck(schema: self).check(definition.directives, at: "SCHEMA", within: nil)
            }
        }

        func definition(_ type: TypeReference) -> Definition? { types[type.innermostName] }
    }

    /// What must hold of the parts of a schema.
    struct SchemaCheck {
        let schema: Schema

        func check(_ definition: Definition) throws(Trouble) {
            let kind = definition.kind.rawValue
            for field in definition.fields {
                try check(name: field.name, field.position)
                try check(type: field.type)
                try check(field.arguments, within: nil)
                let location = definition.kind == .inputObject ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION"
                try check(field.directives, at: location, within: nil)
            }
            for type in definition.types {
                guard let member = schema.types[type] else { throw undefined(type, definition.position) }
                guard member.kind == .object else {
                    throw Trouble(message: "\(kind) type \(GoQuote.quoted(type)) must be OBJECT.", position: definition.position)
                }
            }
            for interface in definition.interfaces { try check(definition, implements: interface) }
            switch definition.kind {
            case .object, .interface, .inputObject:
                let isInput = definition.kind == .inputObject
                if definition.fields.isEmpty {
                    throw Trouble(
                        message: "\(kind) \(definition.name): must define one or more \(isInput ? "input " : "")fields.",
                        position: definition.position)
                }
                for field in definition.fields {
                    guard let type = schema.definition(field.type) else { continue }
                    if isInput ? !type.kind.isInput : type.kind == .inputObject {
                        let kinds = isInput ? "SCALAR, ENUM, INPUT_OBJECT" : "SCALAR, OBJECT, INTERFACE, UNION, ENUM"
                        throw Trouble(
                            message: "\(kind) \(definition.name): field must be one of \(kinds).", position: field.position)
                    }
                }
            case .enumeration:
                if definition.enumValues.isEmpty {
                    throw Trouble(
                        message: "\(kind) \(definition.name): must define one or more unique enum values.",
                        position: definition.position)
                }
                for value in definition.enumValues where ["true", "false", "null"].contains(value.name) {
                    throw Trouble(message: "\(kind) \(definition.name): non-enum value \(value.name).", position: value.position)
                }
            default: break
            }
            var seen: Set<String> = []
            for field in definition.fields where !seen.insert(field.name).inserted {
                throw Trouble(message: "Field \(definition.name).\(field.name) can only be defined once.", position: field.position)
            }
            if !definition.isBuiltIn { try check(name: definition.name, definition.position) }
            try check(definition.directives, at: kind, within: nil)
        }

        func check(_ directive: DirectiveDefinition) throws(Trouble) {
            try check(name: directive.name, directive.position)
            try check(directive.arguments, within: directive.name)
        }

        func check(_ directives: [Directive], at location: String, within current: String?) throws(Trouble) {
            for directive in directives {
                try check(name: directive.name, directive.position)
                if directive.name == current {
                    throw Trouble(message: "Directive \(directive.name) cannot refer to itself.", position: directive.position)
                }
                guard let definition = schema.directives[directive.name] else {
                    throw Trouble(message: "Undefined directive \(directive.name).", position: directive.position)
                }
                guard definition.locations.contains(location) else {
                    throw Trouble(
                        message: "Directive \(directive.name) is not applicable on \(location).", position: directive.position)
                }
                for argument in directive.arguments where !definition.arguments.contains(where: { $0.name == argument.name }) {
                    throw Trouble(
                        message: "Undefined argument \(argument.name) for directive \(directive.name).", position: argument.position)
                }
                for wanted in definition.arguments where wanted.type.isNonNull && wanted.defaultValue == nil {
                    let given = directive.arguments.first { $0.name == wanted.name }
                    if given == nil || given!.value.kind == .null {
                        throw Trouble(
                            message: "Argument \(wanted.name) for directive \(directive.name) cannot be null.",
                            position: directive.position)
                    }
                }
            }
        }

        private func check(_ arguments: [ArgumentDefinition], within directive: String?) throws(Trouble) {
            for argument in arguments {
                try check(name: argument.name, argument.position)
                try check(type: argument.type)
                let name = argument.type.innermostName
                if !(schema.types[name]?.kind.isInput ?? false) {
                    throw Trouble(
                        message: "cannot use \(argument.type.text) as argument \(argument.name) because "
                            + "\(schema.types[name]?.kind.rawValue ?? name) is not a valid input type", position: argument.position)
                }
                try check(argument.directives, at: "ARGUMENT_DEFINITION", within: directive)
            }
        }

        private func check(name: String, _ position: Position?) throws(Trouble) {
            if name.utf8.starts(with: "__".utf8), schema.types[name]?.isBuiltIn != true {
                throw Trouble(
                    message: "Name \"\(name)\" must not begin with \"__\", which is reserved by GraphQL introspection.",
                    position: position)
            }
        }

        private func undefined(_ type: String, _ position: Position?) -> Trouble {
            Trouble(message: "Undefined type \(GoQuote.quoted(type)).", position: position)
        }

        private func check(type: TypeReference) throws(Trouble) {
            if schema.definition(type) == nil {
                throw Trouble(message: "Undefined type \(type.innermostName).", position: type.position)
            }
        }

        private func check(_ definition: Definition, implements name: String) throws(Trouble) {
            guard let interface = schema.types[name] else { throw undefined(name, definition.position) }
            guard interface.kind == .interface else {
                throw Trouble(
                    message: "\(GoQuote.quoted(name)) is a non interface type \(interface.kind.rawValue).", position: definition.position)
            }
            let who = "For \(definition.name) to implement \(name)"
            for wanted in interface.fields {
                guard let field = definition.fields.first(where: { $0.name == wanted.name }) else {
                    throw Trouble(message: "\(who) it must have a field called \(wanted.name).", position: definition.position)
                }
                guard isCovariant(wanted.type, field.type) else {
                    throw Trouble(
                        message: "\(who) the field \(wanted.name) must have type \(wanted.type.text).", position: field.position)
                }
                for argument in wanted.arguments {
                    guard let found = field.arguments.first(where: { $0.name == argument.name }) else {
                        throw Trouble(
                            message: "\(who) the field \(wanted.name) must have the same arguments but it is missing \(argument.name).",
                            position: field.position)
                    }
                    guard Self.isCompatible(argument.type, found.type) else {
                        throw Trouble(
                            message:
                                "\(who) the field \(wanted.name) must have the same arguments but \(argument.name) has the wrong type.",
                            position: field.position)
                    }
                }
                for extra in field.arguments
                where extra.type.isNonNull && extra.defaultValue == nil && !wanted.arguments.contains(where: { $0.name == extra.name }) {
                    throw Trouble(
                        message: "\(who) any additional arguments on \(field.name) must be optional or have a default value but "
                            + "\(extra.name) is required.", position: field.position)
                }
            }
            for ancestor in interface.interfaces where !definition.interfaces.contains(ancestor) {
                if ancestor == definition.name {
                    throw Trouble(
                        message: "Type \(definition.name) cannot implement \(name) because it would create a circular reference.",
                        position: definition.position)
                }
                throw Trouble(
                    message: "Type \(definition.name) must implement \(ancestor) because it is implemented by \(name).",
                    position: definition.position)
            }
        }

        /// Whether a field of type `actual` may stand where `wanted` is promised.
        private func isCovariant(_ wanted: TypeReference, _ actual: TypeReference) -> Bool {
            if wanted.isNonNull && !actual.isNonNull { return false }
            guard let element = wanted.element.first else {
                return actual.element.isEmpty
                    && (wanted.name == actual.name || schema.possibleTypes[wanted.name]?.contains(actual.name) ?? false)
            }
            guard let actualElement = actual.element.first else { return false }
            return isCovariant(element, actualElement)
        }

        /// Whether a value of type `type` may be used where `other` is wanted.
        static func isCompatible(_ type: TypeReference, _ other: TypeReference) -> Bool {
            if type.name != other.name { return false }
            if let element = type.element.first {
                guard let otherElement = other.element.first, isCompatible(element, otherElement) else { return false }
            }
            return !other.isNonNull || type.isNonNull
        }
    }
}
