import Domain
import TestSupport
import Testing

private func parse(_ text: String) throws(JSONError) -> JSONDocument { try JSONDocument.parse(Array(text.utf8)) }

private func refusal(_ bytes: [UInt8]) -> JSONError? {
    do {
        _ = try JSONDocument.parse(bytes)
        return nil
    } catch { return error }
}

@Suite("A JSON document")
struct JSONDocumentTests {
    @Test("gives back what a registration says")
    func registration() throws {
        let document = try parse(
            #"{"service_name":"price-engine","port":8080,"weight":1.5,"tags":["a","b"],"metadata":{"caf\u00e9":"x"},"hold":true,"x":null}"#)
        let root = document.root
        #expect(root.kind == .object)
        #expect(root.count == 7)
        #expect(root["service_name"]?.string == "price-engine")
        #expect(root["service_name"]?.equals("price-engine") == true)
        #expect(root["service_name"]?.equals("price-engin3") == false)
        #expect(root["port"]?.int64 == 8080)
        #expect(root["weight"]?.double == 1.5)
        #expect(root["weight"]?.int64 == nil)
        #expect(root["tags"]?.elements.map { $0.string } == ["a", "b"])
        #expect(root["metadata"]?[dynamic: "café"]?.string == "x")
        #expect(root["hold"]?.bool == true)
        #expect(root["x"]?.isNull == true)
        #expect(root["y"] == nil)
        #expect(root.members.map(\.name) == ["service_name", "port", "weight", "tags", "metadata", "hold", "x"])
    }

    @Test(
        "takes what RFC 8259 allows",
        arguments: [
            "[]", "{}", "null", " true ", "false", "0", "-0", "-1", "1e5", "1E+5", "1e-5", "0.1", "-0.1e1", "\"\"", "[[]]", "[{}]",
            "{\"\":0}",
            "[1,2]", "\t[\r\n1 , 2 ]\n", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"", "\"\\uD834\\uDD1E\"", "\"\\ud83d\\ude00\"",
            "\"\u{7f}\"",
            "\"€𝄞\"", "123456789012345678901234567890", "1e400", "{\"a\":{\"a\":{\"a\":[]}}}", "[\"\\u0022\"]", "9223372036854775807",
            "{\"a\":[],\"b\":{},\"c\":[1]}", "\"1234567\"", "\"12345678\"", "\"123456789\"", "\"\u{10ffff}\u{ffff}\u{800}\u{80}\"",
        ])
    func accepts(text: String) {
        #expect(refusal(Array(text.utf8)) == nil)
    }

    @Test(
        "refuses what is not JSON",
        arguments: [
            "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1,,2]", "{\"a\"", "{\"a\":", "{\"a\":1",
            "{\"a\":1,", "{\"a\":1,}",
            "{,}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{1:1}", "[}", "{]", "[1}", "{\"a\":1]", "[1]]", "1 2", "[]x",
            "nul", "nullx",
            "True", "tru", "01", "-01", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "--1",
            "1a",
            "\"", "\"a", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"\\uFF1\u{ff11}\"", "\"\n\"", "\"\t\"",
            "\"\u{0}\"",
            "\"\u{1f}\"", "'a'", "/**/1", "1//", "\u{feff}1", "\u{a0}1", "\u{c}1", "[1\u{0}]", "\u{0}", "[\"a\":1]", "{\"a\",\"b\"}",
            "{\"a\":}", "{:1}",
        ])
    func refuses(text: String) {
        #expect(refusal(Array(text.utf8))?.code == .syntax)
    }

    @Test(
        "refuses text that is not Unicode",
        arguments: [
            [0x80], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf],
            [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xc3],
            [0xe2, 0x82],
            [0xc3, 0x28], [0xe2, 0x28, 0xa1], [0xf0, 0x9f, 0x98, 0x41],
            Array("\\ud800".utf8), Array("\\udc00".utf8), Array("\\ud800\\ud800".utf8), Array("\\ud800x".utf8),
            Array("\\udc00\\ud800".utf8),
        ] as [[UInt8]])
    func refusesBrokenText(content: [UInt8]) {
        for padding in [0, 1, 7, 8, 15] {
            let quoted = [0x22] + [UInt8](repeating: 0x61, count: padding) + content
            #expect(refusal(quoted + [0x22])?.code == .notUnicode)
            #expect(refusal(quoted + Array("\\n".utf8) + [0x22])?.code == .notUnicode)
        }
    }

    @Test("refuses a key that is there twice, however it is written", arguments: [2, 5, 16, 17, 18, 100])
    func duplicateKeys(count: Int) throws {
        func object(last: String) -> [UInt8] {
            let plain = (0..<count - 1).map { "\"key-\($0)\":{\"key-1\":[\($0)]}" }
            return Array("{\((plain + ["\"\(last)\":0"]).joined(separator: ","))}".utf8)
        }
        #expect(refusal(object(last: "another")) == nil)
        let refused = try #require(refusal(object(last: "key-0")))
        #expect(refused.code == .duplicateKey)
        #expect(refused.offset > 10)
        #expect(refusal(object(last: "k\\u0065y-0"))?.code == .duplicateKey)
        #expect(refusal(object(last: "k\\u0065y-x")) == nil)
    }

    @Test("tells keys apart that share their fingerprint")
    func fingerprints() throws {
        let document = try parse(#"{"abcd1efgh":1,"abcd2efgh":2,"abcd3efgh":3}"#)
        #expect(document.root["abcd2efgh"]?.int64 == 2)
        #expect(document.root["abcd4efgh"] == nil)
        #expect(refusal(Array(#"{"abcd1efgh":1,"abcd1efgh":2}"#.utf8))?.code == .duplicateKey)
    }

    @Test("has a limit to its depth and its size")
    func limits() {
        func nested(_ depth: Int) -> [UInt8] { Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8) }
        #expect(refusal(nested(Limits.jsonDepthMax)) == nil)
        #expect(refusal(nested(Limits.jsonDepthMax + 1))?.code == .tooDeep)
        #expect(refusal([UInt8](repeating: UInt8(ascii: "["), count: 100_000))?.code == .tooDeep)
        #expect(throws: JSONError.self) { try JSONDocument.parse(Array("[1,2]".utf8), bytesMax: 4) }
    }

    @Test("says line and column of a fault")
    func positions() throws {
        let error = try #require(refusal(Array("{\n  \"a\": 1,\n  \"b\": x\n}".utf8)))
        #expect(error.line == 3)
        #expect(error.column == 8)
        #expect(error.description == "line 3, column 8: expected a value, found 'x'")
        let value = try parse("{\n  \"a\": 1}").root["a"]
        #expect(value?.position.line == 2)
        #expect(value?.position.column == 8)
    }

    @Test("splits integers, doubles and numbers that are too large for both")
    func numbers() throws {
        let texts = [
            "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "1.0", "1e3", "0.1", "1e400",
            "-0.0",
            "1.7976931348623157e308", "5e-324", "123456789012345680000", "3.141592653589793238462643383279",
        ]
        let values = Array(try parse("[\(texts.joined(separator: ","))]").root.elements)
        #expect(values[0].int64 == .max)
        #expect(values[1].int64 == .min)
        #expect(values[2].kind == .bigNumber)
        #expect(values[2].int64 == nil)
        #expect(values[2].double == 9223372036854775808)
        #expect(values[3].kind == .bigNumber)
        #expect(values[4].kind == .double)
        #expect(values[4].int64 == 1)
        #expect(values[5].int64 == 1000)
        #expect(values[6].double == 0.1)
        #expect(values[7].kind == .bigNumber)
        #expect(values[7].double == nil)
        #expect(values[8].double?.sign == .minus)
        #expect(values[9].double == .greatestFiniteMagnitude)
        #expect(values[10].double == .leastNonzeroMagnitude)
        #expect(values[12].double == .pi)
        #expect(values.map { String(decoding: $0.rawBytes, as: UTF8.self) } == texts)
    }

    @Test("resolves escapes, and still gives the bytes as they were sent")
    func escapes() throws {
        let raw = #""a\"b\\c\/d\u00e9\ud83d\ude00\n plain text after it €""#
        let value = try parse("[\(raw)]").root.elements.first { _ in true }
        #expect(value?.string == "a\"b\\c/dé😀\n plain text after it €")
        #expect(value.map { String(decoding: $0.rawBytes, as: UTF8.self) } == raw)
    }

    @Test("reads a double as the standard library does", arguments: [1, 2, 3] as [UInt64])
    func doubles(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<2_000 {
            let text =
                "\(Int.random(in: -999...999, using: &random)).\(UInt64.random(in: 0...(.max >> UInt64.random(in: 0...60, using: &random)), using: &random))e\(Int.random(in: -40...40, using: &random))"
            #expect(try parse(text).root.double == Double(text), "\(text) (seed \(seed))")
        }
    }
}
