/// GraphQL documents as trees (spec of October 2021). The names follow the JSON that `graphql.parse_query` and `graphql.parse_schema` give.
enum GraphQL {
    /// Where something is written, from 1. Trees that came as JSON have none.
    struct Position: Equatable, Sendable {
        var line: Int
        var column: Int
    }

    /// A syntax or validation error.
    struct Trouble: Error, Equatable {
        let message: String
        let position: Position?
    }

    enum Operation: String {
        case query, mutation, subscription
    }

    // MARK: Executable documents

    struct QueryDocument: Sendable {
        var operations: [OperationDefinition] = []
        var fragments: [FragmentDefinition] = []
    }

    struct OperationDefinition: Sendable {
        /// As written, so that an unknown operation of a JSON tree survives.
        var operation = "query"
        var name = ""
        var variables: [VariableDefinition] = []
        var directives: [Directive] = []
        var selections: [Selection] = []
        var position: Position?
    }

    struct VariableDefinition: Sendable {
        var name = ""
        var type = TypeReference(name: "")
        var defaultValue: Value?
        var directives: [Directive] = []
        var position: Position?
    }

    struct FragmentDefinition: Sendable {
        var name = ""
        var variables: [VariableDefinition] = []
        var typeCondition = ""
        var directives: [Directive] = []
        var selections: [Selection] = []
        var position: Position?
    }

    indirect enum Selection: Sendable {
        case field(Field)
        case spread(FragmentSpread)
        case inline(InlineFragment)
    }

    struct Field: Sendable {
        var alias = ""
        var name = ""
        var arguments: [Argument] = []
        var directives: [Directive] = []
        var selections: [Selection] = []
        var position: Position?
    }

    struct FragmentSpread: Sendable {
        var name = ""
        var directives: [Directive] = []
        var position: Position?
    }

    struct InlineFragment: Sendable {
        var typeCondition = ""
        var directives: [Directive] = []
        var selections: [Selection] = []
        var position: Position?
    }

    struct Argument: Sendable {
        var name = ""
        var value = Value()
        var position: Position?
    }

    struct Directive: Sendable {
        var name = ""
        var arguments: [Argument] = []
        /// Only kept for JSON; a parsed document leaves it empty.
        var location = ""
        var position: Position?
    }

    struct Value: Sendable {
        /// The numbers are those of the JSON trees.
        enum Kind: Int {
            case variable, int, float, string, block, boolean, null, enumeration, list, object
        }

        var kind = Kind.variable
        var raw = ""
        /// Of a list (without names) or an object.
        var children: [Child] = []
        var expectedTypeHasDefault = false
        var position: Position?

        struct Child {
            var name = ""
            var value: Value
            var position: Position?
        }
    }

    /// `Name`, `[Name]`, `Name!`.
    struct TypeReference: Equatable, Sendable {
        /// Empty for a list.
        var name: String
        /// None or one: what the list holds.
        var element: [TypeReference] = []
        var isNonNull = false
        var position: Position?

        init(name: String, nonNull: Bool = false) {
            self.name = name
            isNonNull = nonNull
        }

        /// The name inside of all lists.
        var innermostName: String { element.first?.innermostName ?? name }

        var text: String { (element.first.map { "[\($0.text)]" } ?? name) + (isNonNull ? "!" : "") }

        static func == (left: TypeReference, right: TypeReference) -> Bool {
            left.name == right.name && left.element == right.element && left.isNonNull == right.isNonNull
        }
    }

    // MARK: Schema documents

    struct SchemaDocument: Sendable {
        var schema: [SchemaDefinition] = []
        var schemaExtensions: [SchemaDefinition] = []
        var directives: [DirectiveDefinition] = []
        var definitions: [Definition] = []
        var extensions: [Definition] = []
    }

    struct SchemaDefinition: Sendable {
        var description = ""
        var directives: [Directive] = []
        var operationTypes: [(operation: String, type: String, position: Position?)] = []
        var position: Position?
    }

    enum Kind: String {
        case scalar = "SCALAR"
        case object = "OBJECT"
        case interface = "INTERFACE"
        case union = "UNION"
        case enumeration = "ENUM"
        case inputObject = "INPUT_OBJECT"

        var isComposite: Bool { self == .object || self == .interface || self == .union }
        var isInput: Bool { self == .scalar || self == .enumeration || self == .inputObject }
    }

    struct Definition: Sendable {
        var kind: Kind
        var description = ""
        var name = ""
        var directives: [Directive] = []
        var interfaces: [String] = []
        var fields: [FieldDefinition] = []
        /// Of a union.
        var types: [String] = []
        var enumValues: [EnumValueDefinition] = []
        var isBuiltIn = false
        var position: Position?
    }

    struct FieldDefinition: Sendable {
        var description = ""
        var name = ""
        var arguments: [ArgumentDefinition] = []
        /// Of a field of an input object.
        var defaultValue: Value?
        var type = TypeReference(name: "")
        var directives: [Directive] = []
        var position: Position?
    }

    struct ArgumentDefinition: Sendable {
        var description = ""
        var name = ""
        var defaultValue: Value?
        var type = TypeReference(name: "")
        var directives: [Directive] = []
        var position: Position?
    }

    struct EnumValueDefinition: Sendable {
        var description = ""
        var name = ""
        var directives: [Directive] = []
        var position: Position?
    }

    struct DirectiveDefinition: Sendable {
        var description = ""
        var name = ""
        var arguments: [ArgumentDefinition] = []
        var locations: [String] = []
        var isRepeatable = false
        var position: Position?
    }

    static let directiveLocations: Set<String> = [
        "QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION",
        "SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE",
        "INPUT_OBJECT", "INPUT_FIELD_DEFINITION",
    ]
}
