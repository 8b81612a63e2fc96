import Glibc
import Rego
import RegoSyntax
import Testing

/// The engine against the reference interpreter, and against itself with the program written another way, on programs made by chance.
///
/// `POSTO_REGO_SEEDS=FIRST..LAST` looks at other seeds; a failure names the seed and shows the program.
@Suite("generated programs")
struct DifferentialTests {
    static let seeds: ClosedRange<UInt64> = {
        let parts = getenv("POSTO_REGO_SEEDS").map { String(cString: $0).split(separator: ".").compactMap { UInt64($0) } } ?? []
        return parts.count == 2 ? parts[0]...parts[1] : 1...400
    }()

    private enum Answer: Equatable {
        case document(String)
        case conflict
        /// Types that do not fit, or names.
        case refused(String)
        case failed(String)
    }

    private func engine(_ text: String, _ input: String) throws -> Answer {
        let module = try RegoParser.module(SourceText(name: "t.rego", text: text))
        let query: Query
        do {
            query = try Policy(modules: [module]).query(RegoParser.query(SourceText(name: "", text: "x = data.t")))
        } catch let error as CompileError {
            return .refused(error.problems.map(\.text).joined(separator: "\n"))
        }
        let evaluator = Evaluator(query)
        do {
            let answers = try evaluator.bindings(input: query.read(Array(input.utf8), into: evaluator.arena))
            return .document(answers.map { JSONWriter.text($0["x"]) }.joined(separator: "\n"))
        } catch let error as EvaluationError {
            return error.code == .conflict ? .conflict : .failed(error.text)
        }
    }

    private func reference(_ text: String, _ input: String) throws -> Answer {
        let module = try RegoParser.module(SourceText(name: "t.rego", text: text))
        var interpreter = ReferenceInterpreter(module: module)
        interpreter.input = try value(input)
        do {
            return .document(try interpreter.document().text)
        } catch ReferenceInterpreter.Failure.conflict {
            return .conflict
        }
    }

    private func value(_ text: String) throws -> ReferenceValue {
        let arena = Arena()
        func convert(_ value: Value) -> ReferenceValue {
            switch value.kind {
            case .undefined, .null: .null
            case .boolean: .boolean(value.isTrue)
            case .number: .number(Int(value.asInt64 ?? 0))
            case .string: .string(value.asString ?? "")
            case .array, .set: .array(value.elements.map(convert))
            case .object: .object(of: Dictionary(uniqueKeysWithValues: value.entries.map { (convert($0.key), convert($0.value)) }))
            }
        }
        let read = try JSONReader.read(Array(text.utf8), into: arena)
        return withExtendedLifetime(arena) { convert(read) }
    }

    @Test("the compiled machine and the reference interpreter give the same")
    func differential() throws {
        var compared = 0
        var refused = 0
        for seed in Self.seeds {
            let text = GeneratedProgram(seed: seed).text
            for input in GeneratedProgram.inputs {
                let found = try engine(text, input)
                if case .refused(let why) = found {
                    if getenv("POSTO_REGO_REPORT") != nil { print("REFUSED \(why.split(separator: "\n")[0])") }
                    refused += 1
                    continue
                }
                let wanted = try reference(text, input)
                // The engine may find out without looking at what contradicts itself.
                if wanted == .conflict, found != .conflict { continue }
                compared += 1
                #expect(found == wanted, "seed \(seed), input \(input)\n\(text)")
            }
        }
        print("generated programs: seeds \(Self.seeds), \(compared) comparisons, \(refused) refused by the type checker")
        #expect(compared > refused, "most programs are well typed")
    }

    /// A program and the same written another way; conflicts may hide from one of them.
    private func same(_ seed: UInt64, _ text: String, _ other: String, _ what: String) throws {
        for input in GeneratedProgram.inputs {
            let (first, second) = (try engine(text, input), try engine(other, input))
            // What is inferred depends on the order; so it does in OPA.
            if case .refused = first { return }
            if case .refused = second { return }
            if first == .conflict || second == .conflict { continue }
            #expect(first == second, "seed \(seed), \(what), input \(input)\n\(text)\n— and —\n\(other)")
        }
    }

    @Test("the names of variables mean nothing")
    func renaming() throws {
        for seed in Self.seeds {
            let text = GeneratedProgram(seed: seed).text
            var other = ""
            var last: Character = " "
            for character in text {
                if last == "v" { other += character.isNumber ? "some_other_name_" : "v" }
                if character != "v" { other.append(character) }
                last = character
            }
            try same(seed, text, other, "renamed")
        }
    }

    @Test("the order of a body means nothing")
    func reordering() throws {
        for seed in Self.seeds {
            var chance = SeededChance(seed)
            let program = GeneratedProgram(seed: seed)
            var other = "package t\n\n"
            for var rule in program.rules {
                rule.body = chance.shuffled(rule.body)
                other += GeneratedProgram.text(rule) { $0.unifying }
            }
            try same(seed, program.text, other, "reordered")
        }
    }

    @Test("a set of a rule and a set comprehension are the same")
    func comprehensions() throws {
        for seed in Self.seeds {
            let program = GeneratedProgram(seed: seed)
            var other = "package t\n\n"
            for rule in program.rules {
                if rule.shape == .contains {
                    other += "\(rule.name) := {\(rule.value) | \(rule.body.map(\.declaring).joined(separator: "; "))}\n\n"
                } else {
                    other += GeneratedProgram.text(rule) { $0.declaring }
                }
            }
            try same(seed, program.text, other, "as comprehensions")
        }
    }

    @Test("what holds is not not so, and the same input is the same input")
    func negationAndWith() throws {
        for seed in Self.seeds {
            let program = GeneratedProgram(seed: seed)
            var helpers = ""
            var count = 0
            var other = program.text { expression in
                guard expression.isClosed else { return expression.declaring }
                count += 1
                helpers += "not_\(count) if not \(expression.declaring)\n\n"
                return expression.declaring.hasPrefix("not ") ? expression.declaring : "not not_\(count)"
            }
            helpers = helpers.split(separator: "\n\n").filter { !$0.contains("if not not ") }.joined(separator: "\n\n") + "\n"
            // The helpers are in a package of their own, so that the document stays the same.
            for number in 1...max(count, 1) { other = replaced(other, "not not_\(number)\n", "not data.helpers.not_\(number)\n") }
            try same(seed, program.text, program.text { $0.declaring + " with input as input" }, "with the same input")
            try sameWithHelpers(seed, program.text, other, helpers)
        }
    }

    private func replaced(_ text: String, _ one: String, _ other: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasSuffix(one.dropLast()) && line.drop(while: { $0 == "\t" }) == one.dropLast()
                ? line.prefix(while: { $0 == "\t" }) + other.dropLast() : line
        }.joined(separator: "\n")
    }

    private func sameWithHelpers(_ seed: UInt64, _ text: String, _ other: String, _ helpers: String) throws {
        let names = Set(GeneratedProgram(seed: seed).rules.map(\.name))
        // Rules by their full name: the helpers stand elsewhere.
        var module = "package helpers\n\n"
        for line in helpers.split(separator: "\n") {
            var word = ""
            for character in line + " " {
                if character.isLetter || character.isNumber || character == "_" {
                    word.append(character)
                } else {
                    module += (names.contains(word) ? "data.t." : "") + word
                    module.append(character)
                    word = ""
                }
            }
            module += "\n"
        }
        for input in GeneratedProgram.inputs {
            let first = try engine(text, input)
            if case .refused = first { return }
            let modules = try [other, module].enumerated().map { try RegoParser.module(SourceText(name: "\($0).rego", text: $1)) }
            let query: Query
            do {
                query = try Policy(modules: modules).query(RegoParser.query(SourceText(name: "", text: "x = data.t")))
            } catch let error as CompileError {
                Issue.record("seed \(seed): \(error.problems.map(\.text))\n\(other)\n\(module)")
                return
            }
            let evaluator = Evaluator(query)
            guard let answers = try? evaluator.bindings(input: query.read(Array(input.utf8), into: evaluator.arena)) else { continue }
            let second = Answer.document(answers.map { JSONWriter.text($0["x"]) }.joined(separator: "\n"))
            if first == .conflict { continue }
            #expect(first == second, "seed \(seed), doubly negated, input \(input)\n\(text)\n— and —\n\(other)\n\(module)")
        }
    }
}
