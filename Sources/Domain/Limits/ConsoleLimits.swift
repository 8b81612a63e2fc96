/// What the technicians' pages hold.
extension Limits {
    /// Instances of one page of the list: a few thumb strokes on a phone, and some 20 KB of page.
    package static let consoleRowsMax = 25
    /// Instances in trouble that stand before the list: so many fit on a phone beside the sentence.
    package static let consoleTroubleRowsMax = 5
    /// Instances that a service's own page shows, the worst first: nobody reads more, and with 64 pairs of metadata each is 50 KB.
    package static let consoleInstancesMax = 50
    /// What may be searched for; the longest name has 64 bytes, the longest host 253.
    package static let consoleSearchBytesMax = 256
    /// Pages that wait to be made. One takes some 70 ms with the most instances that a node holds (0.5 µs each), so the
    /// last waits for two seconds.
    package static let consoleWaitingMax = 32
    /// Until a page that was asked for is given up.
    package static let consolePageMax: Duration = .seconds(10)
    /// One asset that is read from disk while editing.
    package static let consoleAssetBytesMax = 1 << 20
}
