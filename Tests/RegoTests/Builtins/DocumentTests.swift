import RegoHost
import Testing

@testable import Rego

/// GraphQL, JSON Schema and changes of documents beyond the conformance cases.
@Suite("documents")
struct DocumentTests {
    private static let schema =
        "type Query { user(id: ID!, kind: Kind = A): User list: [Item!] } type User { name: String! friends(first: Int): [User] } "
        + "enum Kind { A B } union Item = User | Thing type Thing { size(unit: Unit): Float } input Unit { name: String! scale: Int = 1 } "
        + "type Subscription { a: Int b: Int } interface Node { id: ID! }"

    @Test(
        "queries are valid as the specification says",
        arguments: [
            (#"{ user(id: \"1\") { name friends(first: 2) { name } } }"#, true),
            ("query ($id: ID!) { user(id: $id) { ...f } } fragment f on User { name }", true),
            (#"{ list { __typename ... on User { name } ... on Thing { size(unit: {name: \"m\"}) } } }"#, true),
            ("{ user { name } }", false),
            (#"{ user(id: \"1\") }"#, false),
            (#"{ user(id: \"1\") { name { x } } }"#, false),
            (#"{ user(id: \"1\", kind: C) { name } }"#, false),
            (#"{ user(id: \"1\", id: \"2\") { name } }"#, false),
            ("query ($id: ID) { user(id: $id) { name } }", false),
            ("query ($id: ID!) { user(id: $x) { name } }", false),
            (#"query ($x: Int) { user(id: \"1\") { name } }"#, false),
            ("query a { list { __typename } } query a { list { __typename } }", false),
            ("{ list { ...f } } fragment f on User { friends { ...f } }", false),
            (#"{ user(id: \"1\") { name } user(id: \"2\") { name } }"#, false),
            (#"{ a: user(id: \"1\") { name } b: user(id: \"2\") { name } }"#, true),
            (#"{ user(id: \"1\") @skip { name } }"#, false),
            (#"{ list { ... on Thing { size(unit: {scale: 2}) } } }"#, false),
            ("subscription { a b }", false), ("mutation { a }", false), ("{ list { ... on Node { id } } }", false),
        ] as [(String, Bool)])
    func graphQL(query: String, isValid: Bool) throws {
        #expect(try BuiltinCall.call("graphql.is_valid", "\"\(query)\"", "\"\(Self.schema)\"") == (isValid ? "true" : "false"))
    }

    @Test(
        "documents match schemas",
        arguments: [
            (#"{"a": 1}"#, #"{"properties": {"a": {"type": "string"}}}"#, ["invalid_type"]),
            (#"{}"#, #"{"required": ["a", "b"]}"#, ["required", "required"]),
            (#"{"a": 1.0}"#, #"{"properties": {"a": {"type": "integer"}}}"#, []),
            (#"{"a": 0.3}"#, #"{"properties": {"a": {"multipleOf": 0.1}}}"#, []),
            (#"{"a": 5}"#, #"{"properties": {"a": {"minimum": 5, "exclusiveMinimum": true}}}"#, ["number_gt"]),
            (#"{"a": 5}"#, #"{"properties": {"a": {"exclusiveMaximum": 5}}}"#, ["number_lt"]),
            (
                #"{"a": [1, 1]}"#,
                ##"{"properties": {"a": {"uniqueItems": true, "items": {"$ref": "#/definitions/n"}}}, "definitions": {"n": {"type": "number"}}}"##,
                ["unique"]
            ),
            (#"{"x": 1}"#, #"{"additionalProperties": false, "patternProperties": {"^y": true}}"#, ["additional_property_not_allowed"]),
            (
                #"{"a": "x"}"#, #"{"properties": {"a": {"anyOf": [{"type": "number"}, {"minLength": 2}]}}}"#,
                ["number_any_of", "invalid_type"]
            ),
            (#"{"a": 1}"#, #"{"properties": {"a": {"oneOf": [{"type": "number"}, {"minimum": 0}]}}}"#, ["number_one_of"]),
            (#"{"a": 1}"#, #"{"if": {"required": ["a"]}, "then": {"required": ["b"]}}"#, ["condition_then", "required"]),
            (#"{"a": 1}"#, #"{"dependencies": {"a": ["b"]}}"#, ["missing_dependency"]),
            (#"{"a": 1}"#, #"{"properties": {"a": {"const": 2}}}"#, ["const"]),
            (#"{"a": "1.2.3"}"#, #"{"properties": {"a": {"format": "ipv4"}}}"#, ["format"]),
            (#"{"a": [1]}"#, #"{"properties": {"a": {"contains": {"const": 2}}}}"#, ["contains"]),
        ] as [(String, String, [String])])
    func schemas(document: String, schema: String, types: [String]) throws {
        let arena = Arena()
        let context = BuiltinContext(arena: arena, host: .libraries())
        let values = try [document, schema].map { try JSONReader.read(Array($0.utf8), into: arena) }
        let text = try #require(try BuiltinCall.call("json.match_schema", values, context))
        let result = try JSONReader.read(Array(text.utf8), into: arena)
        #expect(result[0].asBool == types.isEmpty)
        #expect(result[1].elements.map { $0["type"].asString } == types)
    }

    @Test("a schema that leads in circles ends with the limit, and a remote one is refused")
    func circles() {
        #expect(BuiltinCall.error("json.match_schema", ["{}", ##"{"$ref": "#"}"##]) != nil)
        #expect(BuiltinCall.error("json.match_schema", ["{}", #"{"$ref": "http://example.com/x"}"#]) != nil)
    }

    @Test(
        "results are OPA's",
        arguments: [
            ("object.get", [#"{"a": [{"b": 1}]}"#, #"["a", 0, "b"]"#, "null"], "1"),
            ("object.get", [#"{"a": 1}"#, #"["a", "b"]"#, "7"], "7"),
            ("object.union_n", [#"[{"a": {"x": 1}}, {"a": {"y": 2}}, {"a": 3}]"#], #"{"a":3}"#),
            ("object.union_n", [#"[{"a": {"x": 1}}, {"a": 3}, {"a": {"y": 2}}, {"a": {"z": 3}}]"#], #"{"a":{"y":2,"z":3}}"#),
            ("object.subset", ["[1, 2, 3, 4]", "[2, 3]"], "true"),
            (
                "json.patch",
                [#"{"a": [1, 2]}"#, #"[{"op": "add", "path": "/a/-", "value": 3}, {"op": "move", "from": "/a/0", "path": "/b"}]"#],
                #"{"a":[2,3],"b":1}"#
            ),
            ("json.patch", [#"{"a/b": 1}"#, #"[{"op": "test", "path": "/a~1b", "value": 1}, {"op": "remove", "path": "/a~1b"}]"#], "{}"),
            ("json.filter", [#"{"a": {"b": 1, "c": 2}, "d": 3}"#, #"["a/c", ["d"]]"#], #"{"a":{"c":2},"d":3}"#),
            ("json.marshal", [#"{"a": "<&>"}"#], #""{\"a\":\"\\u003c\\u0026\\u003e\"}""#),
            ("graph.reachable", [#"{"a": ["b"], "b": ["c"]}"#, #"["a"]"#], #"["a","b"]"#),
            ("net.cidr_merge", [#"["10.0.0.0/24", "10.0.1.0/24", "::ffff:10.0.2.0/120", "0.0.0.0/0"]"#], #"["0.0.0.0/0"]"#),
            ("net.cidr_contains", [#""10.0.0.0/8""#, #""10.1.0.0/16""#], "true"),
            ("net.cidr_contains", [#""::/0""#, #""10.0.0.1""#], "false"),
            ("net.cidr_is_valid", [#""10.0.0.01/8""#], "false"), ("uuid.parse", [#""nonsense""#], nil),
            ("array.flatten", ["[1, [2, [3]], []]"], "[1,2,[3]]"), ("array.slice", ["[1, 2, 3]", "-1", "99"], "[1,2,3]"),
        ] as [(String, [String], String?)])
    func results(name: String, arguments: [String], wanted: String?) throws {
        let arena = Arena()
        let context = BuiltinContext(arena: arena, host: .libraries())
        let values = try arguments.map { try JSONReader.read(Array($0.utf8), into: arena) }
        #expect(try BuiltinCall.call(name, values, context) == wanted)
    }
}
