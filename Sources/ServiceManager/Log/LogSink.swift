// Both bring the constants of sockets in; which of them the compiler takes for their home depends on the kind of build.
import CPlatform
import CSystemd
import Domain
import Glibc

/// Where lines go. A line is handed over by one write that never waits; what cannot be taken at once
/// is lost, and the log counts it.
package enum LogSink: Sendable {
    /// JSON lines to a file descriptor.
    case json(Int32)
    /// Lines for people to a file descriptor.
    case text(Int32)
    /// Structured fields to the journal's datagram socket; JSON to `fallback` if nobody listens there.
    case journal(socket: Int32, path: String, fallback: Int32)

    package static let journalPath = "/run/systemd/journal/socket"

    /// Opens the way to the journal.
    ///
    /// The datagrams are written here and not by `sd_journal_sendv`, which waits while the journal does not read.
    package static func openJournal(path: String = journalPath, fallback: Int32 = STDERR_FILENO) -> LogSink {
        let fd = posto_datagram_socket()
        return fd < 0 ? .json(fallback) : .journal(socket: fd, path: path, fallback: fallback)
    }

    /// Whether standard error is the journal's: `$JOURNAL_STREAM` names its device and inode (systemd.exec(5)).
    package static func standardErrorIsJournal(environment value: String?) -> Bool {
        var status = stat()
        guard let value, fstat(STDERR_FILENO, &status) == 0 else { return false }
        return value == "\(status.st_dev):\(status.st_ino)"
    }

    /// Whether the line was taken whole.
    func send(_ line: LogLine) -> Bool {
        switch self {
        case .json(let fd): return Self.write(line.json(), to: fd)
        case .text(let fd): return Self.write(line.plain(), to: fd)
        case .journal(let socket, let path, let fallback):
            switch Self.send(line.journal(), to: path, by: socket) {
            case 0: return true
            case EAGAIN, ENOBUFS: return false
            default: return Self.write(line.json(), to: fallback)
            }
        }
    }

    private static func write(_ bytes: [UInt8], to fd: Int32) -> Bool {
        // Descriptor 2 is shared with others, so it must not be made non-blocking. A pipe that polls writable takes PIPE_BUF bytes
        // at once (poll(2), pipe(7)), and no line is longer; a file and a terminal take them too.
        var ready = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, 0) == 1, ready.revents & Int16(POLLOUT) != 0, ready.revents & Int16(POLLERR) == 0 else { return false }
        let sent = bytes.withUnsafeBytes { buffer in
            let sent = Glibc.send(fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            return sent < 0 && errno == ENOTSOCK ? Glibc.write(fd, buffer.baseAddress, buffer.count) : sent
        }
        return sent == bytes.count
    }

    /// 0, or the error.
    private static func send(_ bytes: [UInt8], to path: String, by socket: Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { target in
            guard path.utf8.count < target.count else { return false }
            target.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { return ENAMETOOLONG }
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bytes.withUnsafeBytes {
                    sendto(
                        socket, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL), address,
                        socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        return sent == bytes.count ? 0 : errno
    }
}
