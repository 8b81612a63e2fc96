private let certificateObject = ValueType.object(of: .string, .any)
private let chain = ValueType.array([.boolean, .array(of: certificateObject)], nil)

/// `crypto.x509.*` and `crypto.parse_private_keys`.
let certificateBuiltins: [Builtin] = [
    Builtin("crypto.x509.parse_certificates", [.string], .array(of: certificateObject)) { arguments, context throws(BuiltinFailure) in
        var list: [Value] = []
        for certificate in try certificates(try arguments.bytes(0), context) { list.append(try shown(certificate, context)) }
        return context.arena.array(list)
    },
    Builtin("crypto.x509.parse_and_verify_certificates", [.string], chain, isPure: false) { arguments, context throws(BuiltinFailure) in
        try verified(try arguments.bytes(0), try chainOptions(.emptyObject, context), context)
    },
    Builtin(
        "crypto.x509.parse_and_verify_certificates_with_options", [.string, .object(of: .string, .any)], chain, isPure: false
    ) { arguments, context throws(BuiltinFailure) in
        try verified(try arguments.bytes(0), try chainOptions(try arguments.object(1), context), context)
    },
    Builtin("crypto.x509.parse_certificate_request", [.string], certificateObject) { arguments, context throws(BuiltinFailure) in
        let text = try arguments.bytes(0)
        let armoured = try armour(text)
        let der: [UInt8]
        switch armoured {
        case .der(let bytes): der = bytes
        case .pem(let blocks):
            guard let block = blocks.first, block.type == "CERTIFICATE REQUEST" || block.type == "NEW CERTIFICATE REQUEST" else {
                throw BuiltinFailure("invalid PEM-encoded certificate signing request")
            }
            der = block.bytes
        }
        let cryptography = try context.cryptography()
        let request = try host { () throws(HostFailure) in try cryptography.certificateRequest(der) }
        let key = try? cryptography.key(.publicDER(request.rawPublicKeyInfo))
        return CertificateJSON(arena: context.arena).request(request, key: key)
    },
    Builtin("crypto.x509.parse_keypair", [.string, .string], certificateObject) { arguments, context throws(BuiltinFailure) in
        let list = try certificates(try arguments.bytes(0), context)
        guard let leaf = list.first else { throw BuiltinFailure("PEM block is not a certificate") }
        let keys = try privateKeys(try arguments.bytes(1), context)
        guard let key = keys.first else { throw BuiltinFailure("tls: failed to find any PEM data in key input") }
        let cryptography = try context.cryptography()
        let publicKey = try host { () throws(HostFailure) in try cryptography.key(ofCertificate: leaf.raw) }
        // The pair must fit: the public numbers of both are the same.
        guard publicKey.numbers.allSatisfy({ key.numbers[$0.key] == $0.value }) else {
            throw BuiltinFailure("tls: private key does not match public key")
        }
        let json = CertificateJSON(arena: context.arena)
        return context.arena.record([
            ("Certificate", context.arena.array(list.map { context.arena.string(Base64.standard.encode($0.raw)) })),
            ("PrivateKey", json.privateKey(key)), ("SupportedSignatureAlgorithms", .null), ("OCSPStaple", .null),
            ("SignedCertificateTimestamps", .null), ("Leaf", try shown(leaf, context)),
        ])
    },
    Builtin("crypto.x509.parse_rsa_private_key", [.string], certificateObject) { arguments, context throws(BuiltinFailure) in
        let keys = try privateKeys(try arguments.bytes(0), context)
        guard let key = keys.first else { throw BuiltinFailure("failed to parse PEM block containing the key") }
        guard key.kind == .rsa else { throw BuiltinFailure("key is not an RSA private key") }
        var fields: [(String, Value)] = [("kty", context.arena.string("RSA"))]
        for (name, number) in key.numbers { fields.append((name, context.arena.string(Base64.rawURL.encode(number)))) }
        return context.arena.record(fields)
    },
    Builtin("crypto.parse_private_keys", [.string], .array(of: certificateObject)) { arguments, context throws(BuiltinFailure) in
        let json = CertificateJSON(arena: context.arena)
        return context.arena.array(try privateKeys(try arguments.bytes(0), context).map { json.privateKey($0) })
    },
]

private enum Armoured {
    case pem([PEM.Block])
    case der([UInt8])
}

/// PEM, or either of PEM and DER in Base64.
private func armour(_ text: [UInt8]) throws(BuiltinFailure) -> Armoured {
    if PEM.isPEM(text) { return .pem(PEM.blocks(text)) }
    let bytes = try Base64.standard.decode(text)
    return PEM.isPEM(bytes) ? .pem(PEM.blocks(bytes)) : .der(bytes)
}

private func host<Result>(_ body: () throws(HostFailure) -> Result) throws(BuiltinFailure) -> Result {
    do throws(HostFailure) {
        return try body()
    } catch {
        throw BuiltinFailure(error.message)
    }
}

private func certificates(_ text: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) -> [HostCertificate] {
    let cryptography = try context.cryptography()
    switch try armour(text) {
    case .der(let bytes): return try host { () throws(HostFailure) in try cryptography.certificates(bytes) }
    case .pem(let blocks):
        var list: [HostCertificate] = []
        for block in blocks {
            guard block.type == "CERTIFICATE" else { throw BuiltinFailure("PEM block type is '\(block.type)', expected CERTIFICATE") }
            list += try host { () throws(HostFailure) in try cryptography.certificates(block.bytes) }
        }
        if list.isEmpty { throw BuiltinFailure("failed to find any PEM data in certificate input") }
        return list
    }
}

private func shown(_ certificate: HostCertificate, _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
    let key = try? context.cryptography().key(ofCertificate: certificate.raw)
    return CertificateJSON(arena: context.arena).certificate(certificate, key: key)
}

private func verified(_ text: [UInt8], _ options: ChainOptions, _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
    let refused = context.arena.array([.false, .emptyArray])
    guard let list = try? certificates(text, context) else { return refused }
    let cryptography = try context.cryptography()
    guard let chain = try? cryptography.verifyChain(list.map(\.raw), options: options) else { return refused }
    var shownChain: [Value] = []
    for der in chain {
        for certificate in try host({ () throws(HostFailure) in try cryptography.certificates(der) }) {
            shownChain.append(try shown(certificate, context))
        }
    }
    return context.arena.array([.true, context.arena.array(shownChain)])
}

private func chainOptions(_ value: Value, _ context: BuiltinContext) throws(BuiltinFailure) -> ChainOptions {
    var options = ChainOptions(time: context.nowNanoseconds.floorDivided(by: 1_000_000_000))
    for (key, option) in value.entries {
        switch key.asString {
        case "DNSName":
            guard let name = option.asString else { throw BuiltinFailure("'DNSName' should be a string", kind: .type) }
            options.dnsName = name
        case "CurrentTime":
            guard let time = option.asInt64 else { throw BuiltinFailure("'CurrentTime' should be a number", kind: .type) }
            options.time = time.floorDivided(by: 1_000_000_000)
        case "MaxConstraintComparisons":
            guard option.isNumber else { throw BuiltinFailure("'MaxConstraintComparisons' should be a number", kind: .type) }
        case "KeyUsages":
            guard option.isArray || option.isSet else { throw BuiltinFailure("'KeyUsages' should be an array or a set", kind: .type) }
            for usage in option.elements {
                guard let name = usage.asString, let identifier = keyUsages[name] else {
                    throw BuiltinFailure("invalid entries for 'KeyUsages' found: \(usage.asString ?? usage.kind.name)")
                }
                options.keyUsages.append(identifier)
            }
        default:
            throw BuiltinFailure("invalid key option: \(String(decoding: TermText.bytes(key), as: UTF8.self))")
        }
    }
    // As in Go: without a wish, the certificate must be a server's.
    if value["KeyUsages"].isUndefined { options.keyUsages = [serverUsage] }
    if options.keyUsages.contains("2.5.29.37.0") { options.keyUsages = [] }
    return options
}

private let serverUsage = "1.3.6.1.5.5.7.3.1"

private let keyUsages = [
    "KeyUsageAny": "2.5.29.37.0", "KeyUsageServerAuth": "1.3.6.1.5.5.7.3.1", "KeyUsageClientAuth": "1.3.6.1.5.5.7.3.2",
    "KeyUsageCodeSigning": "1.3.6.1.5.5.7.3.3", "KeyUsageEmailProtection": "1.3.6.1.5.5.7.3.4",
    "KeyUsageIPSECEndSystem": "1.3.6.1.5.5.7.3.5", "KeyUsageIPSECTunnel": "1.3.6.1.5.5.7.3.6",
    "KeyUsageIPSECUser": "1.3.6.1.5.5.7.3.7", "KeyUsageTimeStamping": "1.3.6.1.5.5.7.3.8", "KeyUsageOCSPSigning": "1.3.6.1.5.5.7.3.9",
    "KeyUsageMicrosoftServerGatedCrypto": "1.3.6.1.4.1.311.10.3.3", "KeyUsageNetscapeServerGatedCrypto": "2.16.840.1.113730.4.1",
    "KeyUsageMicrosoftCommercialCodeSigning": "1.3.6.1.4.1.311.2.1.22", "KeyUsageMicrosoftKernelCodeSigning": "1.3.6.1.4.1.311.61.1.1",
]

/// The private keys of a text; parameters of curves and certificates between them are passed over.
private func privateKeys(_ text: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) -> [any HostKey] {
    let cryptography = try context.cryptography()
    if text.isEmpty { throw BuiltinFailure("input is empty") }
    let blocks: [PEM.Block]
    switch try armour(text) {
    case .pem(let list): blocks = list
    case .der(let bytes): blocks = [PEM.Block(type: "PRIVATE KEY", bytes: bytes)]
    }
    var keys: [any HostKey] = []
    for block in blocks where block.type == "PRIVATE KEY" || ByteText.hasSuffix(Array(block.type.utf8), Array(" PRIVATE KEY".utf8)) {
        keys.append(try host { () throws(HostFailure) in try cryptography.key(.privateDER(block.bytes)) })
    }
    return keys
}
