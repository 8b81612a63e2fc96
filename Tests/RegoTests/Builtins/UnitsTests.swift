import Testing

@testable import Rego

@Suite("units.parse and units.parse_bytes")
struct UnitsTests {
    @Test(
        "amounts are exact",
        arguments: [
            ("0.0005K", "0.5000000000"), ("0.0000005M", "0.5000000000"), ("1.1K", "1100"), (".5K", "500"), ("20m", "0.0200000000"),
            ("300Gi", "322122547200"), ("-1k", "-1000"), ("1e3", "1000"), ("0.00000000005", "0.0000000001"), ("0", "0"), (".0", "0"),
        ] as [(String, String)])
    func exact(text: String, number: String) throws {
        #expect(try Units.parse(Array(text.utf8)) == number)
    }

    @Test(
        "bytes are whole",
        arguments: [
            ("1.1KiB", "1126"), ("\"100TIB\"", "109951162777600"), ("10eb", "10000000000000000000"), ("1e-2KB", "10"),
            ("3.2E2MiB", "335544320"),
        ] as [(String, String)])
    func bytes(text: String, number: String) throws {
        #expect(try Units.parseBytes(Array(text.utf8)) == number)
    }

    @Test(
        "what is no quantity is refused in words",
        arguments: [
            ("", "units.parse: no amount provided"), ("G", "units.parse: no amount provided"),
            ("0.0.0", "units.parse: could not parse amount to a number"), ("100 k", "units.parse: spaces not allowed in resource strings"),
            ("1X", "units.parse: unit X not recognized"), ("1e1234567", "units.parse: exponent too large"),
        ] as [(String, String)])
    func refused(text: String, message: String) {
        #expect(throws: BuiltinFailure(message)) { try Units.parse(Array(text.utf8)) }
    }
}
