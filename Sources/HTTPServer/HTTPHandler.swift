/// What stands behind the door. Every call comes on the HTTP thread and must not block: all other connections wait meanwhile.
package protocol HTTPHandler: AnyObject, Sendable {
    /// Whether a new connection's first request will wait long. `requestLine` is `GET /path?query HTTP/1.1`, raw and unchecked.
    ///
    /// A wrong answer costs speed, not correctness: with thousands of long polls among the ordinary connections every wake-up walks them all.
    func isLongPoll(requestLine: UnsafeRawBufferPointer) -> Bool

    /// Asked for requests with a body only, before the body is read. `head.body` is empty.
    func admit(_ head: borrowing HTTPRequest) -> HTTPAdmission

    func handle(_ request: borrowing HTTPRequest) -> HTTPReply

    /// The answer to what the door refuses. `path` is nil where no request line was read; it may be as the client sent it, not decoded.
    func refusal(_ refusal: HTTPRefusal, _ requestID: HTTPRequestID, path: UnsafeBufferPointer<UInt8>?) -> HTTPResponse

    /// A request is over: its answer is with the kernel, or its client is gone. For the access log and metrics; must not allocate.
    func finished(_ outcome: HTTPOutcome)
}

extension HTTPHandler {
    package func isLongPoll(requestLine: UnsafeRawBufferPointer) -> Bool { false }
    package func finished(_ outcome: HTTPOutcome) {}
}

/// What became of one request.
package struct HTTPOutcome: Sendable {
    package let method: HTTPMethod
    /// 0 if it was never answered.
    package let status: UInt16
    /// What the handler set with `HTTPRequest.tag`, else 0.
    package let tag: UInt16
    /// The answer was given completely to the kernel.
    package let completed: Bool
    /// From the turn of the loop that saw its request line to its end.
    package let durationNanoseconds: UInt64
    package let listener: Int
    package let requestID: HTTPRequestID
}

/// Who waits for a suspended request. Called on the HTTP thread.
package protocol HTTPWaiter: AnyObject, Sendable {
    /// The client hung up, or the server stops without patience; nothing can be answered any more.
    func departed(_ ticket: HTTPTicket)

    /// The deadline passed, or the server drains: answer now.
    func timedOut(_ ticket: HTTPTicket) -> HTTPResponse

    /// Whether a client that closed its sending side counts as gone. True for long polls, where a closed browser tab looks like that.
    /// Say false for work that is under way and short: a client may write its request, shut its side down (`nc -N`) and read the answer.
    var endsWithClient: Bool { get }
}

extension HTTPWaiter {
    package var endsWithClient: Bool { true }
}
