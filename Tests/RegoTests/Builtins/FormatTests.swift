import Testing

@testable import Rego

/// `sprintf` against what Go prints.
@Suite("sprintf")
struct FormatTests {
    @Test(
        "verbs, flags and widths are Go's",
        arguments: [
            ("hi %02d", "[5]", "hi 05"), ("%02X.%02x", "[127, 1]", "7F.01"), ("%s", "[true]", "true"), ("%t", "[true]", "%!t(string=true)"),
            ("%d", "[3.0]", "%!d(float64=3)"), ("%d", "[\"x\"]", "%!d(string=x)"),
            ("%v", "[1208925819614629174706175]", "1208925819614629174706175"),
            ("%s", "[1208925819614629174706175]", "1208925819614629174706175"),
            ("%x", "[1208925819614629174706175]", "ffffffffffffffffffff"),
            ("%.3f", "[2.0005]", "2.001"), ("%.2f", "[2.675]", "2.67"), ("%.0f", "[0.5]", "0"), ("%6.2f|", "[3.14159]", "  3.14|"),
            ("%-6.2f|", "[3.14159]", "3.14  |"), ("%06.2f", "[-3.14159]", "-03.14"), ("%+d", "[5]", "+5"), ("% d", "[5]", " 5"),
            ("%e", "[123456.789]", "1.234568e+05"),
            ("%g", "[1234567.5]", "1.2345675e+06"), ("%v", "[0.00001]", "1e-05"), ("%v", "[100000.5]", "100000.5"),
            ("%v", "[1e21]", "1e+21"),
            ("%q", "[\"a\\\"b\"]", "\"a\\\"b\""), ("%x", "[\"hi\"]", "6869"), ("% X", "[\"hi\"]", "68 69"),
            ("%5s|%-5s|", "[\"å\", \"b\"]", "    å|b    |"),
            ("%.2s", "[\"åäö\"]", "åä"), ("%c", "[97]", "a"), ("%U", "[128512]", "U+1F600"), ("%b", "[5]", "101"), ("%#x", "[255]", "0xff"),
            ("%o", "[8]", "10"),
            ("%%", "[]", "%"), ("%d", "[]", "%!d(MISSING)"), ("%d", "[1, 2]", "1%!(EXTRA int=2)"), ("%!", "[1]", "%!!(int=1)"),
            ("%", "[1]", "%!(NOVERB)%!(EXTRA int=1)"),
            ("%[2]d %[1]d", "[1, 2]", "2 1"), ("%*d", "[5, 1]", "    1"), ("%[3]d", "[1]", "%!d(BADINDEX)"),
            ("%v %v", "[{\"a\": [1, null]}, []]", "{\"a\": [1, null]} []"),
            ("%T", "[1]", "int"), ("%08b", "[5]", "00000101"), ("%+.2e", "[12345.678]", "+1.23e+04"), ("%5t", "[1]", "%!t(int=    1)"),
        ] as [(String, String, String)])
    func verbs(format: String, arguments: String, wanted: String) throws {
        let arena = Arena()
        let list = try JSONReader.read(Array(arguments.utf8), into: arena)
        let text = try GoFormat.sprintf(Array(format.utf8), list.elements.map { GoArgument($0) })
        #expect(String(decoding: text, as: UTF8.self) == wanted)
    }

    @Test("all digits of a double are exact")
    func digits() {
        #expect(
            String(decoding: GoFloat.text(0.1, form: UInt8(ascii: "f"), precision: 30), as: UTF8.self) == "0.100000000000000005551115123126"
        )
        #expect(
            String(decoding: GoFloat.text(Double.leastNonzeroMagnitude, form: UInt8(ascii: "e"), precision: 5), as: UTF8.self)
                == "4.94066e-324")
        #expect(String(decoding: GoFloat.text(1e22, form: UInt8(ascii: "f"), precision: 0), as: UTF8.self) == "10000000000000000000000")
        #expect(String(decoding: GoFloat.text(3.14, form: UInt8(ascii: "x"), precision: nil), as: UTF8.self) == "0x1.91eb851eb851fp+01")
    }
}
