import Glibc

/// What is mounted where, as the kernel tells this process (proc(5), /proc/self/mountinfo).
enum MountTable {
    /// The kind of the file system that holds the path: `ext4`; nil if it is not told.
    static func kind(of path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        guard let table = try? InputFile.read("/proc/self/mountinfo", bytesMax: 16 << 20) else { return nil }
        return kind(of: String(cString: resolved), in: String(decoding: table, as: UTF8.self))
    }

    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: the fifth field is where, the first behind `-` is
    /// what. Of mounts at one place the last one counts.
    static func kind(of path: String, in table: String) -> String? {
        var found: (length: Int, kind: String)?
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            let place = unescaped(fields[4])
            guard place == "/" || path == place || path.hasPrefix(place + "/") else { continue }
            if place.utf8.count >= found?.length ?? 0 { found = (place.utf8.count, String(fields[dash + 1])) }
        }
        return found?.kind
    }

    /// Spaces, tabs, line feeds and backslashes are written as three octal digits.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
