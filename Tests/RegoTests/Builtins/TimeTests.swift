import Testing

@testable import Rego

@Suite("time.*")
struct TimeTests {
    @Test(
        "times are read by Go's layouts",
        arguments: [
            ("2006-01-02T15:04:05Z07:00", "2017-06-02T19:00:00-07:00", 1_496_455_200_000_000_000),
            ("2006-01-02T15:04:05Z07:00", "1677-09-21T00:12:43.145224192-00:00", Int64.min),
            ("2006-01-02T15:04:05Z07:00", "2262-04-11T23:47:16.854775807-00:00", Int64.max),
            ("01/02 03:04:05PM '06 -0700", "06/02 07:00:00PM '17 -0700", 1_496_455_200_000_000_000),
            ("RFC1123", "Fri, 02 Jun 2017 19:00:00 UTC", 1_496_430_000_000_000_000),
            ("RFC822", "02 Jun 17 19:00 MST", 1_496_430_000_000_000_000),
            ("2006-002", "2020-060", 1_582_934_400_000_000_000),
            ("Jan _2 2006", "Feb  9 2021", 1_612_828_800_000_000_000),
        ] as [(String, String, Int64)])
    func parse(layout: String, value: String, nanoseconds: Int64) throws {
        #expect(try TimeLayout(layout).parse(Array(value.utf8)).nanoseconds() == nanoseconds)
    }

    @Test(
        "what does not fit is refused in Go's words",
        arguments: [
            ("2006-01-02", "2020-13-01", #"parsing time "2020-13-01": month out of range"#),
            ("2006-01-02", "2020-02-30", #"parsing time "2020-02-30": day out of range"#),
            ("2006-01-02", "2020-02-01x", #"parsing time "2020-02-01x": extra text: "x""#),
            ("2006-01-02", "hello", #"parsing time "hello" as "2006-01-02": cannot parse "hello" as "2006""#),
        ] as [(String, String, String)])
    func refused(layout: String, value: String, message: String) {
        #expect(throws: BuiltinFailure(message)) { try TimeLayout(layout).parse(Array(value.utf8)) }
    }

    @Test(
        "zones come from the host's database",
        arguments: [
            ("time.date", #"[1517814000000000000, "America/Los_Angeles"]"#, "[2018,2,4]"),
            ("time.date", #"[1517832000000000000, ""]"#, "[2018,2,5]"),
            ("time.clock", #"[1582977600000000000, "Europe/Rome"]"#, "[13,0,0]"),
            // After the last change that the file lists, by its rule.
            ("time.clock", #"[4118083200000000000, "Europe/Rome"]"#, "[2,0,0]"),
            ("time.weekday", "1517832000000000000", #""Monday""#),
            (
                "time.format", #"[1670006453141828752, "Asia/Kolkata", "Mon Jan 02 15:04:05 -0700 2006"]"#,
                #""Sat Dec 03 00:10:53 +0530 2022""#
            ),
            ("time.format", #"[1670006453141828752, "Asia/Kolkata"]"#, #""2022-12-03T00:10:53.141828752+05:30""#),
            ("time.format", "1670006453141828752", #""2022-12-02T18:40:53.141828752Z""#),
        ] as [(String, String, String)])
    func zones(name: String, argument: String, wanted: String) throws {
        #expect(try BuiltinCall.call(name, argument) == wanted)
    }

    @Test("months and years are added as on a calendar")
    func addDate() throws {
        #expect(try BuiltinCall.call("time.add_date", "1585852421593912000", "3", "9", "12") == "1705257221593912000")
        #expect(try BuiltinCall.call("time.add_date", "1585852421593912000", "-1", "-1", "-1") == "1551465221593912000")
        #expect(BuiltinCall.error("time.add_date", ["0", "2262", "1", "1"]) == "time.add_date: time outside of valid range")
        #expect(BuiltinCall.error("time.date", ["1582977600000000000000"]) == "time.date: timestamp too big")
        #expect(BuiltinCall.error("time.date", [#"[0, "../../etc/passwd"]"#]) == "time.date: unknown time zone ../../etc/passwd")
    }

    @Test("differences are in calendar units")
    func diff() throws {
        // 2020-01-31 to 2020-03-01 are a month and a day in a leap year.
        #expect(try BuiltinCall.call("time.diff", "1583020800000000000", "1580428800000000000") == "[0,1,1,0,0,0]")
    }

    @Test(
        "durations are Go's",
        arguments: [
            ("1h15m30.918s", 4_530_918_000_000), ("-1.5h", -5_400_000_000_000), ("100ms", 100_000_000), ("0", 0), ("1µs", 1000),
        ] as [(String, Int64)])
    func durations(text: String, nanoseconds: Int64) throws {
        #expect(try GoDuration.parse(text) == nanoseconds)
    }
}
