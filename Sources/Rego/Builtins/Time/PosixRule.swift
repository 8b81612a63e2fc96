/// The rule of a zone's clock for all years, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixRule: Equatable {
    private let standard: TimeZoneData.Offset
    private let daylight: TimeZoneData.Offset?
    private var start: Change
    private var end: Change

    private struct Change: Equatable {
        enum Day: Equatable {
            /// The week (5 is the last) and weekday (0 is Sunday) of a month.
            case month(Int, week: Int, weekday: Int)
            /// 1 to 365; 29 February does not count.
            case julian(Int)
            /// 0 to 365.
            case ofYear(Int)
        }
        var day: Day
        /// Seconds after midnight; may be negative or pass a day.
        var time = 7200

        /// Seconds from the year's begin to the change, by the clock that is in force before it.
        func seconds(in year: Int) -> Int {
            switch day {
            case .julian(let day):
                let leap = CivilTime.isLeap(year) && day >= 60
                return (day - 1 + (leap ? 1 : 0)) * 86400 + time
            case .ofYear(let day):
                return day * 86400 + time
            case .month(let month, let week, let weekday):
                let first = CivilTime(year: year, month: month, day: 1)
                var day = 1 + (weekday - first.weekday + 7) % 7 + (week - 1) * 7
                while day > CivilTime.daysIn(month: month, year: year) { day -= 7 }
                return (CivilTime(year: year, month: month, day: day).dayOfYear - 1) * 86400 + time
            }
        }
    }

    /// nil when the text is no such rule.
    init?(_ text: String) {
        var reader = Reader(bytes: Array(text.utf8))
        guard let name = reader.name(), let west = reader.time() else { return nil }
        standard = .init(seconds: -west, abbreviation: name, isDaylight: false)
        (start, end) = (Change(day: .ofYear(0)), Change(day: .ofYear(0)))
        if reader.isAtEnd {
            daylight = nil
            return
        }
        guard let daylightName = reader.name() else { return nil }
        var daylightSeconds = standard.seconds + 3600
        if let next = reader.peek, next != UInt8(ascii: ",") {
            guard let west = reader.time() else { return nil }
            daylightSeconds = -west
        }
        daylight = .init(seconds: daylightSeconds, abbreviation: daylightName, isDaylight: true)
        if reader.isAtEnd {
            // POSIX leaves it open; the United States' rule, as everywhere.
            start = Change(day: .month(3, week: 2, weekday: 0))
            end = Change(day: .month(11, week: 1, weekday: 0))
            return
        }
        guard reader.skip(","), let start = reader.change(), reader.skip(","), let end = reader.change(), reader.isAtEnd else { return nil }
        self.start = start
        self.end = end
    }

    func offset(at seconds: Int64) -> TimeZoneData.Offset {
        guard let daylight else { return standard }
        let year = CivilTime(seconds: seconds + Int64(standard.seconds)).year
        let inYear = Int(seconds - CivilTime(year: year, month: 1, day: 1).seconds)
        let startsAt = start.seconds(in: year) - standard.seconds
        let endsAt = end.seconds(in: year) - daylight.seconds
        let isDaylight = startsAt < endsAt ? inYear >= startsAt && inYear < endsAt : inYear >= startsAt || inYear < endsAt
        return isDaylight ? daylight : standard
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0
        var isAtEnd: Bool { index == bytes.count }
        var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

        mutating func skip(_ character: Character) -> Bool {
            guard peek == character.asciiValue else { return false }
            index += 1
            return true
        }

        /// Letters, or anything in angle brackets.
        mutating func name() -> String? {
            let start = index
            if skip("<") {
                while let byte = peek, byte != UInt8(ascii: ">") { index += 1 }
                guard skip(">") else { return nil }
                return String(decoding: bytes[(start + 1)..<(index - 1)], as: UTF8.self)
            }
            while let byte = peek, ASCII.isLetter(byte) { index += 1 }
            return index - start >= 3 ? String(decoding: bytes[start..<index], as: UTF8.self) : nil
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let start = index
            var value = 0
            while let byte = peek, ASCII.isDigit(byte), value < 1000 {
                value = value * 10 + Int(byte - 0x30)
                index += 1
            }
            return index > start && range.contains(value) ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time() -> Int? {
            let negative = skip("-")
            if !negative { _ = skip("+") }
            guard let hours = number(0...167) else { return nil }
            var seconds = hours * 3600
            if skip(":") {
                guard let minutes = number(0...59) else { return nil }
                seconds += minutes * 60
                if skip(":") {
                    guard let rest = number(0...59) else { return nil }
                    seconds += rest
                }
            }
            return negative ? -seconds : seconds
        }

        mutating func change() -> Change? {
            var change: Change
            if skip("M") {
                guard let month = number(1...12), skip("."), let week = number(1...5), skip("."), let weekday = number(0...6) else {
                    return nil
                }
                change = Change(day: .month(month, week: week, weekday: weekday))
            } else if skip("J") {
                guard let day = number(1...365) else { return nil }
                change = Change(day: .julian(day))
            } else {
                guard let day = number(0...365) else { return nil }
                change = Change(day: .ofYear(day))
            }
            if skip("/") {
                guard let time = time() else { return nil }
                change.time = time
            }
            return change
        }
    }
}
