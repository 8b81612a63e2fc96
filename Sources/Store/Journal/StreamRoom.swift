import Domain

/// The room that a stream takes in the file, held against its bound. A value.
///
///     bound ── wanted ───────────── forced ──▶
///       │ kept  │ housekeeping deletes  │ the writer deletes, in the commit that would pass it
///
/// Room is bytes of records, or the pages of the table where those are much more: a record of 2,100 bytes has a page of its own.
struct StreamRoom: Equatable {
    /// Bytes of records to delete until the stream is within its bound; 0 if it is, or if nothing of it may be deleted for room.
    let excess: UInt64
    private let roomOver: UInt64

    init(_ row: StreamRow, pages: Int) {
        guard row.policy.whenFull == .dropOldest, let bound = row.policy.bytesMax else {
            excess = 0
            roomOver = 0
            return
        }
        // Tables that are appended to are 89 to 98 % full: a fifth more than the records is no waste, nor are the ends of a small one.
        let taken = UInt64(max(0, pages - 8) * StoreEnvironment.pageBytes) / 16 * 13
        let room = max(row.bytes, taken)
        roomOver = room > bound ? room - bound : 0
        excess = room == row.bytes || room == 0 ? roomOver : UInt64(Double(roomOver) / Double(room) * Double(row.bytes))
    }

    /// It has passed its bound by more than one small record: somebody should delete. The distance keeps a quiet node from a deletion each commit.
    func isWanted(budgetBytes: Int) -> Bool { roomOver > UInt64(budgetBytes / Limits.streamOverWantedShare) }

    /// Nobody has deleted in time.
    func isForced(budgetBytes: Int) -> Bool { roomOver > UInt64(budgetBytes / Limits.streamOverForcedShare) }

    /// Where room cannot matter yet, so that pages need not be counted: they are never four times the records.
    static func isFar(_ row: StreamRow) -> Bool { row.policy.bytesMax.map { row.bytes < $0 / 4 } ?? true }
}
