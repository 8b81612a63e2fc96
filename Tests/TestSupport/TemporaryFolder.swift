import Glibc

/// A folder of its own for one test, removed at the end with the files in it.
package final class TemporaryFolder {
    package let path = TemporaryFolder.make()

    package init() {}

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    deinit { Self.remove(path) }

    package static func make() -> String {
        var template = Array("/tmp/posto-test-XXXXXX".utf8CString)
        return template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)!) }
    }

    package static func remove(_ path: String) {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }
}
