import CPlatform
import Glibc
import TLS

/// One keep-alive connection of the load generator: the request that is out, and what has come of its answer.
struct LoadConnection: ~Copyable {
    let descriptor: Int32
    /// What was sent last; rendered anew or kept, as the load wants.
    var request: [UInt8] = []
    /// When the request was due, in nanoseconds of `LoadClock`.
    var since: UInt64 = 0
    var isBusy = false
    /// Of a connection over TLS.
    private var session: TLSSession?
    private var buffer = [UInt8](repeating: 0, count: 16_384)
    private var filled = 0
    /// Bytes of the whole answer; 0 until its head is there.
    private var expected = 0
    private(set) var status = 0
    private(set) var bodyStart = 0

    /// An answer as far as it has come.
    enum Progress { case partial, whole, broken }

    init(port: UInt16) throws(BenchFailure) { descriptor = try Self.connect(port) }

    /// From now on over TLS.
    mutating func begin(_ tls: TLSClient) throws(BenchFailure) {
        session = tls.session(to: "localhost", descriptor: descriptor)
        let step = session!.handshake()
        guard step == .done else { throw BenchFailure("the handshake ended with \(step)") }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// A socket that waits.
    static func connect(_ port: UInt16) throws(BenchFailure) -> Int32 {
        let descriptor: Int32
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw BenchFailure("socket: errno \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BenchFailure("connect to 127.0.0.1:\(port): errno \(errno)") }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }

    deinit { close(descriptor) }

    /// Sends the request; a request fits the socket's buffer.
    mutating func send(at now: UInt64) throws(BenchFailure) {
        since = now
        isBusy = true
        filled = 0
        expected = 0
        if session != nil {
            guard request.withUnsafeBytes({ session!.write($0) }) == .bytes(request.count) else { throw BenchFailure("send over TLS") }
            return
        }
        let count = request.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count == request.count else { throw BenchFailure("send: errno \(errno)") }
    }

    /// Reads what is there.
    mutating func receive(wait: Bool = false) -> Progress {
        if filled == buffer.count { buffer.append(contentsOf: repeatElement(0, count: buffer.count)) }
        if session != nil { return receiveOverTLS() }
        let count = buffer.withUnsafeMutableBytes { [filled, descriptor] in
            recv(descriptor, $0.baseAddress! + filled, $0.count - filled, wait ? 0 : Int32(MSG_DONTWAIT))
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return .partial }
        guard count > 0 else { return .broken }
        return take(count)
    }

    private mutating func receiveOverTLS() -> Progress {
        // Until nothing is left in the session either: the kernel does not know of that.
        while true {
            if filled == buffer.count { buffer.append(contentsOf: repeatElement(0, count: buffer.count)) }
            let at = filled
            switch buffer.withUnsafeMutableBytes({ session!.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[at...])) }) {
            case .bytes(let count): if take(count) == .whole { return .whole }
            case .wantsRead, .wantsWrite: return .partial
            case .end, .failed: return .broken
            }
        }
    }

    private mutating func take(_ count: Int) -> Progress {
        filled += count
        if expected == 0 { readHead() }
        guard expected > 0, filled >= expected else { return .partial }
        isBusy = false
        return .whole
    }

    var body: ArraySlice<UInt8> { buffer[bodyStart..<expected] }

    /// Looks through the lines of the head, if all of them are there.
    private mutating func readHead() {
        buffer.withUnsafeBytes { bytes in
            let start = bytes.baseAddress!
            let name: StaticString = "Content-Length: "
            var size = 0
            var line = 0
            while let found = memchr(start + line, 0x0d, filled - line) {
                let end = UnsafeRawPointer(found) - start
                if end == line, end + 2 <= filled {
                    status = Int(bytes[9] &- 48) * 100 + Int(bytes[10] &- 48) * 10 + Int(bytes[11] &- 48)
                    bodyStart = end + 2
                    expected = bodyStart + size
                    return
                }
                if end - line > name.utf8CodeUnitCount, memcmp(start + line, name.utf8Start, name.utf8CodeUnitCount) == 0 {
                    size = bytes[(line + name.utf8CodeUnitCount)..<end].reduce(0) { $0 * 10 + Int($1 &- 48) }
                }
                line = end + 2
                guard line < filled else { return }
            }
        }
    }
}

/// The clock of the measurements: CLOCK_MONOTONIC in nanoseconds, the cheapest to read.
enum LoadClock {
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Why a measurement could not be made.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
