import CPlatform
import Glibc
import TLS
import TestSupport

@testable import HTTPServer

/// A blocking socket that sends exactly what it is told and reads with a deadline.
final class RawClient {
    let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Of a client that speaks TLS.
    private var session: TLSSession?

    /// Trusts the tests' authority.
    // SAFETY: the certificate was made a moment ago; if it cannot be read every test would fail, and the trap says why. The next one as well.
    static let authority = try! TLSClient(authorities: TestAuthority.shared.certificateBytes)
    static let authority12 = try! TLSClient(authorities: TestAuthority.shared.certificateBytes, version13: false)

    /// - Parameters:
    ///   - source: the address to call from, as one of 127.0.0.0/8.
    ///   - tls: whether to speak TLS where the listener takes both; one that takes nothing else is always spoken to in it.
    init(_ address: HTTPAddress, from source: String? = nil, tls: TLSClient? = nil, resuming other: RawClient? = nil) {
        var tls = tls
        switch address {
        case .tcp(let host, let port), .tls(let host, let port):
            if case .tls = address, tls == nil { tls = Self.authority }
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
            if let source { Self.bind(descriptor, source) }
            var to = sockaddr_in()
            to.sin_family = sa_family_t(AF_INET)
            to.sin_port = port.bigEndian
            inet_pton(AF_INET, host, &to.sin_addr)
            let result = withUnsafePointer(to: &to) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            precondition(result == 0, "connect: \(errno)")
        case .unix(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var to = sockaddr_un()
            to.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &to.sun_path) { $0.copyBytes(from: path.utf8) }
            let result = withUnsafePointer(to: &to) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            precondition(result == 0, "connect: \(errno)")
        }
        if let tls {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            session = tls.session(to: "localhost", descriptor: descriptor)
            if let other { other.lendSession { session!.resume($0) } }
            _ = finishTLS()
        }
    }

    private func lendSession(_ body: (borrowing TLSSession) -> Void) { body(session!) }

    /// Turns a plain connection into one over TLS, as far as that goes without waiting.
    func beginTLS() {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        session = Self.authority.session(to: "localhost", descriptor: descriptor)
        _ = session!.handshake()
    }

    /// False if it fails: nothing more is sent or read then.
    func finishTLS() -> Bool {
        while true {
            switch session!.handshake() {
            case .done: return true
            case .wantsRead: wait(POLLIN)
            case .wantsWrite: wait(POLLOUT)
            case .failed(let reason):
                failure = reason
                return false
            }
        }
    }

    /// Why the handshake failed.
    private(set) var failure: String?

    private func wait(_ events: Int32) {
        var poller = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        poll(&poller, 1, 60_000)
    }

    private static func bind(_ descriptor: Int32, _ source: String) {
        var from = sockaddr_in()
        from.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, source, &from.sin_addr)
        let result = withUnsafePointer(to: &from) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        precondition(result == 0, "bind to \(source): \(errno)")
    }

    deinit {
        if session != nil, !isAborted { session!.end() }
        close(descriptor)
    }

    private var isAborted = false

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while session != nil, failure == nil, sent < bytes.count {
            let step = bytes.withUnsafeBytes { session!.write(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            switch step {
            case .bytes(let count): sent += count
            case .wantsRead: wait(POLLIN)
            case .wantsWrite: wait(POLLOUT)
            case .end, .failed: return
            }
        }
        guard session == nil else { return }
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            sent += count
        }
    }

    /// Each byte in a segment of its own.
    func trickle(_ text: String) {
        for byte in text.utf8 { send([byte]) }
    }

    /// Asks for new keys in front of what is sent. Without waiting: false if the socket takes no more.
    func rekey(_ text: String) -> Bool {
        session!.askForNewKeys()
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { session!.write($0) } == .bytes(bytes.count)
    }

    func finishSending() {
        if session != nil { session!.end() }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes with a reset.
    func abort() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        isAborted = true
    }

    /// Adds to the buffer; false at the end of the stream or after `seconds`.
    private func fill(_ deadline: UInt64) -> Bool {
        if session != nil {
            guard failure == nil else {
                ended = true
                return false
            }
            let step = withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { chunk in
                let step = session!.read(into: chunk)
                if case .bytes(let count) = step { buffer.append(contentsOf: chunk[..<count]) }
                return step
            }
            switch step {
            case .bytes: return true
            case .end, .failed:
                ended = true
                return false
            case .wantsRead, .wantsWrite: break
            }
        }
        let left = Int64(deadline) - Int64(HTTPDoor.uptimeNanoseconds())
        guard left > 0 else { return false }
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, Int32(left / 1_000_000) + 1) > 0 else { return false }
        if session != nil { return true }
        return withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { chunk in
            let count = recv(descriptor, chunk.baseAddress, chunk.count, 0)
            guard count > 0 else {
                ended = true
                return false
            }
            buffer.append(contentsOf: chunk[..<count])
            return true
        }
    }

    /// The peer closed its side.
    private(set) var ended = false

    struct Reply {
        var status = 0
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var text: String { String(decoding: body, as: UTF8.self) }

        subscript(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
        func count(_ name: String) -> Int { headers.filter { $0.name.lowercased() == name.lowercased() }.count }
    }

    /// The next answer, or nil if none comes within `seconds`.
    func reply(seconds: Double = 60, head: Bool = false) -> Reply? {
        let deadline = HTTPDoor.uptimeNanoseconds() + UInt64(seconds * 1e9)
        guard var reply = readHead(deadline) else { return nil }
        while reply.status == 100 {
            guard let next = readHead(deadline) else { return nil }
            reply = next
        }
        if head || reply.status == 204 || reply.status == 304 { return reply }
        if reply["Transfer-Encoding"] == "chunked" {
            while true {
                guard let line = readLine(deadline), let size = Int(line, radix: 16), let data = take(size + 2, deadline) else {
                    return nil
                }
                if size == 0 { return reply }
                reply.body += data.dropLast(2)
            }
        }
        guard let length = reply["Content-Length"].flatMap({ Int($0) }) else { return reply }
        guard let body = take(length, deadline) else { return nil }
        reply.body = body
        return reply
    }

    func readHead(_ deadline: UInt64) -> Reply? {
        guard let first = readLine(deadline) else { return nil }
        var reply = Reply()
        let words = first.split(separator: " ")
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else { return nil }
        reply.status = status
        while let line = readLine(deadline) {
            if line.isEmpty { return reply }
            guard let colon = line.firstIndex(of: ":") else { return nil }
            reply.headers.append((String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " })))
        }
        return nil
    }

    /// One chunk of a chunked body, as text.
    func chunk(seconds: Double = 60) -> String? {
        let deadline = HTTPDoor.uptimeNanoseconds() + UInt64(seconds * 1e9)
        guard let line = readLine(deadline), let size = Int(line, radix: 16), let data = take(size + 2, deadline) else { return nil }
        return String(decoding: data.dropLast(2), as: UTF8.self)
    }

    private func readLine(_ deadline: UInt64) -> String? {
        while true {
            if let end = buffer.firstIndex(of: 0x0a) {
                var line = Array(buffer[..<end])
                if line.last == 0x0d { line.removeLast() }
                buffer.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            guard fill(deadline) else { return nil }
        }
    }

    private func take(_ count: Int, _ deadline: UInt64) -> [UInt8]? {
        while buffer.count < count {
            guard fill(deadline) else { return nil }
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// Waits until the server closes; whatever still comes is dropped and counted.
    func waitForEnd(seconds: Double = 60) -> (ended: Bool, extra: Int) {
        let deadline = HTTPDoor.uptimeNanoseconds() + UInt64(seconds * 1e9)
        while fill(deadline) {}
        return (ended, buffer.count)
    }

    func request(_ text: String, seconds: Double = 60) -> Reply? {
        send(text)
        return reply(seconds: seconds)
    }
}
