extension Limits {
    /// Probes with a connection at once. Each has a socket; at 2 s a probe this is still 64 a second of the slowest kind.
    package static let probesInFlightMax = 128
    /// Probes that wait for their turn: one for each instance of a full node.
    package static let probesQueuedMax = 131_072
    /// Of a probe's answer; its status has come by then.
    package static let probeBodyBytesMax = 65_536
    /// An answer that the command line keeps in memory; larger ones are streamed.
    package static let callerReplyBytesMax = 256 << 20
    /// Header lines of an answer, in all.
    package static let callerHeadBytesMax = 256 << 10
    /// Until the command line gives up on reaching the daemon.
    package static let callerConnectTimeout = Duration.seconds(5)
}
