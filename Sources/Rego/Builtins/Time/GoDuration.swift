/// Durations as Go writes them: "1h15m30.918s", "-1.5h", "300ms"; and days, weeks and years of 365 days.
enum GoDuration {
    /// In nanoseconds.
    static func parse(_ text: String) throws(BuiltinFailure) -> Int64 {
        let quoted = GoQuote.quoted(text)
        let invalid = BuiltinFailure("time: invalid duration \(quoted)")
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.elementsEqual([0x30]) { return 0 }
        if rest.isEmpty { throw invalid }
        var total: UInt64 = 0
        let limit = UInt64(1) << 63
        while let first = rest.first {
            guard first == UInt8(ascii: ".") || ASCII.isDigit(first) else { throw invalid }
            var value: UInt64 = 0
            var digits = 0
            while let digit = rest.first, ASCII.isDigit(digit) {
                if value > limit / 10 { throw invalid }
                value = value * 10 + UInt64(digit - 0x30)
                if value > limit { throw invalid }
                rest = rest.dropFirst()
                digits += 1
            }
            var fraction: UInt64 = 0
            var scale: Double = 1
            if rest.first == UInt8(ascii: ".") {
                rest = rest.dropFirst()
                var full = false
                while let digit = rest.first, ASCII.isDigit(digit) {
                    rest = rest.dropFirst()
                    digits += 1
                    if full { continue }
                    if fraction > (limit - 1) / 10 {
                        full = true
                        continue
                    }
                    let next = fraction * 10 + UInt64(digit - 0x30)
                    if next > limit {
                        full = true
                        continue
                    }
                    fraction = next
                    scale *= 10
                }
            }
            if digits == 0 { throw invalid }
            let unitText = rest.prefix { $0 != UInt8(ascii: ".") && !ASCII.isDigit($0) }
            if unitText.isEmpty { throw BuiltinFailure("time: missing unit in duration \(quoted)") }
            rest = rest[unitText.endIndex...]
            let unit: UInt64
            switch String(decoding: unitText, as: UTF8.self) {
            case "ns": unit = 1
            case "us", "\u{B5}s", "\u{3BC}s": unit = 1000
            case "ms": unit = 1_000_000
            case "s": unit = 1_000_000_000
            case "m": unit = 60_000_000_000
            case "h": unit = 3_600_000_000_000
            // Not Go's, but OPA's.
            case "d": unit = 86_400_000_000_000
            case "w": unit = 7 * 86_400_000_000_000
            case "y": unit = 365 * 86_400_000_000_000
            default:
                let name = GoQuote.quoted(String(decoding: unitText, as: UTF8.self))
                throw BuiltinFailure("time: unknown unit \(name) in duration \(quoted)")
            }
            if value > limit / unit { throw invalid }
            value *= unit
            if fraction > 0 {
                value += UInt64(Double(fraction) * (Double(unit) / scale))
                if value > limit { throw invalid }
            }
            total += value
            if total > limit { throw invalid }
        }
        if isNegative { return Int64(truncatingIfNeeded: 0 &- total) }
        if total > limit - 1 { throw invalid }
        return Int64(total)
    }
}
