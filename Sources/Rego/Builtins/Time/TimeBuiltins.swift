private let timeOperand = ValueType.oneOf([.number, .array([.number, .string], nil)])

/// `time.*`. The clock is the query's: it was read once.
let timeBuiltins: [Builtin] = [
    Builtin("time.now_ns", [], .number, isPure: false) { _, context throws(BuiltinFailure) in Value(context.nowNanoseconds) },
    Builtin("time.parse_ns", [.string, .string], .number) { arguments, _ throws(BuiltinFailure) in
        Value(try TimeLayout(try arguments.text(0)).parse(try arguments.bytes(1)).nanoseconds())
    },
    Builtin("time.parse_rfc3339_ns", [.string], .number) { arguments, _ throws(BuiltinFailure) in
        Value(try TimeLayout(TimeLayout.rfc3339).parse(try arguments.bytes(0)).nanoseconds())
    },
    Builtin("time.parse_duration_ns", [.string], .number) { arguments, _ throws(BuiltinFailure) in
        Value(try GoDuration.parse(try arguments.text(0)))
    },
    Builtin(
        "time.format", [.oneOf([.number, .array([.number, .string], nil), .array([.number, .string, .string], nil)])], .string,
        isPure: false
    ) { arguments, context throws(BuiltinFailure) in
        let moment = try ZonedTime(arguments[0], context)
        return try context.string(TimeLayout(moment.layout).format(moment.instant, in: moment.zone), "time.format")
    },
    Builtin("time.date", [timeOperand], .array([.number, .number, .number], nil), isPure: false) {
        arguments, context throws(BuiltinFailure) in
        let civil = try ZonedTime(arguments[0], context).civil
        return context.arena.array([civil.year, civil.month, civil.day].map { Value($0) })
    },
    Builtin("time.clock", [timeOperand], .array([.number, .number, .number], nil), isPure: false) {
        arguments, context throws(BuiltinFailure) in
        let civil = try ZonedTime(arguments[0], context).civil
        return context.arena.array([civil.hour, civil.minute, civil.second].map { Value($0) })
    },
    Builtin("time.weekday", [timeOperand], .string, isPure: false) { arguments, context throws(BuiltinFailure) in
        context.arena.string(CivilTime.weekdayNames[try ZonedTime(arguments[0], context).civil.weekday])
    },
    Builtin("time.add_date", [.number, .number, .number, .number], .number, isPure: false) { arguments, context throws(BuiltinFailure) in
        let moment = try ZonedTime(arguments[0], context)
        var civil = moment.civil
        // More than this leaves the range of 64 bits anyway, and would overflow on the way.
        let reach = -1_000_000...1_000_000
        let (years, months, days) = (try arguments.int(1), try arguments.int(2), try arguments.int(3))
        guard reach.contains(years), reach.contains(months), reach.contains(days) else {
            throw BuiltinFailure("time outside of valid range")
        }
        civil.year += years
        civil.month += months
        civil.day += days
        return Value(try Instant(seconds: moment.zone.seconds(of: civil), nanosecond: moment.instant.nanosecond).nanoseconds())
    },
    Builtin(
        "time.diff", [timeOperand, timeOperand], .array([.number, .number, .number, .number, .number, .number], nil), isPure: false
    ) { arguments, context throws(BuiltinFailure) in
        let (first, second) = (try ZonedTime(arguments[0], context), try ZonedTime(arguments[1], context, position: 2))
        let (start, end) = (first.civil, ZonedTime(instant: second.instant, zone: first.zone).civil)
        let inOrder = (first.instant.seconds, first.instant.nanosecond) <= (second.instant.seconds, second.instant.nanosecond)
        return context.arena.array((inOrder ? start.difference(to: end) : end.difference(to: start)).map { Value($0) })
    },
]

/// The operand of most of these: nanoseconds, or nanoseconds with the name of a zone and a layout.
private struct ZonedTime {
    let instant: Instant
    let zone: TimeZoneData
    var layout = TimeLayout.rfc3339Nano

    init(instant: Instant, zone: TimeZoneData) {
        self.instant = instant
        self.zone = zone
    }

    init(_ value: Value, _ context: BuiltinContext, position: Int = 1) throws(BuiltinFailure) {
        let wanted = "operand \(position) must be either number (ns) or [number (ns), string (tz)]"
        var number = value
        var zone = TimeZoneData.utc
        if value.isArray {
            guard value.count > 0 else { throw BuiltinFailure("\(wanted) but got array", kind: .type) }
            number = value.slot(0)
            if value.count > 1 { zone = try Self.zone(value.slot(1), context, position) }
            if value.count > 2 {
                guard let name = value.slot(2).asString else { throw .operand(position, mustBe: .string, got: value.slot(2)) }
                if !name.isEmpty { layout = name }
            }
        } else if !value.isNumber {
            throw BuiltinFailure("\(wanted) but got \(value.kind.name)", kind: .type)
        }
        guard number.isNumber else { throw .operand(position, mustBe: .number, got: number) }
        guard let nanoseconds = number.asInt64 else { throw BuiltinFailure("timestamp too big") }
        instant = Instant(nanoseconds: nanoseconds)
        self.zone = zone
    }

    private static func zone(_ value: Value, _ context: BuiltinContext, _ position: Int) throws(BuiltinFailure) -> TimeZoneData {
        guard let name = value.asString else { throw .operand(position, mustBe: .string, got: value) }
        if name.isEmpty || name == "UTC" { return .utc }
        let key = BuiltinContext.CacheKey(builtin: "time.zone", text: Array(name.utf8))
        if let known = context.longCache[key] as? TimeZoneData { return known }
        guard let read = context.host.timeZone else { throw .host("tz database") }
        guard let bytes = read(name), let zone = TimeZoneData(tzif: bytes) else {
            throw BuiltinFailure("unknown time zone \(name)")
        }
        context.keep(zone, for: key)
        return zone
    }

    /// What the clock of the zone shows.
    var civil: CivilTime {
        CivilTime(seconds: instant.seconds + Int64(zone.offset(at: instant.seconds).seconds), nanosecond: instant.nanosecond)
    }
}
