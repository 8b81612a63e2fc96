import Domain
import Synchronization

/// A body without an end that is known beforehand: server-sent events, NDJSON that follows changes.
///
/// Put it into `HTTPBody.stream`, then push from any thread. What a client cannot take is kept up to `Limits.httpStreamQueueBytesMax`;
/// then the client is cut off, for it would never catch up.
package final class HTTPStream: Sendable {
    private struct State: Sendable {
        var queue: [UInt8] = []
        var sent = 0
        var ended = false
        /// The reader found nothing and the connection sleeps.
        var asleep = false
        var id: UInt64 = 0
        var mailbox: Mailbox?
    }

    private let state = Mutex(State())
    private let onIdle: @Sendable () -> Void
    private let onClosed: @Sendable () -> Void

    /// - Parameters:
    ///   - onIdle: called on the HTTP thread whenever the kernel has taken all that was pushed; it may push more.
    ///   - onClosed: called once, on the HTTP thread, when the last byte is sent or the client is gone.
    package init(onIdle: @escaping @Sendable () -> Void = {}, onClosed: @escaping @Sendable () -> Void = {}) {
        self.onIdle = onIdle
        self.onClosed = onClosed
    }

    /// Queues `bytes` for sending.
    ///
    /// - Returns: false when the stream is closed or the client too slow; nothing was queued then, and nothing will be.
    @discardableResult
    package func push(_ bytes: [UInt8]) -> Bool {
        let (taken, mailbox, request): (Bool, Mailbox?, Mailbox.Request) = state.withLock { state in
            if state.ended { return (false, nil, .stop) }
            guard state.queue.count - state.sent + bytes.count <= Limits.httpStreamQueueBytesMax else {
                state.ended = true
                return (false, state.mailbox, .cut(id: state.id))
            }
            if state.sent > 0, state.sent * 2 > state.queue.count {
                state.queue.removeFirst(state.sent)
                state.sent = 0
            }
            state.queue.append(contentsOf: bytes)
            defer { state.asleep = false }
            return (true, state.asleep ? state.mailbox : nil, .stream(id: state.id))
        }
        mailbox?.post(request)
        return taken
    }

    /// Ends the body after what is queued.
    package func close() {
        let (mailbox, id): (Mailbox?, UInt64) = state.withLock { state in
            state.ended = true
            defer { state.asleep = false }
            return (state.asleep ? state.mailbox : nil, state.id)
        }
        mailbox?.post(.stream(id: id))
    }

    /// Pushed, and not yet taken by the kernel.
    package var queuedBytes: Int { state.withLock { $0.queue.count - $0.sent } }

    package var isClosed: Bool { state.withLock { $0.ended } }

    /// The connection that will carry it. On the HTTP thread, before libmicrohttpd asks for the first byte.
    func attach(id: UInt64, mailbox: Mailbox) {
        state.withLock { state in
            state.id = id
            state.mailbox = mailbox
        }
    }

    enum Read { case bytes(Int), end, asleep }

    /// Copies what waits into `buffer`; calls `sleep` under the lock if nothing does, so that no push falls in between.
    func read(into buffer: UnsafeMutableRawBufferPointer, sleep: () -> Void) -> Read {
        let read = take(into: buffer, sleep: sleep)
        if case .asleep = read { onIdle() }
        return read
    }

    private func take(into buffer: UnsafeMutableRawBufferPointer, sleep: () -> Void) -> Read {
        state.withLock { state in
            let count = min(buffer.count, state.queue.count - state.sent)
            if count > 0 {
                state.queue.withUnsafeBytes {
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[state.sent..<state.sent + count]))
                }
                state.sent += count
                if state.sent == state.queue.count {
                    state.queue.removeAll(keepingCapacity: state.queue.capacity <= 16_384)
                    state.sent = 0
                }
                return .bytes(count)
            }
            if state.ended { return .end }
            state.asleep = true
            sleep()
            return .asleep
        }
    }

    /// The client is gone, or everything is sent.
    func detach() {
        state.withLock { state in
            state.ended = true
            state.asleep = false
            state.mailbox = nil
            state.queue = []
            state.sent = 0
        }
        onClosed()
    }
}
