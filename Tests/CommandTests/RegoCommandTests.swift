import Glibc
import RegoSyntax
import TestSupport
import Testing

@testable import posto

/// `posto fmt` and `posto check`, run as a person runs them.
@Suite("posto fmt and posto check")
struct RegoCommandTests {
    private static let ugly = "package a\np   :=  1\nq if { input.x }\n"
    private static let nice = "package a\n\np := 1\nq if input.x\n"
    private static let broken = "package a\n\np := [1, 2\n"

    @Test("a file is printed as it looks when it is formatted, and is not touched")
    func prints() throws {
        let folder = TemporaryFolder()
        let file = folder.write("a.rego", Self.ugly)
        let end = try PostoProcess.run(["fmt", file])
        #expect(end == PostoProcess.End(status: 0, output: Self.nice))
        #expect(folder.read("a.rego") == Self.ugly)
    }

    @Test("-w writes what changed, keeps the mode and follows links")
    func writes() throws {
        let folder = TemporaryFolder()
        let file = folder.write("a.rego", Self.ugly)
        #expect(chmod(file, 0o640) == 0)
        #expect(symlink(file, "\(folder.path)/link.rego") == 0)
        #expect(try PostoProcess.run(["fmt", "-w", "\(folder.path)/link.rego"]) == PostoProcess.End(status: 0))
        #expect(folder.read("a.rego") == Self.nice)
        var status = stat()
        #expect(lstat("\(folder.path)/link.rego", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o640)
    }

    @Test("-l names what would change, --fail makes it an error")
    func lists() throws {
        let folder = TemporaryFolder()
        let ugly = folder.write("b/ugly.rego", Self.ugly)
        _ = folder.write("a/nice.rego", Self.nice)
        _ = folder.write("a/other.txt", "not Rego")
        #expect(try PostoProcess.run(["fmt", "-l", folder.path]) == PostoProcess.End(status: 0, output: ugly + "\n"))
        let end = try PostoProcess.run(["fmt", "-l", "--fail", folder.path])
        #expect(end == PostoProcess.End(status: 2, output: ugly + "\n", errors: "unexpected diff\n"))
        #expect(try PostoProcess.run(["fmt", "--fail", "-l", "\(folder.path)/a"]) == PostoProcess.End(status: 0))
    }

    @Test("-d prints the difference")
    func differs() throws {
        let folder = TemporaryFolder()
        let file = folder.write("a.rego", Self.ugly)
        let end = try PostoProcess.run(["fmt", "--diff", file])
        #expect(end.status == 0)
        #expect(
            end.output == """
                --- \(file)
                +++ \(file) (formatted)
                @@ -1,3 +1,4 @@
                 package a
                -p   :=  1
                -q if { input.x }
                +
                +p := 1
                +q if input.x

                """)
    }

    @Test("standard input is formatted when no file is named; what is no Rego is 1")
    func formatsInput() throws {
        #expect(try PostoProcess.run(["fmt"], input: Self.ugly) == PostoProcess.End(status: 0, output: Self.nice))
        let end = try PostoProcess.run(["fmt"], input: Self.broken)
        #expect(end.status == 1 && end.output.isEmpty)
        #expect(end.errors.hasPrefix("2 errors occurred:\nstdin:4: rego_parse_error: unexpected eof token"), "\(end.errors)")
    }

    @Test("a file that is no Rego is 2, with the line and a mark under the place")
    func refuses() throws {
        let folder = TemporaryFolder()
        let file = folder.write("a.rego", "package a\n\np {\n\ttrue\n}\n")
        let end = try PostoProcess.run(["fmt", file])
        #expect(end.status == 2 && end.output.isEmpty)
        #expect(
            end.errors
                == "failed to format Rego source file: 1 error occurred: \(file):3: rego_parse_error: `if` keyword is required before rule body\n"
        )
        #expect(try PostoProcess.run(["fmt", "\(folder.path)/none.rego"]).status == 2)
    }

    @Test("v0 stays v0, or becomes what both versions understand")
    func versions() throws {
        let folder = TemporaryFolder()
        let file = folder.write("a.rego", "package a\n\np[x] { x = 1 }\n")
        #expect(
            try PostoProcess.run(["fmt", "--v0-compatible", file]).output == "package a\n\np[x] {\n\tx = 1\n}\n")
        #expect(
            try PostoProcess.run(["fmt", "--v0-v1", file]).output == "package a\n\nimport rego.v1\n\np contains x if x = 1\n")
        #expect(
            try PostoProcess.run(["fmt", "--rego-v1", file]).output == "package a\n\nimport rego.v1\n\np contains x if x = 1\n")
    }

    @Test("check says nothing when all is well")
    func checksWell() throws {
        let folder = TemporaryFolder()
        _ = folder.write("a.rego", Self.ugly)
        #expect(try PostoProcess.run(["check", folder.path]) == PostoProcess.End(status: 0))
    }

    @Test("check reports every broken file: for people on standard error, as JSON on standard output")
    func checksBroken() throws {
        let folder = TemporaryFolder()
        let first = folder.write("a.rego", Self.broken)
        let second = folder.write("b.rego", "package b\n\nimport data.x\nimport rego.v2\n")
        let pretty = try PostoProcess.run(["check", folder.path])
        #expect(pretty.status == 1 && pretty.output.isEmpty)
        #expect(
            pretty.errors == """
                3 errors occurred during loading:
                \(first):4: rego_parse_error: unexpected eof token: expected "," or "]"
                \tp := [1, 2
                \t         ^
                \(first):4: rego_parse_error: unexpected eof token: expected rule value term (e.g., p := <VALUE> { ... })
                \tp := [1, 2
                \t         ^
                \(second):4: rego_parse_error: invalid import `rego.v2`, must be `rego.v1`
                \timport rego.v2
                \t       ^

                """)
        let json = try PostoProcess.run(["check", "-f", "json", second])
        #expect(json.status == 1 && json.errors.isEmpty)
        #expect(
            json.output == """
                {"errors":[{"message":"invalid import `rego.v2`, must be `rego.v1`","code":"rego_parse_error",\
                "location":{"file":"\(second)","row":4,"col":8},"details":{"line":"import rego.v2","idx":7}}]}

                """)
    }

    @Test("check finds what v1 refuses beyond the grammar, as opa does one stage of the compiler after the other")
    func checksV1() throws {
        let folder = TemporaryFolder()
        let file = folder.write("a.rego", "package a\n\nimport data.x\nimport data.y.x\n\ninput := 1\n\np := any([true])\n")
        let end = try PostoProcess.run(["check", file])
        #expect(end.status == 1)
        #expect(
            end.errors == """
                1 error occurred: \(file):6: rego_compile_error: rules must not shadow input (use a different rule name)

                """)
        #expect(try PostoProcess.run(["check", "--v0-compatible", file]) == PostoProcess.End(status: 0))
        #expect(try PostoProcess.run(["check", "--v0-compatible", "--strict", file]).status == 1)
    }

    @Test("check says which types do not fit, for people and as JSON, and no more than it is asked for")
    func checksTypes() throws {
        let folder = TemporaryFolder()
        let file = folder.write("a.rego", "package a\n\np := upper(1)\n\nq if 1 == \"x\"\n")
        let end = try PostoProcess.run(["check", file])
        #expect(end.status == 1)
        #expect(
            end.errors == """
                2 errors occurred:
                \(file):3: rego_type_error: upper: invalid argument(s)
                \thave: (number, ???)
                \twant: (x: string, y: string)
                \(file):5: rego_type_error: match error
                \tleft  : number
                \tright : string

                """)
        #expect(try PostoProcess.run(["check", "--max-errors", "1", file]).errors.hasSuffix("error limit reached\n"))
        let json = try PostoProcess.run(["check", "-f", "json", "-m", "1", file])
        #expect(
            json.output == """
                {"errors":[{"message":"upper: invalid argument(s)","code":"rego_type_error",\
                "location":{"file":"\(file)","row":3,"col":6},\
                "details":{"want":{"args":[{"name":"x","type":"string"},{"name":"y","type":"string"}]},"have":[{"type":"number"},null]}},\
                {"message":"error limit reached","code":"rego_compile_error"}]}

                """)
    }

    @Test("check without a file is a usage error")
    func checksNothing() throws { #expect(try PostoProcess.run(["check"]).status == 2) }

    @Test(
        "a difference can be applied: it takes from the old text to the new one",
        arguments: [("", "a\n"), ("a\n", ""), ("a\nb\nc\n", "a\nc\n"), ("a\nb", "a\nb\n"), ("x\ny\nz\n", "1\n2\n3\n4\n")])
    func diffApplies(old: String, new: String) {
        let text = LineDiff.unified(old, new, oldName: "old", newName: "new")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let removed = lines.dropFirst(2).filter { $0.hasPrefix("-") || $0.hasPrefix(" ") }.map { $0.dropFirst() }
        let added = lines.dropFirst(2).filter { $0.hasPrefix("+") || $0.hasPrefix(" ") }.map { $0.dropFirst() }
        #expect(removed == old.split(separator: "\n"), "\(text)")
        #expect(added == new.split(separator: "\n"), "\(text)")
    }
}
