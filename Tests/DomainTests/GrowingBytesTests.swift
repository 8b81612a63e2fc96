import Domain
import Testing

@Suite("bytes that grow") struct GrowingBytesTests {
    @Test("decimals are written as Swift writes them", arguments: [0, 1, 9, 10, 99, 100, 12_345, UInt64(Int64.max), .max - 1, .max])
    func decimals(_ value: UInt64) {
        var out = GrowingBytes(capacity: 1)
        out.append(decimal: value)
        #expect(String(decoding: out.bytes, as: UTF8.self) == "\(value)")
    }

    @Test("every power of ten and its neighbours keep all their digits")
    func powers() {
        var power: UInt64 = 1
        for _ in 0..<20 {
            for value in [power - 1, power, power + 1] {
                var out = GrowingBytes(capacity: 16)
                out.append(decimal: value)
                #expect(String(decoding: out.bytes, as: UTF8.self) == "\(value)")
            }
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
    }

    @Test("negative numbers", arguments: [Int64.min, -1, 0, 1, .max])
    func signed(_ value: Int64) {
        var out = GrowingBytes(capacity: 16)
        out.append(decimal: value)
        #expect(String(decoding: out.bytes, as: UTF8.self) == "\(value)")
    }

    @Test("a JSON string reads back as it was, whatever stands at whatever place")
    func strings() throws {
        for length in 0..<20 {
            for place in 0..<max(1, length) {
                for scalar in ["\u{0}", "\u{1f}", "\"", "\\", "\n", "\r", "\t", "\u{7f}", "é", "€", "😀", "/"] as [Unicode.Scalar] {
                    var text = String(repeating: "a", count: length)
                    if length > 0 {
                        text.replaceSubrange(
                            text.index(text.startIndex, offsetBy: place)...text.index(text.startIndex, offsetBy: place),
                            with: String(scalar))
                    }
                    var out = GrowingBytes(capacity: 1)
                    out.append(json: text)
                    let read = try JSONDocument.parse(Array(out.bytes)).root.string
                    #expect(read == text)
                    // Nothing that a terminal or a log would act on is left bare.
                    #expect(out.bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
                }
            }
        }
    }

    @Test("grows, empties, and keeps what was written")
    func growth() {
        var out = GrowingBytes(capacity: 0)
        var expected: [UInt8] = []
        for i in 0..<5_000 {
            out.append(UInt8(truncatingIfNeeded: i))
            expected.append(UInt8(truncatingIfNeeded: i))
        }
        out.append("name", between: 0x22)
        expected += Array("\"name\"".utf8)
        #expect(out.array() == expected)
        out.removeAll()
        #expect(out.count == 0)
        out.append("x")
        #expect(out.array() == [0x78])
    }
}
