import Domain

/// The answer that was given to a request with an idempotency key: the same request gets it again.
package struct IdempotentAnswer: Equatable, Sendable {
    /// Of the request's body: the same key with another body is a mistake of the caller.
    package var digest: Digest32
    /// HTTP status.
    package var status: UInt16
    /// At most `Limits.idempotencyAnswerBytesMax` bytes.
    package var body: [UInt8]
    package var created: Timestamp

    private static let headSize = 56

    package init(digest: Digest32, status: UInt16, body: [UInt8], created: Timestamp) {
        self.digest = digest
        self.status = status
        self.body = body
        self.created = created
    }

    /// Row of `dedup` (Documentation/FORMATS.md §4): version, status, number in `dedup-age`, time, digest, body.
    func encode(number: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.headSize)
        bytes.withUnsafeMutableBytes { raw in
            raw[0] = 1
            raw.storeBytes(of: status.littleEndian, toByteOffset: 2, as: UInt16.self)
            raw.storeBytes(of: number.littleEndian, toByteOffset: 8, as: UInt64.self)
            raw.storeBytes(of: created.milliseconds.littleEndian, toByteOffset: 16, as: Int64.self)
            digest.withBytes { UnsafeMutableRawBufferPointer(rebasing: raw[24..<56]).copyMemory(from: $0) }
        }
        bytes.append(contentsOf: body)
        return bytes
    }

    static func decode(_ raw: UnsafeRawBufferPointer) throws(StoreError) -> (answer: IdempotentAnswer, number: UInt64) {
        guard raw.count >= headSize, raw[0] == 1 else { throw StoreError(.corrupted, "read an idempotency key's answer") }
        let answer = IdempotentAnswer(
            digest: Digest32(UnsafeRawBufferPointer(rebasing: raw[24..<56])),
            status: UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self)), body: Array(raw[headSize...]),
            created: Timestamp(milliseconds: Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 16, as: Int64.self))))
        return (answer, UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

extension StoreReading where Self: ~Copyable {
    /// The answer given under `key` (producer and key, 1 to `Limits.idempotencyKeyBytesMax` bytes); nil if none is remembered.
    package borrowing func idempotentAnswer(_ key: [UInt8]) throws(StoreError) -> IdempotentAnswer? {
        try withValue(.dedup, dedupKey(key)) { (payload, _) throws(StoreError) in try IdempotentAnswer.decode(payload).answer }
    }
}

extension WriteTransaction {
    /// Remembers the answer under `key`, in the transaction of what it answers. Takes the place of one remembered before.
    ///
    /// When all keys together take their share of the budget, the two oldest give way: so the share holds by itself, however fast keys come.
    package borrowing func remember(_ answer: IdempotentAnswer, for key: [UInt8], revision: UInt64) throws(StoreError) {
        precondition(answer.body.count <= Limits.idempotencyAnswerBytesMax, "an answer too long to be remembered")
        let before = try withValue(.dedup, dedupKey(key)) { (payload, _) throws(StoreError) in try IdempotentAnswer.decode(payload).number }
        if let before { try delete(.dedupByAge, StoreKey(.dedupByAge, before)) }
        let pagesMax = environment.budgetBytes / StoreEnvironment.pageBytes / Limits.idempotencyBudgetShare
        if try pages(.dedup) + pages(.dedupByAge) > pagesMax { try forgetOldest(2) }
        let number = try last(.dedupByAge) { (key, _, _) throws(StoreError) in try ageNumber(key) + 1 } ?? 1
        var row = withUnsafeBytes(of: answer.created.milliseconds.littleEndian) { Array($0) }
        row.append(contentsOf: key)
        try put(.dedupByAge, StoreKey(.dedupByAge, number), row, revision: revision)
        try put(.dedup, dedupKey(key), answer.encode(number: number), revision: revision)
    }

    private borrowing func forgetOldest(_ count: Int) throws(StoreError) {
        var oldest: [(number: UInt64, key: [UInt8])] = []
        try scan(.dedupByAge, prefix: StoreKey(.dedupByAge), limit: count) { (key, payload, _) throws(StoreError) in
            guard payload.count > 8 else { throw StoreError(.corrupted, "read an idempotency key's age") }
            oldest.append((try ageNumber(key), Array(payload[8...])))
            return true
        }
        for row in oldest {
            try delete(.dedupByAge, StoreKey(.dedupByAge, row.number))
            try delete(.dedup, StoreKey(.dedup, row.key))
        }
    }
}

private func dedupKey(_ key: [UInt8]) -> StoreKey {
    precondition((1...Limits.idempotencyKeyBytesMax).contains(key.count), "an idempotency key has 1 to 256 bytes")
    return StoreKey(.dedup, key)
}

private func ageNumber(_ key: UnsafeRawBufferPointer) throws(StoreError) -> UInt64 {
    guard key.count == 9 else { throw StoreError(.corrupted, "read the key of an idempotency key's age") }
    return UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
}
