import Synchronization

/// What the TLS thread counts; any thread may read it.
package final class TLSGauges: Sendable {
    /// Why a connection never got as far as a request.
    package enum Failure: Int, CaseIterable, Sendable {
        /// What came is no handshake that we take: too old a version, no common cipher, an authority that the client does not know, noise.
        case refused
        /// The handshake did not end in time.
        case timedOut
        /// HTTP without TLS.
        case plain
        /// The client left before the end of the handshake.
        case left
        /// Too many connections, from one address or together.
        case crowded

        package var name: StaticString {
            switch self {
            case .refused: "refused"
            case .timedOut: "timed_out"
            case .plain: "plain_http"
            case .left: "left"
            case .crowded: "crowded"
            }
        }
    }

    private let open = Atomic<Int>(0)
    private let unfinished = Atomic<Int>(0)
    private let handshakes12 = Atomic<UInt64>(0)
    private let handshakes13 = Atomic<UInt64>(0)
    private let resumptions = Atomic<UInt64>(0)
    private let failures = Mutex([UInt64](repeating: 0, count: Failure.allCases.count))
    private let threadClock = Atomic<Int32>(0)

    /// Connections open now, those in their handshake included.
    package var connections: Int { open.load(ordering: .relaxed) }
    /// Connections that have not ended their handshake.
    package var handshaking: Int { unfinished.load(ordering: .relaxed) }
    /// Handshakes that ended well, by version.
    package var completed: (tls12: UInt64, tls13: UInt64) {
        (handshakes12.load(ordering: .relaxed), handshakes13.load(ordering: .relaxed))
    }
    /// Those of them that went on with an earlier session.
    package var resumed: UInt64 { resumptions.load(ordering: .relaxed) }
    package var failed: [(failure: Failure, count: UInt64)] {
        let counts = failures.withLock { $0 }
        return zip(Failure.allCases, counts).map { (failure: $0, count: $1) }
    }
    /// The clock of what the thread has used of the processor (pthread_getcpuclockid(3)); 0 before it runs.
    package var cpuClock: Int32 { threadClock.load(ordering: .relaxed) }

    // The TLS thread is the only writer: a load and a store instead of a locked instruction.
    func setOpen(_ count: Int, unfinished waiting: Int) {
        open.store(count, ordering: .relaxed)
        unfinished.store(waiting, ordering: .relaxed)
    }
    func complete(is13: Bool, isResumed: Bool) {
        let counter = is13 ? handshakes13.load(ordering: .relaxed) : handshakes12.load(ordering: .relaxed)
        if is13 { handshakes13.store(counter + 1, ordering: .relaxed) } else { handshakes12.store(counter + 1, ordering: .relaxed) }
        if isResumed { resumptions.store(resumptions.load(ordering: .relaxed) + 1, ordering: .relaxed) }
    }
    func fail(_ failure: Failure) { failures.withLock { $0[failure.rawValue] += 1 } }
    func setClock(_ clock: Int32) { threadClock.store(clock, ordering: .relaxed) }
}
