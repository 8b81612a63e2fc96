import CPlatform
import Domain
import Glibc
import Store
import Synchronization

/// A sink at work: one thread that carries out what `SinkMachine` decides.
///
///     journal ──read──▶ batch ──transport──▶ receiver
///        ▲                                      │
///        └── cursor, durable ◀── machine ◀── ack┘
///
/// Nothing is deleted before its cursor is durable: `keptAfter` tells retention what the cursor on the disk says.
// SAFETY: `thread` and `isStarted` belong to whoever calls `start` and `stop`; what is behind `Mutex` or `Atomic` is anybody's; `loop` is made by
// and stays with the sink's thread.
package final class UplinkSink: @unchecked Sendable {
    package struct Options: Sendable {
        package var name: String
        package var url: String
        package var nodeID: String
        package var settings: SinkMachine.Settings
        package var compressionLevel: Int

        package init(name: String, url: String, nodeID: String, settings: SinkMachine.Settings, compressionLevel: Int) {
            self.name = name
            self.url = url
            self.nodeID = nodeID
            self.settings = settings
            self.compressionLevel = compressionLevel
        }
    }

    /// What other threads ask of it.
    enum Command: Sendable {
        case probe(@Sendable (SinkReport) -> Void)
        case redrive(stream: String, seq: UInt64)
    }

    /// For the log; on the sink's thread.
    package enum Event: Sendable {
        case breakerOpened(reason: String)
        case breakerClosed
        case linkBack(outageSeconds: Int)
        case deadLetter(stream: String, seq: UInt64, code: String)
        case dropped(stream: String, records: UInt64)
        case epochBegan(UInt32)
        case cloned
        case unauthorised(status: Int)
        case storeFailed(String)
    }

    package let options: Options
    let sources: [SinkSource]
    let state: StoreWriter
    let bulk: StoreWriter
    let time: TimeSource
    let makeTransport: @Sendable (_ isStopped: @escaping @Sendable () -> Bool) -> any UplinkTransport
    let tell: @Sendable (Event) -> Void
    let isStopping = Atomic<Bool>(false)
    private let wakeUp: UnsafeMutablePointer<sem_t>
    /// 0 at work, 1 asleep until something new, 2 asleep until a time, whatever comes.
    private let sleep = Atomic<UInt8>(0)
    private let commands = Mutex<[Command]>([])
    let board: Mutex<SinkReport>
    /// By the place in `sources`: through which the cursor on the disk says that nothing has to be sent.
    let durable: [DurableMark]
    private var thread = pthread_t()
    private var isStarted = false

    final class DurableMark: Sendable {
        let through = Atomic<UInt64>(0)
    }

    package init(
        _ options: Options, sources: [SinkSource], state: StoreWriter, bulk: StoreWriter, time: TimeSource,
        makeTransport: @escaping @Sendable (_ isStopped: @escaping @Sendable () -> Bool) -> any UplinkTransport,
        tell: @escaping @Sendable (Event) -> Void
    ) {
        self.options = options
        self.sources = sources
        self.state = state
        self.bulk = bulk
        self.time = time
        self.makeTransport = makeTransport
        self.tell = tell
        durable = sources.map { _ in DurableMark() }
        wakeUp = .allocate(capacity: 1)
        sem_init(wakeUp, 0, 0)
        board = Mutex(
            SinkReport(
                name: options.name, url: options.url, epoch: state.journal.epoch, breaker: "closed", failures: 0, state: "waiting",
                lastAck: nil, lastFailure: nil, lastFailureAt: nil, oldestWaiting: nil, recordsPerSecond: 0, streams: [], deadLetters: 0,
                batches: 0, records: 0, sentBytes: 0, failuresTotal: 0))
    }

    deinit {
        sem_destroy(wakeUp)
        wakeUp.deallocate()
    }

    // MARK: Any thread

    /// As the thread last told it, with what came into the streams since.
    package var report: SinkReport {
        var report = board.withLock { $0 }
        for (index, source) in sources.enumerated() where index < report.streams.count {
            let head = source.journal.head(source.stream)
            guard head > report.streams[index].head else { continue }
            let position = source.journal.position(source.stream)
            let new = head - report.streams[index].head
            report.streams[index].head = head
            report.streams[index].lagRecords += new
            report.streams[index].lagBytes += new * (position.records > 0 ? position.bytes / position.records : 512)
        }
        return report
    }

    /// Nothing after this seq may be deleted for room or age; nil: the sink does not send this stream.
    package func keptAfter(_ stream: String) -> UInt64? {
        sources.firstIndex { $0.name == stream }.map { durable[$0].through.load(ordering: .acquiring) }
    }

    /// A writer's thread, after each commit.
    package func committed() {
        if sleep.load(ordering: .relaxed) == 1, sleep.exchange(0, ordering: .acquiringAndReleasing) == 1 { sem_post(wakeUp) }
    }

    /// Tries now, whatever back-off and breaker say; `completion` gets the report after the try.
    package func probe(_ completion: @escaping @Sendable (SinkReport) -> Void) { post(.probe(completion)) }

    /// Has a dead letter sent again, once; `completion` is called on the writer's thread.
    ///
    /// - Throws: the writer takes nothing now.
    package func redrive(
        _ id: UInt64, principal: String, completion: @escaping @Sendable (RedriveOutcome) -> Void
    ) throws(StoreError) {
        try state.submit(
            RedriveRequest(id, principal: principal) { [self] outcome in
                if case .accepted(let letter) = outcome { post(.redrive(stream: letter.stream, seq: letter.seq)) }
                completion(outcome)
            })
    }

    private func post(_ command: Command) {
        commands.withLock { $0.append(command) }
        wakeNow()
    }

    func takeCommands() -> [Command] {
        commands.withLock { commands in
            defer { commands.removeAll() }
            return commands
        }
    }

    private func wakeNow() {
        sleep.store(0, ordering: .releasing)
        sem_post(wakeUp)
    }

    // MARK: Life

    package func start() {
        precondition(!isStarted, "a sink starts once")
        isStarted = true
        // SAFETY: the thread takes over the reference that is retained here.
        let argument = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                posto_name_thread("posto-uplink")
                // SAFETY: balances passRetained in `start`.
                let sink = Unmanaged<UplinkSink>.fromOpaque(argument!).takeRetainedValue()
                SinkLoop(sink).run()
                return nil
            }, argument)
        precondition(code == 0, "no thread for the uplink")
    }

    /// Ends what is under way, keeps the cursors, and joins the thread. Before the writers stop.
    package func stop() {
        guard isStarted else { return }
        isStarted = false
        isStopping.store(true, ordering: .releasing)
        wakeNow()
        pthread_join(thread, nil)
    }

    /// The sink's thread: sleeps until `until`, a commit if `hears`, a command, or the end.
    func sleep(until: Uptime?, hears: Bool) {
        sleep.store(hears ? 1 : 2, ordering: .releasing)
        defer { sleep.store(0, ordering: .releasing) }
        let now = time.uptime()
        // At least each second, so that the report stays fresh.
        let milliseconds = min(1_000, max(0, until.map { ($0 - now).wholeMilliseconds } ?? 1_000))
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_nsec += Int(milliseconds % 1_000) * 1_000_000
        deadline.tv_sec += Int(milliseconds / 1_000) + deadline.tv_nsec / 1_000_000_000
        deadline.tv_nsec %= 1_000_000_000
        while sem_timedwait(wakeUp, &deadline) != 0, errno == EINTR {}
        // What was posted meanwhile is one reason to look, not many.
        while sem_trywait(wakeUp) == 0 {}
    }
}
