/// A fault that is put into the simulated world on purpose: the checker must find each of them, or it proves nothing.
///
/// The list is data: every case runs as a test of its own.
enum Plant: String, CaseIterable, Sendable {
    /// The producer has its answer before the disk has the record.
    case answerBeforeCommit
    /// A commit of the node that is not on the disk.
    case skippedSync
    /// The cursor is written when a batch is sent, not when it is acknowledged.
    case cursorAtSend
    /// Records are deleted by what memory knows, before the cursor is on the disk.
    case deletedBeforeCursor
    /// Records are deleted whether they were acknowledged or not.
    case deletedUnsent
    /// The receiver stores whatever comes.
    case noDeduplication
    /// The receiver answers before its own commit.
    case receiverAnswersBeforeCommit
    /// The receiver keeps data and marks in two commits.
    case marksApartFromData
    /// An ack counts whatever request it belongs to.
    case digestIgnored
    /// Any 200 counts as an ack.
    case portalBelieved
    /// A restored node goes on in its old epoch, and its receiver does not compare bytes.
    case epochKeptAndNothingCompared
    /// The receiver takes what comes in an older epoch.
    case noFence
    /// A fenced node drops what it was sending instead of beginning an epoch.
    case fenceMeansDone
    /// The node believes that the receiver has what it never confirmed to it.
    case wordBelievedUpwards
    /// The node passes over what the receiver says it misses.
    case gapsIgnored
    /// The node goes by its own cursor and does not ask.
    case resumeIgnored
    /// A refused record is passed over and kept nowhere.
    case rejectForgotten
}
