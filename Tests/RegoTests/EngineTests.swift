import RegoSyntax
import Testing

@testable import Rego

@Suite("the engine")
struct EngineTests {
    /// The value of a query's only variable `x` as JSON text; nil when it is undefined.
    private func value(
        _ query: String, _ modules: [String] = [], input: String? = nil, data: String = "{}", limits: EvaluationLimits = EvaluationLimits()
    )
        throws -> [String]
    {
        let parsed = try modules.enumerated().map { try RegoParser.module(SourceText(name: "test-\($0).rego", text: $1)) }
        let query = try Policy(modules: parsed).query(RegoParser.query(SourceText(name: "", text: query)))
        let evaluator = Evaluator(query, limits: limits)
        let input = try input.map { try query.read(Array($0.utf8), into: evaluator.arena) } ?? .undefined
        let arena = Arena()
        let data = try JSONReader.read(Array(data.utf8), into: arena)
        let answers = try evaluator.bindings(input: input, data: data)
        return withExtendedLifetime(arena) { answers.map { JSONWriter.text($0["x"]) } }
    }

    @Test("a query without policies is arithmetic")
    func arithmetic() throws { #expect(try value("x := 1 + 2 * 3") == ["7"]) }

    @Test("what is undefined has no answer")
    func undefined() throws {
        #expect(try value("x = data.a.b").isEmpty)
        #expect(try value("x = input.a").isEmpty)
    }

    @Test("rules with many equal demands are found by their index, whatever asks for them", arguments: [3, 4, 64, 65, 200, 5000])
    func index(count: Int) throws {
        let rules = (0..<count).map { index in
            "p contains \(index) if { input.a == \"k\(index % 7)\"; input.b == \(index % 5); input.c in {\(index % 3), \(index % 3 + 1)} }"
        }
        let module = "package t\n" + rules.joined(separator: "\n") + "\np contains -1 if input.d\np contains -2 if not input.a\n"
        for (a, b, c) in [(0, 0, 0), (3, 1, 2), (6, 4, 3), (7, 0, 0), (0, 5, 1)] {
            let wanted = (0..<count).filter { $0 % 7 == a && $0 % 5 == b && ($0 % 3 == c || $0 % 3 + 1 == c) }
            let text = "[" + wanted.map(String.init).joined(separator: ",") + "]"
            #expect(try value("x = data.t.p", [module], input: "{\"a\":\"k\(a)\",\"b\":\(b).0,\"c\":\(c)}") == [text])
        }
        #expect(try value("x = data.t.p", [module], input: "{\"d\":1}") == ["[-2,-1]"])
        #expect(try value("x = data.t.p", [module]) == ["[-2]"])
    }

    @Test("the backtracking of an expression with `with` sees the replaced input, the rest does not")
    func withBacktracks() throws {
        let module = """
            package t
            p contains [y, input.v] if { some y; q[y] with input.list as [1, 2]; y > 0 }
            q contains z if some z in input.list
            """
        #expect(try value("x = data.t.p", [module], input: "{\"v\":7,\"list\":[]}") == ["[[1,7],[2,7]]"])
    }

    @Test("a rule that needs itself is refused")
    func recursion() {
        #expect(
            problems(["package t\np if q\nq if p\n"]) == [
                "2:1: rego_recursion_error: rule data.t.p is recursive: data.t.p -> data.t.q -> data.t.p",
                "3:1: rego_recursion_error: rule data.t.q is recursive: data.t.q -> data.t.p -> data.t.q",
            ])
    }

    @Test("a function that nobody defined, and one with too many arguments, are refused")
    func calls() {
        #expect(problems(["package t\np := nosuch(1)\n"]) == ["2:6: rego_type_error: undefined function nosuch"])
        #expect(
            problems(["package t\nf(x) := x\np := f(1, 2, 3)\n"]) == [
                "3:6: rego_type_error: function data.t.f has arity 1, got 3 arguments"
            ])
    }

    @Test("rules that contradict each other are a conflict")
    func conflict() throws {
        let error = #expect(throws: EvaluationError.self) {
            try value("x = data.t.p", ["package t\np := 1 if true\np := input.y\n"], input: "{\"y\":2}")
        }
        #expect(error?.code == .conflict)
        #expect(error?.text.hasSuffix("eval_conflict_error: complete rules must not produce multiple outputs") == true)
    }

    // MARK: limits

    @Test("an evaluation ends after its steps")
    func steps() throws {
        var limits = EvaluationLimits()
        limits.stepsMax = 10_000
        let error = #expect(throws: EvaluationError.self) {
            try value("x = [1 | numbers.range(1, 1000)[_]; numbers.range(1, 1000)[_]]", limits: limits)
        }
        #expect(error?.code == .limit)
        #expect(error?.message.contains("10000 steps") == true)
    }

    @Test("an evaluation ends when it takes too much memory")
    func memory() throws {
        var limits = EvaluationLimits()
        limits.memoryBytesMax = 1 << 20
        let error = #expect(throws: EvaluationError.self) {
            try value("x = [y | numbers.range(1, 1000)[i]; y := numbers.range(1, 1000)]", limits: limits)
        }
        #expect(error?.code == .limit)
    }

    @Test("an evaluation ends when rules are nested too deep")
    func depth() throws {
        var limits = EvaluationLimits()
        limits.depthMax = 100
        let rules = (0..<200).map { "p\($0) := p\($0 + 1) + 1" } + ["p200 := 0"]
        let module = "package t\n" + rules.joined(separator: "\n")
        let error = #expect(throws: EvaluationError.self) { try value("x = data.t.p0", [module], limits: limits) }
        #expect(error?.code == .limit)
        #expect(try value("x = data.t.p0", [module]) == ["200"])
    }
}
