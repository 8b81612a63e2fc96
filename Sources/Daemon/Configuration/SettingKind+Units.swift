import Domain

extension SettingKind<UInt64> {
    /// Bytes with a binary unit: `"4GiB"`.
    static func size(in range: ClosedRange<UInt64>) -> SettingKind {
        .quoted(
            "a size such as \"64MiB\"",
            parse: { (text) throws(SettingFault) -> UInt64 in
                guard let bytes = try Units.parse(text, Units.sizes, example: "64MiB") else {
                    throw SettingFault(message: "\"\(text)\" is more bytes than there are", hint: nil)
                }
                guard range.contains(bytes) else {
                    throw SettingFault(
                        message: "\"\(text)\" is out of range",
                        hint:
                            "choose \(Units.write(range.lowerBound, Units.sizes)) to \(Units.write(range.upperBound, Units.sizes))")
                }
                return bytes
            }, write: { Units.write($0, Units.sizes) })
    }
}

extension SettingKind<Duration> {
    /// Whole seconds as a bare integer, for keys that end in `_seconds`.
    static func seconds(in range: ClosedRange<Int>) -> SettingKind {
        let integer = SettingKind<Int>.integer(in: range, unit: "seconds")
        return SettingKind(
            expected: integer.expected,
            fromTOML: { (node) throws(SettingFault) -> Duration? in try integer.fromTOML(node).map { .seconds($0) } },
            fromText: { (text) throws(SettingFault) -> Duration in .seconds(try integer.fromText(text)) },
            toTOML: { "\($0.components.seconds)" })
    }

    /// Whole milliseconds as a bare integer, for keys that end in `_milliseconds`.
    static func milliseconds(in range: ClosedRange<Int>) -> SettingKind {
        let integer = SettingKind<Int>.integer(in: range, unit: "milliseconds")
        return SettingKind(
            expected: integer.expected,
            fromTOML: { (node) throws(SettingFault) -> Duration? in try integer.fromTOML(node).map { .milliseconds($0) } },
            fromText: { (text) throws(SettingFault) -> Duration in .milliseconds(try integer.fromText(text)) },
            toTOML: { "\($0.wholeMilliseconds)" })
    }

    /// A duration with its unit: `"90d"`, from `seconds.lowerBound` to `seconds.upperBound` seconds.
    static func duration(inSeconds range: ClosedRange<UInt64>) -> SettingKind {
        .quoted(
            "a duration such as \"90d\" or \"60s\"",
            parse: { (text) throws(SettingFault) -> Duration in
                guard let seconds = try Units.parse(text, Units.durations, example: "90d"), range.contains(seconds) else {
                    throw SettingFault(
                        message: "\"\(text)\" is out of range",
                        hint:
                            "choose \(Units.write(range.lowerBound, Units.durations)) to \(Units.write(range.upperBound, Units.durations))")
                }
                return .seconds(seconds)
            }, write: { Units.write(UInt64($0.components.seconds), Units.durations) })
    }
}

extension SettingKind<[String: String]> {
    /// Pairs of words: a table in TOML, `a=b,c=d` in an environment variable.
    static let labels: SettingKind = {
        let check: @Sendable ([(String, String)]) throws(SettingFault) -> [String: String] = {
            (pairs) throws(SettingFault) -> [String: String] in
            guard pairs.count <= Limits.nodeLabelsMax else {
                throw SettingFault(message: "has \(pairs.count) labels, at most \(Limits.nodeLabelsMax) are taken", hint: nil)
            }
            var result: [String: String] = [:]
            for (key, value) in pairs {
                guard (1...128).contains(key.utf8.count), value.utf8.count <= 512 else {
                    throw SettingFault(
                        message: "the label \"\(key)\" is too long or empty", hint: "a name has 1 to 128 bytes, a value up to 512")
                }
                guard result.updateValue(value, forKey: key) == nil else {
                    throw SettingFault(message: "the label \"\(key)\" is there twice", hint: nil)
                }
            }
            return result
        }
        return SettingKind(
            expected: "a table of strings such as { floor = \"2\" }",
            fromTOML: { (node) throws(SettingFault) -> [String: String]? in
                guard case .table(let members) = node.value else { return nil }
                var pairs: [(String, String)] = []
                for (key, member) in members {
                    guard case .string(let value) = member.value else { return nil }
                    pairs.append((key, value))
                }
                return try check(pairs)
            },
            fromText: { (text) throws(SettingFault) -> [String: String] in
                var pairs: [(String, String)] = []
                for part in text.split(separator: ",") {
                    let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    guard words.count == 2 else {
                        throw SettingFault(message: "\"\(part)\" is no label", hint: "write name=value,name=value")
                    }
                    pairs.append((String(words[0].trimmingSpaces), String(words[1].trimmingSpaces)))
                }
                return try check(pairs)
            },
            toTOML: { labels in
                if labels.isEmpty { return "{}" }
                let pairs = labels.sorted { $0.key < $1.key }.map { "\(TomlText.quoted($0.key)) = \(TomlText.quoted($0.value))" }
                return "{ " + pairs.joined(separator: ", ") + " }"
            })
    }()
}

/// Numbers with units.
enum Units {
    /// Smallest first.
    static let sizes: [(name: String, factor: UInt64)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]
    static let durations: [(name: String, factor: UInt64)] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)]

    /// A whole number and its unit; nil if the result does not fit.
    static func parse(_ text: String, _ units: [(name: String, factor: UInt64)], example: String) throws(SettingFault) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text[digits.endIndex...]
        guard !digits.isEmpty, let match = units.first(where: { $0.name == unit }) else {
            let names = units.map(\.name).joined(separator: ", ")
            throw SettingFault(
                message: digits.isEmpty ? "\"\(text)\" does not begin with a number" : "\"\(text)\" has no unit that is known here",
                hint: "write a whole number and one of \(names), such as \"\(example)\"")
        }
        guard let number = UInt64(digits) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: match.factor)
        return overflow ? nil : product
    }

    /// In the largest unit that leaves no rest.
    static func write(_ value: UInt64, _ units: [(name: String, factor: UInt64)]) -> String {
        let unit = units.last { value >= $0.factor && value % $0.factor == 0 } ?? units[0]
        return "\(value / unit.factor)\(unit.name)"
    }
}
