import Glibc

/// A Swift file of the repository, as text.
struct SourceFile {
    /// From the repository's folder.
    let path: String
    let lines: [Substring]

    /// The folder below `Sources` or `Tests`.
    var target: String { String(path.split(separator: "/")[1]) }

    /// Lines that are no comment, with their numbers.
    var code: [(number: Int, text: Substring)] {
        zip(1..., lines).compactMap { number, line in
            line.drop(while: \.isWhitespace).hasPrefix("//") ? nil : (number, line)
        }
    }

    var imports: [(line: Int, module: String)] {
        code.compactMap { number, line in
            let words = line.split(separator: " ").drop { $0.hasPrefix("@") || ["package", "internal", "public", "private"].contains($0) }
            guard words.first == "import", let last = words.last else { return nil }
            return (number, String(last.prefix { $0 != "." }))
        }
    }

    /// Whether a line `SAFETY (all)` stands somewhere above: it speaks for the rest of its file.
    func isUnderSafetyForAll(_ number: Int) -> Bool {
        lines[..<number].contains { $0.contains("SAFETY (all)") }
    }

    static func all(under folder: String = "Sources") -> [SourceFile] {
        let root = String(#filePath.dropLast("/Tests/HouseTests/SourceFile.swift".count))
        return paths(root, folder).map { path in
            var bytes: [UInt8] = []
            if let file = fopen("\(root)/\(path)", "r") {
                defer { fclose(file) }
                var chunk = [UInt8](repeating: 0, count: 65_536)
                while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            return SourceFile(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    private static func paths(_ root: String, _ folder: String) -> [String] {
        guard let directory = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasPrefix(".") { continue }
            if name.hasSuffix(".swift") {
                found.append("\(folder)/\(name)")
            } else if entry.pointee.d_type == DT_DIR {
                found += paths(root, "\(folder)/\(name)")
            }
        }
        return found.sorted()
    }
}
