import Glibc
import RegoSyntax
import Testing

@Suite("the formatter's golden cases", .enabled(if: Corpus.isHere))
struct GoldenFormatTests {
    /// How a module of a case is formatted: the case says nothing of its version, so that v0 is tried where v1 cannot read it.
    private func formatted(_ text: String) throws(SyntaxError) -> String {
        let source = SourceText(name: "test.rego", text: text)
        do throws(SyntaxError) {
            return String(decoding: try RegoFormatter.format(source), as: UTF8.self)
        } catch {
            return String(decoding: try RegoFormatter.format(source, options: .init(version: .v0)), as: UTF8.self)
        }
    }

    @Test("every case but one comes out byte for byte")
    func byteForByte() throws {
        let cases = Corpus.golden()
        #expect(cases.count > 1000)
        var different = 0
        for one in cases {
            let output: String
            do throws(SyntaxError) { output = try formatted(one.source) } catch { output = "\(error)" }
            guard output != one.formatted else { continue }
            different += 1
            if getenv("SHOW_DIFFERENCES") != nil {
                print("--- \(one.note)\n\(one.source)\n=== wanted\n\(one.formatted)\n=== got\n\(output)")
            }
        }
        let percent = 100 * Double(cases.count - different) / Double(cases.count)
        print("golden: \(cases.count - different) of \(cases.count), \(percent) %")
        // One case is OPA's mistake: it takes the parentheses from `k, (v in a) in b`, which then means `(k, v in a) in b`.
        #expect(different == 1)
    }

    @Test("formatting what is formatted changes nothing")
    func idempotent() throws {
        for one in Corpus.golden() {
            let once = try formatted(one.source)
            #expect(try formatted(once) == once, "\(one.note)")
        }
    }

    @Test("formatting keeps the meaning")
    func keepsMeaning() throws {
        for one in Corpus.golden() {
            let before = try parsed(one.source)
            let after = try parsed(try formatted(one.source))
            #expect(before.isSame(as: after), "\(one.note)")
        }
    }

    @Test("v0 modules keep their meaning in v0, and those that v1 allows become readable in both versions")
    func v0Modules() throws {
        var both = 0
        for one in Corpus.modules(of: "v0") {
            let before = try parsed(one.text, .v0)
            let text = try RegoFormatter.format(before, options: .init(version: .v0))
            let after = try parsed(String(decoding: text, as: UTF8.self), .v0)
            #expect(before.isSame(as: after), "\(one.name)")
            let source = SourceText(name: one.name, text: one.text)
            // What v1 refuses (deprecated functions, imports that shadow) stays refused.
            guard let compatible = try? RegoFormatter.format(source, options: .init(version: .v0CompatV1)) else { continue }
            let words = String(decoding: compatible, as: UTF8.self)
            // A variable may bear a name that v1 keeps for itself; `--check-result` of the command finds it.
            guard let readable = try? parsed(words, .v0) else { continue }
            both += 1
            #expect(readable.version == .v0CompatV1, "\(one.name)")
            #expect(throws: Never.self, "\(one.name)\n\(words)") { try parsed(words, .v1) }
        }
        #expect(both > 1_000)
    }
}
