import RegoHost
import Testing

@testable import Rego

/// Strings, patterns, encodings and templates beyond the conformance cases.
@Suite("text")
struct TextTests {
    @Test(
        "results are OPA's",
        arguments: [
            ("upper", [#""straße ǆ""#], #""STRAßE Ǆ""#), ("lower", [#""İSTANBUL ÅÄÖ""#], #""istanbul åäö""#),
            ("indexof", [#""åäö""#, #""ö""#], "2"), ("indexof_n", [#""aaa""#, #""aa""#], "[0,1]"),
            ("substring", [#""abc""#, "1", "0"], #""""#), ("substring", [#""abc""#, "5", "2"], #""""#),
            ("trim_space", [#""\u00a0\t x \u2003""#], #""x""#), ("trim_left", [#""ååb""#, #""å""#], #""b""#),
            ("replace", [#""ab""#, #""""#, #""-""#], #""-a-b-""#), ("strings.replace_n", [#"{"a": "b", "b": "a"}"#, #""abc""#], #""bac""#),
            ("strings.replace_n", [#"{"<": "&lt;", ">": "&gt;"}"#, #""<b>""#], #""&lt;b&gt;""#),
            ("strings.count", [#""aaaa""#, #""aa""#], "2"), ("strings.split_n", [#""a.b""#, #"".""#, "0"], "[]"),
            ("concat", [#"",""#, #"["a", "b"]"#], #""a,b""#), ("format_int", ["-15.9", "16"], #""-f""#),
            ("format_int", ["1e30", "10"], #""1000000000000000000000000000000""#),
            ("base64url.decode", [#""8J-Ygw""#], #""😃""#), ("base64.is_valid", [#""YQ""#], "false"), ("hex.encode", [#""å""#], #""c3a5""#),
            ("urlquery.encode", [#""a b&c=ü""#], #""a+b%26c%3D%C3%BC""#),
            ("urlquery.encode_object", [#"{"b": ["2", "1"], "a": "x y"}"#], #""a=x+y&b=2&b=1""#),
            ("semver.compare", [#""v1.0.0-alpha.2""#, #""1.0.0-alpha.10""#], "-1"),
            ("semver.compare", [#""1.0.0-alpha""#, #""1.0.0""#], "-1"),
            ("semver.compare", [#""1.0.0+build""#, #""1.0.0""#], "0"), ("semver.is_valid", [#""1.0.0-""#], "true"),
            ("semver.is_valid", [#""1.0.x""#], "false"),
            ("glob.match", [#""**.com""#, #"["."]"#, #""a.b.com""#], "true"),
            ("glob.match", [#""{a,b*c}.[a-c]""#, "[]", #""bxxc.b""#], "true"),
            ("glob.match", [#""\\*""#, "[]", #""*""#], "true"), ("glob.match", [#""a/*/c""#, #"["/"]"#, #""a/b/d/c""#], "false"),
            ("glob.quote_meta", [#""a*{b}?[c]""#], #""a\\*\\{b\\}\\?\\[c\\]""#),
            ("regex.replace", [#""foo bar""#, #""(?P<one>f)(o+)""#, #""${one}-$2$$""#], #""f-oo$ bar""#),
            ("regex.replace", [#""abc""#, #""x*""#, #""-""#], #""-a-b-c-""#),
            ("regex.find_n", [#""a*""#, #""baaac""#, "-1"], #"["","aaa",""]"#), ("regex.split", [#"",""#, #""a,,b""#], #"["a","","b"]"#),
            ("regex.match", [#""(?<year>[0-9]{4})""#, #""in 2024""#], "true"),
            ("regex.find_all_string_submatch_n", [#""(a)|(b)""#, #""ab""#, "-1"], #"[["a","a",""],["b","","b"]]"#),
            ("regex.template_match", [#""urn:foo:{.*}""#, #""urn:foo:bar:baz""#, #""{""#, #""}""#], "true"),
            ("regex.globs_match", [#""a.a.[0-9]+z""#, #""b.*""#], "false"),
            (
                "strings.render_template",
                [#""{{range $i, $n := .names}}{{if $i}}, {{end}}{{$n | printf \"%q\"}}{{else}}none{{end}}""#, #"{"names": ["a", "b"]}"#],
                #""\"a\", \"b\"""#
            ),
            (
                "strings.render_template",
                [
                    #""{{- with .user }}{{ .name }} {{ len .roles }} {{ index .roles 1 }}{{ end -}}  !""#,
                    #"{"user": {"name": "x", "roles": ["r", "s"]}}"#,
                ], #""x 2 s!""#
            ),
            (
                "strings.render_template",
                [
                    #""{{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .a}}{{if and .a (eq .a \"x\")}}y{{else if .b}}z{{end}}""#,
                    #"{"a": "x"}"#,
                ], #""<x>y""#
            ),
            (
                "uri.parse", [#""HTTPS://u:p@[::1]:8443/a%2Fb?q=1#f%20g""#],
                #"{"fragment":"f g","hostname":"::1","path":"/a/b","port":"8443","raw_path":"/a%2Fb","raw_query":"q=1","scheme":"https"}"#
            ),
            (
                "yaml.unmarshal", [#""a: yes\nb: 010\nc: &x [1.50, ~]\nd: *x\ne: {<<: {k: 1}, l: '2'}\nf: 0x1F""#],
                #"{"a":true,"b":8,"c":[1.5,null],"d":[1.5,null],"e":{"k":1,"l":"2"},"f":31}"#
            ),
            (
                "yaml.marshal", [#"{"b": [1, {"c": "yes"}], "a10": "x: y", "a2": null, "e": ""}"#],
                #""a2: null\na10: 'x: y'\nb:\n- 1\n- c: \"yes\"\ne: \"\"\n""#
            ),
        ] as [(String, [String], String)])
    func results(name: String, arguments: [String], wanted: String) throws {
        let arena = Arena()
        let context = BuiltinContext(arena: arena, host: .libraries())
        let values = try arguments.map { try JSONReader.read(Array($0.utf8), into: arena) }
        #expect(try BuiltinCall.call(name, values, context) == wanted)
    }

    @Test(
        "errors are OPA's",
        arguments: [
            ("regex.match", [#""[a""#, #""""#], "regex.match: error parsing regexp: missing closing ]: `[a`"),
            ("regex.match", [#""a**""#, #""""#], "regex.match: error parsing regexp: invalid nested repetition operator: `**`"),
            ("base64.decode", [#""a$b""#], "base64.decode: illegal base64 data at input byte 1"),
            ("hex.decode", [#""abc""#], "hex.decode: encoding/hex: odd length hex string"),
            ("json.unmarshal", [#""{""#], "json.unmarshal: unexpected end of JSON input"),
            ("glob.match", [#""[a-""#, "[]", #""a""#], "glob.match: unexpected end of input"),
            ("indexof", [#""a""#, #""""#], "indexof: empty search character"),
            ("bits.rsh", ["1", "-1"], "bits.rsh: operand 2 must be an unsigned integer number but got a negative integer"),
            ("strings.render_template", [#""{{nope .}}""#, "{}"], #"strings.render_template: template: function "nope" not defined"#),
            ("to_number", [#""1_0""#], #"to_number: strconv.ParseFloat: parsing "1_0": invalid syntax"#),
        ] as [(String, [String], String)])
    func errors(name: String, arguments: [String], wanted: String) {
        #expect(BuiltinCall.error(name, arguments) == wanted)
    }
}
