import Glibc
import RegoSyntax
import Testing

/// What holds for every text, tried on texts made by chance. A failure prints its seed: `SEED=n` tries that one alone.
@Suite("properties")
struct PropertyTests {
    private static let seeds: [UInt64] = {
        if let one = getenv("SEED"), let seed = UInt64(String(cString: one)) { return [seed] }
        return Array(0..<400)
    }()

    @Test("what is generated is read; formatted, it means the same, and formatting it again changes nothing")
    func formatting() throws {
        for seed in Self.seeds {
            var generator = SourceGenerator(seed: seed)
            let text = generator.module()
            let before: Module
            do { before = try parsed(text) } catch {
                Issue.record("seed \(seed): \(error)\n\(text)")
                continue
            }
            do {
                let once = String(decoding: try RegoFormatter.format(before), as: UTF8.self)
                let after = try parsed(once)
                #expect(before.isSame(as: after), "seed \(seed): the meaning changed\n\(text)\n=== formatted\n\(once)")
                let twice = String(decoding: try RegoFormatter.format(after), as: UTF8.self)
                #expect(once == twice, "seed \(seed): not stable\n\(text)\n=== once\n\(once)\n=== twice\n\(twice)")
            } catch {
                Issue.record("seed \(seed): \(error)\n\(text)")
            }
        }
    }

    @Test("with comments in odd places too, what is formatted means the same, and no comment is lost")
    func formattingComments() throws {
        for seed in Self.seeds {
            var generator = SourceGenerator(seed: seed, hasComments: true)
            let text = generator.module()
            do {
                let before = try parsed(text)
                let once = String(decoding: try RegoFormatter.format(before), as: UTF8.self)
                let after = try parsed(once)
                #expect(before.isSame(as: after), "seed \(seed): the meaning changed\n\(text)\n=== formatted\n\(once)")
                #expect(before.comments.count == after.comments.count, "seed \(seed): a comment is lost\n\(text)\n=== formatted\n\(once)")
            } catch {
                Issue.record("seed \(seed): \(error)\n\(text)")
            }
        }
    }

    @Test("a text with bytes changed, taken out or cut off is read or refused; what is read can be formatted and read again")
    func mutations() throws {
        let texts = (Corpus.isHere ? Corpus.modules(of: "v1").map(\.text) + Corpus.modules(of: "v0").map(\.text) : []) + Self.generated
        let few = getenv("SEED") == nil ? 3_000 : 1
        for seed in Self.seeds[0]..<Self.seeds[0] + UInt64(few) {
            var mutator = Mutator(seed: seed)
            let bytes = mutator.mutate(Array(texts[mutator.below(texts.count)].utf8))
            for version in [RegoVersion.v1, .v0] {
                let source = SourceText(name: "m.rego", bytes: bytes)
                guard let module = try? RegoParser.module(source, options: ParserOptions(version: version)) else { continue }
                // Only calls with the wrong number of arguments cannot be written.
                guard let formatted = try? RegoFormatter.format(module, options: .init(version: version)) else { continue }
                let again = SourceText(name: "again.rego", bytes: formatted)
                #expect(throws: Never.self, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))") {
                    try RegoParser.module(again, options: ParserOptions(version: version))
                }
            }
        }
    }

    /// What chance has found once, by fuzzing or here.
    @Test(
        "past findings stay found",
        arguments: [
            "package a\n\np if { a |not b in c\n\nd\n\nf(0)[2].z(3) }\n",
            "package a\n\np if { b & a | c + d = y; f(1)[2].z(3) }\n",
            "#x\npackage # a\nc# ",
            "package a\n\np if {[x, y] |\n\tx\n\n\t[]\n}\n",
            "package a\n\np if {\n\tx;\n-1 in y\n}\n",
            "package a\n\np := 1 if { \"s\"\n} else := 2 if ({1} | {2}) == x\n",
            "package a\n\np if { x - (y - z); (a in b) == c; a == (b == c) }\n",
            "package a\n\np := [plus(x, 1) | f(eq(x, 1))]\n",
            "package a\n\np := plus(x, 1)[0]\n",
        ])
    func findings(text: String) throws {
        let before = try parsed(text)
        let once = String(decoding: try RegoFormatter.format(before), as: UTF8.self)
        let after = try parsed(once)
        #expect(before.isSame(as: after), "\(once)")
        #expect(before.comments.count == after.comments.count, "\(once)")
        #expect(try RegoFormatter.format(after).elementsEqual(once.utf8), "\(once)")
    }

    private static var generated: [String] {
        (UInt64(0)..<50).map { seed in
            var generator = SourceGenerator(seed: seed)
            return generator.module()
        }
    }
}

/// Damages a text by chance.
struct Mutator {
    private var generator: SourceGenerator

    init(seed: UInt64) { generator = SourceGenerator(seed: seed &* 7_919) }

    mutating func below(_ count: Int) -> Int { generator.below(count) }

    mutating func mutate(_ text: [UInt8]) -> [UInt8] {
        var bytes = text
        for _ in 0...below(3) {
            guard !bytes.isEmpty else { return bytes }
            let place = below(bytes.count)
            switch below(7) {
            case 0: bytes.removeLast(bytes.count - place)
            case 1: bytes[place] = UInt8(below(256))
            case 2: bytes.remove(at: place)
            case 3:
                bytes.insert(
                    contentsOf: Array(
                        ["{", "}", "(", ")", "[", "|", ",", "\"", "`", "#", "\n", "if", "not ", "$\"{", " in ", " or "][below(16)].utf8),
                    at: place)
            case 4:
                let end = min(bytes.count, place + 1 + below(20))
                bytes.insert(contentsOf: bytes[place..<end], at: below(bytes.count))
            case 5: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(12)))
            default: bytes.swapAt(place, below(bytes.count))
            }
        }
        return bytes
    }
}
