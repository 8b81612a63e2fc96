/// A point in time: seconds since 1970 in UTC, and nanoseconds within the second.
struct Instant: Equatable {
    let seconds: Int64
    /// 0 to 999,999,999.
    let nanosecond: Int

    init(seconds: Int64, nanosecond: Int) {
        self.seconds = seconds
        self.nanosecond = nanosecond
    }

    init(nanoseconds: Int64) {
        seconds = nanoseconds.floorDivided(by: 1_000_000_000)
        nanosecond = Int(nanoseconds - (seconds &* 1_000_000_000))
    }

    /// Nanoseconds since 1970.
    ///
    /// - Throws: outside of what 64 bits hold, which is 1677-09-21 to 2262-04-11.
    func nanoseconds() throws(BuiltinFailure) -> Int64 {
        // The first second of the range is only half within: reckon from the one after.
        let early = seconds < 0
        let (product, overflow) = (early ? seconds + 1 : seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowed) = product.addingReportingOverflow(Int64(early ? nanosecond - 1_000_000_000 : nanosecond))
        if overflow || overflowed { throw BuiltinFailure("time outside of valid range") }
        return sum
    }
}
