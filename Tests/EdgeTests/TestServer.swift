import CPlatform
import Glibc
import Synchronization

/// A listener whose every connection is handled by `serve` on a thread of its own, for peers that misbehave.
final class TestServer: Sendable {
    let port: UInt16
    let path: String
    private let listener: Int32
    private let accepted = Atomic<Int>(0)
    private let open = Atomic<Int>(0)
    private let mostOpen = Atomic<Int>(0)
    private let serve: @Sendable (TestConnection) -> Void

    /// Listens on 127.0.0.1, or on a Unix socket if `path` is given.
    init(path: String = "", serve: @escaping @Sendable (TestConnection) -> Void) {
        self.serve = serve
        self.path = path
        if path.isEmpty {
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            port = withUnsafeMutablePointer(to: &address) { [listener] pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    precondition(bind(listener, $0, length) == 0)
                    getsockname(listener, $0, &length)
                }
                return UInt16(bigEndian: pointer.pointee.sin_port)
            }
        } else {
            port = 0
            listener = Self.unixSocket(at: path, type: Int32(SOCK_STREAM.rawValue))
        }
        precondition(listen(listener, 1_024) == 0)
        Self.detach { [self] in
            while true {
                let fd = accept(listener, nil, nil)
                guard fd >= 0 else {
                    // By this thread: a number closed by another could be somebody else's listener by the next accept.
                    close(listener)
                    return
                }
                _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
                accepted.wrappingAdd(1, ordering: .relaxed)
                let now = open.wrappingAdd(1, ordering: .relaxed).newValue
                mostOpen.max(now, ordering: .relaxed)
                Self.detach { [self] in
                    serve(TestConnection(fd: fd))
                    open.wrappingSubtract(1, ordering: .relaxed)
                    close(fd)
                }
            }
        }
    }

    var connections: Int { accepted.load(ordering: .relaxed) }
    var mostConnections: Int { mostOpen.load(ordering: .relaxed) }
    var openConnections: Int { open.load(ordering: .relaxed) }

    /// Ends the accepting thread; the port refuses from now on.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        if !path.isEmpty { unlink(path) }
    }

    /// A bound socket of that type.
    static func unixSocket(at path: String, type: Int32) -> Int32 {
        let fd = socket(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        unlink(path)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        precondition(result == 0, "bind \(path): \(errno)")
        return fd
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func detach(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        // SAFETY: retained here, released by the thread.
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            {
                Unmanaged<Work>.fromOpaque($0!).takeRetainedValue().body(); return nil
            }, work)
        precondition(code == 0)
        pthread_detach(thread)
    }
}

struct TestConnection: Sendable {
    let fd: Int32

    /// A request with its body, as far as `Content-Length` says; nil when the peer has left.
    func request() -> String? {
        var bytes: [UInt8] = []
        while true {
            if let text = String(validating: bytes, as: UTF8.self), let end = text.firstRange(of: "\r\n\r\n") {
                let length =
                    text.lowercased().firstRange(of: "content-length: ").flatMap {
                        Int(text.lowercased()[$0.upperBound...].prefix { $0.isNumber })
                    } ?? 0
                if text[end.upperBound...].utf8.count >= length { return text }
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = read(fd, &chunk, chunk.count)
            if count <= 0 { return nil }
            bytes += chunk[..<count]
        }
    }

    func send(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    /// An answer with its length.
    func reply(_ status: String, _ body: String = "", headers: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Until the peer leaves.
    func waitForClose() {
        var byte: UInt8 = 0
        while read(fd, &byte, 1) > 0 {}
    }
}

extension String {
    func firstRange(of text: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
    }
}

func temporaryPath(_ name: String) -> String { "/tmp/posto-\(getpid())-\(UInt32.random(in: 0 ... .max))-\(name)" }
