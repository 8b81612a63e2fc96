/// A value that is written as one word.
package protocol ExpressibleByArgument {
    /// nil if the word is none.
    init?(argument: String)

    /// What a value is, for who typed another: "a whole number".
    static var expectation: String { get }
    /// All there are, if they are few.
    static var allWords: [String] { get }
    /// How a default is shown; empty: not at all.
    var word: String { get }
}

extension ExpressibleByArgument {
    package static var allWords: [String] { [] }
    package static var expectation: String { "another value" }
    package var word: String { "\(self)" }
}

extension ExpressibleByArgument where Self: RawRepresentable, RawValue == String {
    package init?(argument: String) { self.init(rawValue: argument) }
    package var word: String { rawValue }
}

extension ExpressibleByArgument where Self: CaseIterable & RawRepresentable, RawValue == String {
    package static var allWords: [String] { allCases.map(\.rawValue) }
    package static var expectation: String {
        let words = allWords
        return words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
    }
}

extension String: ExpressibleByArgument {
    package init?(argument: String) { self = argument }
    package static var expectation: String { "a text" }
    package var word: String { self }
}

extension Bool: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
    package static var expectation: String { "true or false" }
    package static var allWords: [String] { ["true", "false"] }
}

extension ExpressibleByArgument where Self: FixedWidthInteger {
    package init?(argument: String) {
        guard let value = Self(argument, radix: 10) else { return nil }
        self = value
    }

    package static var expectation: String { isSigned ? "a whole number" : "a whole number that is not negative" }
}

extension Int: ExpressibleByArgument {}
extension Int32: ExpressibleByArgument {}
extension Int64: ExpressibleByArgument {}
extension UInt: ExpressibleByArgument {}
extension UInt8: ExpressibleByArgument {}
extension UInt16: ExpressibleByArgument {}
extension UInt32: ExpressibleByArgument {}
extension UInt64: ExpressibleByArgument {}

extension Double: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
    package static var expectation: String { "a number" }
}
