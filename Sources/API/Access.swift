import Domain
import HTTPServer
import Registry

/// Who may do what, from what the kernel says of the caller. Tokens will be another source.
package struct AccessPolicy: Equatable, Sendable {
    /// What a caller over loopback TCP is.
    package enum Loopback: String, CaseIterable, Sendable { case none, health, service }

    package var loopback: Loopback
    /// `--dev`: every caller of this host is an administrator.
    package var isDevelopment: Bool
    /// The daemon's own user administers, as root does.
    package var ownUserID: UInt32
    /// The group `posto-admin`, if this host has it.
    package var administratorGroupID: UInt32?

    package init(loopback: Loopback, isDevelopment: Bool, ownUserID: UInt32, administratorGroupID: UInt32?) {
        self.loopback = loopback
        self.isDevelopment = isDevelopment
        self.ownUserID = ownUserID
        self.administratorGroupID = administratorGroupID
    }

    package func access(of peer: HTTPPeer) -> Route.Access {
        switch peer {
        case .local(let uid, let gid, _):
            let isAdministrator = isDevelopment || uid == 0 || uid == ownUserID || gid == administratorGroupID
            return isAdministrator ? .administrator : .service
        case .loopback:
            if isDevelopment { return .administrator }
            switch loopback {
            case .none: return .open
            case .health: return .health
            case .service: return .service
            }
        case .network:
            return .open
        }
    }

    package func origin(of peer: HTTPPeer, requestID: String, traceparent: String?) -> Origin {
        let role =
            switch access(of: peer) {
            case .open: "anonymous"
            case .health: "observer"
            case .service: "service"
            case .administrator: "administrator"
            }
        switch peer {
        case .local(let uid, _, let pid):
            return Origin(
                principal: "uid:\(uid)", role: role, place: "unix pid:\(pid)", requestID: requestID, traceparent: traceparent)
        case .loopback(let port):
            return Origin(
                principal: "loopback", role: role, place: "loopback:\(port)", requestID: requestID, traceparent: traceparent)
        case .network(let address, let port):
            return Origin(principal: address, role: role, place: "\(address):\(port)", requestID: requestID, traceparent: traceparent)
        }
    }
}
