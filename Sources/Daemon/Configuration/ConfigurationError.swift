/// Everything that is wrong with a configuration, all of it at once.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// The configuration is wrong: exit 78.
        case configuration
        /// The flags contradict each other: exit 2.
        case usage
    }

    package struct Problem: Equatable, Sendable, CustomStringConvertible {
        /// Where it was said; nil if it is about what is missing.
        package var origin: ConfigurationOrigin?
        /// A sentence without its end.
        package var message: String
        /// What to do about it.
        package var hint: String?

        package var description: String {
            let place: String =
                switch origin {
                case .file(let path, let line) where line > 0: "\(path):\(line): "
                case .file(let path, _): "\(path): "
                case .environment(let name), .flag(let name): "\(name): "
                case .builtIn, nil: ""
                }
            return place + message + (hint.map { "\nhint: \($0)" } ?? "")
        }
    }

    package let code: Code
    /// At least one.
    package let problems: [Problem]

    package var exitCode: Int32 { code == .usage ? 2 : 78 }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
