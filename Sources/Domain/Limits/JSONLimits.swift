extension Limits {
    /// Arrays and objects inside each other. Readers recurse over them, on threads with a bounded stack; no format of ours passes 10.
    package static let jsonDepthMax = 64

    /// A document. The tape addresses its source with 32 bits and takes up to eight times its size in memory.
    package static let jsonBytesMax = 256 << 20

    /// Keys of one object that are compared pair by pair; beyond that a hash table is cheaper.
    static let jsonPairwiseKeysMax = 16
}
