import Daemon
import Glibc
import Testing

/// Files of the repository that are made from the table of settings. `REWRITE_GOLDEN=1` writes them anew.
@Suite("texts made from the settings")
struct ShippedTextTests {
    @Test("the posto.toml of the package is the table of settings")
    func shippedFile() throws {
        try compare("Packaging/posto.toml", ConfigurationText.shippedFile())
    }

    @Test("the page of the documentation is the table of settings")
    func documentation() throws {
        let head = """
            # Configuration

            `/etc/posto/posto.toml`, then `conf.d/*.toml` beside it in the order of their names, then variables `POSTO_SECTION__KEY`, then flags: the later
            wins. `posto serve --check` prints the result with the origin of each value. An unknown key is an error with file, line and the nearest known key.


            """
        try compare("Documentation/CONFIGURATION.md", head + ConfigurationText.documentation())
    }

    private func compare(_ path: String, _ expected: String) throws {
        let whole = String(#filePath.dropLast("Tests/DaemonTests/ShippedTextTests.swift".count)) + path
        if getenv("REWRITE_GOLDEN") != nil {
            let file = try #require(fopen(whole, "w"))
            fputs(expected, file)
            fclose(file)
        }
        let file = try #require(fopen(whole, "r"), "\(path) is missing")
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        let found = String(decoding: bytes[..<count], as: UTF8.self)
        for (line, pair) in zip(1..., zipLines(found, expected)) where pair.found != pair.expected {
            Issue.record("\(path):\(line) is \"\(pair.found)\", and should be \"\(pair.expected)\": REWRITE_GOLDEN=1 writes it anew")
            return
        }
    }

    private func zipLines(_ a: String, _ b: String) -> [(found: Substring, expected: Substring)] {
        let a = a.split(separator: "\n", omittingEmptySubsequences: false)
        let b = b.split(separator: "\n", omittingEmptySubsequences: false)
        return (0..<max(a.count, b.count)).map { ($0 < a.count ? a[$0] : "(nothing)", $0 < b.count ? b[$0] : "(nothing)") }
    }
}
