import Domain
import Glibc
import RegoSyntax

/// The conformance cases, where they are on this machine: `POSTO_SHARED`, else the folder `shared` beside the repository.
enum Corpus {
    struct Text: Sendable {
        var name: String
        var text: String
        var version: RegoVersion
    }

    /// A case of the formatter: what goes in, what comes out.
    struct Golden: Sendable {
        var note: String
        var source: String
        var formatted: String
    }

    static let folder: String? = {
        let parent = #filePath.split(separator: "/").dropLast(5)
        let beside = "/" + parent.joined(separator: "/") + "/shared"
        let shared = getenv("POSTO_SHARED").map { String(cString: $0) } ?? beside
        let rego = shared + "/conformance/rego"
        return access(rego + "/README.md", R_OK) == 0 ? rego : nil
    }()

    static var isHere: Bool { folder != nil }

    /// All modules of the cases of a folder.
    static func modules(of name: String) -> [Text] {
        cases(of: name).flatMap { note, one in
            (one["modules"].map { Array($0.elements) } ?? []).enumerated().map { index, module in
                Text(name: "\(note) [\(index)]", text: module.string ?? "", version: name == "v0" ? .v0 : .v1)
            }
        }
    }

    /// All queries, and all inputs that are terms.
    static func queries(of name: String) -> [Text] {
        cases(of: name).flatMap { note, one in
            [one["query"], one["input_term"]].compactMap { $0?.string }.map { Text(name: note, text: $0, version: .v1) }
        }
    }

    static func golden() -> [Golden] {
        lines(of: "fmt-golden.jsonl").map { line in
            Golden(
                note: line["note"]?.string ?? "", source: line["source"]?.string ?? "", formatted: line["formatted"]?.string ?? "")
        }
    }

    private static func cases(of name: String) -> [(String, JSONValue)] {
        guard let folder, let directory = opendir("\(folder)/\(name)") else { return [] }
        defer { closedir(directory) }
        var files: [String] = []
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if file.hasSuffix(".jsonl") { files.append(file) }
        }
        return files.sorted().flatMap { lines(of: "\(name)/\($0)") }.map { ($0["note"]?.string ?? "", $0) }
    }

    private static func lines(of file: String) -> [JSONValue] {
        guard let folder else { return [] }
        return bytes(of: "\(folder)/\(file)").split(separator: 0x0A).map { line in
            do { return try JSONDocument.parse(Array(line)).root } catch { preconditionFailure("\(file): \(error)") }
        }
    }

    static func bytes(of path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { all += buffer[..<count] }
        return all
    }
}

/// Reads a text that must be a module.
func parsed(_ text: String, _ version: RegoVersion = .v1, name: String = "test.rego") throws(SyntaxError) -> Module {
    try RegoParser.module(SourceText(name: name, text: text), options: ParserOptions(version: version))
}

/// Everything that is wrong with a text, one line each: `row:column: message`.
func problems(_ text: String, _ version: RegoVersion = .v1) -> [String] {
    do throws(SyntaxError) {
        _ = try parsed(text, version)
        return []
    } catch {
        return error.problems.map { "\($0.location.row):\($0.location.column): \($0.message)" }
    }
}
