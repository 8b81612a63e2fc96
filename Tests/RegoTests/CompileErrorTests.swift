import RegoSyntax
import Testing

@testable import Rego

/// What the compiler refuses beyond types: names, declarations, conflicts, safety.
@Suite("what the compiler refuses")
struct CompileErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var modules: [String]
        var wanted: [String]
        var isStrict = false
        var version = RegoVersion.v1
        var testDescription: String { modules.joined(separator: "\n") }

        init(_ module: String, _ wanted: String..., strict: Bool = false, version: RegoVersion = .v1) {
            self.init([module], wanted, strict: strict, version: version)
        }

        init(_ modules: [String], _ wanted: [String], strict: Bool = false, version: RegoVersion = .v1) {
            self.modules = modules.map { "package t\n" + $0 + "\n" }
            self.wanted = wanted
            isStrict = strict
            self.version = version
        }
    }

    static let declarations: [Case] = [
        Case("p if { x := 1; x := 2; x > 0 }", "2:16: rego_compile_error: var x assigned above"),
        Case("p if { some x; x = 1; some x; x = 1 }", "2:23: rego_compile_error: var x declared above"),
        Case("p if { x > 1; x := 2 }", "2:15: rego_compile_error: var x referenced above"),
        Case("f(x) if { x := 2; x > 0 }", "2:11: rego_compile_error: arg x redeclared"),
        Case("p if { some x; true }", "2:8: rego_compile_error: declared var x unused"),
        Case("p if { every k, v in [1] { v > 0 } }", "2:28: rego_compile_error: declared var k unused"),
        Case("p if { every v in [1] { v := 2; v > 0 } }", "2:25: rego_compile_error: var v declared above"),
        Case("p if { not x := 1 }", "2:8: rego_compile_error: cannot assign vars inside negated expression"),
        Case("p if { 1 := 1 }", "2:8: rego_compile_error: cannot assign to number"),
        Case("p if { input.x := 1 }", "2:8: rego_compile_error: cannot assign to ref"),
        Case("p if { count := 1; x := count([1]); x > 0 }", "2:25: rego_compile_error: called function count shadowed"),
        Case("f(count(1)) := 1", "2:3: rego_compile_error: rule arguments cannot contain calls"),
        Case("p := [x | x := 1] if { x := 2; x > 0 }"),
        Case("p if { x := 1; y := [x | x := 2]; y[0] > x }"),
        Case("f(_, _) := 1"),
        Case("p contains x if some x in [1]"),
    ]

    static let strictness: [Case] = [
        Case("p if { x := 1 }", "2:8: rego_compile_error: assigned var x unused", strict: true),
        Case("p if { x := 1 }"),
        Case("p := x if { x := 1 }", strict: true),
        Case("f(x) := 1", "2:1: rego_compile_error: unused argument x. (hint: use _ (wildcard variable) instead)", strict: true),
        Case("f(x) := 1 if { false } else := x", strict: true),
        Case("f(_) := 1", strict: true),
        Case("import data.foo\np := 1", "2:1: rego_compile_error: import data.foo unused", strict: true),
        Case("import input.foo as bar\np := 1", "2:1: rego_compile_error: import input.foo as bar unused", strict: true),
        Case("import data.foo\np := foo.x", strict: true),
        Case("p = any([true])", "2:5: rego_type_error: deprecated built-in function calls in expression: any", strict: true, version: .v0),
        Case("p = any([true])", version: .v0),
        Case(
            "import data.a\nimport data.b.a\np = a", "3:1: rego_compile_error: import must not shadow import data.a", strict: true,
            version: .v0),
    ]

    static let names: [Case] = [
        Case("input := 1", "2:1: rego_compile_error: rules must not shadow input (use a different rule name)"),
        Case("f(input) := 1", "2:1: rego_compile_error: args must not shadow input (use a different variable name)"),
        Case("p if { data := 1; data > 0 }", "2:8: rego_compile_error: variables must not shadow data (use a different variable name)"),
        Case("import data.a\nimport data.b as a\np := a", "3:1: rego_compile_error: import must not shadow import data.a"),
        Case("p := all([true])", "2:6: rego_type_error: deprecated built-in function calls in expression: all"),
    ]

    static let conflicts: [Case] = [
        Case("p := 1\np contains 2", "2:1: rego_type_error: conflicting rules data.t.p found"),
        Case("f(x) := x\nf(x, y) := x + y", "2:1: rego_type_error: conflicting rules data.t.f found"),
        Case("p := 1\np.q := 2\np.r.s := 3", "2:1: rego_type_error: rule data.t.p conflicts with [data.t.p.q data.t.p.r.s]"),
        Case(
            "default p := 1\ndefault p := 2",
            "1:1: rego_type_error: multiple default rules data.t.p found at test-0.rego:2, test-0.rego:3"),
        Case("p[x] := 1 if x := \"a\"\np.b := 2"),
        Case(["p := 1", "p contains 1"], ["2:1: rego_type_error: conflicting rules data.t.p found"]),
    ]

    static let functions: [Case] = [
        Case("f(x) := x\np := f(1, 2, 3)", "3:6: rego_type_error: function data.t.f has arity 1, got 3 arguments"),
        Case("f(x, y) := x + y\np := f(1)", "3:6: rego_type_error: function data.t.f has arity 2, got 1 argument"),
        Case("p := nosuch(1)", "2:6: rego_type_error: undefined function nosuch"),
        Case("import data.lib\np := lib.nosuch(1)", "3:6: rego_type_error: undefined function data.lib.nosuch"),
        Case("p := count(1, 2)", "2:6: rego_type_error: count: arity mismatch"),
        Case("p := print(1)", "2:6: rego_type_error: print(1) used as value"),
        Case("f(x) := 3\np if f(1, 3)\nq if { f(1, x); x > 2 }"),
    ]

    static let withs: [Case] = [
        Case(
            "p := {\"a\": 1}\nq if p.a == 1 with data.t.p.a as 2",
            "3:20: rego_compile_error: with keyword cannot partially replace virtual document(s)"),
        Case("p if true with foo as 1", "2:16: rego_type_error: with keyword target must reference existing input, data, or a function"),
        Case(
            "p if true with walk as 1", "2:16: rego_compile_error: with keyword replacing built-in function: target must not be a relation"),
        Case("p if count([]) == 1 with count as 1"),
        Case("f(x, y) := 1\np if count([]) == 1 with count as f", "3:21: rego_type_error: count: arity mismatch"),
    ]

    static let safety: [Case] = [
        Case("p := x", "2:6: rego_unsafe_var_error: var x is unsafe"),
        Case("p if not x", "2:6: rego_unsafe_var_error: var x is unsafe"),
        Case("p := $\"a {x}\"", "2:11: rego_compile_error: var x is undeclared"),
        Case("p if { print(x); x = 1 }", "2:14: rego_compile_error: var x is undeclared"),
        Case("p if { x = 1; print(x) }"),
        Case("p := p", "2:1: rego_recursion_error: rule data.t.p is recursive: data.t.p -> data.t.p"),
        Case(
            "p if { false } else := q\nq := p", "2:16: rego_recursion_error: rule data.t.p is recursive: data.t.p -> data.t.q -> data.t.p",
            "3:1: rego_recursion_error: rule data.t.q is recursive: data.t.q -> data.t.p -> data.t.q"),
    ]

    @Test(
        "each with OPA's code, place and words",
        arguments: declarations + strictness + names + conflicts + functions + withs + safety)
    func cases(one: Case) {
        var options = CompileOptions()
        options.isStrict = one.isStrict
        let found = problems(one.modules, one.version, options: options)
        #expect(found == one.wanted)
    }

    @Test("a package cannot stand where another module has a rule")
    func packages() throws {
        let found = problems(["package a\np := 1\n", "package a.p\nq := 1\n"])
        #expect(
            found == [
                "1:1: rego_type_error: package a.p conflicts with rule p defined at test-0.rego:2",
                "2:1: rego_type_error: rule data.a.p conflicts with [data.a.p.q]",
            ])
        let empty = problems(["package a\np := 1\n", "package a.p\n"])
        #expect(empty == ["1:1: rego_type_error: package a.p conflicts with rule p defined at test-0.rego:2"])
    }

    @Test("a rule cannot stand where data is")
    func data() throws {
        let arena = Arena()
        var options = CompileOptions()
        options.baseDocuments = try JSONReader.read(Array("{\"t\": {\"p\": 1, \"q\": {}}}".utf8), into: arena)
        let found = withExtendedLifetime(arena) { problems(["package t\np := 2\nr := 3\n"], options: options) }
        #expect(found == ["2:1: rego_compile_error: conflicting rule for data path t/p found"])
    }
}
