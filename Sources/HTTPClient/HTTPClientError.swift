/// Why a call has no answer, by what the caller can do about it.
package struct HTTPClientError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// Nobody answered at that address: start the daemon, or look at the address. Nothing was sent.
        case unreachable
        /// Somebody answered, and is not who it should be. Nothing was sent.
        case untrusted(TrustFault)
        /// No complete answer in time. What was asked may have happened.
        case timedOut
        /// The answer broke off or is not HTTP. What was asked may have happened.
        case broken
        /// The answer is larger than the limit.
        case tooLarge
    }

    package let code: Code
    /// For people: `connection refused`.
    package let reason: String

    package init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    package var description: String { reason }
}
