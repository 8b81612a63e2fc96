import RegoSyntax
import Testing

/// Texts that are wrong, with OPA's words and places: `row:column: message`.
@Suite("what is wrong with a text")
struct ParserProblemTests {
    static let v1: [(String, [String])] = [
        ("", ["0:0: empty module"]),
        ("# nothing\n", ["0:0: empty module"]),
        ("p := 1\n", ["1:1: package expected"]),
        ("package a\n\npackage b\n", ["3:1: unexpected package"]),
        ("package\n", ["2:0: unexpected eof token"]),
        ("package 1\n", ["1:9: unexpected number token"]),
        ("package a[1]\n", ["1:11: unexpected number token: expecting string"]),
        (
            "package a\n\nimport foo\n",
            [
                "3:8: unexpected import path, must begin with one of: {data, future, input, rego}, got: foo (hint: if this is unexpected, try updating OPA)"
            ]
        ),
        ("package a\n\nimport data.foo[x]\n", ["3:17: unexpected var token: expecting string"]),
        ("package a\n\nimport data.x as 1\n", ["3:18: unexpected number token: expected var"]),
        ("package a\n\nimport data.if\n", ["3:13: unexpected import path, must not end with a keyword, got: if"]),
        ("package a\n\nimport future.x\n", ["3:8: invalid import, must be `future.keywords`"]),
        (
            "package a\n\nimport future.keywords.nope\n",
            [
                "3:8: unexpected keyword, must be one of [and contains every if in not or]"
            ]
        ),
        ("package a\n\nimport future.keywords as x\n", ["3:8: `future` imports cannot be aliased"]),
        ("package a\n\np { true }\n", ["3:1: `if` keyword is required before rule body"]),
        ("package a\n\nf(x) { x }\n", ["3:1: `if` keyword is required before function body"]),
        ("package a\n\np[1]\n", ["3:1: `contains` keyword is required for partial set rules"]),
        ("package a\n\np.q.r\n", ["3:1: rule must have value assignment and/or body declaration"]),
        ("package a\n\np\n", ["3:1: var cannot be used for rule name"]),
        ("package a\n\n1\n", ["3:1: number cannot be used for rule name"]),
        ("package a\n\np := 1 with input as 2\n", ["3:1: expressions using with keyword cannot be used for rule head"]),
        ("package a\n\np := 1; q := 2\n", ["3:1: multiple expressions cannot be used for rule head"]),
        ("package a\n\ncount(x) == 1\n", ["3:1: rule name conflicts with built-in function"]),
        ("package a\n\nx==1\n", ["3:2: unexpected equal token"]),
        (
            "package a\n\np := \n",
            [
                "4:0: unexpected eof token", "4:0: unexpected eof token: expected rule value term (e.g., p := <VALUE> { ... })",
            ]
        ),
        (
            "package a\n\np contains\n",
            [
                "4:0: unexpected eof token", "4:0: unexpected eof token: expected rule key term (e.g., p contains <VALUE> { ... })",
            ]
        ),
        ("package a\n\np if {}\n", []),
        ("package a\n\np if { x == }\n", ["3:13: unexpected } token"]),
        ("package a\n\np if { f(1 2) }\n", ["3:12: unexpected number token: expected \",\" or \")\""]),
        ("package a\n\np if { x y }\n", ["3:10: unexpected identifier token: expected \\n or ; or }"]),
        ("package a\n\np if { x := 1 := 2 }\n", ["3:15: unexpected assign token: expected \\n or ; or }"]),
        ("package a\n\np if { {\"a\": 1, \"b\"} == x }\n", ["3:14: unexpected number token: non-terminated object"]),
        ("package a\n\np := \"abc\n", ["3:6: non-terminated string"]),
        ("package a\n\np := \"\\q\"\n", ["3:6: illegal escape sequence"]),
        ("package a\n\np := `abc\n", ["3:6: non-terminated string"]),
        ("package a\n\np := \"\\ud83d\\uzzzz\"\n", ["3:6: illegal string literal: \"\\ud83d\\uzzzz\""]),
        ("package a\n\np := 01\n", ["3:6: unexpected number token: expected number without leading zero"]),
        ("package a\n\np := 1.\n", ["3:6: expected fraction"]),
        ("package a\n\np := 1e\n", ["3:6: expected exponent"]),
        ("package a\n\np := 0x2\n", ["3:6: illegal number format"]),
        ("package a\n\np if { x ! y }\n", ["3:10: illegal ! character"]),
        ("package a\n\np if { x @ y }\n", ["3:10: illegal token"]),
        ("package a\n\np if { \"a\".b }\n", ["3:8: illegal ref (head cannot be string)"]),
        ("package a\n\np if { x. y }\n", ["3:10: unexpected whitespace token: expected identifier"]),
        ("package a\n\np if { some 1 }\n", ["3:13: unexpected number token: expected var"]),
        ("package a\n\np if { some x == y }\n", ["3:20: unexpected } token: expected `x in xs` or `x, y in xs` expression"]),
        ("package a\n\np if { every x { x } }\n", ["3:16: unexpected { token: expected `x[, y] in xs { ... }` expression"]),
        ("package a\n\np if { every 1 in xs { true } }\n", ["3:22: unexpected { token: expected value to be a variable"]),
        ("package a\n\np if { every x in xs }\n", ["3:22: unexpected } token: missing body"]),
        ("package a\n\np if { not some x in xs }\n", ["3:12: unexpected some keyword: illegal negation of 'some'"]),
        ("package a\n\np if { x with y as }\n", ["3:20: unexpected } token"]),
        ("package a\n\np if { x with 1 as 2 }\n", ["3:15: unexpected number token: expected ident"]),
        ("package a\n\np if { x with y 2 }\n", ["3:17: unexpected number token: expected as keyword"]),
        ("package a\n\ndefault p\n", ["3:1: illegal default rule (must have a value)"]),
        ("package a\n\ndefault p := x\n", ["3:1: illegal default rule (value cannot contain var)"]),
        ("package a\n\ndefault p := [input.x]\n", ["3:1: illegal default rule (value cannot contain ref)"]),
        ("package a\n\ndefault f(x, x) := 1\n", ["3:1: illegal default rule (arguments cannot be repeated x)"]),
        ("package a\n\ndefault f(1) := 1\n", ["3:1: illegal default rule (arguments cannot contain number)"]),
        ("package a\n\np contains x if { x := 1 } else := 2\n", ["3:28: else keyword cannot be used on multi-value rules"]),
        ("package a\n\np[x].q if { x := 1 } else := 2\n", ["3:22: else keyword cannot be used on rules with variables in head"]),
        ("package a\n\np if { true } else\n", ["4:0: unexpected eof token: expected else value term or rule body"]),
        (
            "package a\n\nf(x) contains 1\n",
            [
                "3:6: unexpected contains keyword: the contains keyword can only be used with multi-value rule definitions (e.g., f contains <VALUE> { ... })"
            ]
        ),
        ("package a\n\np := $\"{x = 1}\"\n", ["3:9: unexpected unification ('=') in template-string expression"]),
        ("package a\n\np := $\"{not x}\"\n", ["3:9: unexpected negation ('not') in template-string expression"]),
        ("package a\n\np := $\"{x\"\n", ["3:10: non-terminated string"]),
    ]

    @Test("v1 texts", arguments: v1)
    func inV1(text: String, wanted: [String]) {
        let found = problems(text)
        #expect(Array(found.prefix(wanted.count)) == wanted, "\(text)\n\(found)")
    }

    static let v0: [(String, [String])] = [
        (
            "package a\n\np { some x in xs }\n",
            [
                "3:12: unexpected identifier token: expected \\n or ; or } (hint: `import future.keywords.in` for `some x in xs` expressions)"
            ]
        ),
        (
            "package a\n\np { every x in xs { x } }\n",
            [
                "3:11: unexpected identifier token: expected \\n or ; or } (hint: `import future.keywords.every` for `every x in xs { ... }` expressions)"
            ]
        ),
        ("package a\n\nimport rego.v1\n\np { true }\n", ["5:1: `if` keyword is required before rule body"]),
        ("package a\n\np { true } else { false } { true }\n", ["3:27: expected else keyword"]),
        ("package a\n\np {\n}\n", ["4:1: found empty body"]),
    ]

    @Test("v0 texts", arguments: v0)
    func inV0(text: String, wanted: [String]) {
        let found = problems(text, .v0)
        #expect(Array(found.prefix(wanted.count)) == wanted, "\(text)\n\(found)")
    }

    @Test("a problem is printed with its line and a mark under the place")
    func printed() {
        #expect {
            _ = try parsed("package a\n\n\t\tp if { x y }\n", name: "policy.rego")
        } throws: { error in
            "\(error)" == """
                1 error occurred: policy.rego:3: rego_parse_error: unexpected identifier token: expected \\n or ; or }
                \tp if { x y }
                \t         ^
                """
        }
    }

    @Test("a query is expressions, and a term is one term")
    func queriesAndTerms() throws {
        #expect(try RegoParser.query(SourceText(name: "", text: "data.x = y; y > 1\n some z in y")).count == 3)
        let set = try RegoParser.term(SourceText(name: "", text: "{1, {\"a\": [2]}}"))
        guard case .set(let elements) = set.value else {
            Issue.record("not a set: \(set)")
            return
        }
        #expect(elements.count == 2)
        #expect(throws: SyntaxError.self) { try RegoParser.term(SourceText(name: "", text: "1; 2")) }
        #expect(throws: SyntaxError.self) { try RegoParser.query(SourceText(name: "", text: "package a")) }
        #expect(try RegoParser.query(SourceText(name: "", text: "")).isEmpty)
    }
}
