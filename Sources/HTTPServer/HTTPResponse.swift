/// An answer. The door adds `Date`, `Content-Length`, `X-Request-Id`, and `Connection` where it must.
package struct HTTPResponse: Sendable {
    package var status: UInt16
    package var contentType: HTTPContentType
    /// An empty array costs nothing.
    package var headers: [HTTPHeader]
    package var body: HTTPBody
    /// Ends the connection after this answer.
    package var close = false
    /// Written as `Posto-Revision`.
    package var revision: UInt64?
    /// Written as `Cache-Control`; nil leaves it out.
    package var cacheControl: StaticString? = "no-store"
    /// May be sent gzip-compressed to a client that asks. Not for bodies that mix secrets with a caller's input (BREACH).
    package var mayCompress = true

    package init(
        status: UInt16, contentType: HTTPContentType = .json, headers: [HTTPHeader] = [], body: HTTPBody = .none,
        revision: UInt64? = nil
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
        self.revision = revision
    }

    package init(_ prepared: PreparedAnswer) {
        self.init(status: prepared.status, body: .prepared(prepared))
    }
}

package struct HTTPHeader: Sendable {
    package let name: StaticString
    /// Must hold neither CR nor LF; the header is left out otherwise, as it is when empty.
    package let value: String

    package init(_ name: StaticString, _ value: String) {
        self.name = name
        self.value = value
    }
}

package enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    /// Made before, with its status and headers: what else the response says does not count, but for `close`.
    case prepared(PreparedAnswer)
    /// An open file and the number of bytes to send from its start. The door owns the descriptor from here on and closes it.
    case file(descriptor: Int32, size: UInt64)
    case stream(HTTPStream)
}

package enum HTTPContentType: UInt8, Sendable {
    case json, problemJSON, ndjson, eventStream, text, openMetrics, prometheus, html, css, javascript, svg, png, octets, gzip

    package var value: StaticString {
        switch self {
        case .json: "application/json"
        case .problemJSON: "application/problem+json"
        case .ndjson: "application/x-ndjson"
        case .eventStream: "text/event-stream"
        case .text: "text/plain; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .html: "text/html; charset=utf-8"
        case .css: "text/css; charset=utf-8"
        case .javascript: "text/javascript; charset=utf-8"
        case .svg: "image/svg+xml"
        case .png: "image/png"
        case .octets: "application/octet-stream"
        case .gzip: "application/gzip"
        }
    }

    var compresses: Bool {
        switch self {
        case .png, .octets, .gzip: false
        default: true
        }
    }
}

/// What `HTTPHandler.handle` says: the answer, or that `HTTPTicket.complete` will bring it.
package enum HTTPReply: Sendable {
    case answer(HTTPResponse)
    /// Only after `HTTPRequest.suspend`.
    case later
}

/// Whether a body may come at all.
package enum HTTPAdmission: Sendable {
    case accept(bodyMax: Int)
    /// Answered before the body is read; the connection ends.
    case refuse(HTTPResponse)
}
