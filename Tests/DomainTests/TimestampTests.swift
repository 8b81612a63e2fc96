import Domain
import TestSupport
import Testing

@Suite("RFC 3339")
struct TimestampTests {
    /// SeededRandom64, so that a seed tells the case.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    private static let earliest: Int64 = -62_167_219_200_000
    private static let latest: Int64 = 253_402_300_799_999

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    @Test("every moment of the years 0 to 9999 comes back as it was written", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(seed: UInt64) {
        print("timestamps: seed \(seed)")
        var random = Random(state: seed)
        for _ in 0..<20_000 {
            let moment = Timestamp(milliseconds: Int64.random(in: Self.earliest...Self.latest, using: &random))
            let text = moment.rfc3339
            #expect(text.utf8.count == 24 && text.hasSuffix("Z"))
            #expect(Timestamp(rfc3339: text) == moment, "seed \(seed): \(text)")
        }
    }

    @Test("the order of texts is the order of moments", arguments: [4] as [UInt64])
    func order(seed: UInt64) {
        var random = Random(state: seed)
        let moments = (0..<2_000).map { _ in Timestamp(milliseconds: Int64.random(in: Self.earliest...Self.latest, using: &random)) }
            .sorted()
        #expect(moments.map(\.rfc3339) == moments.map(\.rfc3339).sorted())
    }

    @Test("the calendar, day by day through 400 years, against counting")
    func calendar() {
        var days: Int64 = -25_567  // 1900-01-01
        for year in 1900..<2300 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                for day in 1...length {
                    if day == 1 || day >= 28 {
                        let text = "\(year)-\(two(month + 1))-\(two(day))T00:00:00.000Z"
                        #expect(Timestamp(milliseconds: days * 86_400_000).rfc3339 == text)
                        #expect(Timestamp(rfc3339: text)?.milliseconds == days * 86_400_000)
                    }
                    days += 1
                }
                #expect(Timestamp(rfc3339: "\(year)-\(two(month + 1))-\(two(length + 1))T00:00:00Z") == nil)
            }
        }
    }

    @Test("offsets move the moment, fractions are cut after the third digit", arguments: [5] as [UInt64])
    func offsets(seed: UInt64) {
        var random = Random(state: seed)
        for _ in 0..<5_000 {
            let moment = Timestamp(milliseconds: Int64.random(in: 0...4_000_000_000_000, using: &random))
            let (hours, minutes) = (Int.random(in: 0...23, using: &random), Int.random(in: 0...59, using: &random))
            for sign in ["+", "-"] {
                let shift = Duration.seconds((hours * 60 + minutes) * 60 * (sign == "+" ? 1 : -1))
                let text = String((moment + shift).rfc3339.dropLast()) + "999\(sign)\(two(hours)):\(two(minutes))"
                #expect(Timestamp(rfc3339: text) == moment, "\(text)")
            }
        }
    }

    @Test(
        "what is not RFC 3339 is refused",
        arguments: [
            "", "2026", "2026-11-21", "2026-11-21T00:00:00", "2026-11-21 00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-11-31T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T00:60:00Z",
            "2026-11-21T00:00:61Z", "2026-11-21T00:00:00.Z", "2026-11-21T00:00:00.1", "2026-11-21T00:00:00+01", "2026-11-21T00:00:00+24:00",
            "2026-11-21T00:00:00+01:60", "2026-11-21T00:00:00Zx", "+026-11-21T00:00:00Z", "2026-11-21T00:00:00z ", "２026-11-21T00:00:00Z",
            "2026-1a-21T00:00:00Z", "12026-11-21T00:00:00Z",
        ])
    func refused(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test("years outside are held at the nearest end")
    func ends() {
        #expect(Timestamp(milliseconds: .min).rfc3339 == "0000-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp(rfc3339: "2000-02-29t23:59:60z")?.rfc3339 == "2000-03-01T00:00:00.000Z")
    }
}

@Suite("base 64 for URLs")
struct Base64URLTests {
    @Test("the examples of RFC 4648 §10, without padding")
    func examples() {
        let pairs = [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
        ]
        for (plain, text) in pairs {
            #expect(Base64URL.encode(Array(plain.utf8)) == text)
            #expect(Base64URL.decode(text) == Array(plain.utf8))
        }
        #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
    }

    @Test("one text for each value: every pair of bytes, and nothing else decodes")
    func strict() {
        for value in 0..<65_536 {
            let bytes = [UInt8(value >> 8), UInt8(value & 255)]
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        for wrong in ["A", "AAAAA", "Zh", "Zm9", "Zg==", "Z g", "Zm+v", "Zm/v", "Zm9v\n", "é"] {
            #expect(Base64URL.decode(wrong) == nil, "\(wrong)")
        }
    }
}
