import Domain

/// An `Idempotency-Key` with the digest of what it was sent with.
package struct IdempotencyClaim: Equatable, Sendable {
    /// Principal ‖ 0 ‖ the caller's key: one caller cannot meet another's answers.
    package let key: [UInt8]
    /// SHA-256 over method, path and body.
    package let digest: Digest32

    package init(key: [UInt8], digest: Digest32) {
        self.key = key
        self.digest = digest
    }

    /// Keeps the answer, in the transaction of what it answers.
    package func remember(status: Int, body: [UInt8], in context: borrowing StoreWriteContext) throws(StoreError) {
        let answer = IdempotentAnswer(digest: digest, status: UInt16(status), body: body, created: context.now)
        try context.transaction.remember(answer, for: key, revision: context.transactionNumber)
    }
}
