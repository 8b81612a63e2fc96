import Domain
import Rego
import RegoSyntax

/// What is wrong with policies, data or an evaluation, as `opa` shows it: in JSON, or as lines for people.
struct RegoErrors: Error {
    struct One: Equatable {
        var message: String
        var code: String
        var file = ""
        var row = 0
        var column = 0
        var detail: TypeErrorDetail?
    }

    /// OPA gives up after so many.
    static let errorsMax = 10

    var all: [One]

    init(_ all: [One]) { self.all = all }

    init(_ message: String, code: String = "rego_load_error", file: String = "") { all = [One(message: message, code: code, file: file)] }

    init(_ error: SyntaxError) {
        all = error.problems.map {
            One(message: $0.message, code: $0.code, file: error.file, row: Int($0.location.row), column: Int($0.location.column))
        }
    }

    init(_ error: CompileError) {
        all = error.problems.prefix(Self.errorsMax).map {
            One(
                message: $0.message, code: $0.code, file: $0.file, row: Int($0.location.row), column: Int($0.location.column),
                detail: $0.detail)
        }
        if error.problems.count > Self.errorsMax { all.append(One(message: "error limit reached", code: "rego_compile_error")) }
    }

    init(_ error: EvaluationError) {
        all = [
            One(
                message: error.message, code: error.code.rawValue, file: error.file, row: Int(error.location.row),
                column: Int(error.location.column))
        ]
    }

    /// `{"errors": […]}`
    func document(_ arena: Arena) -> Value {
        let list = all.map { one in
            var entries: [(key: Value, value: Value)] = [
                (arena.string("message"), arena.string(one.message)), (arena.string("code"), arena.string(one.code)),
            ]
            if one.row > 0 || !one.file.isEmpty {
                let location = arena.object([
                    (arena.string("file"), arena.string(one.file)), (arena.string("row"), Value(one.row)),
                    (arena.string("col"), Value(one.column)),
                ])
                entries.append((arena.string("location"), location))
            }
            if let detail = one.detail {
                var writer = Domain.JSONWriter()
                detail.write(to: &writer)
                if let value = try? JSONReader.read(writer.finish(), into: arena) { entries.append((arena.string("details"), value)) }
            }
            return arena.object(entries)
        }
        return arena.object([(arena.string("errors"), arena.array(list))])
    }

    /// One line an error.
    var text: String {
        let lines = all.map { one in
            let place =
                one.row > 0
                ? (one.file.isEmpty ? "\(one.row):\(one.column): " : "\(one.file):\(one.row): ") : (one.file.isEmpty ? "" : "\(one.file): ")
            return (["\(place)\(one.code): \(one.message)"] + (one.detail?.lines ?? [])).joined(separator: "\n\t")
        }
        return lines.count == 1 ? "1 error occurred: \(lines[0])" : "\(lines.count) errors occurred:\n" + lines.joined(separator: "\n")
    }
}
