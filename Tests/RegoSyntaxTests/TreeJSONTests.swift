import Domain
import RegoSyntax
import Testing

@Suite("the tree as JSON")
struct TreeJSONTests {
    private func json(_ text: String, _ version: RegoVersion = .v1) throws -> String {
        String(decoding: try parsed(text, version).json(), as: UTF8.self)
    }

    @Test("a rule has its head and its body, as OPA writes them")
    func rule() throws {
        #expect(
            try json("package foo\n\n# c\nallow if { true }\n") == """
                {"package":{"path":[{"type":"var","value":"data"},{"type":"string","value":"foo"}]},\
                "rules":[{"head":{"name":"allow","ref":[{"type":"var","value":"allow"}],"value":{"type":"boolean","value":true}},\
                "body":[{"index":0,"terms":{"type":"boolean","value":true}}]}],\
                "comments":[{"Text":"IGM=","Location":{"file":"test.rego","row":3,"col":1}}]}
                """)
    }

    @Test("calls, references, modifiers and negations are nested arrays and objects")
    func expressions() throws {
        let text = try json("package a\n\np if {\n\tnot x.y[0] == 1 with input.z as 2\n\tsome k, v in xs\n}\n")
        #expect(
            text.contains(
                """
                {"index":0,"negated":true,"terms":[{"type":"ref","value":[{"type":"var","value":"equal"}]},{"type":"ref","value":\
                [{"type":"var","value":"x"},{"type":"string","value":"y"},{"type":"number","value":0}]},{"type":"number","value":1}],\
                "with":[{"target":{"type":"ref","value":[{"type":"var","value":"input"},{"type":"string","value":"z"}]},\
                "value":{"type":"number","value":2}}]}
                """))
        #expect(
            text.contains(
                #"{"index":1,"terms":{"symbols":[{"type":"call","value":[{"type":"ref","value":[{"type":"var","value":"internal"}"#))
    }

    @Test("sets and objects are sorted and have no duplicates; .5 becomes 0.5")
    func collections() throws {
        let text = try json("package a\n\np := [{3, 1, 1}, {\"b\": 1, \"a\": .5, \"b\": -.25}]\n")
        #expect(text.contains(#"{"type":"set","value":[{"type":"number","value":1},{"type":"number","value":3}]}"#))
        #expect(
            text.contains(
                """
                {"type":"object","value":[[{"type":"string","value":"a"},{"type":"number","value":0.5}],\
                [{"type":"string","value":"b"},{"type":"number","value":-0.25}]]}
                """))
    }

    @Test("branches of else nest")
    func elses() throws {
        let text = try json("package a\n\np := 1 if { x } else := 2 if { y } else := 3\n")
        #expect(
            text.contains(
                #""else":{"head":{"name":"p","ref":[{"type":"var","value":"p"}],"value":{"type":"number","value":2},"assign":true}"#))
        #expect(try JSONDocument.parse(Array(text.utf8)).root["rules"]?.count == 1)
    }

    @Test("every module of the cases becomes well-formed JSON", .enabled(if: Corpus.isHere))
    func corpus() throws {
        for one in Corpus.modules(of: "v1") + Corpus.modules(of: "v0") {
            let json = try parsed(one.text, one.version).json()
            #expect(throws: Never.self, "\(one.name)") { try JSONDocument.parse(json) }
        }
    }
}
