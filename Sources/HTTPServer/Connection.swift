import CMicroHTTPD
import Domain
import Glibc

/// What we know about one connection, and about the request that is on it. Allocated once a connection, reused by its requests, touched by
/// the HTTP thread alone; the pointers lead into libmicrohttpd's memory of that connection and hold until the request is over.
struct Connection {
    /// ```
    ///  accept            first bytes        request line         head checked
    ///  ───────▶ accepted ──────────▶ idle ───────────▶ head ───┬───────────▶ ready ──┬─────────────▶ answering ─▶ idle
    ///                                                          └──▶ body ──────▶      └▶ suspending ─▶ suspended ─▶ resuming ─▶ answering
    /// ```
    enum Phase: UInt8 { case accepted, idle, head, body, ready, suspending, suspended, resuming, answering }

    let slot: Int
    /// Tells this connection from the one that had the slot before.
    let serial: UInt32
    let descriptor: Int32
    let listener: Int
    let peer: HTTPPeer
    /// What is counted against the limit per address; nil for loopback and Unix sockets.
    let addressKey: AddressKey?
    /// The address that the client called, if it speaks TLS: the descriptor is one end of a pair then. Nil for plain connections.
    let overTLS: String?
    /// Where the client may begin a handshake as well as a request.
    var takesTLS: Bool { overTLS == nil && !peer.isLocal }
    var phase = Phase.accepted
    var inPollDaemon = false
    /// A long poll that came on a connection of the ordinary daemon: its answer ends the connection.
    var pollOnOrdinary = false
    /// Registered in our own epoll set, armed or not.
    var isWatched = false
    var handle: OpaquePointer?
    /// Where libmicrohttpd puts each request line of this connection.
    var lineStart: UnsafePointer<UInt8>?

    // The request.
    var target: UnsafeMutablePointer<UInt8>?
    var targetCount = 0
    /// Offset of the first `?`; `targetCount` without one.
    var questionMark = 0
    /// The byte behind `?` that we replaced by NUL, so that libmicrohttpd does not take the query apart.
    var hiddenByte: UInt8 = 0
    var method = HTTPMethod.other
    var methodName = Bytes(start: nil, count: 0)
    var isHTTP10 = false
    /// Offset of the request in all that came over the connection, with the empty line that may stand before it.
    var requestStart: UInt64 = 0
    var path = Bytes(start: nil, count: 0)
    /// Owned memory behind `path` if something had to be decoded.
    var decodedPath: UnsafeMutablePointer<UInt8>?
    var received: UInt64 = 0
    var head = HeadFacts()
    var requestID = HTTPRequestID(0, 0)
    var refusal: HTTPRefusal?
    var body = BodyBuffer()
    var status: UInt16 = 0
    var tag: UInt16 = 0

    // The suspension.
    /// `HTTPTicket.id` of the suspended request, or the identity of its stream; 0 if there is none.
    var ticket: UInt64 = 0
    var waiter: (any HTTPWaiter)?
    var pending: HTTPResponse?
    var stream: HTTPStream?
    var suspendDeadline: UInt64 = .max
    /// Last sample of `posto_socket_progress`, to find clients that do not read; nil before the first.
    var progress: UInt64?

    /// Offset behind the request, its body included unless that is chunked.
    var requestEnd: UInt64 { requestStart &+ head.size &+ (head.contentLength ?? 0) }

    /// The path of the request as far as it is known: decoded, or as it was sent; nil before the request line.
    var knownPath: UnsafeBufferPointer<UInt8>? {
        switch phase {
        case .accepted, .idle: nil
        case .head: target.map { Bytes(start: $0, count: questionMark) }
        default: path
        }
    }

    /// Ready for the next request; keeps a small body buffer.
    mutating func forgetRequest() {
        if let memory = decodedPath {
            free(memory)
            decodedPath = nil
        }
        body.reset()
        head = HeadFacts()
        target = nil
        refusal = nil
        ticket = 0
        waiter = nil
        if pending != nil { pending = nil }
        if stream != nil { stream = nil }
        suspendDeadline = .max
        progress = nil
        status = 0
        tag = 0
    }

    mutating func destroy() {
        forgetRequest()
        body.destroy()
    }
}

typealias ConnectionPointer = UnsafeMutablePointer<Connection>

/// An IPv6 address, or an IPv4 one mapped into it.
struct AddressKey: Hashable {
    let high: UInt64
    let low: UInt64
}

/// Where the headers are that the door itself looks at.
struct HeadFacts {
    var host: Bytes?
    var origin: Bytes?
    var acceptEncoding: Bytes?
    var traceparent: Bytes?
    var requestID: Bytes?
    var authorization: Bytes?
    var idempotencyKey: Bytes?
    var contentLength: UInt64?
    var isChunked = false
    /// Of the whole head, with the empty line that may stand before it.
    var size: UInt64 = 0
    /// Where the next header's name must begin.
    var cursor: UnsafePointer<UInt8>?
    var refusal: HTTPRefusal?
}

/// A request's body as it comes in.
struct BodyBuffer {
    private(set) var start: UnsafeMutableRawPointer?
    private(set) var count = 0
    private var capacity = 0
    var max = 0
    /// Bytes that came after the limit and were thrown away.
    var discarded = 0
    var began: UInt64 = 0

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// - Returns: false if the limit is passed; the body is worthless from then on.
    mutating func append(_ chunk: UnsafeRawBufferPointer, expecting total: Int?) -> Bool {
        guard discarded == 0, count + chunk.count <= max else {
            discarded += chunk.count
            return false
        }
        if count + chunk.count > capacity {
            let wanted = Swift.min(max, Swift.max(total ?? 0, (count + chunk.count) * 2, 512))
            guard let memory = realloc(start, wanted) else {
                discarded += chunk.count
                return false
            }
            start = memory
            capacity = wanted
        }
        (start! + count).copyMemory(from: chunk.baseAddress!, byteCount: chunk.count)
        count += chunk.count
        return true
    }

    mutating func reset() {
        count = 0
        discarded = 0
        if capacity > Limits.httpBodyKeptBytesMax { destroy() }
    }

    mutating func destroy() {
        free(start)
        start = nil
        capacity = 0
        count = 0
    }
}
