import RegoHost
import RegoSyntax
import Testing

@testable import Rego

@Suite("the type checker")
struct TypeCheckerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var module: String
        var wanted: [String]
        var testDescription: String { module }

        init(_ rules: String, _ wanted: String...) {
            module = "package t\n" + rules + "\n"
            self.wanted = wanted
        }
    }

    static let calls: [Case] = [
        Case(
            "p := count(1)",
            "2:6: count: invalid argument(s)|have: (number, ???)|want: (collection: any<string, array[any], object[any: any], set[any]>, n: number)"
        ),
        Case("p := 1 + \"a\"", "2:6: plus: invalid argument(s)|have: (number, string, ???)|want: (x: number, y: number, z: number)"),
        Case("f(x) := upper(x)\np := f(1)", "3:6: data.t.f: invalid argument(s)|have: (number, ???)|want: (string, string)"),
        Case("f(x) := x\np := f(1)\nq := f(\"a\")"),
        Case(
            "p if { x := upper(\"a\"); x + 1 > 0 }",
            "2:25: plus: invalid argument(s)|have: (string, number, ???)|want: (x: number, y: number, z: number)"),
        Case("p := [y | y := lower(1)]", "2:16: lower: invalid argument(s)|have: (number, ???)|want: (x: string, y: string)"),
        Case("p if every x in [1] { upper(x) == \"A\" }"),
        Case(
            "p := sum([\"a\"])",
            "2:6: sum: invalid argument(s)|have: (array<string>, ???)|want: (collection: any<array[number], set[number]>, n: number)"),
        Case("p := object.get({\"a\": 1}, \"a\", 2) + 1"),
        Case("p := upper(input.x)\nq := upper(data.x.y)"),
        Case(
            "p := time.clock([1, 2])",
            "2:6: time.clock: invalid argument(s)|have: (array<number, number>, ???)|want: (x: any<number, array<number, string>>, output: array<number, number, number>)"
        ),
        Case(
            "p if { walk(input, [path, value]); upper(path) == value }",
            "2:36: upper: invalid argument(s)|have: (array[any], ???)|want: (x: string, y: string)"),
    ]

    static let equalities: [Case] = [
        Case("p if 1 == \"a\"", "2:6: match error|left  : number|right : string"),
        Case("p if { x := 1; x = \"a\" }", "2:16: match error|left  : number|right : string"),
        Case("p if [1, x] = [\"a\", 2]", "2:6: match error|left  : array<number, ???>|right : array<string, number>"),
        Case("p if { [x] = [1]; x == \"a\" }", "2:19: match error|left  : number|right : string"),
        Case("p if { {\"a\": x} = {\"a\": 1}; x == null }", "2:29: match error|left  : number|right : null"),
        Case("p if {\"a\": 1} == {\"b\": 1}", "2:6: match error|left  : object<a: number>|right : object<b: number>"),
        Case("p if [1, 2] == [1]", "2:6: match error|left  : array<number, number>|right : array<number>"),
        Case("p if input == 1\nq if data.x == \"a\"\nr if input.x = [1, 2]"),
        Case("q := 1\np if q == \"a\"", "3:6: match error|left  : number|right : string"),
        Case("q := 1\nq := \"a\" if input.x\np if q == \"a\"\nr if q == null", "5:6: match error|left  : any<number, string>|right : null"),
        Case("q := 1 if input.x\nelse := \"a\"\np if q == null", "4:6: match error|left  : any<number, string>|right : null"),
        Case("p if {1, 2} == {\"a\"}", "2:6: match error|left  : set[number]|right : set[string]"),
        Case("p if { some x in [1, 2]; x == \"a\" }", "2:26: match error|left  : number|right : string"),
        Case("p if { some k, v in {\"a\": 1}; k == 1; v == 1 }", "2:31: match error|left  : string|right : number"),
    ]

    static let references: [Case] = [
        Case(
            "q := {\"a\": 1}\np := q.b",
            "3:6: undefined ref: data.t.q.b|data.t.q.b|         ^|         have: \"b\"|         want (one of): [\"a\"]"),
        Case("q := {\"a\": 1}\np := q.a.b", "3:6: undefined ref: data.t.q.a.b|data.t.q.a.b|^^^^^^^^^^|have: number"),
        Case(
            "q := [1, 2]\np := q[\"a\"]",
            "3:6: undefined ref: data.t.q.a|data.t.q.a|         ^|         have: \"a\"|         want (type): number"),
        Case(
            "q := [1, 2]\np := q[2]", "3:6: undefined ref: data.t.q[2]|data.t.q[2]|         ^|         have: 2|         want (type): number"
        ),
        Case("q := {\"a\": 1}\np if { q[x]; x == 1 }", "3:14: match error|left  : string|right : number"),
        Case(
            "q := {\"a\": 1}\np if { x := 1; q[x] }",
            "3:16: undefined ref: data.t.q[x]|data.t.q[x]|         ^|         have (type): number|         want (one of): [\"a\"]"),
        Case(
            "q contains 1\np if q[\"a\"]",
            "3:6: undefined ref: data.t.q.a|data.t.q.a|         ^|         have: \"a\"|         want (type): number"),
        Case("q[x] := 1 if x := \"a\"\np := q.b\nr := q.b.c", "4:6: undefined ref: data.t.q.b.c|data.t.q.b.c|^^^^^^^^^^|have: number"),
        Case("f(x) := x\np := data.t.f", "3:6: undefined ref: data.t.f|data.t.f|^^^^^^^^|have: (any) => any"),
        Case("p := data.other.x.y\nq := input.a.b[0]"),
        Case("p if { x := 1; x.foo }", "2:16: undefined ref: x.foo|x.foo|^|have: number"),
        Case("q.r.s := 1\np := data.t.q.r.s.u", "3:6: undefined ref: data.t.q.r.s.u|data.t.q.r.s.u|^^^^^^^^^^^^|have: number"),
        Case("q.r := 1\nq.s := \"a\"\np if data.t.q[x] == null"),
        // An error in one rule is no error in those that refer to it.
        Case("q := upper(1)\np := q.a.b", "2:6: upper: invalid argument(s)|have: (number, ???)|want: (x: string, y: string)"),
    ]

    @Test("errors have OPA's place, words and details", arguments: calls + equalities + references)
    func cases(one: Case) throws {
        let module = try RegoParser.module(SourceText(name: "test-0.rego", text: one.module))
        var found: [String] = []
        do {
            _ = try Policy(modules: [module])
        } catch {
            #expect(error.problems.allSatisfy { $0.code == "rego_type_error" })
            found = error.problems.map {
                (["\($0.location.row):\($0.location.column): \($0.message)"] + ($0.detail?.lines ?? [])).joined(separator: "|")
            }
        }
        #expect(found == one.wanted)
    }

    @Test("a query is checked against the types of rules, and its `==` may be false")
    func queries() throws {
        let module = try RegoParser.module(SourceText(name: "test-0.rego", text: "package t\np := {\"a\": 1}\n"))
        let policy = try Policy(modules: [module])
        func problems(_ text: String) throws -> [String] {
            do {
                _ = try policy.query(RegoParser.query(SourceText(name: "", text: text)))
                return []
            } catch let error as CompileError {
                return error.problems.map(\.message)
            }
        }
        #expect(try problems("x := data.t.p.b") == ["undefined ref: data.t.p.b"])
        #expect(try problems("x := upper(data.t.p.a)") == ["upper: invalid argument(s)"])
        #expect(try problems("1 == \"a\"").isEmpty)
        #expect(try problems("1 = \"a\"") == ["match error"])
    }

    static let schemas: [(annotation: String, rules: String, wanted: [String])] = [
        ("schemas:\n#   - input: schema.user", "p := upper(input.age)", ["upper: invalid argument(s)"]),
        ("schemas:\n#   - input: schema.user", "p := input.nmae", ["undefined ref: input.nmae"]),
        ("schemas:\n#   - input: schema.user", "p := input.friends[0].age.x", ["undefined ref: input.friends[0].age.x"]),
        ("schemas:\n#   - input: schema.user", "p if input.tags[_] == 1", ["match error"]),
        ("schemas:\n#   - input: schema.user", "p := input.name\nq := input.nmae", []),
        ("schemas:\n#   - input: schema.none", "p := 1", ["undefined schema: schema.none"]),
        (
            "schemas:\n#   - input.user: {type: object, properties: {id: {type: number}}}", "p := upper(input.user.id)\nq := input.x",
            ["upper: invalid argument(s)"]
        ),
        ("schemas:\n#   - data.acl: schema.user", "p := data.acl.nmae", ["undefined ref: data.acl.nmae"]),
        ("scope: document\n# schemas:\n#   - input: schema.user", "p := input.name\np := input.nmae", ["undefined ref: input.nmae"]),
        ("schemas:\n#   - input: schema.either", "p := input.a\nq := 1", []),
        ("schemas:\n#   - input: schema.either", "p := input.c", ["undefined ref: input.c"]),
    ]

    @Test("the schemas of annotations say what input and data are", arguments: schemas.indices)
    func schemaAnnotations(index: Int) throws {
        let arena = Arena()
        func schema(_ text: String) throws -> Value { try JSONReader.read(Array(text.utf8), into: arena) }
        var options = CompileOptions()
        options.usesSchemaAnnotations = true
        options.schemas = [
            "schema.user": try schema(
                """
                {"$ref": "#/definitions/user", "definitions": {"user": {"type": "object", "properties": {"name": {"type": "string"},
                "age": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}},
                "friends": {"type": "array", "items": {"$ref": "#/definitions/friend"}}}},
                "friend": {"allOf": [{"properties": {"name": {"type": "string"}}}, {"properties": {"age": {"type": "integer"}}}]}}}
                """),
            "schema.either": try schema(
                #"{"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]}"#),
        ]
        let one = Self.schemas[index]
        let text = "package t\n\n# METADATA\n# \(one.annotation)\n\(one.rules)\n"
        let module = try RegoParser.module(SourceText(name: "test-0.rego", text: text))
        var found: [String] = []
        do {
            _ = try Policy(modules: [module], host: .libraries(), options: options)
        } catch {
            found = error.problems.map(\.message)
        }
        withExtendedLifetime(arena) { #expect(found == one.wanted) }
    }

    @Test("nested comprehensions are checked in time that grows with the text, not with its depth's power")
    func nesting() throws {
        var term = "1"
        for depth in 0..<60 { term = "[x\(depth) | x\(depth) := \(term)]" }
        let module = try RegoParser.module(SourceText(name: "test-0.rego", text: "package t\np := \(term)\n"))
        _ = try Policy(modules: [module])
    }
}
