/// What the HTTP door accepts before anybody has said who they are.
extension Limits {
    /// Connections at once, all listeners together. 10,000 watchers are a design point; the rest is room for callers.
    package static let httpConnectionsMax = 20_000
    /// From one network address: a fleet behind one gateway fits, one broken client cannot take everything.
    package static let httpConnectionsPerAddressMax = 256
    /// The request target. Longer than any query of ours; the usual limit of servers (RFC 9112 §3 asks for 8,000).
    package static let httpTargetBytesMax = 8_192
    /// libmicrohttpd's memory for the head of a request and the head of its answer, for each connection.
    /// After the first answer all of it is resident, so an idle connection costs this and 1.2 KiB (measured with 4, 8 and 16 KiB).
    package static let httpConnectionMemoryBytes = 16_384
    /// The same for long polls. One that sleeps in the first request of its connection has touched 5.6 KiB of it (measured with 5,000).
    package static let httpPollMemoryBytes = 16_384
    /// The head of a request, request line included; what remains of the memory is needed for the list of headers.
    package static let httpHeadBytesMax = 12_288
    /// What a reader of a stream may be behind. At 1 KiB an event it is 256 events; then it reads the changes again from where it was.
    package static let httpStreamQueueBytesMax = 256 * 1_024
    /// Bodies below it fit into one Ethernet frame either way, so compression would only cost time.
    package static let httpCompressBytesMin = 1_400
    /// How much of a body that is over its limit we still read so that the client sees the answer and not a reset.
    package static let httpDiscardBytesMax = 4 * 1_024 * 1_024
    /// An identity from outside; longer ones are replaced.
    package static let httpRequestIDBytesMax = 64
    /// A body buffer up to this size stays with its connection for the next request.
    package static let httpBodyKeptBytesMax = 4_096
    /// Connections accepted in one go, so that those already open are served in between.
    package static let httpAcceptsPerTurnMax = 128
    /// Suspended requests woken in one turn of the loop: as many as one commit answers.
    package static let httpWakesPerTurnMax = 256
    /// Lines of libmicrohttpd's log passed on each second; hundreds come when watchers vanish together.
    package static let httpLogLinesPerSecondMax = 10
}
