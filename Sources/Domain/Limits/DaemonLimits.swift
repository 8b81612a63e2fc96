extension Limits {
    /// Bytes of the state environment up to which a daily copy is kept beside it: half a minute of writing on slow flash, once a day.
    package static let lastGoodCopyBytesMax = 256 * 1024 * 1024

    /// Longest time that a stop waits for answers that are under way.
    package static let drainMax: Duration = .seconds(10)
}
