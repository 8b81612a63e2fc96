/// What a scalar of YAML 1.1 means.
enum YAMLScalar {
    private static let words: [String: Value] = {
        var words: [String: Value] = ["": .null, "~": .null, "null": .null, "Null": .null, "NULL": .null]
        for word in ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"] { words[word] = .true }
        for word in ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] { words[word] = .false }
        return words
    }()

    private static let notNumbers: Set<String> = [
        ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
    ]

    static func resolve(_ text: [UInt8], style: YAMLEvent.Style, tag: String, _ arena: Arena) throws(BuiltinFailure) -> Value {
        switch tag {
        case "", "!":
            if style != .plain || tag == "!" { return arena.string(text) }
            return try plain(text, arena)
        case "tag:yaml.org,2002:str": return arena.string(text)
        case "tag:yaml.org,2002:binary":
            do throws(BuiltinFailure) {
                return arena.string(try Base64.standard.decode(text.filter { $0 != 0x20 }))
            } catch {
                throw BuiltinFailure("yaml: !!binary value contains invalid base64 data")
            }
        case "tag:yaml.org,2002:float", "tag:yaml.org,2002:int", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            let value = try plain(text, arena)
            let kind: ValueKind = tag.hasSuffix("bool") ? .boolean : tag.hasSuffix("null") ? .null : .number
            guard value.kind == kind else {
                let shown = GoQuote.quoted(String(decoding: text, as: UTF8.self))
                throw BuiltinFailure("yaml: cannot decode !!str \(shown) as a !!\(tag.split(separator: ":").last ?? "")")
            }
            return value
        default: return style == .plain ? try plain(text, arena) : arena.string(text)
        }
    }

    /// Whether a string must be quoted so as not to be taken for something else.
    static func isString(_ text: [UInt8], _ arena: Arena) -> Bool {
        guard let value = try? plain(text, arena) else { return false }
        return value.isString && !text.elementsEqual("<<".utf8)
    }

    private static func plain(_ text: [UInt8], _ arena: Arena) throws(BuiltinFailure) -> Value {
        guard text.count <= 128 else { return arena.string(text) }
        let word = String(decoding: text, as: UTF8.self)
        if let known = words[word] { return known }
        if notNumbers.contains(word) { throw BuiltinFailure("json: unsupported value: \(word.drop { $0 == "." })") }
        guard let first = text.first,
            ASCII.isDigit(first) || first == UInt8(ascii: "+") || first == UInt8(ascii: "-") || first == UInt8(ascii: ".")
        else { return arena.string(text) }
        let digits = text.filter { $0 != UInt8(ascii: "_") }
        if first != UInt8(ascii: "."), let integer = integer(digits) { return arena.integer(integer) }
        if isFloat(digits), let decimal = DecimalText(digits), let double = Double(decimalText(decimal)), double.isFinite {
            return arena.number(text: goJSON(double))
        }
        return arena.string(text)
    }

    /// Go's `ParseInt` with base 0, within 64 bits.
    private static func integer(_ text: [UInt8]) -> BigInteger? {
        var digits = text[...]
        let negative = digits.first == UInt8(ascii: "-")
        if negative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        var base = 10
        if digits.count > 1, digits.first == 0x30 {
            switch digits[digits.startIndex + 1] | 0x20 {
            case UInt8(ascii: "x"): base = 16
            case UInt8(ascii: "b"): base = 2
            case UInt8(ascii: "o"): base = 8
            default: base = -8
            }
            digits = digits.dropFirst(base == -8 ? 1 : 2)
            base = abs(base)
        }
        guard !digits.isEmpty, let first = digits.first, ASCII.isAlphanumeric(first),
            let value = UInt64(String(decoding: digits, as: UTF8.self), radix: base), !negative || value <= UInt64(Int64.max) + 1
        else { return nil }
        return BigInteger(isNegative: negative, magnitude: Magnitude(value))
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func isFloat(_ text: [UInt8]) -> Bool { DecimalText(text) != nil }

    private static func decimalText(_ decimal: DecimalText) -> String {
        let digits = decimal.digits.isEmpty ? "0" : String(decoding: decimal.digits, as: UTF8.self)
        return "\(decimal.isNegative ? "-" : "")\(digits)e\(decimal.exponent)"
    }

    /// A double as Go's JSON encoder writes it.
    private static func goJSON(_ value: Double) -> String {
        let magnitude = value.magnitude
        let isScientific = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)
        var text = GoFloat.text(value, form: UInt8(ascii: isScientific ? "e" : "f"), precision: nil)
        // e-09 becomes e-9.
        if isScientific, text.count >= 4, text[text.count - 4] == UInt8(ascii: "e"), text[text.count - 2] == 0x30 {
            text.remove(at: text.count - 2)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
