/// Why the server cannot listen.
package struct HTTPServerError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// Somebody listens there already.
        case addressInUse
        /// The address is not one of this host, or not an address.
        case badAddress
        case notPermitted
        /// A descriptor from socket activation that is not a listening stream socket.
        case badDescriptor
        case system(errno: Int32)
    }

    package let code: Code
    /// What was being done, with the address.
    package let doing: String

    init(_ code: Code, _ doing: String) {
        self.code = code
        self.doing = doing
    }

    package var description: String { "\(doing): \(code)" }
}
