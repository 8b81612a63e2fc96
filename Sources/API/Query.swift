import Domain
import HTTPServer

/// The query of a request, read strictly: an unknown parameter or a wrong value is a refusal, never ignored.
struct Query: ~Copyable {
    private let items: [(name: String, value: String)]

    init(_ request: borrowing HTTPRequest, _ route: Route) throws(Problem) {
        items = request.queryItems()
        let known = route.description.parameters
        for item in items where !known.contains(where: { "\($0.name)" == item.name }) {
            let names = known.map { "\($0.name)" }
            let nearest = EditDistance.nearest(to: item.name, among: names)
            throw Problem(
                .unknownParameter, "\(route.description.pattern) has no parameter \"\(item.name.prefix(64))\".",
                hint: nearest.map { "Did you mean \($0)?" }
                    ?? (names.isEmpty ? "It takes no parameters." : "It takes: \(names.joined(separator: ", "))."))
        }
        for (index, item) in items.enumerated() where items[..<index].contains(where: { $0.name == item.name }) {
            guard known.contains(where: { "\($0.name)" == item.name && $0.isRepeatable }) else {
                var problem = Self.refuse(item.name, item.value, "given once", example: items.first { $0.name == item.name }!.value)
                problem.detail = "The parameter \(item.name) stands twice in the query."
                problem.hint = "Give it once."
                throw problem
            }
        }
    }

    subscript(_ name: String) -> String? { items.first { $0.name == name }?.value }

    func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    func integer(_ name: String, in range: ClosedRange<UInt64>, default fallback: UInt64) throws(Problem) -> UInt64 {
        guard let text = self[name] else { return fallback }
        guard let value = UInt64(text), range.contains(value) else {
            throw Self.refuse(
                name, text,
                range.upperBound == .max
                    ? "an integer from \(range.lowerBound)" : "an integer from \(range.lowerBound) to \(range.upperBound)",
                example: "\(min(max(fallback, range.lowerBound), range.upperBound))")
        }
        return value
    }

    func flag(_ name: String) throws(Problem) -> Bool {
        switch self[name] {
        case nil, "false": return false
        case "true", "": return true
        case let text?: throw Self.refuse(name, text, "true or false", example: "true")
        }
    }

    /// A duration as `30s`, `5m`, `1500ms`, or plain seconds, as Consul's users write it.
    func duration(_ name: String, max: Duration, default fallback: Duration) throws(Problem) -> Duration {
        guard let text = self[name] else { return fallback }
        let units: [(String, Int64)] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("", 1_000)]
        for (suffix, milliseconds) in units where text.hasSuffix(suffix) {
            if let number = Int64(text.dropLast(suffix.count)), number >= 0, number <= 86_400_000 {
                return min(.milliseconds(number * milliseconds), max)
            }
        }
        throw Self.refuse(name, text, "a duration", example: "30s")
    }

    func tenant(default fallback: String, rule accepts: (String) -> Bool) throws(Problem) -> String {
        guard let text = self["tenant"] else { return fallback }
        guard accepts(text) else { throw Self.refuse("tenant", text, "^[a-z0-9][a-z0-9_-]{0,63}$", example: fallback) }
        return text
    }

    static func refuse(_ name: String, _ provided: String, _ expected: String, example: String) -> Problem {
        var json = JSONWriter()
        json.string(String(provided.prefix(200)))
        return Problem(refused: [
            FieldRefusal(
                field: name, message: "\(name) must be \(expected)", provided: String(decoding: json.finish(), as: UTF8.self),
                expected: expected, example: example)
        ])
    }
}
