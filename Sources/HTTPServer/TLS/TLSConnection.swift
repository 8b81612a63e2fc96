import Glibc
import TLS

/// A client that speaks TLS, and our end of the pair of sockets that its plain bytes go through. Of the TLS thread.
///
/// ```
///  accept            first byte              handshake done        HTTP thread ended         all sent
///  ───────▶ silent ───────────▶ handshake ───────────────▶ open ───────────────▶ flushing ─────────▶ lingering ─▶ (closed)
/// ```
final class TLSConnection {
    enum Phase { case silent, handshake, open, flushing, lingering }

    let slot: Int
    /// Tells this connection from the one that had the slot before.
    let serial: UInt32
    let client: Int32
    let listener: Int
    let peer: HTTPPeer
    /// What is counted against the limit per address; nil for loopback.
    let addressKey: AddressKey?
    /// It came from the HTTP thread.
    let isCounted: Bool

    var phase = Phase.silent
    /// Our end of the pair; -1 before the handshake is done and once the HTTP thread has ended.
    var server: Int32 = -1
    var session: TLSSession?
    /// Read from the client, not yet taken by the HTTP thread. While it is not empty the client is not read, so it has one record at most.
    var up = HeldBytes()
    /// Read from the HTTP thread, not yet taken by the client. While it is not empty the HTTP thread is not read.
    var down = HeldBytes()
    /// The client sent its last byte.
    var clientEnded = false
    /// The HTTP thread reads no more.
    var upRefused = false
    /// libssl must write before it can read on (new keys were asked for), or read before it can write (half of a message about keys came).
    /// Watching for anything else would wake us for nothing, again and again.
    var readingWantsWrite = false
    var writingWantsRead = false
    /// What the kernel watches for us; 0 means that it does not know the descriptor.
    var clientMask: UInt32 = 0
    var serverMask: UInt32 = 0
    var deadline: UInt64 = .max

    init(slot: Int, serial: UInt32, _ arriving: ArrivingConnection, isCounted: Bool) {
        self.slot = slot
        self.serial = serial
        client = arriving.descriptor
        listener = arriving.listener
        peer = arriving.peer
        addressKey = arriving.addressKey
        self.isCounted = isCounted
    }

    var isUnfinished: Bool { phase == .silent || phase == .handshake }
}

/// Bytes that could not be passed on yet. Holds no memory while it is empty.
struct HeldBytes {
    private var bytes: [UInt8] = []
    private var start = 0

    var isEmpty: Bool { bytes.isEmpty }

    mutating func hold(_ rest: UnsafeRawBufferPointer) {
        precondition(bytes.isEmpty, "what is held goes first")
        if rest.count > 0 { bytes = Array(rest) }
    }

    /// Lends what is left; `body` says how many of them were taken.
    mutating func pass(_ body: (UnsafeRawBufferPointer) -> Int) {
        start += bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        if start == bytes.count { drop() }
    }

    mutating func drop() {
        bytes = []
        start = 0
    }
}

/// A connection that begins with a handshake, on its way from the HTTP thread.
struct ArrivingConnection: Sendable {
    let descriptor: Int32
    let listener: Int
    let peer: HTTPPeer
    let addressKey: AddressKey?
}

/// A connection whose handshake is done, on its way to the HTTP thread, which closes the descriptor.
struct HandedConnection: Sendable {
    /// One end of a pair; plain bytes.
    let descriptor: Int32
    let listener: Int
    let peer: HTTPPeer
    let addressKey: AddressKey?
    /// The address that the client called, as text.
    let localHost: String
    /// The HTTP thread accepted it, and has counted it then.
    let isCounted: Bool
}
