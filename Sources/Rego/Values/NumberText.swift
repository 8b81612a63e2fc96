/// A number as text, read where it lies: what comparing, hashing and converting need, without an allocation.
///
/// The text is a JSON number, or one that begins with a point. The value is 0.d₁d₂d₃… × 10^`scale`, exactly.
struct NumberText {
    let text: UnsafeRawBufferPointer
    let isNegative: Bool
    /// Where the first digit that is not zero lies, and where the last one ends; equal for zero.
    private let first: Int
    private let end: Int
    /// The power of ten of the point before the first digit.
    let scale: Int

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
        var at = 0
        isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") { at += 1 }
        var first = -1
        var end = 0
        var whole = 0
        var leadingZeros = 0
        var afterPoint = false
        while at < text.count {
            let byte = text[at]
            if byte == UInt8(ascii: ".") {
                afterPoint = true
            } else if byte >= 0x30 && byte <= 0x39 {
                if byte != 0x30 {
                    if first < 0 { first = at }
                    end = at + 1
                }
                if first < 0 {
                    if afterPoint { leadingZeros += 1 }
                } else if !afterPoint {
                    whole += 1
                }
            } else {
                break
            }
            at += 1
        }
        var exponent = 0
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            let negative = at < text.count && text[at] == UInt8(ascii: "-")
            if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") { at += 1 }
            while at < text.count, text[at] >= 0x30, text[at] <= 0x39 {
                exponent = min(exponent * 10 + Int(text[at] - 0x30), 1 << 40)
                at += 1
            }
            if negative { exponent = -exponent }
        }
        self.first = max(first, 0)
        self.end = first < 0 ? 0 : end
        scale = first < 0 ? 0 : (whole > 0 ? whole : -leadingZeros) + exponent
    }

    var isZero: Bool { first == end }

    /// Whether it has no fraction.
    var isInteger: Bool { isZero || scale >= digitCount }

    private var digitCount: Int {
        var count = 0
        for at in first..<end where text[at] != UInt8(ascii: ".") { count += 1 }
        return count
    }

    static func compare(_ left: NumberText, _ right: NumberText) -> Int {
        if left.isZero || right.isZero {
            if left.isZero && right.isZero { return 0 }
            return left.isZero ? (right.isNegative ? 1 : -1) : (left.isNegative ? -1 : 1)
        }
        if left.isNegative != right.isNegative { return left.isNegative ? -1 : 1 }
        let sign = left.isNegative ? -1 : 1
        if left.scale != right.scale { return left.scale < right.scale ? -sign : sign }
        var (a, b) = (left.first, right.first)
        while true {
            if a < left.end, left.text[a] == UInt8(ascii: ".") { a += 1 }
            if b < right.end, right.text[b] == UInt8(ascii: ".") { b += 1 }
            if a >= left.end || b >= right.end { break }
            if left.text[a] != right.text[b] { return left.text[a] < right.text[b] ? -sign : sign }
            a += 1
            b += 1
        }
        if a >= left.end && b >= right.end { return 0 }
        return a >= left.end ? -sign : sign
    }

    /// The integer it is, when it is one and fits.
    var int64: Int64? {
        if isZero { return 0 }
        guard scale > 0, scale <= 19, isInteger else { return nil }
        var value: UInt64 = 0
        var taken = 0
        for at in first..<end where text[at] != UInt8(ascii: ".") {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(text[at] - 0x30))
            if overflow || carried { return nil }
            value = sum
            taken += 1
        }
        while taken < scale {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
            taken += 1
        }
        if isNegative { return value <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- value) : nil }
        return Int64(exactly: value)
    }

    /// The nearest double.
    var double: Double {
        if isZero { return 0 }
        if scale > 400 { return isNegative ? -.infinity : .infinity }
        if scale < -400 { return 0 }
        return Double(String(decoding: text, as: UTF8.self)) ?? Double("0" + String(decoding: text, as: UTF8.self)) ?? 0
    }
}
