import CCrypto

/// SHA-256 (FIPS 180-4) by libcrypto. One value for one thread: the context is reused, so that a short digest allocates nothing.
package final class SHA256 {
    package static let size = 32

    // SAFETY: the pointers are owned by this object alone and freed once in `deinit`; the class is not Sendable.
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new(), let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        self.context = context
        self.algorithm = algorithm
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    package func begin() {
        precondition(EVP_DigestInit_ex2(context, algorithm, nil) == 1)
    }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1)
    }

    package func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    package func finish(into destination: UnsafeMutableRawBufferPointer) {
        precondition(destination.count == Self.size)
        precondition(EVP_DigestFinal_ex(context, destination.bindMemory(to: UInt8.self).baseAddress, nil) == 1)
    }

    package func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.size) { buffer, count in
            finish(into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<Self.size]))
            count = Self.size
        }
    }

    package static func digest(_ bytes: [UInt8]) -> [UInt8] {
        let hash = SHA256()
        hash.begin()
        hash.update(bytes)
        return hash.finish()
    }
}

/// Bytes from the system's generator (RAND_bytes).
package func randomBytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        precondition(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "the system gives no random bytes")
        initialized = count
    }
}
