import Synchronization

/// Tells whoever deletes what is no longer kept that there is something to do: a stream has passed its bound, or a request found no room.
///
/// The writer raises it after a commit, and wakes the other once; more wakes come only after it was taken.
package final class RetentionSignal: Sendable {
    private let raised = Atomic<Bool>(false)
    private let wake = Mutex<(@Sendable () -> Void)?>(nil)

    /// - Parameter wake: called on the writer's thread; must not wait. Before the writer starts.
    package func onRaise(_ wake: @escaping @Sendable () -> Void) { self.wake.withLock { $0 = wake } }

    package var isRaised: Bool { raised.load(ordering: .relaxed) }

    /// Whether it was raised since the last call.
    package func take() -> Bool { raised.exchange(false, ordering: .acquiring) }

    func raise() {
        // Read first: under load it is raised already, and the line stays shared.
        guard !isRaised, !raised.exchange(true, ordering: .releasing) else { return }
        wake.withLock { $0 }?()
    }
}
