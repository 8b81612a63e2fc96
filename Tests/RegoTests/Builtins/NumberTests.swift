import RegoHost
import Testing

@testable import Rego

@Suite("numbers")
struct NumberTests {
    @Test(
        "arithmetic is exact on integers and has 64 bits of mantissa on the rest",
        arguments: [
            ("plus", ["18446744073709551617", "1"], "18446744073709551618"), ("plus", ["9223372036854775807", "1"], "9223372036854775808"),
            ("plus", ["0.1", "0.2"], "0.3"), ("minus", ["1", "0.9"], "0.10000000000000000002"), ("mul", ["1e6", "2"], "2000000"),
            ("mul", ["2.5", "2"], "5"),
            ("mul", ["123456789012345678901234567890", "98765432109876543210"], "12193263113702179522496570642237463801111263526900"),
            ("div", ["1", "3"], "0.33333333333333333334"), ("div", ["10", "4"], "2.5"), ("div", ["1e109", "1e100"], "1000000000"),
            ("div", ["-9223372036854775808", "-1"], "9223372036854775808"),
            ("rem", ["-7", "3"], "-1"), ("rem", ["100000000000000000000000", "7"], "5"), ("round", ["2.5"], "3"), ("round", ["-2.5"], "-3"),
            ("ceil", ["-1.99999"], "-1"),
            // Decision 0028: between -1 and 1 as OPA.
            ("ceil", ["-0.5"], "1"), ("floor", ["-0.5"], "0"), ("ceil", ["0.5"], "1"), ("floor", ["0.5"], "0"),
            ("floor", ["-1.5"], "-2"), ("floor", ["1e-400"], "0"), ("abs", ["-0.5"], "0.5"), ("sum", ["[1, 2.5]"], "3.5"),
            ("product", ["[]"], "1"), ("sum", ["[0.1, 0.2, 0.3]"], "0.6"),
            ("bits.and", ["-1", "340282366920938463463374607431768211455"], "340282366920938463463374607431768211455"),
            ("bits.negate", ["0"], "-1"),
            ("bits.xor", ["-5", "3"], "-8"), ("bits.rsh", ["-5", "1"], "-3"),
            ("bits.lsh", ["1", "100"], "1267650600228229401496703205376"),
            ("numbers.range_step", ["10", "1", "4"], "[10,6,2]"), ("numbers.range", ["3", "3"], "[3]"), ("to_number", [#""+.5""#], "0.5"),
            ("max", ["[]"], nil),
        ] as [(String, [String], String?)])
    func results(name: String, arguments: [String], wanted: String?) throws {
        let arena = Arena()
        let context = BuiltinContext(arena: arena, host: .libraries())
        let values = try arguments.map { try JSONReader.read(Array($0.utf8), into: arena) }
        #expect(try BuiltinCall.call(name, values, context) == wanted)
    }

    @Test("a sum of wide floats is that of the hardware, where both are exact", arguments: [1, 2, 3] as [UInt64])
    func wideFloats(seed: UInt64) throws {
        var state = seed
        func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(Int64(bitPattern: state) >> 20) / 1024
        }
        for _ in 0..<200 {
            // 44-bit numbers: their sum is exact both ways, so that the texts must agree.
            let (a, b) = (next(), next())
            let left = WideFloat(DecimalText(GoFloat.text(a, form: UInt8(ascii: "f"), precision: 10))!)!
            let right = WideFloat(DecimalText(GoFloat.text(b, form: UInt8(ascii: "f"), precision: 10))!)!
            let text = (left + right).text
            #expect(Double(text) == a + b, "\(a) + \(b) = \(text)")
        }
    }
}
