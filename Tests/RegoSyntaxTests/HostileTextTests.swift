import RegoSyntax
import Testing

/// Texts that want to crash, hang or exhaust the parser.
@Suite("hostile texts")
struct HostileTextTests {
    /// What nests, with its beginning and its end.
    static let nests: [(String, String)] = [
        ("[", "]"), ("{", "}"), ("(", ")"), ("{1:", "}"), ("f(", ")"), ("x[", "]"), ("[1|", "]"), ("{1|", "}"), ("{1:1|", "}"),
        ("not ", ""),
        ("[(", ")]"), ("[1 | [", "], 1]"), ("$\"{", "}\""), ("{(", ")}"), ("[x | x := [", "]]"), ("{\"a\": [", "]}"),
        ("every x in [1] { ", " }"),
        ("-", ""), ("[1, 2 | ", "]"), ("a.b(", ").c"), ("x = ", ""), ("[a | b, ", "]"),
    ]

    private func text(_ nest: (String, String), levels: Int) -> String {
        "package a\n\nimport future.keywords.and\nimport future.keywords.or\n\nq if { "
            + String(repeating: nest.0, count: levels) + "1" + String(repeating: nest.1, count: levels) + " }\n"
    }

    @Test("twenty thousand levels are an error or a tree, never a crash", arguments: nests)
    func deep(nest: (String, String)) {
        let found = problems(text(nest, levels: 20_000))
        #expect(found.isEmpty == false)
        #expect(found.count <= SyntaxLimits.problemsMax)
    }

    @Test(
        "deep texts are refused for their depth", arguments: [("[", "]"), ("{", "}"), ("(", ")"), ("f(", ")"), ("[1|", "]"), ("x[", "]")])
    func refusedForDepth(nest: (String, String)) {
        let found = problems(text(nest, levels: SyntaxLimits.depthMax))
        #expect(found.contains { $0.contains("max parsing recursion depth exceeded") }, "\(found)")
    }

    @Test(
        "what is just below the limit is read, formatted, written as JSON and freed",
        arguments: [("[", "]"), ("f(", ")"), ("[1|", "]"), ("{1|", "}")])
    func belowLimit(nest: (String, String)) throws {
        let levels = SyntaxLimits.depthMax / 4
        let module = try parsed(text(nest, levels: levels))
        #expect(module.json().count > levels)
        let formatted = try RegoFormatter.format(module)
        #expect(try parsed(String(decoding: formatted, as: UTF8.self)).isSame(as: module))
    }

    @Test("long chains of operators and of references are refused or read, never a crash")
    func chains() {
        for link in [" + 1", " | 1", " == 1", " in 1", " and 1", " or 1", "[0]", ".a", "(1)", ", 1 in 1"] {
            let text =
                "package a\n\nimport future.keywords.and\nimport future.keywords.or\n\nq if { x" + String(repeating: link, count: 50_000)
                + " }\n"
            _ = problems(text)
        }
        let elses = "package a\n\np := 1 if { x }" + String(repeating: " else := 2 if { x }", count: 20_000) + "\n"
        #expect(problems(elses).isEmpty)
    }

    @Test("a chain of twenty thousand branches is formatted and written as JSON")
    func longElse() throws {
        let module = try parsed("package a\n\np := 1 if { x }" + String(repeating: " else := 2 if { x }", count: 20_000) + "\n")
        #expect(try RegoFormatter.format(module).count > 20_000)
        #expect(module.json().count > 20_000)
    }

    @Test("texts that must be read twice are not read exponentially often")
    func noExponentialTime() {
        // Each level is first taken for a comprehension, then for a list: without a memo this takes 2^60 steps.
        for (open, close) in [
            ("[a | ", ", 1]"), ("{a | ", ", 1}"), ("[1 | (", ")]"), ("([1 | ", "])"), ("{ [1 | ", "] }"), ("[a | , ", ", 1]"),
        ] {
            let text =
                "package a\n\nimport future.keywords.and\nimport future.keywords.or\n\nq if { " + String(repeating: open, count: 60) + "b"
                + String(repeating: close, count: 60) + " }\n"
            _ = problems(text)
        }
    }

    @Test("large literals are read in linear time, and numbers that are too big are refused")
    func largeLiterals() throws {
        let digits = String(repeating: "9", count: 1_000_000)
        #expect(problems("package a\n\np := \(digits)\n").first?.hasSuffix("number too big") == true)
        #expect(problems("package a\n\np := 1e1000000000000000000000\n").first == "3:6: number too big")
        #expect(problems("package a\n\np := 1e30102\n").isEmpty)
        #expect(problems("package a\n\np := 1e30104\n").first == "3:6: number too big")
        #expect(problems("package a\n\np := 1e-30104\n").first == "3:6: number too big")
        #expect(problems("package a\n\np := 0e99999999999\n").isEmpty)
        let text = String(repeating: "x", count: 4_000_000)
        #expect(try parsed("package a\n\np := \"\(text)\"\n").rules.count == 1)
        let list = String(repeating: "1,", count: 500_000)
        #expect(try parsed("package a\n\np := [\(list)]\n").rules.count == 1)
    }

    @Test("a text beyond the limit of bytes is refused")
    func tooLarge() {
        let source = SourceText(name: "big.rego", bytes: [UInt8](repeating: 0x20, count: SyntaxLimits.sourceBytesMax + 1))
        #expect(throws: SyntaxError.self) { try RegoParser.module(source) }
    }

    @Test("bytes that are no UTF-8, NUL and a byte-order mark within the text are refused; one at its start is not")
    func badCharacters() {
        func found(_ bytes: [UInt8]) -> [String] {
            do throws(SyntaxError) {
                _ = try RegoParser.module(SourceText(name: "a", bytes: bytes))
                return []
            } catch {
                return error.problems.map(\.message)
            }
        }
        let head = Array("package a\n\np := \"".utf8)
        let tail = Array("\"\n".utf8)
        #expect(found(head + [0xFF] + tail).first == "illegal utf-8 character")
        #expect(found(head + [0xED, 0xA0, 0x80] + tail).first == "illegal utf-8 character")
        #expect(found(head + [0] + tail).first == "illegal null character")
        #expect(found(head + [0xEF, 0xBB, 0xBF] + tail).first == "illegal byte-order mark")
        #expect(found([0xEF, 0xBB, 0xBF] + head + tail).isEmpty)
        #expect(found(Array("package a # ".utf8) + [0xC3]).first == "illegal utf-8 character")
        #expect(found(Array("package a\n\np := é\n".utf8)).first == "illegal token")
    }
}
