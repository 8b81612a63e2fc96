/// A date and a time of day in some zone, in the proleptic Gregorian calendar.
struct CivilTime: Equatable {
    var year: Int
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0
    var nanosecond = 0

    init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, nanosecond: Int = 0) {
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second, self.nanosecond) = (hour, minute, second, nanosecond)
    }

    /// Seconds since 1970-01-01T00:00:00 of the same clock.
    init(seconds: Int64, nanosecond: Int = 0) {
        let days = Int(seconds.floorDivided(by: 86400))
        let rest = Int(seconds - Int64(days) * 86400)
        let date = Self.date(days: days)
        self.init(
            year: date.year, month: date.month, day: date.day, hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60,
            nanosecond: nanosecond)
    }

    /// Seconds since 1970-01-01T00:00:00 of the same clock. Months and days may be out of range: they carry over.
    var seconds: Int64 {
        let months = month - 1
        let carriedYear = year + Int(Int64(months).floorDivided(by: 12))
        let carriedMonth = months - Int(Int64(months).floorDivided(by: 12)) * 12 + 1
        let days = Int64(Self.days(year: carriedYear, month: carriedMonth, day: 1)) + Int64(day - 1)
        return days * 86400 + Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)
    }

    /// 0 is Sunday.
    var weekday: Int {
        let days = Int64(Self.days(year: year, month: month, day: day))
        return Int((days + 4) - (days + 4).floorDivided(by: 7) * 7)
    }

    /// 1 to 366.
    var dayOfYear: Int { Self.days(year: year, month: month, day: day) - Self.days(year: year, month: 1, day: 1) + 1 }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func daysIn(month: Int, year: Int) -> Int {
        month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days since 1970-01-01, after Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms" (years begin in March).
    static func days(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = Int(Int64(marchYear).floorDivided(by: 400))
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = Int(Int64(shifted).floorDivided(by: 146_097))
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// How long from `self` to `other`, of the same clock, in calendar units; the order does not count.
    func difference(to other: CivilTime) -> [Int] {
        let inOrder = (seconds, nanosecond) <= (other.seconds, other.nanosecond)
        let (early, late) = inOrder ? (self, other) : (other, self)
        var (years, months, days) = (late.year - early.year, late.month - early.month, late.day - early.day)
        var (hours, minutes, seconds) = (late.hour - early.hour, late.minute - early.minute, late.second - early.second)
        if seconds < 0 {
            seconds += 60
            minutes -= 1
        }
        if minutes < 0 {
            minutes += 60
            hours -= 1
        }
        if hours < 0 {
            hours += 24
            days -= 1
        }
        if days < 0 {
            days += Self.daysIn(month: early.month, year: early.year)
            months -= 1
        }
        if months < 0 {
            months += 12
            years -= 1
        }
        return [years, months, days, hours, minutes, seconds]
    }
}

extension Int64 {
    /// Rounds towards negative infinity.
    func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
