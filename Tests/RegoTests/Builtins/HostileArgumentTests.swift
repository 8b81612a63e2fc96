import Testing

@testable import Rego

/// Arguments that would take all memory or time elsewhere end with an error that names the limit.
@Suite("hostile arguments")
struct HostileArgumentTests {
    @Test(
        "what would be too large is refused",
        arguments: [
            ("numbers.range", ["0", "1000000000000"]),
            ("numbers.range", ["-9223372036854775808", "9223372036854775807"]),
            ("numbers.range_step", ["0", "1e15", "2"]),
            ("net.cidr_expand", [#""0.0.0.0/0""#]),
            ("net.cidr_expand", [#""::/0""#]),
            ("bits.lsh", ["1", "1000000000000"]),
            ("mul", ["1e400000", "1e400000"]),
            ("units.parse", [#""1e999999""#]),
            (
                "yaml.unmarshal",
                [
                    #""a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]""#
                ]
            ),
            (
                "strings.render_template",
                [
                    #""{{range .a}}{{range $.a}}{{range $.a}}{{range $.a}}x{{end}}{{end}}{{end}}{{end}}""#,
                    #"{"a": [\#((0..<100).map(String.init).joined(separator: ","))]}"#,
                ]
            ),
            (
                "sprintf",
                [#""\#(String(repeating: "%1000000d", count: 20))""#, "[\(Array(repeating: "1", count: 20).joined(separator: ","))]"]
            ),
            ("regex.match", [#""(((a{1,100}){1,100}){1,100}){1,100}""#, #""aaaa""#]),
            ("http.send", [#"{"method": "get", "url": "http://example.com"}"#]),
            ("net.lookup_ip_addr", [#""example.com""#]),
        ] as [(String, [String])])
    func refused(name: String, arguments: [String]) {
        #expect(BuiltinCall.error(name, arguments) != nil)
    }

    @Test("patterns that make others backtrack take no time")
    func patterns() throws {
        let text = String(repeating: "a", count: 2000)
        #expect(try BuiltinCall.call("regex.match", #""(a*)*b""#, "\"\(text)\"") == "false")
        #expect(try BuiltinCall.call("glob.match", "\"\(String(repeating: "a*", count: 500))b\"", "[]", "\"\(text)\"") == "false")
        #expect(
            try BuiltinCall.call(
                "regex.globs_match", "\"\(String(repeating: "a*", count: 500))\"", "\"\(String(repeating: "a+", count: 500))\"") == "true")
    }

    @Test(
        "documents that nest deep are refused before the stack ends",
        arguments: [
            ("graphql.parse_query", String(repeating: "{a", count: 100_000)),
            ("graphql.parse_schema", "type A { a: " + String(repeating: "[", count: 100_000)),
            ("yaml.unmarshal", String(repeating: "[", count: 100_000)),
            ("json.unmarshal", String(repeating: "[", count: 100_000)),
            ("graphql.parse_query", "{" + String(repeating: "a ", count: 200_000)),
            ("units.parse", String(repeating: "9", count: 200_000)),
        ] as [(String, String)])
    func deep(name: String, text: String) {
        #expect(BuiltinCall.error(name, ["\"\(text)\""]) != nil)
    }

    @Test("split of nothing by nothing is nothing")
    func split() throws {
        #expect(try BuiltinCall.call("split", #""""#, #""""#) == "[]")
        #expect(try BuiltinCall.call("split", #""åb""#, #""""#) == #"["å","b"]"#)
    }
}
