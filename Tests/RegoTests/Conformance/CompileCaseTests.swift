import Rego
import RegoSyntax
import Testing

/// Modules that must be refused, with code, place and words.
@Suite("what does not compile", .enabled(if: ConformanceCase.isHere, "the folder with the cases is not here"))
struct CompileCaseTests {
    @Test("errors have OPA's code, place and text")
    func compileCases() {
        let cases = ConformanceCase.all("compile")
        #expect(cases.count >= 14)
        for one in cases {
            let version: RegoVersion = one.fields["rego_version"].asString == "v0" ? .v0 : .v1
            let found = problems(one.fields["modules"].elements.map { $0.asString ?? "" }, version)
            let wanted = one.fields["want_errors"].elements.map { error in
                "\(error["row"].asInt64 ?? 0):\(error["col"].asInt64 ?? 0): \(error["code"].asString ?? ""): \(error["message"].asString ?? "")"
            }
            for text in wanted { #expect(found.contains(text), "\(one.note): found \(found)") }
            if one.fields["exhaustive"].isTrue { #expect(found == wanted, "\(one.note)") }
        }
    }
}

/// Everything that is wrong with modules, one line each: `row:column: code: message`.
func problems(_ texts: [String], _ version: RegoVersion = .v1, options: CompileOptions = CompileOptions()) -> [String] {
    do {
        let modules = try texts.enumerated().map { index, text in
            try RegoParser.module(SourceText(name: "test-\(index).rego", text: text), options: ParserOptions(version: version))
        }
        _ = try Policy(modules: modules, options: options)
        return []
    } catch let error as CompileError {
        return error.problems.map { "\($0.location.row):\($0.location.column): \($0.code): \($0.message)" }
    } catch let error as SyntaxError {
        return error.problems.map { "\($0.location.row):\($0.location.column): \($0.code): \($0.message)" }
    } catch {
        return ["\(error)"]
    }
}
