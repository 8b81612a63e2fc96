/// Who asks for a change, and by which request: what the audit trail keeps of it.
package struct Origin: Equatable, Sendable {
    /// `uid:1000`, `loopback`, an address, or `posto` for what the daemon does by itself.
    package var principal: String
    /// `administrator`, `service`, `observer` or `daemon`.
    package var role: String
    /// Where the request came in: `unix`, `127.0.0.1:40112`, `internal`.
    package var place: String
    package var requestID: String
    package var traceparent: String?

    package init(principal: String, role: String, place: String, requestID: String, traceparent: String?) {
        self.principal = principal
        self.role = role
        self.place = place
        self.requestID = requestID
        self.traceparent = traceparent
    }

    /// The daemon's own doing: a lease that ran out, a probe.
    package static let daemon = Origin(principal: "posto", role: "daemon", place: "internal", requestID: "", traceparent: nil)
}
