extension Limits {
    // MARK: Records

    /// Bytes of a stored value, header included. Above it LMDB needs contiguous pages, which fragmentation takes away first:
    /// one page (4,096) less its own header of 16.
    package static let valueBytesMax = 4_080
    /// Bytes of a payload: a value less the record header of 24.
    package static let payloadBytesMax = valueBytesMax - 24
    /// Bytes of a key; LMDB's compiled-in limit (`mdb_env_get_maxkeysize`).
    package static let keyBytesMax = 511

    // MARK: Environment

    /// Reader slots in the lock file. One a thread that reads at the same time; 512 is far above our threads and costs 32 KiB.
    package static let readersMax: UInt32 = 512
    /// Named tables of an environment. Each write transaction copies the table of tables, so it is not simply "many".
    package static let tablesMax = 64
    /// The smallest map: address space only, so that the budget, never the map, is the limit.
    package static let mapBytesMin = 16 << 30

    /// By how much a map grows that is full all the same, and how often at most: a leak that eats more has to be seen by somebody.
    package static let mapGrowthBytes = 64 << 20
    package static let mapGrowthPause = Duration.seconds(3_600)
    /// How long the writer waits for read transactions to end before it gives up to move the map; they last a second at most, but for backups.
    package static let mapGateWait = Duration.seconds(2)

    // MARK: Group commit

    /// Requests in one commit: beyond it the cost of a request no longer falls.
    package static let batchRequestsMax = 256
    /// Bytes of values in one commit: bounds the time a request waits for its neighbours' bytes.
    package static let batchBytesMax = 1 << 20
    /// Dirty pages in one commit, estimated from above: LMDB must never spill (it leaks memory when it does, ITS#9155).
    package static let batchPagesMax = 2_000
    /// Requests that wait for the writer. At 5,000 commits of 256 it is 13 ms of work on a fast disk and some seconds on a slow one.
    package static let writerQueueMax = 16_384
    /// One commit of a paced environment (`bulk.mdb`) each this long: its flushes must not queue before those of `state.mdb`.
    package static let bulkPace = Duration.milliseconds(250)

    // MARK: Space

    /// How much of the budget each priority may use, in percent: what is above is kept for those that matter more.
    package static let bulkSharePercent = 75
    package static let businessSharePercent = 85
    package static let stateSharePercent = 95
    package static let auditSharePercent = 100
    /// Free space of the file system below which only audit is accepted; also what separates "full" from "failed" after EIO.
    /// Sixteen mebibytes: eight commits of the largest size, so that the last one before it is still whole.
    package static let diskFreeBytesMin = 16 << 20
    /// How often the free space is asked at most: statvfs costs some microseconds, and a commit some hundred.
    package static let diskCheckInterval = Duration.milliseconds(100)
    /// The ballast file, where the file system cannot preallocate.
    package static let ballastBytesMax = 64 << 20
    /// The step in which the ballast grows again, so that one call does not hold the housekeeping thread.
    package static let ballastStepBytes = 4 << 20

    // MARK: Streams

    /// Streams of an environment: table ids 128…255.
    package static let streamsMax = 128
    /// Bytes of one record of a stream after encoding: a 1 MiB body and its envelope. Longer payloads are files.
    package static let journalRecordBytesMax = (1 << 20) + (64 << 10)
    /// Records between two checkpoints of a chained stream.
    package static let checkpointRecords: UInt64 = 1_000
    /// Time between two checkpoints of a chained stream to which something was added.
    package static let checkpointInterval = Duration.seconds(300)
    /// Records of a deletion slice: 1,000 take 0.7 ms when read beforehand; 10,000 held the writer for 60 ms.
    package static let sliceRecordsMax = 1_000
    /// Pages of a deletion slice: each freelist entry then stays within one page (509 ids).
    package static let slicePagesMax = 400
    /// A stream that has passed its bound by this share of the budget (1 of 256) wakes housekeeping: less would be a deletion each commit.
    package static let streamOverWantedShare = 256
    /// A stream that has passed its bound by this share of the budget (1 of 64) is cut by the writer itself: two of them stay far below the
    /// shares, however fast records come.
    package static let streamOverForcedShare = 64
    /// Records after which a long walk renews its read transaction, so that freed pages can be used again.
    package static let walkRecordsMax = 1_000

    // MARK: Idempotency

    /// Bytes of an idempotency key, producer included.
    package static let idempotencyKeyBytesMax = 256
    /// Bytes of an answer that is kept for a repeated request: with key and header it stays within one value.
    package static let idempotencyAnswerBytesMax = 3 << 10
    /// How long a key is remembered.
    package static let idempotencyAge = Duration.seconds(86_400)
    /// The share of the budget (1 of 8) that remembered keys may take; beyond it the oldest give way to new ones. 128 MiB by default.
    package static let idempotencyBudgetShare = 8
    /// How many keys are remembered.
    package static let idempotencyKeysMax: UInt64 = 1_000_000
}
