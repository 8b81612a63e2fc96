/// A failure of the store, by what the caller can do about it.
package struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// No room: the budget, the map or the disk is full. Nothing was written; the store stays usable. Answer 507.
        case full
        /// The disk failed with room left. Nothing may be trusted any more: stop acknowledging and exit 75.
        case diskFailed
        /// What was read is not what was written.
        case corrupted
        /// Written by a newer format. Nothing was touched.
        case newerFormat
        /// Another process holds it.
        case locked
        /// The writer's queue is full; try again shortly.
        case busy
        /// The writer has stopped.
        case closed
        /// Anything else the operating system or LMDB refused.
        case system
    }

    package let code: Code
    /// What was being done, in words.
    package let operation: String
    /// The number LMDB or the system gave; 0 if none.
    package let number: Int32

    package init(_ code: Code, _ operation: String, number: Int32 = 0) {
        self.code = code
        self.operation = operation
        self.number = number
    }

    package var description: String {
        number == 0 ? "\(operation): \(code)" : "\(operation): \(code) (\(number))"
    }
}
