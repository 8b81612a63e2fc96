import API
import Console
import HTTPServer

/// What stands behind the door: the pages under `/ui`, and the interface for everything else.
final class FrontDoor: HTTPHandler {
    private let api: APIServer
    private let console: ConsoleServer

    init(_ api: APIServer, _ console: ConsoleServer) {
        self.api = api
        self.console = console
    }

    func isLongPoll(requestLine: UnsafeRawBufferPointer) -> Bool { api.isLongPoll(requestLine: requestLine) }

    func admit(_ head: borrowing HTTPRequest) -> HTTPAdmission { api.admit(head) }

    func handle(_ request: borrowing HTTPRequest) -> HTTPReply {
        ConsoleServer.takes(request) ? console.handle(request) : api.handle(request)
    }

    func refusal(_ refusal: HTTPRefusal, _ request: HTTPRequestID, path: UnsafeBufferPointer<UInt8>?) -> HTTPResponse {
        api.refusal(refusal, request, path: path)
    }

    func finished(_ outcome: HTTPOutcome) { api.finished(outcome) }
}
