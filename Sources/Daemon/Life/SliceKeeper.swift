import Domain
import Store
import Synchronization

/// Decides when the next slice of deletions may be handed to a writer. A value.
///
/// One slice at a time, planned when the last one is done: deleting keeps up with writing, however fast that is. While others wait for the
/// writer only one commit in four holds a slice; when nobody does, they follow each other.
struct SlicePace: Equatable, Sendable {
    /// Commits of others between two slices.
    static let restCommits: UInt64 = 3

    private(set) var isUnderWay = false
    private var notBefore: UInt64 = 0

    func mayBegin(commits: UInt64, queued: Int) -> Bool {
        !isUnderWay && (queued == 0 || commits >= notBefore)
    }

    mutating func began() {
        precondition(!isUnderWay, "a slice is under way")
        isUnderWay = true
    }

    mutating func ended(commits: UInt64) {
        isUnderWay = false
        notBefore = commits + Self.restCommits
    }
}

/// Something that keeps a bounded past.
protocol SliceSource {
    /// Plans a slice of what is no longer kept; nil if nothing is due.
    ///
    /// - Parameter done: called on the writer's thread when the slice is committed or failed.
    func plan(
        now: Timestamp, isClockTrusted: Bool, done: @escaping @Sendable (_ error: StoreError?) -> Void
    ) throws(StoreError) -> (any WriteRequest)?
}

/// The oldest records of a stream.
struct StreamSliceSource: SliceSource {
    let stream: StreamID
    let environment: StoreEnvironment

    func plan(
        now: Timestamp, isClockTrusted: Bool, done: @escaping @Sendable (StoreError?) -> Void
    ) throws(StoreError) -> (any WriteRequest)? {
        try RetentionSlice.plan(stream, in: environment, now: now, isClockTrusted: isClockTrusted) { result in
            if case .failure(let error) = result { done(error) } else { done(nil) }
        }
    }
}

/// Answers that idempotency keys repeat.
struct IdempotencySliceSource: SliceSource {
    let environment: StoreEnvironment

    func plan(
        now: Timestamp, isClockTrusted: Bool, done: @escaping @Sendable (StoreError?) -> Void
    ) throws(StoreError) -> (any WriteRequest)? {
        try IdempotencySlice.plan(in: environment, now: now, isClockTrusted: isClockTrusted, onDone: done)
    }
}

/// Deletes what streams and tables no longer keep, in slices, for one writer. On housekeeping's thread.
///
/// A source that has more than a slice stays wanted and is asked again in turn with the others until it has nothing left.
// SAFETY: `ended` is behind a Mutex, and is all that the writer's thread touches; the rest belongs to housekeeping's thread.
final class SliceKeeper: @unchecked Sendable {
    private let sources: [any SliceSource]
    private let writer: StoreWriter
    private let wake: @Sendable () -> Void
    private let ended = Mutex<(isOver: Bool, error: StoreError?)>((false, nil))
    private var pace = SlicePace()
    /// Sources that may have something to delete, the next first.
    private var wanted: [Int] = []
    private var current = 0
    private var heeded: Uptime?

    /// How often the writer's signal makes it look at all sources again.
    static let heedPause = Duration.milliseconds(50)

    /// - Parameter wake: brings housekeeping back when a slice is done.
    init(writer: StoreWriter, sources: [any SliceSource], wake: @escaping @Sendable () -> Void) {
        self.writer = writer
        self.sources = sources
        self.wake = wake
        writer.retention.onRaise(wake)
    }

    /// Looks at all sources again if the writer says that there is something to do; not more often than each `heedPause`.
    func heed(_ now: Uptime) {
        if let heeded, now < heeded + Self.heedPause { return }
        guard writer.retention.take() else { return }
        heeded = now
        wantAll()
    }

    /// The writer has said so, and was not heeded yet.
    var isCalled: Bool { writer.retention.isRaised }

    /// Looks at all sources again.
    func wantAll() {
        for source in sources.indices where !wanted.contains(source) { wanted.append(source) }
    }

    /// There is something to do, and it waits for others' commits only.
    var isWaiting: Bool { !wanted.isEmpty && !pace.isUnderWay }

    /// Takes what is done, and hands over the next slice if it may.
    ///
    /// - Returns: why a slice could not be planned or done; that source waits until it is wanted again.
    func turn(now: Timestamp, isClockTrusted: Bool) -> StoreError? {
        var failure = takeEnd()
        while pace.mayBegin(commits: writer.figures.batches.load(ordering: .relaxed), queued: writer.queued), let source = wanted.first {
            wanted.removeFirst()
            do throws(StoreError) {
                let slice = try sources[source].plan(now: now, isClockTrusted: isClockTrusted) { [self] error in end(error) }
                guard let slice else { continue }
                try writer.submit(slice)
                pace.began()
                current = source
            } catch {
                failure = error
            }
        }
        return failure
    }

    private func takeEnd() -> StoreError? {
        let (isOver, error) = ended.withLock { ended in
            defer { ended = (false, nil) }
            return ended
        }
        guard isOver else { return nil }
        pace.ended(commits: writer.figures.batches.load(ordering: .relaxed))
        if error == nil, !wanted.contains(current) { wanted.append(current) }
        return error
    }

    /// The writer's thread.
    private func end(_ error: StoreError?) {
        ended.withLock { $0 = (true, error) }
        wake()
    }
}
