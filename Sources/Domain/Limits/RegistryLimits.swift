extension Limits {
    /// Instances on one node. The design point is 100,000; the lease board is made for this many slots (1 MiB).
    package static let instancesMax = 131_072

    /// Bytes of one registration's body. 64 metadata pairs and 64 tags at their longest are 52 KB; escapes may triple that.
    package static let registrationBodyBytesMax = 192 * 1024

    /// Renewals in one batch request: one page of work for the HTTP thread (under 3 ms).
    package static let heartbeatBatchMax = 1_000
    package static let heartbeatBatchBodyBytesMax = 1024 * 1024

    /// Characters of an instance id, a tenant and a capability: what a person can read and a key of the store (511 bytes) can hold.
    package static let instanceIDBytesMax = 128
    package static let tenantBytesMax = 64
    package static let capabilityBytesMax = 128
    package static let capabilitiesMax = 64

    package static let metadataPairsMax = 64
    package static let metadataKeyBytesMax = 128
    package static let metadataValueBytesMax = 512
    package static let tagsMax = 64
    package static let tagBytesMax = 128
    package static let healthEndpointBytesMax = 512
    package static let versionBytesMax = 128

    package static let portMin = 1_024
    package static let ttlSecondsMin = 10
    package static let ttlSecondsMax = 3_600

    /// Instances of one page of a list, and rows looked at for it: a filter that matches nothing must not hold the HTTP thread
    /// for longer than a few milliseconds.
    package static let listPageMax = 1_000
    package static let listPageDefault = 100
    package static let listRowsMax = 10_000

    /// Damaged instances that are counted: beyond it the store needs salvage, not figures.
    package static let damagedInstancesMax = 1_000

    /// Faults of one input that are told: a person corrects the first ones, and a body full of unknown fields must not hold the HTTP thread.
    package static let refusalsMax = 32

    /// Names that are compared with one that is not known, to guess what was meant (2 µs each, for every look-up that finds nothing).
    package static let hintCandidatesMax = 64

    /// Instances of one service that one look-up answers.
    package static let lookupInstancesMax = 10_000

    /// Changes of one answer, and their bytes.
    package static let changesPageMax = 1_000
    package static let changesPageDefault = 1_000
    package static let changesPageBytesMax = 4 * 1024 * 1024

    /// Records of one page of server-sent events: two fit into the queue of a stream.
    package static let eventPageBytesMax = 96 * 1024

    /// Longest time that a long poll waits; longer asks are held at it.
    package static let longPollMax: Duration = .seconds(600)
    package static let longPollDefault: Duration = .seconds(60)

    /// Long polls at one time: the design point.
    package static let watchersMax = 10_000

    /// Leases that one write request expires or removes: a slice of the group commit.
    package static let sweepSlotsMax = 200

    /// Rendered look-ups kept by the HTTP thread (the registry's specification: 1,000 entries, 50 MB).
    package static let lookupCacheEntriesMax = 1_024
    package static let lookupCacheBytesMax = 50 * 1024 * 1024

    /// Static registrations read from files.
    package static let staticInstancesMax = 10_000
    package static let staticFileBytesMax = 4 * 1024 * 1024
}
