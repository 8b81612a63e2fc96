import Arguments
import Glibc
import Rego
import RegoSyntax
import TestSupport
import Testing

@testable import posto

@Suite("posto eval")
struct EvalTests {
    private func withFolder<R>(_ files: [String: String], _ body: (String) throws -> R) rethrows -> R {
        let folder = TemporaryFolder()
        for (name, text) in files { folder.write(name, text) }
        return try body(folder.path)
    }

    @Test("data of folders lies below their names, policies are found at any depth")
    func folders() throws {
        try withFolder([
            "a/b/data.json": "{\"x\":1}", "data.json": "{\"y\":2}", "p/q.rego": "package p\n\nr := data.a.b.x + data.y\n",
            "notes.txt": "no",
        ]) {
            folder in
            var files = PolicyFiles(version: .v1)
            try files.add(folder)
            #expect(files.modules.count == 1)
            #expect(Rego.JSONWriter.text(files.data) == "{\"a\":{\"b\":{\"x\":1}},\"y\":2}")
        }
    }

    @Test("of a bundle's data only the files that are named data count")
    func bundle() throws {
        try withFolder(["data.json": "{\"y\":2}", "other.json": "{\"z\":2}"]) { folder in
            var files = PolicyFiles(version: .v1)
            try files.addBundle(folder)
            #expect(Rego.JSONWriter.text(files.data) == "{\"y\":2}")
        }
    }

    @Test("data that contradict each other are refused")
    func contradiction() throws {
        withFolder(["a.json": "{\"y\":2}", "b.json": "{\"y\":3}"]) { folder in
            var files = PolicyFiles(version: .v1)
            #expect(throws: RegoErrors.self) { try files.add(folder) }
        }
    }

    @Test("the flags are those of opa")
    func flags() throws {
        let command = try #require(
            Posto.parseAsRoot([
                "eval", "-d", "a.rego", "--data", "b.json", "-b", "c", "-i", "in.json", "-f", "pretty", "--fail", "--v0-compatible",
                "--strict-builtin-errors", "data.x",
            ]) as? Eval)
        #expect(command.data == ["a.rego", "b.json"])
        #expect(command.bundle == ["c"])
        #expect(command.input == "in.json")
        #expect(command.format == .pretty)
        #expect(command.fail && command.v0Compatible && command.strictBuiltinErrors)
        #expect(command.query == "data.x")
    }

    @Test("errors have message, code and place")
    func errors() throws {
        let arena = Arena()
        let errors = RegoErrors([
            RegoErrors.One(message: "var x is unsafe", code: "rego_unsafe_var_error", file: "p.rego", row: 3, column: 2)
        ])
        withExtendedLifetime(arena) {
            #expect(
                Rego.JSONWriter.text(errors.document(arena))
                    == "{\"errors\":[{\"code\":\"rego_unsafe_var_error\",\"location\":{\"col\":2,\"file\":\"p.rego\",\"row\":3},\"message\":\"var x is unsafe\"}]}"
            )
        }
        #expect(errors.text == "1 error occurred: p.rego:3: rego_unsafe_var_error: var x is unsafe")
    }
}
