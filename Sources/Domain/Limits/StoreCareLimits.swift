extension Limits {
    /// Slots of a lease board: a little more than the 100,000 instances a node is made for. 1 MiB of a sparse file.
    package static let leaseSlotsMax = 131_072
    /// How often the board is copied to disk at most: what a power cut may cost a renewal.
    package static let leaseCopyPeriod = Duration.seconds(5)
    /// How late a copy may be because the disk was slow; part of the grace after the board itself is lost.
    package static let leaseCopySlack = Duration.seconds(5)
    /// What the copies may write in a day: an eMMC of 8 GB and 3,000 cycles lives 300 years of it, and leaves room for the data.
    package static let leaseCopyBytesPerDayMax = 200_000_000
    /// How often the trusted-time floor is saved at least, with a copy of a board that did not change: 2.5 MB a day.
    package static let timeFloorPeriod = Duration.seconds(300)
    /// What the file system adds to each write, for its time stamps (measured on ext4: 8 kB of its journal).
    package static let leaseCopyOverheadBytes = 8_192

    /// Records that the check at open reads at the end of each stream: more than a day of a quiet one, 10 ms at most.
    package static let checkStreamRecords = 1_000
    /// Records that the check at open reads at each end of every other table.
    package static let checkTableRecords = 32
    /// Records of the list of free pages that the check at open reads.
    package static let checkFreeRecords = 64
    /// Named tables of one environment: 128 streams and at most as many tables.
    package static let checkTablesMax = 256
    /// Seconds after which the check at open counts as hung: a thousand times what it takes on a slow disk.
    package static let checkSecondsMax = 10
    /// Pages that may be missing behind the end of a sound file: freed in the commit that made them, at most its dirty pages.
    package static let checkMissingPagesMax = 4_096
    /// What a child may answer through its pipe: a report, not data.
    package static let childAnswerBytesMax = 256 * 1_024

    /// Records of one commit while a store is rebuilt: 10,000 are some 5 MB of dirty pages, far from the limit of LMDB.
    package static let rebuildRecordsPerCommit = 10_000
    /// Instances of one commit while they are replayed from their records: with all their parts far from LMDB's limit of dirty pages.
    package static let replayRowsPerCommit = 1_000
    /// Bytes of one commit while a store is rebuilt, for records of the largest size.
    package static let rebuildBytesPerCommit = 16 * 1_024 * 1_024
    /// Seconds that a salvage may take before it counts as hung: this, and as much again for each GiB (measured: 8 s for each).
    package static let salvageSecondsMax = 120
    /// Sets of evidence beyond which health asks for them to be fetched; none is ever removed by the daemon.
    package static let evidenceSetsMax = 8

    /// Epochs that a store may have begun since a backup, if it can no longer be asked: one for each salvage or restore in between.
    package static let epochsUnknownMax: UInt32 = 16
    /// The longest key that LMDB 0.9 takes.
    package static let storeKeyBytesMax = 511
    /// The longest value that a backup may hold; the store writes none above 4,080 bytes.
    package static let backupValueBytesMax = 65_536
    /// Bytes read or written at once by backup and restore.
    package static let backupBufferBytes = 256 * 1_024
}
