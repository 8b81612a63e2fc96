/// The parts of a Go time layout, which shows how the reference time, Mon Jan 2 15:04:05 MST 2006, would be written.
enum LayoutElement: Equatable {
    case literal([UInt8])
    case longMonth, month, numericMonth, zeroMonth
    case longWeekday, weekday
    case day, underDay, zeroDay, underYearDay, zeroYearDay
    case hour, hour12, zeroHour12, minute, zeroMinute, second, zeroSecond
    case longYear, year
    case upperPM, lowerPM
    case zoneName
    /// `Z` for UTC when `zulu`; then sign and hours, minutes, seconds, with or without colons.
    case zoneOffset(zulu: Bool, minutes: Bool, seconds: Bool, colons: Bool)
    /// ".000": exactly so many digits; ".999": zeros at the end are left out. The separator is "." or ",".
    case fraction(digits: Int, fixed: Bool, separator: UInt8)

    /// An element and the text of the layout that stands for it.
    struct Piece: Equatable {
        let element: LayoutElement
        let text: [UInt8]
    }

    static func pieces(_ layout: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var index = 0
        while index < layout.count {
            if let (element, length) = element(layout, at: index) {
                if !literal.isEmpty { pieces.append(Piece(element: .literal(literal), text: literal)) }
                literal = []
                pieces.append(Piece(element: element, text: Array(layout[index..<(index + length)])))
                index += length
            } else {
                literal.append(layout[index])
                index += 1
            }
        }
        if !literal.isEmpty { pieces.append(Piece(element: .literal(literal), text: literal)) }
        return pieces
    }

    private static func element(_ layout: [UInt8], at index: Int) -> (LayoutElement, Int)? {
        func has(_ text: String) -> Bool { layout[index...].starts(with: text.utf8) }
        func byte(_ offset: Int) -> UInt8? { index + offset < layout.count ? layout[index + offset] : nil }
        func isLower(_ offset: Int) -> Bool { byte(offset).map { $0 >= 0x61 && $0 <= 0x7A } ?? false }
        switch layout[index] {
        case UInt8(ascii: "J"):
            if has("January") { return (.longMonth, 7) }
            if has("Jan"), !isLower(3) { return (.month, 3) }
        case UInt8(ascii: "M"):
            if has("Monday") { return (.longWeekday, 6) }
            if has("Mon"), !isLower(3) { return (.weekday, 3) }
            if has("MST") { return (.zoneName, 3) }
        case UInt8(ascii: "0"):
            switch byte(1) {
            case UInt8(ascii: "1"): return (.zeroMonth, 2)
            case UInt8(ascii: "2"): return (.zeroDay, 2)
            case UInt8(ascii: "3"): return (.zeroHour12, 2)
            case UInt8(ascii: "4"): return (.zeroMinute, 2)
            case UInt8(ascii: "5"): return (.zeroSecond, 2)
            case UInt8(ascii: "6"): return (.year, 2)
            default: if has("002") { return (.zeroYearDay, 3) }
            }
        case UInt8(ascii: "1"):
            return byte(1) == UInt8(ascii: "5") ? (.hour, 2) : (.numericMonth, 1)
        case UInt8(ascii: "2"):
            return has("2006") ? (.longYear, 4) : (.day, 1)
        case UInt8(ascii: "_"):
            // "_2006" is an underscore before a year.
            if has("_2006") { return nil }
            if has("_2") { return (.underDay, 2) }
            if has("__2") { return (.underYearDay, 3) }
        case UInt8(ascii: "3"): return (.hour12, 1)
        case UInt8(ascii: "4"): return (.minute, 1)
        case UInt8(ascii: "5"): return (.second, 1)
        case UInt8(ascii: "P"): if has("PM") { return (.upperPM, 2) }
        case UInt8(ascii: "p"): if has("pm") { return (.lowerPM, 2) }
        case UInt8(ascii: "-"), UInt8(ascii: "Z"):
            let zulu = layout[index] == UInt8(ascii: "Z")
            let rest = layout[(index + 1)...]
            func follows(_ text: String) -> Bool { rest.starts(with: text.utf8) }
            if follows("070000") { return (.zoneOffset(zulu: zulu, minutes: true, seconds: true, colons: false), 7) }
            if follows("07:00:00") { return (.zoneOffset(zulu: zulu, minutes: true, seconds: true, colons: true), 9) }
            if follows("0700") { return (.zoneOffset(zulu: zulu, minutes: true, seconds: false, colons: false), 5) }
            if follows("07:00") { return (.zoneOffset(zulu: zulu, minutes: true, seconds: false, colons: true), 6) }
            if follows("07") { return (.zoneOffset(zulu: zulu, minutes: false, seconds: false, colons: false), 3) }
        case UInt8(ascii: "."), UInt8(ascii: ","):
            if let digit = byte(1), digit == 0x30 || digit == 0x39 {
                var length = 1
                while byte(length) == digit { length += 1 }
                // More digits mean that this is no fraction but some number.
                if byte(length).map(ASCII.isDigit) ?? false { return nil }
                return (.fraction(digits: length - 1, fixed: digit == 0x30, separator: layout[index]), length)
            }
        default:
            break
        }
        return nil
    }
}
