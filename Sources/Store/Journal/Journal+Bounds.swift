import Domain

extension Journal {
    /// Bytes that a stream which refuses new records still takes, as the batch at work sees it; nil: it refuses none. Writer's thread.
    package func bytesLeft(_ stream: StreamID) -> UInt64? {
        let row = state(stream).row
        guard row.policy.whenFull == .rejectNew, let bytesMax = row.policy.bytesMax else { return nil }
        return bytesMax - min(bytesMax, row.bytes)
    }

    /// What a record takes besides its `data`: keys, header, prefix and envelope, from above.
    package static let recordOverheadBytes = 640
}
