// RFC 3339 in UTC with milliseconds, by the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
// Algorithms"). Written here because full Foundation costs 51 MB of binary.

extension Timestamp {
    /// `2026-11-21T02:31:07.512Z`. Years outside 0000–9999 are held at the nearest end.
    package var rfc3339: String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            writeRFC3339(into: buffer)
            return 24
        }
    }

    /// Writes the 24 characters of `rfc3339` to the start of `buffer`.
    package func writeRFC3339(into buffer: UnsafeMutableBufferPointer<UInt8>) {
        precondition(buffer.count >= 24)
        let earliest: Int64 = -62_167_219_200_000
        let latest: Int64 = 253_402_300_799_999
        let clamped = min(max(milliseconds, earliest), latest)
        let seconds = clamped.flooredQuotient(by: 1_000)
        let days = seconds.flooredQuotient(by: 86_400)
        let inDay = seconds - days * 86_400
        let (year, month, day) = Self.civil(fromDays: days)
        // The clamp keeps every part small and not negative.
        let clock = UInt32(truncatingIfNeeded: inDay)
        let text = buffer.baseAddress!
        Self.put(UInt32(truncatingIfNeeded: year) / 100, at: text)
        Self.put(UInt32(truncatingIfNeeded: year) % 100, at: text + 2)
        text[4] = UInt8(ascii: "-")
        Self.put(UInt32(truncatingIfNeeded: month), at: text + 5)
        text[7] = UInt8(ascii: "-")
        Self.put(UInt32(truncatingIfNeeded: day), at: text + 8)
        text[10] = UInt8(ascii: "T")
        Self.put(clock / 3_600, at: text + 11)
        text[13] = UInt8(ascii: ":")
        Self.put(clock / 60 % 60, at: text + 14)
        text[16] = UInt8(ascii: ":")
        Self.put(clock % 60, at: text + 17)
        text[19] = UInt8(ascii: ".")
        let fraction = UInt32(truncatingIfNeeded: clamped - seconds * 1_000)
        Self.put(fraction / 10, at: text + 20)
        text[22] = UInt8(truncatingIfNeeded: 48 + fraction % 10)
        text[23] = UInt8(ascii: "Z")
    }

    /// Two digits.
    @inline(__always)
    private static func put(_ value: UInt32, at text: UnsafeMutablePointer<UInt8>) {
        text[0] = UInt8(truncatingIfNeeded: 48 + value / 10)
        text[1] = UInt8(truncatingIfNeeded: 48 + value % 10)
    }

    /// Reads RFC 3339 with any offset and any fraction (digits after the third are cut); nil if it is not that.
    package init?(rfc3339 text: String) {
        let b = Array(text.utf8)
        func number(_ at: Int, _ digits: Int) -> Int64? {
            guard at + digits <= b.count else { return nil }
            var value: Int64 = 0
            for i in at..<at + digits {
                guard (48...57).contains(b[i]) else { return nil }
                value = value * 10 + Int64(b[i] - 48)
            }
            return value
        }
        guard b.count >= 20, b[4] == 45, b[7] == 45, b[10] == 84 || b[10] == 116, b[13] == 58, b[16] == 58,
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
            (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, of: year), hour < 24, minute < 60,
            second < 61
        else { return nil }
        var at = 19
        var fraction: Int64 = 0
        if b[at] == 46 {
            at += 1
            var scale: Int64 = 100
            let first = at
            while at < b.count, (48...57).contains(b[at]) {
                fraction += Int64(b[at] - 48) * scale
                scale /= 10
                at += 1
            }
            guard at > first else { return nil }
        }
        guard at < b.count else { return nil }
        var offset: Int64 = 0
        switch b[at] {
        case 90, 122:
            guard at + 1 == b.count else { return nil }
        case 43, 45:
            guard at + 6 == b.count, b[at + 3] == 58, let h = number(at + 1, 2), let m = number(at + 4, 2), h < 24,
                m < 60
            else { return nil }
            offset = (h * 60 + m) * (b[at] == 43 ? 1 : -1)
        default: return nil
        }
        let days = Self.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + (minute - offset) * 60 + second
        self.init(milliseconds: seconds * 1_000 + fraction)
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = y.flooredQuotient(by: 400)
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = z.flooredQuotient(by: 146_097)
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let mp = (5 * dayOfYear + 2) / 153
        let month = mp < 10 ? mp + 3 : mp - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * mp + 2) / 5 + 1)
    }
}

extension Int64 {
    @inline(__always)
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
