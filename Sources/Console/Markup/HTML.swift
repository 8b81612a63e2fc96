/// Markup: what is written as a literal is markup, and every value put into it is escaped unless it is markup itself.
///
///     let name = "<script>"
///     let row: HTML = "<li>\(name)</li>"      // <li>&lt;script&gt;</li>
package struct HTML: ExpressibleByStringInterpolation, Equatable, Sendable {
    package private(set) var text: String

    package init(stringLiteral text: String) { self.text = text }
    package init(stringInterpolation parts: StringInterpolation) { text = parts.text }

    /// What people or services wrote, set apart so that its direction of writing turns nothing around it.
    package static func foreign(_ text: String) -> HTML { "<bdi>\(text)</bdi>" }

    package static func + (a: HTML, b: HTML) -> HTML { "\(a)\(b)" }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity + interpolationCount * 16) }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ html: HTML) { text += html.text }
        package mutating func appendInterpolation(_ html: HTML?) { if let html { text += html.text } }
        package mutating func appendInterpolation(_ parts: [HTML]) { for part in parts { text += part.text } }
        package mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }

        /// Escaped for text and for attributes in quotes.
        package mutating func appendInterpolation(_ value: String) {
            for scalar in value.unicodeScalars {
                switch scalar {
                case "&": text += "&amp;"
                case "<": text += "&lt;"
                case ">": text += "&gt;"
                case "\"": text += "&quot;"
                case "'": text += "&#39;"
                case "\n", "\t": text.unicodeScalars.append(scalar)
                // No HTML may hold these; a reader should see that something was there.
                case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}": text += "\u{FFFD}"
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
    }
}
