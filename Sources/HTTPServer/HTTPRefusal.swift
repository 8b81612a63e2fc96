/// What the door refuses by itself, before the handler sees the request. Always followed by the end of the connection, so that nothing
/// that was hidden behind the refused request is served (RFC 9112 §11.2, request smuggling).
package enum HTTPRefusal: Sendable, Equatable {
    case malformedRequest
    case duplicateContentLength
    case contentLengthAndTransferEncoding
    case unsupportedTransferEncoding
    case bareLineFeed
    case foldedHeader
    case badHeaderName
    case badHeaderValue
    case missingHost
    case duplicateHost
    case foreignHost
    case foreignOrigin
    /// Not `/…`, nor `*` with OPTIONS: an absolute form, a fragment, a character that a target cannot hold.
    case badTarget
    case nulInTarget
    case badPercentEscape
    case notUTF8
    case uriTooLong
    case headersTooLarge
    case bodyTooLarge(max: Int)
    case tooManyConnections
    case tooManyConnectionsFromAddress
    /// The head or the body did not arrive in time.
    case requestTimeout
    /// Nobody completed a suspended request in time, and it had no waiter to ask.
    case answerTimeout
    /// The handler went away from a request without an answer, or the daemon stops.
    case stopping
    /// Neither HTTP/1.1 nor 1.0.
    case unsupportedVersion
    /// A body that is compressed, or otherwise encoded.
    case unsupportedContentEncoding
    /// libmicrohttpd could not go on, mostly for want of memory.
    case internalFailure

    package var status: UInt16 {
        switch self {
        case .unsupportedTransferEncoding: 501
        case .foreignHost, .foreignOrigin: 403
        case .uriTooLong: 414
        case .headersTooLarge: 431
        case .bodyTooLarge: 413
        case .tooManyConnectionsFromAddress: 429
        case .tooManyConnections, .stopping: 503
        case .unsupportedVersion: 505
        case .unsupportedContentEncoding: 415
        case .internalFailure: 500
        case .requestTimeout: 408
        case .answerTimeout: 504
        default: 400
        }
    }

    /// The name in problems, logs and metrics.
    package var code: StaticString {
        switch self {
        case .malformedRequest: "malformed_request"
        case .duplicateContentLength: "duplicate_content_length"
        case .contentLengthAndTransferEncoding: "content_length_and_transfer_encoding"
        case .unsupportedTransferEncoding: "unsupported_transfer_encoding"
        case .bareLineFeed: "bare_line_feed"
        case .foldedHeader: "folded_header"
        case .badHeaderName: "bad_header_name"
        case .badHeaderValue: "bad_header_value"
        case .missingHost: "missing_host"
        case .duplicateHost: "duplicate_host"
        case .foreignHost: "foreign_host"
        case .foreignOrigin: "foreign_origin"
        case .badTarget: "bad_target"
        case .nulInTarget: "nul_in_target"
        case .badPercentEscape: "bad_percent_escape"
        case .notUTF8: "not_utf8"
        case .uriTooLong: "uri_too_long"
        case .headersTooLarge: "headers_too_large"
        case .bodyTooLarge: "body_too_large"
        case .tooManyConnections: "too_many_connections"
        case .tooManyConnectionsFromAddress: "too_many_connections_from_address"
        case .requestTimeout: "request_timeout"
        case .answerTimeout: "answer_timeout"
        case .stopping: "stopping"
        case .unsupportedVersion: "unsupported_version"
        case .internalFailure: "internal_failure"
        case .unsupportedContentEncoding: "unsupported_content_encoding"
        }
    }

    /// Position in the counters of `HTTPGauges`.
    var index: Int {
        switch self {
        case .malformedRequest: 0
        case .duplicateContentLength: 1
        case .contentLengthAndTransferEncoding: 2
        case .unsupportedTransferEncoding: 3
        case .bareLineFeed: 4
        case .foldedHeader: 5
        case .badHeaderName: 6
        case .badHeaderValue: 7
        case .missingHost: 8
        case .duplicateHost: 9
        case .foreignHost: 10
        case .foreignOrigin: 11
        case .badTarget: 12
        case .nulInTarget: 13
        case .badPercentEscape: 14
        case .notUTF8: 15
        case .uriTooLong: 16
        case .headersTooLarge: 17
        case .bodyTooLarge: 18
        case .tooManyConnections: 19
        case .tooManyConnectionsFromAddress: 20
        case .requestTimeout: 21
        case .answerTimeout: 22
        case .stopping: 23
        case .unsupportedVersion: 24
        case .internalFailure: 25
        case .unsupportedContentEncoding: 26
        }
    }

    /// One of each, in the order of `index`.
    package static let all: [HTTPRefusal] = [
        .malformedRequest, .duplicateContentLength, .contentLengthAndTransferEncoding, .unsupportedTransferEncoding, .bareLineFeed,
        .foldedHeader, .badHeaderName, .badHeaderValue, .missingHost, .duplicateHost, .foreignHost, .foreignOrigin, .badTarget,
        .nulInTarget, .badPercentEscape, .notUTF8, .uriTooLong, .headersTooLarge, .bodyTooLarge(max: 0), .tooManyConnections,
        .tooManyConnectionsFromAddress, .requestTimeout, .answerTimeout, .stopping,
        .unsupportedVersion, .internalFailure, .unsupportedContentEncoding,
    ]
}
