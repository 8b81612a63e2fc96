import Glibc

/// A folder of its own for one test, removed at the end with all that is in it.
package final class TemporaryFolder {
    package let path = TemporaryFolder.make()

    package init() {}

    deinit { Self.remove(path) }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, with the folders that it is in; answers its path.
    @discardableResult package func write(_ name: String, _ text: String) -> String {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/" + part
            mkdir(folder, 0o700)
        }
        guard let file = fopen(file(name), "w") else { fatalError("cannot write \(file(name)): errno \(errno)") }
        let written = fputs(text, file)
        guard fclose(file) == 0, written >= 0 else { fatalError("cannot write \(self.file(name)): errno \(errno)") }
        return self.file(name)
    }

    /// What is in a file; nothing if there is none.
    package func read(_ name: String) -> String {
        guard let file = fopen(file(name), "r") else { return "" }
        defer { fclose(file) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { all += buffer[..<count] }
        return String(decoding: all, as: UTF8.self)
    }

    package static func make() -> String {
        var template = Array("/tmp/posto-test-XXXXXX".utf8CString)
        return template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)!) }
    }

    package static func remove(_ path: String) {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            // A link is removed, not followed.
            if name != ".", name != "..", unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }
}
