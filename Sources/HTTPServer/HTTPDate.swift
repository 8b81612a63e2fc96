import Glibc

/// The value of `Date` (RFC 9110 §5.6.7, `Wed, 25 Nov 2026 01:35:42 GMT`), made once a second: libmicrohttpd would convert the time for each answer.
struct HTTPDate {
    static let count = 29

    /// Seconds since 1970 of `text`.
    private(set) var second = Int.min
    private var text: InlineArray<29, UInt8> = .init(repeating: 0x20)

    /// - Parameter now: seconds since 1970, not before and before the year 10000; anything else is shown as the nearest of these.
    mutating func set(_ now: Int) {
        guard now != second else { return }
        second = now
        let seconds = min(max(0, now), 253_402_300_799)
        let days = seconds / 86_400
        let rest = seconds % 86_400
        let (year, month, day) = Self.civil(days)
        // The first day of 1970 was a Thursday.
        write("SunMonTueWedThuFriSat", (days + 4) % 7 * 3, to: 0)
        text[3] = 0x2c
        write(day, to: 5)
        write("JanFebMarAprMayJunJulAugSepOctNovDec", (month - 1) * 3, to: 8)
        write(year / 100, to: 12)
        write(year % 100, to: 14)
        write(rest / 3_600, to: 17)
        text[19] = 0x3a
        write(rest / 60 % 60, to: 20)
        text[22] = 0x3a
        write(rest % 60, to: 23)
        write("GMT", 0, to: 26)
    }

    func copy(to destination: UnsafeMutablePointer<UInt8>) {
        for i in 0..<Self.count { destination[i] = text[i] }
    }

    func withBytes<R>(_ body: (Bytes) -> R) -> R {
        withUnsafeBytes(of: text) { body($0.bindMemory(to: UInt8.self)) }
    }

    private mutating func write(_ names: StaticString, _ at: Int, to place: Int) {
        for i in 0..<3 { text[place + i] = names.utf8Start[at + i] }
    }

    private mutating func write(_ number: Int, to place: Int) {
        text[place] = UInt8(48 + number / 10)
        text[place + 1] = UInt8(48 + number % 10)
    }

    /// Days since 1970 as a date of the Gregorian calendar: eras of 400 years that begin in March (Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms").
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
