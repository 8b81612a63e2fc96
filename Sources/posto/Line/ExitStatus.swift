import Domain
import Glibc
import HTTPClient
import Store

/// What a command tells its caller by its exit status (those from 64 on are of sysexits.h).
enum ExitStatus: Int32, Sendable {
    case done = 0
    /// Everything went well, and the answer is no: unknown, not intact, not ready.
    case no = 1
    /// The command line or what it names is wrong.
    case usage = 2
    case unreachable = 69
    case `internal` = 70
    case inputOutput = 74
    case tryAgain = 75
    case notPermitted = 77
    case configuration = 78
}

/// Why a command ends early: one sentence, what to do next, and the status.
struct CommandFailure: Error, Equatable, Sendable {
    let status: ExitStatus
    let message: String
    let hint: String?
    /// The daemon's code for it (`unknown_lease`), if it is a refusal of the daemon.
    let problem: String?

    init(_ status: ExitStatus, _ message: String, hint: String? = nil, problem: String? = nil) {
        self.status = status
        self.message = message
        self.hint = hint
        self.problem = problem
    }

    /// From errno, right after the call that failed.
    init(system operation: String, hint: String? = nil) {
        let number = errno
        self.init(
            number == EACCES || number == EPERM || number == EROFS ? .notPermitted : .inputOutput,
            "cannot \(operation): \(String(cString: strerror(number)))", hint: hint)
    }

    /// From the store of a command that opens it by itself.
    init(_ error: StoreError, _ place: String) {
        switch error.code {
        case .full: self.init(.inputOutput, "\(place): there is no room to \(error.operation)", hint: "free space on its disk")
        case .diskFailed:
            self.init(.inputOutput, "\(place): the disk failed (\(error.operation))", hint: "look at the disk: dmesg, smartctl")
        case .corrupted:
            self.init(
                .inputOutput, "\(place) is damaged: cannot \(error.operation)",
                hint: "a start of the daemon salvages a store and keeps the damaged file; a backup can be restored with posto restore")
        case .newerFormat:
            self.init(
                .configuration, "\(place) was written by a newer version of Posto (\(error.operation))",
                hint: "use that version; nothing was changed")
        case .locked, .busy, .closed:
            self.init(.tryAgain, "\(place) is in use: cannot \(error.operation)", hint: "stop the daemon first (systemctl stop posto)")
        case .system where error.number == EACCES || error.number == EPERM:
            self.init(
                .notPermitted, "\(place): not permitted to \(error.operation)", hint: "run the command as root or as the store's owner")
        case .system where error.number == ENOENT:
            self.init(.inputOutput, "there is no store at \(place)", hint: "name the daemon's state folder: --state /var/lib/posto")
        case .system:
            let reason = error.number > 0 ? ": \(String(cString: strerror(error.number)))" : ""
            self.init(.inputOutput, "\(place): cannot \(error.operation)\(reason)")
        }
    }
}

extension ExitStatus {
    /// What an answer of the daemon that is no success means to the caller of a command.
    init(httpStatus: Int) {
        switch httpStatus {
        case 400, 413, 414, 415, 422, 431: self = .usage
        case 401, 403: self = .notPermitted
        case 404, 409, 410: self = .no
        case 408, 429, 503, 507: self = .tryAgain
        default: self = .internal
        }
    }

    init(_ code: HTTPClientError.Code) {
        switch code {
        case .unreachable, .broken, .untrusted: self = .unreachable
        case .timedOut: self = .tryAgain
        case .tooLarge: self = .internal
        }
    }
}
