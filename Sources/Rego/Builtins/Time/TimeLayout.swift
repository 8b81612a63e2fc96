/// A Go time layout: writes times and reads them (Go's `time.Format` and `time.Parse`).
struct TimeLayout {
    let text: [UInt8]
    let pieces: [LayoutElement.Piece]

    /// Layouts that go by a name in `time.parse_ns` and `time.format`.
    static let named: [String: String] = [
        "ANSIC": "Mon Jan _2 15:04:05 2006",
        "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822": "02 Jan 06 15:04 MST",
        "RFC822Z": "02 Jan 06 15:04 -0700",
        "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339": rfc3339,
        "RFC3339Nano": rfc3339Nano,
    ]
    static let rfc3339 = "2006-01-02T15:04:05Z07:00"
    static let rfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00"

    /// A layout or the name of one.
    init(_ text: String) {
        self.text = Array((Self.named[text] ?? text).utf8)
        pieces = LayoutElement.pieces(self.text)
    }

    /// Writes the time that the clock of a zone shows.
    func format(_ instant: Instant, in zone: TimeZoneData) -> [UInt8] {
        let offset = zone.offset(at: instant.seconds)
        let civil = CivilTime(seconds: instant.seconds + Int64(offset.seconds), nanosecond: instant.nanosecond)
        var result: [UInt8] = []
        for piece in pieces { Self.append(piece.element, civil, offset, to: &result) }
        return result
    }

    private static func append(_ element: LayoutElement, _ civil: CivilTime, _ offset: TimeZoneData.Offset, to result: inout [UInt8]) {
        func number(_ value: Int, width: Int, pad: UInt8 = 0x30) {
            let digits = Array(String(value.magnitude).utf8)
            if value < 0 { result.append(UInt8(ascii: "-")) }
            if digits.count < width { result += [UInt8](repeating: pad, count: width - digits.count) }
            result += digits
        }
        let hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12
        switch element {
        case .literal(let bytes): result += bytes
        case .longMonth: result += Array(CivilTime.monthNames[civil.month - 1].utf8)
        case .month: result += Array(CivilTime.monthNames[civil.month - 1].utf8.prefix(3))
        case .numericMonth: number(civil.month, width: 0)
        case .zeroMonth: number(civil.month, width: 2)
        case .longWeekday: result += Array(CivilTime.weekdayNames[civil.weekday].utf8)
        case .weekday: result += Array(CivilTime.weekdayNames[civil.weekday].utf8.prefix(3))
        case .day: number(civil.day, width: 0)
        case .underDay: number(civil.day, width: 2, pad: 0x20)
        case .zeroDay: number(civil.day, width: 2)
        case .underYearDay: number(civil.dayOfYear, width: 3, pad: 0x20)
        case .zeroYearDay: number(civil.dayOfYear, width: 3)
        case .hour: number(civil.hour, width: 2)
        case .hour12: number(hour12, width: 0)
        case .zeroHour12: number(hour12, width: 2)
        case .minute: number(civil.minute, width: 0)
        case .zeroMinute: number(civil.minute, width: 2)
        case .second: number(civil.second, width: 0)
        case .zeroSecond: number(civil.second, width: 2)
        case .longYear: number(civil.year, width: 4)
        case .year: number(max(civil.year, 0) % 100, width: 2)
        case .upperPM: result += Array((civil.hour >= 12 ? "PM" : "AM").utf8)
        case .lowerPM: result += Array((civil.hour >= 12 ? "pm" : "am").utf8)
        case .zoneName:
            if !offset.abbreviation.isEmpty {
                result += Array(offset.abbreviation.utf8)
            } else {
                result.append(UInt8(ascii: offset.seconds < 0 ? "-" : "+"))
                number(abs(offset.seconds) / 3600, width: 2)
                number(abs(offset.seconds) / 60 % 60, width: 2)
            }
        case .zoneOffset(let zulu, let minutes, let seconds, let colons):
            if zulu && offset.seconds == 0 {
                result.append(UInt8(ascii: "Z"))
                return
            }
            // The sign is that of whole minutes, as in Go.
            let whole = offset.seconds / 60
            result.append(UInt8(ascii: whole < 0 ? "-" : "+"))
            number(abs(whole) / 60, width: 2)
            if minutes {
                if colons { result.append(UInt8(ascii: ":")) }
                number(abs(whole) % 60, width: 2)
            }
            if seconds {
                if colons { result.append(UInt8(ascii: ":")) }
                number(abs(offset.seconds) % 60, width: 2)
            }
        case .fraction(let digits, let fixed, let separator):
            var text = Array(String(1_000_000_000 + civil.nanosecond).utf8.dropFirst())
            if digits < 9 { text.removeLast(9 - digits) } else { text += [UInt8](repeating: 0x30, count: fixed ? digits - 9 : 0) }
            if !fixed {
                while text.last == 0x30 { text.removeLast() }
                if text.isEmpty { return }
            }
            result.append(separator)
            result += text
        }
    }
}
