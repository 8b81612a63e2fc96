extension JSONParser {
    /// A number. What fits Int64 and has neither fraction nor exponent is an integer; the rest is the nearest double;
    /// what neither can hold (a longer integer, 1e400) keeps its text.
    @inline(__always)
    mutating func number() throws(JSONError) {
        let start = at
        var p = at
        let isNegative = base[p] == UInt8(ascii: "-")
        if isNegative { p += 1 }
        let firstDigit = p
        // Wraps beyond 19 digits; then it is not used.
        var mantissa: UInt64 = 0
        while p < end, base[p] &- 48 < 10 {
            mantissa = mantissa &* 10 &+ UInt64(base[p] &- 48)
            p += 1
        }
        let integerDigits = p - firstDigit
        guard integerDigits > 0 else {
            at = p
            throw p < end ? error(.syntax, "expected a digit, found \(found)") : unexpectedEnd()
        }
        if base[firstDigit] == UInt8(ascii: "0"), integerDigits > 1 { throw error(.syntax, "a number begins with 0") }
        if p < end, base[p] == UInt8(ascii: ".") || base[p] | 0x20 == UInt8(ascii: "e") {
            return try double(from: start, at: p, mantissa: mantissa, digits: integerDigits, isNegative: isNegative)
        }
        at = p
        // 19 digits stay below 10^19 < 2^64, so `mantissa` is exact.
        if integerDigits <= 19, mantissa <= UInt64(Int64.max) + (isNegative ? 1 : 0) {
            tape.append(JSONNode(.integer, offset: start, payload: isNegative ? 0 &- mantissa : mantissa))
        } else {
            tape.append(JSONNode(.bigNumber, offset: start, payload: UInt64(p - start)))
        }
    }

    private mutating func double(
        from start: Int, at dotOrExponent: Int, mantissa integerPart: UInt64, digits integerDigits: Int, isNegative: Bool
    ) throws(JSONError) {
        var mantissa = integerPart
        var digits = integerDigits
        var exponent = 0
        at = dotOrExponent
        if base[at] == UInt8(ascii: ".") {
            at += 1
            let first = at
            while at < end, base[at] &- 48 < 10 {
                mantissa = mantissa &* 10 &+ UInt64(base[at] &- 48)
                at += 1
            }
            guard at > first else { throw at < end ? error(.syntax, "expected a digit after '.', found \(found)") : unexpectedEnd() }
            digits += at - first
            exponent = first - at
        }
        if at < end, base[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            let isBelowOne = at < end && base[at] == UInt8(ascii: "-")
            if at < end, base[at] == UInt8(ascii: "-") || base[at] == UInt8(ascii: "+") { at += 1 }
            let first = at
            var written = 0
            while at < end, base[at] &- 48 < 10 {
                written = min(written * 10 + Int(base[at] &- 48), 100_000)
                at += 1
            }
            guard at > first else {
                throw at < end ? error(.syntax, "expected a digit of the exponent, found \(found)") : unexpectedEnd()
            }
            exponent += isBelowOne ? -written : written
        }
        var value: Double
        if digits <= 19, mantissa <= 1 << 53, -22...22 ~= exponent {
            // Both operands are exact, so one operation rounds once (W. D. Clinger, "How to Read Floating Point Numbers Accurately").
            value = exponent < 0 ? Double(mantissa) / Self.powersOfTen[-exponent] : Double(mantissa) * Self.powersOfTen[exponent]
            if isNegative { value.negate() }
        } else {
            value = Double(String(decoding: bytes[start..<at], as: UTF8.self))!
        }
        if value.isFinite {
            tape.append(JSONNode(.double, offset: start, payload: value.bitPattern))
        } else {
            tape.append(JSONNode(.bigNumber, offset: start, payload: UInt64(at - start)))
        }
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
