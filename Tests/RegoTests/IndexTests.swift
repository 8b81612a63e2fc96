import RegoSyntax
import Testing

@testable import Rego

@Suite("the rule index")
struct IndexTests {
    /// Numbers by chance that a seed repeats.
    private struct Chance: RandomNumberGenerator {
        var state: UInt64
        /// What most tests of a policy are: an index takes the kind that prevails at a place.
        var favourite: ClosedRange<Int>?
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
        mutating func pick<T>(_ from: [T]) -> T { from[Int.random(in: 0..<from.count, using: &self)] }
        mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
    }

    private static let scalars = [
        "1", "2", "2.0", "3.5", "-4", "10000000000000000000000", "\"a\"", "\"ab\"", "\"abc\"", "\"b\"", "true", "null",
    ]
    private static let paths = ["input.a", "input.b", "input.c.d", "input.c.e", "input[\"x y\"]"]

    private func test(_ place: String, _ chance: inout Chance) -> String {
        let value = chance.pick(Self.scalars)
        let favourite = chance.favourite.map { Int.random(in: $0, using: &chance) }
        switch favourite != nil && chance.below(8) > 0 ? favourite! : chance.below(10) {
        case 0...2: return "\(place) == \(value)"
        case 3: return "\(value) = \(place)"
        case 4: return "\(place) in {\(value), \(chance.pick(Self.scalars))}"
        case 5: return "\(place) in [\(value), \(chance.pick(Self.scalars))]"
        case 6: return "startswith(\(place), \(chance.pick(["\"\"", "\"a\"", "\"ab\"", "\"b\"", "\"abcd\""])))"
        case 7: return "\(place) \(chance.pick(["<", "<=", ">", ">="])) \(value)"
        case 8: return "\(value) \(chance.pick(["<", "<=", ">", ">="])) \(place)"
        default: return chance.pick(["not \(place) == \(value)", "\(place) != \(value)", "\(place)", "true"])
        }
    }

    private func body(_ places: [String], _ chance: inout Chance) -> String {
        (0..<1 + chance.below(4)).map { _ in test(chance.pick(places), &chance) }.joined(separator: "; ")
    }

    /// Rules of every kind that an index may stand before.
    private func module(_ count: Int, _ chance: inout Chance) -> String {
        var text = "package t\n"
        for index in 0..<count {
            text += "p contains \(index) if { \(body(Self.paths, &chance)) }\n"
            text += "q[\(index % 3)] contains \(index) if { \(body(Self.paths, &chance)) }\n"
            text += "o[\"k\(index)\"] := \(index) if { \(body(Self.paths, &chance)) }\n"
            text += "c := true if { \(body(Self.paths, &chance)) }\n"
            text += "e := true if { \(body(Self.paths, &chance)) } else := true if { \(body(Self.paths, &chance)) }\n"
            let first = chance.pick(["x", chance.pick(Self.scalars)])
            let places = (first == "x" ? ["x", "x.d"] : []) + ["y"]
            text += "f(\(first), y) := true if { \(body(places, &chance)) }\n"
        }
        return text + """
            r := [f(input.a, input.b), f(input.c, 2), f(1, "ab")]
            s contains f(input.a, y) if some y in [1, 2, "a", "abc"]

            """
    }

    private func input(_ chance: inout Chance) -> String {
        var fields: [String] = []
        for key in ["a", "b", "x y"] where chance.below(5) > 0 {
            fields.append("\"\(key)\":\(chance.pick(Self.scalars + ["[1]", "{\"d\":1}"]))")
        }
        var inner: [String] = []
        for key in ["d", "e"] where chance.below(5) > 0 { inner.append("\"\(key)\":\(chance.pick(Self.scalars))") }
        fields.append("\"c\":" + (chance.below(8) == 0 ? "7" : "{\(inner.joined(separator: ","))}"))
        return "{\(fields.joined(separator: ","))}"
    }

    /// What a query says to an input: the answer or the error. Failures of built-ins in rules that the index leaves out are not seen, as in OPA.
    private func answer(_ evaluator: Evaluator, _ input: String) throws -> String {
        evaluator.reset()
        let value = try evaluator.query.read(Array(input.utf8), into: evaluator.arena)
        do throws(EvaluationError) {
            return JSONWriter.text(try evaluator.evaluate(input: value))
        } catch {
            return error.code.rawValue
        }
    }

    @Test("with the index and without, the same policies give the same answers", arguments: 1...14 as ClosedRange<UInt64>)
    func agrees(seed: UInt64) throws {
        let count = [4, 5, 9, 70, 300][Int(seed % 5)]
        // Many rules of every kind alike, mostly prefixes, mostly ranges.
        var chance = Chance(state: seed, favourite: count < 70 ? nil : [nil, 6...6, 7...8][Int(seed / 5 % 3)])
        let text = module(count, &chance)
        let parsed = try RegoParser.module(SourceText(name: "t.rego", text: text))
        let queries = ["data.t.p", "data.t.q", "data.t.o", "data.t.c", "data.t.e", "data.t.r", "data.t.s", "data.t"]
        var disagreements: [String] = []
        var seen: Set<String> = []
        for query in queries {
            let evaluators = try [true, false].map { usesIndex in
                var options = CompileOptions()
                options.usesIndex = usesIndex
                options.checksTypes = false
                let policy = try Policy(modules: [parsed], options: options)
                return Evaluator(try policy.query(RegoParser.query(SourceText(name: "", text: query)), capturesValues: true))
            }
            for _ in 0..<40 {
                let input = input(&chance)
                let (with, without) = (try answer(evaluators[0], input), try answer(evaluators[1], input))
                seen.insert(with)
                if with != without { disagreements.append("seed \(seed), \(query), \(input): \(with) with, \(without) without\n\(text)") }
            }
        }
        #expect(disagreements.first == nil)
        // Generated policies that always say the same would prove nothing.
        #expect(seen.count > 20)
    }

    @Test("rules that are asked for values of large tables are found, too: packed sets, thinned bounds")
    func large() throws {
        let count = 9000
        let rules = (0..<count).map {
            "p contains \($0) if { input.id == \"k\($0)\"; input.level >= \($0); startswith(input.path, \"/\($0)/\") }"
        }
        let text = "package t\n" + rules.joined(separator: "\n") + "\np contains -1 if input.id\n"
        let policy = try Policy(modules: [RegoParser.module(SourceText(name: "t.rego", text: text))])
        let evaluator = Evaluator(try policy.query(RegoParser.query(SourceText(name: "", text: "data.t.p")), capturesValues: true))
        for number in [0, 1, 63, 64, 4095, 4096, 8999] {
            let level = "\"path\":\"/\(number)/x\",\"level\":"
            #expect(try answer(evaluator, "{\"id\":\"k\(number)\",\(level)\(number)}") == "[[[-1,\(number)]]]")
            #expect(try answer(evaluator, "{\"id\":\"k\(number)\",\(level)\(number - 1)}") == "[[[-1]]]")
            #expect(try answer(evaluator, "{\"id\":\"k\(number + 1)\",\(level)9999}") == "[[[-1]]]")
        }
    }
}
