import RegoSyntax
import Testing

@Suite("the modules of the conformance cases", .enabled(if: Corpus.isHere))
struct CorpusParseTests {
    @Test("every module is read", arguments: ["v1", "v0"])
    func modulesAreRead(folder: String) {
        let modules = Corpus.modules(of: folder)
        #expect(modules.count > 1000)
        for one in modules {
            do {
                _ = try parsed(one.text, one.version, name: one.name)
            } catch {
                Issue.record("\(one.name): \(error)\n\(one.text)")
            }
        }
    }

    @Test("every query and every input written as a term is read", arguments: ["v1", "v0"])
    func queriesAreRead(folder: String) {
        let queries = Corpus.queries(of: folder)
        #expect(queries.count > 1000)
        for one in queries {
            do {
                _ = try RegoParser.query(SourceText(name: one.name, text: one.text))
            } catch {
                Issue.record("\(one.name): \(error)\n\(one.text)")
            }
        }
    }
}
