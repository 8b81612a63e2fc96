extension TimeLayout {
    /// Reads a time; without a zone in it, UTC.
    ///
    /// - Throws: with Go's text, `parsing time "…" as "…": cannot parse "…" as "…"`.
    func parse(_ value: [UInt8]) throws(BuiltinFailure) -> Instant {
        var reading = Reading(rest: value[...])
        for (index, piece) in pieces.enumerated() {
            let hold = reading.rest
            do throws(Reading.Trouble) {
                try reading.read(piece.element, next: index + 1 < pieces.count ? pieces[index + 1].element : nil)
            } catch {
                switch error {
                case .bad:
                    // A literal is compared byte by byte; Go names what was left where it failed only for other parts.
                    throw failure(value, cannotParse: Array(hold), as: piece.text)
                case .range(let what):
                    throw failure(value, ": \(what) out of range")
                }
            }
        }
        if !reading.rest.isEmpty { throw failure(value, ": extra text: \(Self.quote(Array(reading.rest)))") }
        return try instant(reading, value)
    }

    private func instant(_ reading: Reading, _ value: [UInt8]) throws(BuiltinFailure) -> Instant {
        var hour = reading.hour
        if reading.isPM == true, hour < 12 { hour += 12 }
        if reading.isPM == false, hour == 12 { hour = 0 }
        var month = reading.month
        var day = reading.day
        if let yearDay = reading.yearDay {
            let length = CivilTime.isLeap(reading.year) ? 366 : 365
            guard yearDay >= 1 && yearDay <= length else { throw failure(value, ": day-of-year out of range") }
            let date = CivilTime.date(days: CivilTime.days(year: reading.year, month: 1, day: 1) + yearDay - 1)
            if let month, month != date.month { throw failure(value, ": day-of-year does not match month") }
            if let day, day != date.day { throw failure(value, ": day-of-year does not match day") }
            (month, day) = (date.month, date.day)
        }
        let civil = CivilTime(
            year: reading.year, month: month ?? 1, day: day ?? 1, hour: hour, minute: reading.minute, second: reading.second)
        guard civil.day >= 1, civil.day <= CivilTime.daysIn(month: civil.month, year: civil.year) else {
            throw failure(value, ": day out of range")
        }
        return Instant(seconds: civil.seconds - Int64(reading.offset), nanosecond: reading.nanosecond)
    }

    private func failure(_ value: [UInt8], cannotParse rest: [UInt8], as element: [UInt8]) -> BuiltinFailure {
        failure(value, " as \(Self.quote(text)): cannot parse \(Self.quote(rest)) as \(Self.quote(element))")
    }

    private func failure(_ value: [UInt8], _ message: String) -> BuiltinFailure {
        BuiltinFailure("parsing time \(Self.quote(value))\(message)")
    }

    private static func quote(_ bytes: [UInt8]) -> String { String(decoding: GoQuote.quoted(bytes), as: UTF8.self) }
}

/// What has been read of a time so far.
private struct Reading {
    enum Trouble: Error {
        case bad
        case range(String)
    }

    var rest: ArraySlice<UInt8>
    var year = 0
    var month: Int?
    var day: Int?
    var yearDay: Int?
    var hour = 0
    var minute = 0
    var second = 0
    var nanosecond = 0
    var isPM: Bool?
    /// Seconds east of Greenwich. A zone that is only named counts as UTC, as in Go, but for "GMT+3".
    var offset = 0

    mutating func read(_ element: LayoutElement, next: LayoutElement?) throws(Trouble) {
        switch element {
        case .literal(let bytes): try skip(bytes)
        case .year:
            let value = try digits(2)
            year = value >= 69 ? value + 1900 : value + 2000
        case .longYear: year = try digits(4)
        case .month: month = try name(CivilTime.monthNames.map { String($0.prefix(3)) }) + 1
        case .longMonth: month = try name(CivilTime.monthNames) + 1
        case .numericMonth, .zeroMonth: month = try number(fixed: element == .zeroMonth, 1...12, "month")
        case .weekday: _ = try name(CivilTime.weekdayNames.map { String($0.prefix(3)) })
        case .longWeekday: _ = try name(CivilTime.weekdayNames)
        case .day, .underDay, .zeroDay:
            if element == .underDay { skipSpace() }
            day = try number(fixed: element == .zeroDay, 0...99, "day")
        case .underYearDay, .zeroYearDay:
            if element == .underYearDay {
                skipSpace()
                skipSpace()
            }
            yearDay = try threeDigits(fixed: element == .zeroYearDay)
        case .hour: hour = try number(fixed: false, 0...23, "hour")
        case .hour12, .zeroHour12: hour = try number(fixed: element == .zeroHour12, 0...12, "hour")
        case .minute, .zeroMinute: minute = try number(fixed: element == .zeroMinute, 0...59, "minute")
        case .second, .zeroSecond:
            second = try number(fixed: element == .zeroSecond, 0...59, "second")
            // A fraction may follow that the layout does not show.
            if case .fraction = next { return }
            if hasFraction { try readFraction() }
        case .upperPM, .lowerPM:
            let (am, pm) = element == .upperPM ? ("AM", "PM") : ("am", "pm")
            if rest.starts(with: pm.utf8) { isPM = true } else if rest.starts(with: am.utf8) { isPM = false } else { throw .bad }
            rest = rest.dropFirst(2)
        case .zoneOffset(let zulu, let minutes, let seconds, let colons):
            if zulu, rest.first == UInt8(ascii: "Z") {
                rest = rest.dropFirst()
                offset = 0
                return
            }
            try readOffset(minutes: minutes, seconds: seconds, colons: colons)
        case .zoneName: try readZoneName()
        case .fraction(let digits, let fixed, _):
            if fixed {
                guard rest.count > digits else { throw .bad }
                try readFraction(exactly: digits)
            } else if hasFraction {
                try readFraction()
            }
        }
    }

    private func byte(_ offset: Int) -> UInt8? { offset < rest.count ? rest[rest.startIndex + offset] : nil }
    private func isDigit(_ offset: Int) -> Bool { byte(offset).map(ASCII.isDigit) ?? false }
    private func digit(_ offset: Int) -> Int { Int(rest[rest.startIndex + offset] - 0x30) }

    private mutating func skipSpace() {
        if rest.first == 0x20 { rest = rest.dropFirst() }
    }

    /// Any run of spaces in the layout stands for any run of spaces, also for none at the end.
    private mutating func skip(_ prefix: [UInt8]) throws(Trouble) {
        var prefix = prefix[...]
        while let expected = prefix.first {
            if expected == 0x20 {
                if let next = rest.first, next != 0x20 { throw .bad }
                prefix = prefix.drop { $0 == 0x20 }
                rest = rest.drop { $0 == 0x20 }
                continue
            }
            guard rest.first == expected else { throw .bad }
            prefix = prefix.dropFirst()
            rest = rest.dropFirst()
        }
    }

    private mutating func digits(_ count: Int) throws(Trouble) -> Int {
        var value = 0
        for offset in 0..<count {
            guard isDigit(offset) else { throw .bad }
            value = value * 10 + digit(offset)
        }
        rest = rest.dropFirst(count)
        return value
    }

    private mutating func number(fixed: Bool, _ range: ClosedRange<Int>, _ what: String) throws(Trouble) -> Int {
        guard isDigit(0), isDigit(1) || !fixed else { throw .bad }
        let value = try digits(isDigit(1) ? 2 : 1)
        guard range.contains(value) else { throw .range(what) }
        return value
    }

    private mutating func threeDigits(fixed: Bool) throws(Trouble) -> Int {
        var count = 0
        while count < 3, isDigit(count) { count += 1 }
        guard count > 0, count == 3 || !fixed else { throw .bad }
        return try digits(count)
    }

    private mutating func name(_ names: [String]) throws(Trouble) -> Int {
        for (index, name) in names.enumerated() where rest.count >= name.utf8.count {
            if zip(rest, name.utf8).allSatisfy({ $0 == $1 || (ASCII.isLetter($0) && $0 ^ 0x20 == $1) }) {
                rest = rest.dropFirst(name.utf8.count)
                return index
            }
        }
        throw .bad
    }

    private var hasFraction: Bool {
        guard let first = rest.first, first == UInt8(ascii: ".") || first == UInt8(ascii: ",") else { return false }
        return isDigit(1)
    }

    /// A point or comma and digits; past the ninth they do not count.
    private mutating func readFraction(exactly count: Int? = nil) throws(Trouble) {
        guard let first = rest.first, first == UInt8(ascii: ".") || first == UInt8(ascii: ",") else { throw .bad }
        var length = 1
        while count.map({ length <= $0 }) ?? true, isDigit(length) { length += 1 }
        if let count, length != count + 1 { throw .bad }
        var value = 0
        for position in 1...9 { value = value * 10 + (position < length ? digit(position) : 0) }
        nanosecond = value
        rest = rest.dropFirst(length)
    }

    private mutating func readOffset(minutes: Bool, seconds: Bool, colons: Bool) throws(Trouble) {
        guard let sign = rest.first else { throw .bad }
        rest = rest.dropFirst()
        var total = 0
        let parts: [(scale: Int, range: ClosedRange<Int>, what: String)] = [
            (3600, 0...24, "time zone offset hour"), (60, 0...60, "time zone offset minute"), (1, 0...60, "time zone offset second"),
        ]
        for (index, part) in parts.prefix(seconds ? 3 : minutes ? 2 : 1).enumerated() {
            if index > 0 && colons {
                guard rest.first == UInt8(ascii: ":") else { throw .bad }
                rest = rest.dropFirst()
            }
            total += try number(fixed: true, part.range, part.what) * part.scale
        }
        switch sign {
        case UInt8(ascii: "+"): offset = total
        case UInt8(ascii: "-"): offset = -total
        default: throw .bad
        }
    }

    private mutating func readZoneName() throws(Trouble) {
        if rest.starts(with: "UTC".utf8) {
            rest = rest.dropFirst(3)
            offset = 0
            return
        }
        guard rest.count >= 3 else { throw .bad }
        if rest.starts(with: "ChST".utf8) || rest.starts(with: "MeST".utf8) {
            rest = rest.dropFirst(4)
            return
        }
        if rest.starts(with: "GMT".utf8) {
            rest = rest.dropFirst(3)
            if let hours = signedHours() { offset = hours * 3600 }
            return
        }
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
            guard signedHours() != nil else { throw .bad }
            return
        }
        let upper = rest.prefix(6).prefix { $0 >= 0x41 && $0 <= 0x5A }.count
        let isName =
            switch upper {
            case 3: true
            case 4: byte(3) == UInt8(ascii: "T") || rest.starts(with: "WITA".utf8)
            case 5: byte(4) == UInt8(ascii: "T")
            default: false
            }
        guard isName else { throw .bad }
        rest = rest.dropFirst(upper)
    }

    /// "+3", "-11": at most 23; nil, with nothing read, when there is none.
    private mutating func signedHours() -> Int? {
        guard let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        let text = rest.dropFirst().prefix(while: ASCII.isDigit)
        guard let value = Int(String(decoding: text, as: UTF8.self)), value <= 23 else { return nil }
        rest = rest.dropFirst(1 + text.count)
        return sign == UInt8(ascii: "-") ? -value : value
    }
}
