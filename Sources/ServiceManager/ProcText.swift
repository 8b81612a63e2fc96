import CPlatform
import Glibc

/// Numbers out of the kernel's text files.
enum ProcText {
    /// At most 64 KiB; empty if it cannot be read.
    static func read(_ path: String) -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return [] }
        defer { close(fd) }
        return [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            // These files may give less than they have in one read.
            while count < buffer.count {
                let got = Glibc.read(fd, buffer.baseAddress! + count, buffer.count - count)
                if got <= 0 { break }
                count += got
            }
        }
    }

    /// The number behind `key`, which begins a line.
    static func number(after key: String, in text: [UInt8]) -> UInt64? {
        for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: key.utf8) {
            return number(line.dropFirst(key.utf8.count))
        }
        return nil
    }

    static func number(_ text: some Sequence<UInt8>) -> UInt64? {
        let digits = text.drop { $0 == 0x20 || $0 == 0x09 }.prefix { $0 &- 48 < 10 }
        return UInt64(String(decoding: Array(digits), as: UTF8.self))
    }
}
