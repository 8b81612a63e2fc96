/// `sprintf`: Go's `fmt.Sprintf` with its verbs, flags, widths, argument numbers and complaints (`%!d(string=hi)`).
struct GoFormat {
    /// Go's own limit of a width or a precision.
    private static let widthMax = 1_000_000

    private let format: [UInt8]
    private let arguments: [GoArgument]
    private var index = 0
    private var argument = 0
    private var isReordered = false
    private var isGoodNumber = true
    private var writer = GoFormatWriter()

    /// - Throws: when the text would pass `BuiltinLimits.stringBytesMax`.
    static func sprintf(_ format: [UInt8], _ arguments: [GoArgument]) throws(BuiltinFailure) -> [UInt8] {
        var formatter = GoFormat(format: format, arguments: arguments)
        try formatter.run()
        return formatter.writer.result
    }

    private init(format: [UInt8], arguments: [GoArgument]) {
        self.format = format
        self.arguments = arguments
    }

    private mutating func run() throws(BuiltinFailure) {
        while index < format.count {
            if writer.result.count > BuiltinLimits.stringBytesMax { throw .tooLarge("sprintf", BuiltinLimits.stringBytesMax) }
            let byte = format[index]
            index += 1
            if byte == UInt8(ascii: "%") { directive() } else { writer.result.append(byte) }
        }
        if !isReordered && argument < arguments.count {
            writer.flags = GoFormatFlags()
            writer.write("%!(EXTRA ")
            for (position, extra) in arguments[argument...].enumerated() {
                if position > 0 { writer.write(", ") }
                writer.write("\(extra.typeName)=")
                writer.print(extra, verb: UInt32(UInt8(ascii: "v")))
            }
            writer.write(")")
        }
        if writer.result.count > BuiltinLimits.stringBytesMax { throw .tooLarge("sprintf", BuiltinLimits.stringBytesMax) }
    }

    private mutating func directive() {
        isGoodNumber = true
        var flags = GoFormatFlags()
        flags: while index < format.count {
            switch format[index] {
            case UInt8(ascii: "#"): flags.sharp = true
            case UInt8(ascii: "0"): flags.zero = true
            case UInt8(ascii: "+"): flags.plus = true
            case UInt8(ascii: "-"): flags.minus = true
            case UInt8(ascii: " "): flags.space = true
            default: break flags
            }
            index += 1
        }
        var afterNumber = readArgumentNumber()
        if index < format.count, format[index] == UInt8(ascii: "*") {
            index += 1
            flags.width = integerArgument()
            if flags.width == nil { writer.write("%!(BADWIDTH)") }
            if let width = flags.width, width < 0 {
                flags.width = -width
                flags.minus = true
            }
            afterNumber = false
        } else {
            flags.width = readNumber()
            // "%[3]2d": the number belongs behind the width.
            if afterNumber && flags.width != nil { isGoodNumber = false }
        }
        if index < format.count, format[index] == UInt8(ascii: ".") {
            index += 1
            if afterNumber { isGoodNumber = false }
            afterNumber = readArgumentNumber()
            if index < format.count, format[index] == UInt8(ascii: "*") {
                index += 1
                flags.precision = integerArgument().flatMap { $0 < 0 ? nil : $0 }
                if flags.precision == nil { writer.write("%!(BADPREC)") }
                afterNumber = false
            } else {
                flags.precision = readNumber() ?? 0
            }
        }
        if !afterNumber { _ = readArgumentNumber() }
        guard index < format.count else {
            writer.write("%!(NOVERB)")
            return
        }
        let (verb, width) = Runes.decode(format, at: index)
        index += width
        if verb == UInt32(UInt8(ascii: "%")) {
            writer.write("%")
            return
        }
        guard isGoodNumber, argument < arguments.count else {
            writer.write("%!")
            Runes.append(verb, to: &writer.result)
            writer.write(isGoodNumber ? "(MISSING)" : "(BADINDEX)")
            return
        }
        if verb == UInt32(UInt8(ascii: "v")) {
            (flags.sharpV, flags.sharp) = (flags.sharp, false)
            (flags.plusV, flags.plus) = (flags.plus, false)
        }
        writer.flags = flags
        writer.print(arguments[argument], verb: verb)
        argument += 1
    }

    /// Decimal digits; a number that is too large swallows the rest of the format, as in Go.
    private mutating func readNumber(upTo end: Int? = nil) -> Int? {
        let end = end ?? format.count
        var value = 0
        let start = index
        while index < end, ASCII.isDigit(format[index]) {
            if value > Self.widthMax {
                index = end
                return nil
            }
            value = value * 10 + Int(format[index] - 0x30)
            index += 1
        }
        return index > start ? value : nil
    }

    /// `[3]`: the next argument is the third.
    private mutating func readArgumentNumber() -> Bool {
        guard index < format.count, format[index] == UInt8(ascii: "[") else { return false }
        isReordered = true
        let start = index
        guard format.count - start >= 3, let close = format[(start + 1)...].firstIndex(of: UInt8(ascii: "]")) else {
            isGoodNumber = false
            index += 1
            return false
        }
        index = start + 1
        let number = readNumber(upTo: close)
        let isNumber = number != nil && index == close
        index = close + 1
        if isNumber, let number, number >= 1, number <= arguments.count {
            argument = number - 1
            return true
        }
        isGoodNumber = false
        return isNumber
    }

    private mutating func integerArgument() -> Int? {
        guard argument < arguments.count else { return nil }
        argument += 1
        guard case .integer(let value) = arguments[argument - 1], value.magnitude <= UInt64(Self.widthMax) else { return nil }
        return Int(value)
    }
}
