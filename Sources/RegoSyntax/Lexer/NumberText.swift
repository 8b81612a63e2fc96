/// The size of a number, from its text: nothing is computed with it here.
enum NumberText {
    enum Problem { case tooBig, invalid }

    /// What makes a number unusable. The lexer has checked its shape.
    ///
    /// OPA refuses numbers whose binary exponent is beyond ±100,000, because printing them takes more than linear time.
    static func problem(in text: String) -> Problem? {
        guard text.utf8.count <= SyntaxLimits.numberBytesMax else { return .tooBig }
        // Nearly all numbers are short and plain; they need no arithmetic.
        if text.utf8.count <= 18, !text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) { return nil }
        var significant: Double = 0
        var digitsTaken = 0
        // The power of ten of the first significant digit, plus one.
        var magnitude = 0
        var afterPoint = false
        var isSignificant = false
        var exponent = 0
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "-"): break
            case UInt8(ascii: "."): afterPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                var isNegative = false
                while let digit = bytes.next() {
                    if digit == UInt8(ascii: "-") { isNegative = true }
                    if digit >= UInt8(ascii: "0"), exponent < 1 << 40 { exponent = exponent * 10 + Int(digit - UInt8(ascii: "0")) }
                }
                if isNegative { exponent = -exponent }
            default:
                let digit = Double(byte - UInt8(ascii: "0"))
                if digit != 0 { isSignificant = true }
                if isSignificant, digitsTaken < 17 {
                    significant = significant * 10 + digit
                    digitsTaken += 1
                }
                if isSignificant, !afterPoint { magnitude += 1 }
                if !isSignificant, afterPoint { magnitude -= 1 }
            }
        }
        guard significant > 0 else { return nil }
        // value = significant × 10^(magnitude + exponent − digitsTaken)
        let bits = binaryExponent(significant, tens: magnitude + exponent - digitsTaken)
        return abs(bits) > Double(SyntaxLimits.numberExponentMax) ? .tooBig : nil
    }

    /// The e of `significant × 10^tens` = m × 2^e with 0.5 ≤ m < 1, up to rounding.
    private static func binaryExponent(_ significant: Double, tens: Int) -> Double {
        let logOfTen = 3.321928094887362347870319429489390175864831393
        let fraction = Double(significant.exponent) + (significant.significand - 1)
        return (fraction + Double(tens) * logOfTen).rounded(.down) + 1
    }
}
