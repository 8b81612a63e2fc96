import Domain
import HTTPServer
import Store

extension Problem {
    /// What the door refused by itself.
    package init(_ refusal: HTTPRefusal) {
        let code: Code =
            switch refusal {
            case .foreignHost: .foreignHost
            case .foreignOrigin: .foreignOrigin
            case .uriTooLong: .targetTooLong
            case .headersTooLarge: .headersTooLarge
            case .bodyTooLarge: .bodyTooLarge
            case .unsupportedTransferEncoding: .notImplemented
            case .tooManyConnections, .stopping, .answerTimeout: .unavailable
            case .tooManyConnectionsFromAddress: .tooManyRequests
            case .unsupportedVersion: .versionNotSupported
            case .internalFailure: .internalError
            case .unsupportedContentEncoding: .unsupportedMediaType
            case .requestTimeout: .timeout
            default: .malformedRequest
            }
        let detail: String
        var hint: String?
        switch refusal {
        case .duplicateContentLength: detail = "The request has more than one Content-Length."
        case .contentLengthAndTransferEncoding: detail = "The request has both Content-Length and Transfer-Encoding."
        case .unsupportedTransferEncoding: detail = "The only transfer coding that is taken is chunked."
        case .bareLineFeed: detail = "A line of the request ends with LF alone; HTTP's lines end with CR LF."
        case .foldedHeader: detail = "A header goes on in a second line; RFC 9112 forbids that."
        case .badHeaderName: detail = "The name of a header holds a character that names cannot hold."
        case .badHeaderValue: detail = "The value of a header holds a control character."
        case .missingHost: detail = "The request has no Host header."
        case .duplicateHost: detail = "The request has more than one Host header."
        case .foreignHost:
            detail = "The Host header names a host that is not this one."
            hint = "Call this node by its address or as localhost."
        case .foreignOrigin:
            detail = "The request was made by a page of another origin."
            hint = "Browsers may use this node's own pages only."
        case .badTarget: detail = "The request target is not a path."
        case .nulInTarget: detail = "The request target holds a NUL (%00)."
        case .badPercentEscape: detail = "The request target holds a % that no two hexadecimal digits follow."
        case .notUTF8: detail = "The request target is not UTF-8."
        case .uriTooLong: detail = "The request target is longer than \(Limits.httpTargetBytesMax) bytes."
        case .headersTooLarge: detail = "The request's head is longer than \(Limits.httpHeadBytesMax) bytes."
        case .bodyTooLarge(max: 0): detail = "The body, or a chunk of it, is longer than any that is taken."
        case .bodyTooLarge(let max): detail = "The body may have at most \(max) bytes."
        case .tooManyConnections: detail = "This node has as many connections as it can hold."
        case .tooManyConnectionsFromAddress:
            detail = "This address has as many connections as one may have."
            hint = "Close connections that are idle, or send several requests over one."
        case .requestTimeout: detail = "The request did not arrive in time."
        case .answerTimeout: detail = "The answer did not come in time."
        case .stopping: detail = "The node is stopping."
        case .malformedRequest: detail = "The request is not HTTP/1.1."
        case .unsupportedVersion:
            detail = "The request is neither HTTP/1.1 nor HTTP/1.0."
            hint = "Speak HTTP/1.1 here, without TLS."
        case .unsupportedContentEncoding:
            detail = "The body is compressed or otherwise encoded."
            hint = "Send it as it is, without Content-Encoding."
        case .internalFailure: detail = "The request could not be processed, mostly for want of memory."
        }
        self.init(code, detail, hint: hint, retryAfter: code == .unavailable || code == .tooManyRequests ? 1 : nil)
    }

    /// What the store could not do.
    package init(_ error: StoreError) {
        switch error.code {
        case .full:
            self.init(
                .insufficientStorage, "There is no room for this change; nothing of it was stored.",
                hint: "Free space on the disk of the state folder; the node goes on by itself. Look-ups work meanwhile.", retryAfter: 30)
        case .busy:
            self.init(
                .tooManyRequests, "More changes wait for the disk than the node takes.", hint: "Try again after a second.", retryAfter: 1)
        case .closed:
            self.init(.unavailable, "The node is stopping.", hint: "Try again shortly.", retryAfter: 1)
        case .diskFailed, .corrupted, .newerFormat, .locked, .system:
            self.init(
                .storeFailed, "The store could not be read or written (\(error)).",
                hint: "See /health and the log of the daemon (journalctl -u posto).", retryAfter: 5)
        }
    }

    package init(_ error: JSONError) {
        self.init(
            error.code == .tooLarge ? .bodyTooLarge : .malformedJSON, "The body is not JSON: \(error).",
            hint:
                "Send one JSON object, UTF-8, as in {\"service_name\":\"my-service\",\"host\":\"127.0.0.1\",\"port\":8080,\"health_endpoint\":\"/health\"}."
        )
    }
}
