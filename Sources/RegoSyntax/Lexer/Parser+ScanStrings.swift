// Strings, raw strings and the pieces of template strings: the lexer finds their ends, `Parser+Strings` their values.

extension Parser {
    /// After the opening quote.
    mutating func scanString() {
        state.token = .string
        while true {
            guard state.position < count, base[state.position] != 0x0A else {
                spoil("non-terminated string")
                return
            }
            let one = base[state.position]
            advanceInString(one)
            if one == UInt8(ascii: "\"") { return }
            if one == UInt8(ascii: "\\") { scanEscape(inTemplate: false) }
        }
    }

    /// After the opening backquote.
    mutating func scanRawString() {
        state.token = .string
        while true {
            guard state.position < count else {
                spoil("non-terminated string")
                return
            }
            let one = base[state.position]
            advanceInString(one)
            if one == UInt8(ascii: "`") { return }
        }
    }

    /// After `$"` or the `}` of an expression: to the next `{`, or to the end.
    mutating func scanTemplate() {
        state.token = .templatePart
        if byte(state.position) == UInt8(ascii: "}"), state.position == state.start { state.position += 1 }
        while true {
            guard state.position < count, base[state.position] != 0x0A else {
                spoil("non-terminated string")
                return
            }
            let one = base[state.position]
            advanceInString(one)
            switch one {
            case UInt8(ascii: "\""):
                if state.token != .illegal { state.token = .templateEnd }
                return
            case UInt8(ascii: "{"): return
            case UInt8(ascii: "\\"): scanEscape(inTemplate: true)
            default: break
            }
        }
    }

    /// After ``$` `` or the `}` of an expression.
    mutating func scanRawTemplate() {
        state.token = .rawTemplatePart
        if byte(state.position) == UInt8(ascii: "}"), state.position == state.start { state.position += 1 }
        while true {
            guard state.position < count else {
                spoil("non-terminated string")
                return
            }
            let one = base[state.position]
            advanceInString(one)
            switch one {
            case UInt8(ascii: "`"):
                if state.token != .illegal { state.token = .rawTemplateEnd }
                return
            case UInt8(ascii: "{"): return
            case UInt8(ascii: "\\"):
                if byte(state.position) == UInt8(ascii: "{") { state.position += 1 }
            default: break
            }
        }
    }

    @inline(__always)
    private mutating func advanceInString(_ one: UInt8) {
        if one == 0x0A {
            state.position += 1
            state.line &+= 1
            state.lineStart = state.position
            state.continuations = 0
        } else if one < 0x80 && one != 0 {
            state.position += 1
        } else {
            let length = checkCharacter(at: state.position)
            state.position += length
            state.continuations += length - 1
        }
    }

    private mutating func scanEscape(inTemplate: Bool) {
        switch byte(state.position) {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            state.position += 1
        case UInt8(ascii: "{") where inTemplate:
            state.position += 1
        case UInt8(ascii: "u"):
            // OPA steps over four characters here; whether they are digits is found out when the value is made.
            state.position += 1
            for _ in 0..<3 where state.position < count { advanceInString(base[state.position]) }
        default:
            spoil("illegal escape sequence")
        }
    }
}
