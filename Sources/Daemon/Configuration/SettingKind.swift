import Domain

/// Why a value does not fit its setting.
struct SettingFault: Error {
    let message: String
    let hint: String?
}

/// How a value is written: in TOML, in an environment variable or flag, and back.
struct SettingKind<Value: Sendable & Equatable>: Sendable {
    /// `a duration such as "90s"`, to finish the sentence "expected …".
    let expected: String
    /// nil if the node has another type.
    let fromTOML: @Sendable (TomlNode) throws(SettingFault) -> Value?
    let fromText: @Sendable (String) throws(SettingFault) -> Value
    let toTOML: @Sendable (Value) -> String
}

extension SettingKind {
    /// A kind that is a string in TOML.
    static func quoted(
        _ expected: String, parse: @escaping @Sendable (String) throws(SettingFault) -> Value, write: @escaping @Sendable (Value) -> String
    ) -> SettingKind {
        SettingKind(
            expected: expected,
            fromTOML: { (node) throws(SettingFault) -> Value? in
                guard case .string(let text) = node.value else { return nil }
                return try parse(text)
            },
            fromText: parse, toTOML: { TomlText.quoted(write($0)) })
    }

    /// A list of what `parse` reads; separated by commas in an environment variable.
    static func list<Element: Sendable & Equatable>(
        of what: String, max: Int, parse: @escaping @Sendable (String) -> Element?, write: @escaping @Sendable (Element) -> String
    ) -> SettingKind where Value == [Element] {
        let all: @Sendable ([String]) throws(SettingFault) -> [Element] = { (texts) throws(SettingFault) -> [Element] in
            guard texts.count <= max else {
                throw SettingFault(message: "has \(texts.count) elements, at most \(max) are taken", hint: nil)
            }
            var result: [Element] = []
            for text in texts {
                guard let element = parse(text) else {
                    throw SettingFault(message: "\"\(text)\" is not \(what)", hint: nil)
                }
                if result.contains(element) { throw SettingFault(message: "\"\(text)\" is there twice", hint: nil) }
                result.append(element)
            }
            return result
        }
        return SettingKind(
            expected: "a list, each \(what)",
            fromTOML: { (node) throws(SettingFault) -> [Element]? in
                guard case .array(let elements) = node.value else { return nil }
                var texts: [String] = []
                for element in elements {
                    guard case .string(let text) = element.value else { return nil }
                    texts.append(text)
                }
                return try all(texts)
            },
            fromText: { (text) throws(SettingFault) -> [Element] in
                try all(text.split(separator: ",").map { String($0.trimmingSpaces) })
            },
            toTOML: { "[" + $0.map { TomlText.quoted(write($0)) }.joined(separator: ", ") + "]" })
    }
}

extension SettingKind<Bool> {
    static let flag = SettingKind(
        expected: "true or false",
        fromTOML: { node in if case .boolean(let value) = node.value { value } else { nil } },
        fromText: { (text) throws(SettingFault) -> Bool in
            switch text {
            case "true", "1": return true
            case "false", "0": return false
            default: throw SettingFault(message: "\"\(text)\" is neither true nor false", hint: nil)
            }
        },
        toTOML: { "\($0)" })
}

extension SettingKind<Int> {
    /// An integer within `range`, counted in `unit`.
    static func integer(in range: ClosedRange<Int>, unit: String = "") -> SettingKind {
        let spaced = unit.isEmpty ? "" : " \(unit)"
        let check: @Sendable (Int64) throws(SettingFault) -> Int = { (value) throws(SettingFault) -> Int in
            guard let value = Int(exactly: value), range.contains(value) else {
                throw SettingFault(
                    message: "\(value) is out of range", hint: "choose \(range.lowerBound) to \(range.upperBound)\(spaced)")
            }
            return value
        }
        return SettingKind(
            expected: "an integer\(spaced.isEmpty ? "" : " of" + spaced)",
            fromTOML: { (node) throws(SettingFault) -> Int? in
                guard case .integer(let value) = node.value else { return nil }
                return try check(value)
            },
            fromText: { (text) throws(SettingFault) -> Int in
                guard let value = Int64(text) else { throw SettingFault(message: "\"\(text)\" is not an integer", hint: nil) }
                return try check(value)
            },
            toTOML: { "\($0)" })
    }
}

extension SettingKind<String> {
    /// Text that `rule` accepts; nil from it means so, else it says what is expected.
    static func text(_ expected: String, rule: @escaping @Sendable (String) -> Bool) -> SettingKind {
        .quoted(
            expected,
            parse: { (text) throws(SettingFault) -> String in
                guard rule(text) else { throw SettingFault(message: "\"\(text)\" does not fit", hint: "expected \(expected)") }
                return text
            }, write: { $0 })
    }

    static let path = text("an absolute path, or \"\" for none") { $0.isEmpty || ($0.hasPrefix("/") && !$0.utf8.contains(0)) }

    /// A Unix socket's path must fit `sun_path` (unix(7)).
    static let socketPath = text("an absolute path of at most 107 bytes, or \"\" for none") {
        $0.isEmpty || ($0.hasPrefix("/") && $0.utf8.count <= 107 && !$0.utf8.contains(0))
    }

    /// A name of ours: lower-case letters, digits and hyphens, a letter first.
    static let streamName = text("a name such as \"sales\": a-z first, then a-z, 0-9 or -, at most 63") { $0.isStreamName }
}

extension SettingKind where Value: CaseIterable & RawRepresentable<String>, Value.AllCases: Sendable {
    /// One of a few words.
    static var choice: SettingKind {
        let words = Value.allCases.map(\.rawValue)
        let list = words.map { "\"\($0)\"" }.joined(separator: ", ")
        return .quoted(
            "one of \(list)",
            parse: { (text) throws(SettingFault) -> Value in
                guard let value = Value(rawValue: text) else {
                    let nearest = EditDistance.nearest(to: text, among: words).map { "did you mean \"\($0)\"? " } ?? ""
                    throw SettingFault(message: "\"\(text)\" is not known here", hint: nearest + "choose one of \(list)")
                }
                return value
            }, write: \.rawValue)
    }
}

extension String {
    var isStreamName: Bool {
        guard (1...63).contains(utf8.count), let first = utf8.first, first &- 97 < 26 else { return false }
        return utf8.allSatisfy { $0 &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "-") }
    }
}

extension StringProtocol {
    var trimmingSpaces: SubSequence {
        var rest = self[...]
        while rest.first == " " { rest = rest.dropFirst() }
        while rest.last == " " { rest = rest.dropLast() }
        return rest
    }
}

/// TOML as we write it.
enum TomlText {
    /// A basic string (TOML 1.0, "String").
    static func quoted(_ text: String) -> String {
        var out = GrowingBytes(capacity: text.utf8.count + 2)
        // The escapes of JSON strings are all TOML's too.
        out.append(json: text)
        return String(decoding: out.bytes, as: UTF8.self)
    }
}
