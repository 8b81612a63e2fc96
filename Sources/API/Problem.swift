import Domain

/// A refusal as the caller sees it (RFC 9457). Every status of the native interface is chosen here and nowhere else.
package struct Problem: Error, Sendable {
    package enum Code: String, CaseIterable, Sendable {
        case validation = "validation_error"
        case malformedJSON = "malformed_json"
        case malformedRequest = "malformed_request"
        case unknownParameter = "unknown_parameter"
        case unauthenticated = "unauthenticated"
        case forbidden = "forbidden"
        case foreignHost = "foreign_host"
        case foreignOrigin = "foreign_origin"
        case notFound = "not_found"
        case unknownService = "unknown_service"
        case unknownLease = "unknown_lease"
        case unknownStream = "unknown_stream"
        case unknownSink = "unknown_sink"
        case unknownDeadLetter = "unknown_dead_letter"
        case redrivenBefore = "redriven_before"
        case methodNotAllowed = "method_not_allowed"
        case timeout = "request_timeout"
        case addressInUse = "address_in_use"
        case ambiguousInstance = "ambiguous_instance"
        case instanceTaken = "instance_taken"
        case revisionGone = "revision_gone"
        case bodyTooLarge = "body_too_large"
        case targetTooLong = "target_too_long"
        case unsupportedMediaType = "unsupported_media_type"
        case idempotencyKeyReused = "idempotency_key_reused"
        case headersTooLarge = "headers_too_large"
        case tooManyRequests = "too_many_requests"
        case tooManyWatchers = "too_many_watchers"
        case streamFull = "stream_full"
        case notImplemented = "not_implemented"
        case unavailable = "unavailable"
        case storeFailed = "store_failed"
        case insufficientStorage = "insufficient_storage"
        case registryFull = "registry_full"
        case internalError = "internal_error"
        case versionNotSupported = "version_not_supported"

        package var status: Int {
            switch self {
            case .validation, .malformedJSON, .malformedRequest, .unknownParameter: 400
            case .unauthenticated: 401
            case .forbidden, .foreignHost, .foreignOrigin: 403
            case .notFound, .unknownService, .unknownLease, .unknownStream, .unknownSink, .unknownDeadLetter: 404
            case .methodNotAllowed: 405
            case .timeout: 408
            case .addressInUse, .ambiguousInstance, .instanceTaken, .redrivenBefore: 409
            case .revisionGone: 410
            case .bodyTooLarge: 413
            case .targetTooLong: 414
            case .unsupportedMediaType: 415
            case .idempotencyKeyReused: 422
            case .tooManyRequests, .tooManyWatchers, .streamFull: 429
            case .headersTooLarge: 431
            case .internalError: 500
            case .notImplemented: 501
            case .unavailable, .storeFailed: 503
            case .versionNotSupported: 505
            case .insufficientStorage, .registryFull: 507
            }
        }

        package var title: String {
            switch self {
            case .validation: "A field is not valid"
            case .malformedJSON: "The body is not JSON"
            case .malformedRequest: "The request is malformed"
            case .unknownParameter: "A query parameter is unknown"
            case .unauthenticated: "Who are you?"
            case .forbidden: "Not permitted"
            case .foreignHost: "The Host header names another host"
            case .foreignOrigin: "The request comes from a page of another origin"
            case .notFound: "There is nothing at this path"
            case .unknownService: "No such service"
            case .unknownLease: "No such lease"
            case .unknownStream: "No such stream"
            case .unknownSink: "No such sink"
            case .unknownDeadLetter: "No such dead letter"
            case .redrivenBefore: "The dead letter was sent again once"
            case .methodNotAllowed: "The path does not take this method"
            case .timeout: "The request took too long to arrive"
            case .addressInUse: "Another service holds this address"
            case .ambiguousInstance: "The service has several instances"
            case .instanceTaken: "Another host holds this instance id"
            case .revisionGone: "The changes since that revision are no longer kept"
            case .bodyTooLarge: "The body is too large"
            case .targetTooLong: "The request target is too long"
            case .unsupportedMediaType: "The media type is not supported"
            case .idempotencyKeyReused: "The idempotency key was used for another request"
            case .headersTooLarge: "The headers are too large"
            case .tooManyRequests: "Too many requests"
            case .tooManyWatchers: "Too many watchers"
            case .streamFull: "The stream is full"
            case .notImplemented: "Not implemented"
            case .unavailable: "Not available now"
            case .storeFailed: "The store failed"
            case .insufficientStorage: "The disk is full"
            case .registryFull: "The registry is full"
            case .internalError: "Something went wrong inside"
            case .versionNotSupported: "The version of HTTP is not supported"
            }
        }
    }

    package var code: Code
    package var detail: String
    package var hint: String?
    /// The first field that is wrong, and the others behind it.
    package var fields: [FieldRefusal] = []
    /// The instances among which the caller must choose.
    package var ids: [String] = []
    /// Seconds, for the header of the same name.
    package var retryAfter: Int?
    package var allow: String?

    package init(
        _ code: Code, _ detail: String, hint: String? = nil, fields: [FieldRefusal] = [], ids: [String] = [], retryAfter: Int? = nil,
        allow: String? = nil
    ) {
        self.code = code
        self.detail = detail
        self.hint = hint
        self.fields = fields
        self.ids = ids
        self.retryAfter = retryAfter
        self.allow = allow
    }

    package init(refused fields: [FieldRefusal]) {
        self.init(
            .validation, fields.first?.message ?? "The input is not valid",
            hint: fields.first.map(Self.hint), fields: fields)
    }

    private static func hint(_ field: FieldRefusal) -> String {
        if field.field.isEmpty { return "Send \(field.expected)." }
        // A pattern alone is for machines.
        let value = field.expected.hasPrefix("^") ? "something like \(field.example)" : field.expected
        return "Set \(field.field) to \(value)."
    }

    /// `application/problem+json`.
    package func body(requestID: String) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.key("type"); json.string("urn:posto:problem:\(code.rawValue)")
            json.key("code"); json.string(code.rawValue)
            json.key("title"); json.string(code.title)
            json.key("status"); json.integer(code.status)
            json.key("detail"); json.string(detail)
            if let first = fields.first { Self.write(first, to: &json) }
            if let hint { json.key("hint"); json.string(hint) }
            if !ids.isEmpty { json.key("ids"); json.array { for id in ids { $0.string(id) } } }
            if let retryAfter { json.key("retry_after_seconds"); json.integer(retryAfter) }
            if fields.count > 1 {
                json.key("errors")
                json.array { json in
                    for field in fields {
                        json.object { json in
                            Self.write(field, to: &json)
                            json.key("message"); json.string(field.message)
                        }
                    }
                }
            }
            if !requestID.isEmpty { json.key("request_id"); json.string(requestID) }
        }
        return json.finish()
    }

    /// The shape of REGISTRY.md, for the short forms.
    package func shortBody() -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.key("error"); json.string(shortName)
            if let first = fields.first {
                json.key("field"); json.string(first.field)
                json.key("message"); json.string(first.message)
                json.key("provided")
                if let provided = first.provided { json.raw(json: provided.utf8) } else { json.null() }
                json.key("example"); json.string(first.example)
            } else {
                json.key("message"); json.string(detail)
                json.key("code"); json.string(code.rawValue)
                if !ids.isEmpty { json.key("ids"); json.array { for id in ids { $0.string(id) } } }
                // Only here: the specification gives the refusal of a field its members, and these are all.
                if let hint { json.key("hint"); json.string(hint) }
            }
        }
        return json.finish()
    }

    /// `address_in_use` → `AddressInUse`; what the specification names `ValidationError` is that.
    private var shortName: String {
        code.rawValue.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static func write(_ field: FieldRefusal, to json: inout JSONWriter) {
        json.key("field"); json.string(field.field)
        json.key("provided")
        if let provided = field.provided { json.raw(json: provided.utf8) } else { json.null() }
        json.key("expected"); json.string(field.expected)
        json.key("example"); json.string(field.example)
    }
}
