import Domain

/// What a salvage found, kept and left behind.
package struct SalvageReport: Equatable, Sendable {
    /// Pages of the damaged file.
    package var pages: UInt64 = 0
    /// Leaf pages among them, freed ones too.
    package var leafPages: UInt64 = 0
    /// Records whose CRC was right.
    package var found: UInt64 = 0
    /// Records of the new environment.
    package var kept: UInt64 = 0
    /// Records in use that were not what had been written; of freed pages too, if no meta page tells which are in use.
    package var damaged: UInt64 = 0
    /// Older versions, and second copies on freed pages.
    package var superseded: UInt64 = 0
    /// Records at or before the trim mark of their stream.
    package var trimmed: UInt64 = 0
    /// Rows that a later record of a stream tells are removed.
    package var removed: UInt64 = 0
    /// Pieces of records of which another piece is lost.
    package var incomplete: UInt64 = 0
    /// Records of tables whose name could not be found.
    package var unnamed: UInt64 = 0
    /// The epoch of the new environment: one above the highest seen, because sequence numbers may have been lost and will be given again.
    package var epoch: UInt64 = 0
    /// 1 if the store's id was among what is lost: the node must be given a new one, in this epoch or a later one.
    package var identityLost: UInt64 = 0
    /// Records kept, by table id.
    package var keptByTable: [UInt8: UInt64] = [:]

    package init() {}

    private static let counters: [any WritableKeyPath<SalvageReport, UInt64> & Sendable] = [
        \.pages, \.leafPages, \.found, \.kept, \.damaged, \.superseded, \.trimmed, \.removed, \.incomplete, \.unnamed, \.epoch,
        \.identityLost,
    ]

    /// As it goes through the pipe: numbers of eight bytes, then a pair for each table.
    var encoded: [UInt8] {
        let numbers =
            Self.counters.map { self[keyPath: $0] } + keptByTable.sorted { $0.key < $1.key }.flatMap { [UInt64($0.key), $0.value] }
        return numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) } }
    }

    init?(encoded: [UInt8]) {
        guard encoded.count % 8 == 0, encoded.count / 8 >= Self.counters.count, encoded.count / 8 % 2 == Self.counters.count % 2 else {
            return nil
        }
        let numbers = stride(from: 0, to: encoded.count, by: 8).map { start in
            encoded[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        for (index, counter) in Self.counters.enumerated() { self[keyPath: counter] = numbers[index] }
        for index in stride(from: Self.counters.count, to: numbers.count, by: 2) {
            keptByTable[UInt8(truncatingIfNeeded: numbers[index])] = numbers[index + 1]
        }
    }

    /// For the evidence.
    var numbers: [(name: String, value: UInt64)] {
        [
            ("pages", pages), ("leafPages", leafPages), ("found", found), ("kept", kept), ("damaged", damaged), ("superseded", superseded),
            ("trimmed", trimmed), ("removed", removed), ("incomplete", incomplete), ("unnamed", unnamed), ("epoch", epoch),
            ("identityLost", identityLost),
        ] + keptByTable.sorted { $0.key < $1.key }.map { ("keptOfTable\($0.key)", $0.value) }
    }

    /// One sentence for logs and health.
    package var summary: String {
        "\(kept) records kept of \(found) found on \(pages) pages; "
            + "\(damaged) damaged, \(superseded) older, \(trimmed) trimmed, \(removed) removed, \(incomplete) incomplete, \(unnamed) of unknown tables left behind"
    }
}
