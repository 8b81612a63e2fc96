private let document = ValueType.oneOf([.string, .anyObject])
private let tree = ValueType.anyObject

/// `graphql.*`.
let graphQLBuiltins: [Builtin] = [
    Builtin("graphql.parse_query", [.string], tree) { arguments, context throws(BuiltinFailure) in
        _ = try arguments.string(0)
        return GraphQL.TreeWriter(arena: context.arena).write(try query(arguments[0], position: 1))
    },
    Builtin("graphql.parse_schema", [.string], tree) { arguments, context throws(BuiltinFailure) in
        _ = try arguments.string(0)
        return GraphQL.TreeWriter(arena: context.arena).write(try schemaDocument(arguments[0], position: 1))
    },
    Builtin("graphql.parse", [document, document], .array([tree, tree], nil)) { arguments, context throws(BuiltinFailure) in
        let (query, schema) = try validated(arguments)
        let writer = GraphQL.TreeWriter(arena: context.arena)
        return context.arena.array([writer.write(query), writer.write(schema)])
    },
    Builtin("graphql.parse_and_verify", [document, document], .array([.boolean, tree, tree], nil)) {
        arguments, context throws(BuiltinFailure) in
        let writer = GraphQL.TreeWriter(arena: context.arena)
        guard let (query, schema) = try? validated(arguments) else {
            return context.arena.array([.false, .emptyObject, .emptyObject])
        }
        return context.arena.array([.true, writer.write(query), writer.write(schema)])
    },
    Builtin("graphql.is_valid", [document, document], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value((try? validated(arguments)) != nil)
    },
    Builtin("graphql.schema_is_valid", [document], .boolean) { arguments, _ throws(BuiltinFailure) in
        guard let document = try? schemaDocument(arguments[0], position: 1) else { return .false }
        return Value((try? GraphQL.Schema(document)) != nil)
    },
]

private func failure(_ trouble: GraphQL.Trouble, _ message: String? = nil) -> BuiltinFailure {
    guard let position = trouble.position else { return BuiltinFailure(message ?? trouble.message) }
    return BuiltinFailure("\(message ?? trouble.message) in GraphQL string at location \(position.line):\(position.column)")
}

private func query(_ value: Value, position: Int) throws(BuiltinFailure) -> GraphQL.QueryDocument {
    do throws(GraphQL.Trouble) {
        switch value.kind {
        case .string: return try GraphQL.Parser.query(Array(value.utf8))
        case .object: return try GraphQL.TreeReader().query(value)
        default: break
        }
    } catch {
        throw failure(error)
    }
    throw .operand(position, mustBe: .string, .object, got: value)
}

private func schemaDocument(_ value: Value, position: Int) throws(BuiltinFailure) -> GraphQL.SchemaDocument {
    do throws(GraphQL.Trouble) {
        switch value.kind {
        case .string: return try GraphQL.Parser.schema(Array(value.utf8))
        case .object: return try GraphQL.TreeReader().schema(value)
        default: break
        }
    } catch {
        throw failure(error)
    }
    throw .operand(position, mustBe: .string, .object, got: value)
}

/// Both documents, when the query is valid for the schema.
private func validated(_ arguments: UnsafeBufferPointer<Value>) throws(BuiltinFailure) -> (GraphQL.QueryDocument, GraphQL.SchemaDocument) {
    let query = try query(arguments[0], position: 1)
    let document = try schemaDocument(arguments[1], position: 2)
    let schema: GraphQL.Schema
    do throws(GraphQL.Trouble) {
        schema = try GraphQL.Schema(document)
    } catch {
        throw failure(error, "Error in gqlparser SchemaDocument to Schema conversion: \(error.message)")
    }
    let troubles = GraphQL.Validator.troubles(in: query, schema: schema)
    guard let first = troubles.first else { return (query, document) }
    // The first error has its place behind it, the others before them; the last point is dropped, as in OPA.
    var message = first.message
    for trouble in troubles.dropFirst() {
        let place = trouble.position.map { "\($0.line):\($0.column): " } ?? ""
        message += "\ninput:\(place)\(trouble.message)"
    }
    if message.utf8.last == UInt8(ascii: ".") { message.removeLast() }
    throw failure(first, message)
}
