import CTLS
import Glibc

/// One side of a TLS connection on a socket that never waits. Owned by one thread.
///
/// Nothing here waits or watches the clock: whoever has the session asks the kernel when to go on, and decides how long.
package struct TLSSession: ~Copyable {
    package enum Step: Equatable, Sendable {
        case done
        /// Nothing more until the socket is readable, or writable.
        case wantsRead, wantsWrite
        /// It is over; in libssl's words.
        case failed(String)
    }

    package enum Transfer: Equatable, Sendable {
        case bytes(Int)
        case wantsRead, wantsWrite
        /// The other side sent its last byte.
        case end
        case failed(String)
    }

    private let raw: OpaquePointer

    /// The server's side. The descriptor stays the caller's.
    package init(_ identity: TLSServerIdentity, descriptor: Int32) {
        raw = Self.make(identity.context, descriptor)
        SSL_set_accept_state(raw)
    }

    init(client context: OpaquePointer, descriptor: Int32, name: String) {
        raw = Self.make(context, descriptor)
        precondition(posto_tls_set_name(raw, name) == 1 && SSL_set1_host(raw, name) == 1)
        SSL_set_connect_state(raw)
    }

    private static func make(_ context: OpaquePointer, _ descriptor: Int32) -> OpaquePointer {
        guard let raw = SSL_new(context), SSL_set_fd(raw, descriptor) == 1 else { preconditionFailure("libssl has no memory") }
        return raw
    }

    deinit { SSL_free(raw) }

    /// Goes on with the handshake as far as the bytes that came allow.
    package mutating func handshake() -> Step {
        ERR_clear_error()
        let result = SSL_do_handshake(raw)
        if result == 1 { return .done }
        switch SSL_get_error(raw, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        default: return .failed(failure())
        }
    }

    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        ERR_clear_error()
        let result = SSL_read(raw, buffer.baseAddress, Int32(clamping: buffer.count))
        return result > 0 ? .bytes(Int(result)) : outcome(result)
    }

    /// May take a part only: a record at a time.
    package mutating func write(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        ERR_clear_error()
        let result = SSL_write(raw, bytes.baseAddress, Int32(clamping: bytes.count))
        return result > 0 ? .bytes(Int(result)) : outcome(result)
    }

    /// Says that nothing more comes (close_notify), as far as the socket takes it now.
    package mutating func end() {
        ERR_clear_error()
        if SSL_in_init(raw) == 0 { _ = SSL_shutdown(raw) }
        ERR_clear_error()
    }

    /// A client goes on with what another of its connections has agreed on. Before the handshake.
    package mutating func resume(_ other: borrowing TLSSession) {
        guard let session = SSL_get1_session(other.raw) else { return }
        SSL_set_session(raw, session)
        SSL_SESSION_free(session)
    }

    /// Asks the other side for new keys too (RFC 8446 §4.6.3); goes out with what is written next. TLS 1.3 only.
    package mutating func askForNewKeys() { _ = SSL_key_update(raw, SSL_KEY_UPDATE_REQUESTED) }

    /// What both sides agreed on, once the handshake is done.
    package mutating func agreement() -> (isVersion13: Bool, isResumed: Bool) {
        (SSL_version(raw) == TLS1_3_VERSION, SSL_session_reused(raw) == 1)
    }

    private borrowing func outcome(_ result: Int32) -> Transfer {
        switch SSL_get_error(raw, result) {
        case SSL_ERROR_WANT_READ: .wantsRead
        case SSL_ERROR_WANT_WRITE: .wantsWrite
        case SSL_ERROR_ZERO_RETURN: .end
        default: .failed(failure())
        }
    }

    private borrowing func failure() -> String {
        let reason = errno
        if ERR_peek_error() != 0 { return TLSLibrary.takeError() }
        return reason == 0 ? "the connection ended" : String(cString: strerror(reason))
    }
}
