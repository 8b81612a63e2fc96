/// `providers.aws.sign_req`: AWS Signature Version 4 of a request as `http.send` takes it.
let awsBuiltins: [Builtin] = [
    Builtin(
        "providers.aws.sign_req", [.object(of: .string, .any), .object(of: .string, .any), .number], .object(of: .any, .any)
    ) { arguments, context throws(BuiltinFailure) in
        let request = try arguments.object(0)
        try require(["method", "url"], in: request, "operand 1", "required request parameters(s)")
        let configuration = try arguments.object(1)
        try require(
            ["aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"], in: configuration, "operand 2",
            "required AWS config parameters(s)")
        let time = try arguments.number(2)
        guard let nanoseconds = time.asInt64, nanoseconds >= 0 else {
            throw BuiltinFailure("operand 3 could not convert time_ns value into a unix timestamp", kind: .type)
        }
        var unsigned = false
        let disable = configuration["disable_payload_signing"]
        if disable.isDefined {
            guard let flag = disable.asBool else {
                throw BuiltinFailure("operand 2 invalid value for 'disable_payload_signing' in AWS config", kind: .type)
            }
            unsigned = flag
        }
        let signer = AWSRequestSigner(
            request: request, configuration: configuration, instant: Instant(nanoseconds: nanoseconds), isUnsigned: unsigned,
            context: context)
        return try signer.signed()
    }
]

/// The parameters must be there, and strings.
private func require(_ names: [String], in object: Value, _ operand: String, _ what: String) throws(BuiltinFailure) {
    func shown(_ names: [String]) -> String { "{" + names.map { "\"\($0)\"" }.joined(separator: ", ") + "}" }
    func value(_ name: String) -> Value { object.entries.first { $0.key.asString == name }?.value ?? .undefined }
    let missing = names.filter { value($0).isUndefined }
    if !missing.isEmpty { throw BuiltinFailure("\(operand) missing \(what): \(shown(missing))", kind: .type) }
    let invalid = names.filter { !value($0).isString }
    if !invalid.isEmpty { throw BuiltinFailure("\(operand) invalid values for \(what): \(shown(invalid))", kind: .type) }
}

private struct AWSRequestSigner {
    let request: Value
    let configuration: Value
    let instant: Instant
    let isUnsigned: Bool
    let context: BuiltinContext

    func signed() throws(BuiltinFailure) -> Value {
        let cryptography = try context.cryptography()
        func setting(_ name: StaticString) -> String { configuration[name].asString ?? "" }
        func sha256(_ bytes: [UInt8]) -> String { String(decoding: Hex.encode(cryptography.digest(.sha256, bytes)), as: UTF8.self) }

        let uri = try URI(Array(request["url"].utf8))
        let body = try body()
        let moment = String(decoding: TimeLayout("20060102T150405Z").format(instant, in: .utc), as: UTF8.self)
        let day = String(moment.prefix(8))
        let payload = isUnsigned ? "UNSIGNED-PAYLOAD" : sha256(body)

        let port = uri.port.isEmpty ? "" : ":" + String(decoding: uri.port, as: UTF8.self)
        let v6 = uri.hostname.contains(UInt8(ascii: ":"))
        let hostname = String(decoding: uri.hostname, as: UTF8.self)
        var aws = ["host": (v6 ? "[\(hostname)]" : hostname) + port, "x-amz-date": moment]
        // S3 and Glacier want the digest of the payload; others are content without.
        if ["s3", "glacier"].contains(setting("aws_service")) || isUnsigned { aws["x-amz-content-sha256"] = payload }
        if !setting("aws_session_token").isEmpty { aws["x-amz-security-token"] = setting("aws_session_token") }

        var headers: [(String, Value)] = []
        // What the request says itself is signed as it is, and then replaced: that is how OPA does it.
        var canonical = aws.mapValues(Self.trimmed)
        if request["headers"].isDefined, !request["headers"].isObject {
            throw BuiltinFailure("operand 1 invalid type for http request headers", kind: .type)
        }
        for (key, value) in request["headers"].entries {
            let name = key.asString ?? ""
            if aws[name.lowercased()] == nil { headers.append((name, value)) }
            if Self.isIgnored(name.lowercased()) { continue }
            let values = value.isString ? [value] : value.elements
            canonical[name.lowercased()] = values.compactMap(\.asString).map(Self.trimmed).joined(separator: ",")
        }
        let names = canonical.keys.sorted()
        let list = names.joined(separator: ";")
        // Method, path and query go in as they were written, as in OPA.
        let path = String(decoding: Self.escaped(uri.rawPath), as: UTF8.self)
        let canonicalRequest = [
            request["method"].asString ?? "", path, String(decoding: uri.rawQuery, as: UTF8.self),
            names.map { "\($0):\(canonical[$0]!)\n" }.joined(), list, payload,
        ].joined(separator: "\n")

        let scope = "\(day)/\(setting("aws_region"))/\(setting("aws_service"))/aws4_request"
        let toSign = "AWS4-HMAC-SHA256\n\(moment)\n\(scope)\n\(sha256(Array(canonicalRequest.utf8)))"
        var key = Array("AWS4\(setting("aws_secret_access_key"))".utf8)
        for part in [day, setting("aws_region"), setting("aws_service"), "aws4_request"] {
            key = cryptography.authenticate(.sha256, key: key, Array(part.utf8))
        }
        let signature = String(decoding: Hex.encode(cryptography.authenticate(.sha256, key: key, Array(toSign.utf8))), as: UTF8.self)
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(setting("aws_access_key"))/\(scope),SignedHeaders=\(list),Signature=\(signature)"
        headers += aws.map { ($0.key, context.arena.string($0.value)) }
        headers.append(("Authorization", context.arena.string(authorization)))
        return context.arena.object(
            request.entries + [(context.arena.string("headers"), context.arena.record(headers))])
    }

    private func body() throws(BuiltinFailure) -> [UInt8] {
        let raw = request["raw_body"]
        if raw.isDefined {
            guard raw.isString else { throw BuiltinFailure("operand 1 'raw_body' must be a string", kind: .type) }
            return Array(raw.utf8)
        }
        let body = request["body"]
        return body.isUndefined ? [] : try JSONText.bytes(body)
    }

    /// Headers that proxies change.
    private static func isIgnored(_ name: String) -> Bool {
        ["authorization", "user-agent", "x-amzn-trace-id", "transfer-encoding"].contains(name)
    }

    private static func trimmed(_ text: String) -> String {
        String(decoding: Trimming.trimSpace(Array(text.utf8)), as: UTF8.self)
    }

    private static func escaped(_ path: [UInt8]) -> [UInt8] {
        path.flatMap { byte -> [UInt8] in
            ASCII.isAlphanumeric(byte) || "-_.~/%".utf8.contains(byte)
                ? [byte] : [UInt8(ascii: "%"), ASCII.upperHex[Int(byte >> 4)], ASCII.upperHex[Int(byte & 15)]]
        }
    }
}
