/// Certificates as the JSON that Go makes of its `x509.Certificate`, which is what OPA's policies know.
struct CertificateJSON {
    let arena: Arena

    private func bytes(_ bytes: [UInt8]?) -> Value { bytes.map { arena.string(Base64.standard.encode($0)) } ?? .null }
    private func strings(_ strings: [String]) -> Value {
        strings.isEmpty ? .null : arena.array(strings.map { arena.string($0) })
    }
    /// "1.2.840" as the array of its numbers.
    private func identifier(_ text: String) -> Value {
        arena.array(text.utf8.split(separator: UInt8(ascii: ".")).map { arena.number(text: Substring($0)) })
    }

    /// `x509.SignatureAlgorithm`, by libcrypto's short names.
    private func signatureAlgorithm(_ name: String) -> Int {
        let numbers = [
            "RSA-MD2": 1, "RSA-MD5": 2, "RSA-SHA1": 3, "RSA-SHA256": 4, "RSA-SHA384": 5, "RSA-SHA512": 6, "DSA-SHA1": 7,
            "dsa_with_SHA256": 8, "ecdsa-with-SHA1": 9, "ecdsa-with-SHA256": 10, "ecdsa-with-SHA384": 11, "ecdsa-with-SHA512": 12,
            "RSASSA-PSS": 13, "ED25519": 16,
        ]
        return numbers[name] ?? 0
    }

    private func publicKey(_ key: (any HostKey)?) -> (algorithm: Int, value: Value) {
        guard let key else { return (0, .null) }
        let numbers = key.numbers
        switch key.kind {
        case .rsa:
            return (1, arena.record([("N", number(numbers["n"])), ("E", number(numbers["e"]))]))
        case .ec:
            return (3, arena.record([("Curve", .emptyObject), ("X", number(numbers["x"])), ("Y", number(numbers["y"]))]))
        case .ed25519: return (4, bytes(numbers["x"]))
        case .other: return (0, .null)
        }
    }

    /// A big-endian number of any size.
    func number(_ bytes: [UInt8]?) -> Value {
        let limbs = (bytes ?? []).reversed().enumerated().reduce(into: [UInt32](repeating: 0, count: ((bytes ?? []).count + 3) / 4)) {
            limbs, part in limbs[part.offset / 4] |= UInt32(part.element) << UInt32(part.offset % 4 * 8)
        }
        return arena.integer(BigInteger(isNegative: false, magnitude: Magnitude(limbs: limbs)))
    }

    private func name(_ name: HostName) -> Value {
        let lists: [(key: String, type: String)] = [
            ("Country", "2.5.4.6"), ("Organization", "2.5.4.10"), ("OrganizationalUnit", "2.5.4.11"), ("Locality", "2.5.4.7"),
            ("Province", "2.5.4.8"), ("StreetAddress", "2.5.4.9"), ("PostalCode", "2.5.4.17"),
        ]
        var fields = lists.map { list in (list.key, strings(name.parts.filter { $0.type == list.type }.map(\.value))) }
        func last(_ type: String) -> Value { arena.string(name.parts.last { $0.type == type }?.value ?? "") }
        fields.append(("SerialNumber", last("2.5.4.5")))
        fields.append(("CommonName", last("2.5.4.3")))
        let all = name.parts.map { arena.record([("Type", identifier($0.type)), ("Value", arena.string($0.value))]) }
        fields.append(("Names", all.isEmpty ? .null : arena.array(all)))
        fields.append(("ExtraNames", .null))
        return arena.record(fields)
    }

    private func time(_ seconds: Int64) -> Value {
        arena.string(TimeLayout(TimeLayout.rfc3339).format(Instant(seconds: seconds, nanosecond: 0), in: .utc))
    }

    private func extensions(_ list: [HostExtension]) -> Value {
        list.isEmpty
            ? .null
            : arena.array(
                list.map {
                    arena.record([("Id", identifier($0.identifier)), ("Critical", Value($0.isCritical)), ("Value", bytes($0.value))])
                })
    }

    private func alternatives(_ names: HostAlternativeNames) -> [(String, Value)] {
        let addresses = names.addresses.map { address in
            IPAddress(isIPv4: address.count == 4, value: address.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }).text
        }
        let uris = names.uris.map { uri(Array($0.utf8)) }
        return [
            ("DNSNames", strings(names.dns)), ("EmailAddresses", strings(names.emails)), ("IPAddresses", strings(addresses)),
            ("URIs", uris.isEmpty ? .null : arena.array(uris)),
        ]
    }

    /// Go's `url.URL`.
    private func uri(_ text: [UInt8]) -> Value {
        guard let uri = try? URI(text) else { return .null }
        let host = uri.port.isEmpty ? uri.hostname : uri.hostname + [UInt8(ascii: ":")] + uri.port
        return arena.record([
            ("Scheme", arena.string(uri.scheme)), ("Opaque", arena.string("")), ("User", .null), ("Host", arena.string(host)),
            ("Path", arena.string(uri.path)), ("RawPath", arena.string(uri.rawPath == uri.path ? [] : uri.rawPath)), ("OmitHost", .false),
            ("ForceQuery", .false), ("RawQuery", arena.string(uri.rawQuery)), ("Fragment", arena.string(uri.fragment)),
            ("RawFragment", arena.string("")),
        ])
    }

    /// `x509.ExtKeyUsage`; what has no number goes to `UnknownExtKeyUsage`.
    static let extendedUsages: [String: Int] = [
        "2.5.29.37.0": 0, "1.3.6.1.5.5.7.3.1": 1, "1.3.6.1.5.5.7.3.2": 2, "1.3.6.1.5.5.7.3.3": 3, "1.3.6.1.5.5.7.3.4": 4,
        "1.3.6.1.5.5.7.3.5": 5, "1.3.6.1.5.5.7.3.6": 6, "1.3.6.1.5.5.7.3.7": 7, "1.3.6.1.5.5.7.3.8": 8, "1.3.6.1.5.5.7.3.9": 9,
        "1.3.6.1.4.1.311.10.3.3": 10, "2.16.840.1.113730.4.1": 11, "1.3.6.1.4.1.311.2.1.22": 12, "1.3.6.1.4.1.311.61.1.1": 13,
    ]

    func certificate(_ certificate: HostCertificate, key: (any HostKey)?) -> Value {
        let (keyAlgorithm, keyValue) = publicKey(key)
        let known = certificate.extendedKeyUsages.compactMap { Self.extendedUsages[$0] }
        let unknown = certificate.extendedKeyUsages.filter { Self.extendedUsages[$0] == nil }
        let length = certificate.isAuthority || certificate.hasBasicConstraints ? certificate.pathLengthMax : 0
        var fields: [(String, Value)] = [
            ("Raw", bytes(certificate.raw)), ("RawTBSCertificate", bytes(certificate.rawTBS)),
            ("RawSubjectPublicKeyInfo", bytes(certificate.rawPublicKeyInfo)), ("RawSubject", bytes(certificate.rawSubject)),
            ("RawIssuer", bytes(certificate.rawIssuer)), ("Signature", bytes(certificate.signature)),
            ("SignatureAlgorithm", Value(signatureAlgorithm(certificate.signatureAlgorithm))), ("PublicKeyAlgorithm", Value(keyAlgorithm)),
            ("PublicKey", keyValue), ("Version", Value(certificate.version)),
            ("SerialNumber", arena.number(text: certificate.serialNumber)), ("Issuer", name(certificate.issuer)),
            ("Subject", name(certificate.subject)), ("NotBefore", time(certificate.notBefore)), ("NotAfter", time(certificate.notAfter)),
            ("KeyUsage", Value(certificate.keyUsage)), ("Extensions", extensions(certificate.extensions)), ("ExtraExtensions", .null),
            ("UnhandledCriticalExtensions", .null), ("ExtKeyUsage", known.isEmpty ? .null : arena.array(known.map { Value($0) })),
            ("UnknownExtKeyUsage", unknown.isEmpty ? .null : arena.array(unknown.map(identifier))),
            ("BasicConstraintsValid", Value(certificate.hasBasicConstraints)), ("IsCA", Value(certificate.isAuthority)),
            ("MaxPathLen", Value(length)), ("MaxPathLenZero", Value(certificate.hasBasicConstraints && certificate.pathLengthMax == 0)),
            ("SubjectKeyId", bytes(certificate.subjectKeyID)), ("AuthorityKeyId", bytes(certificate.authorityKeyID)),
            ("OCSPServer", strings(certificate.ocspServers)), ("IssuingCertificateURL", strings(certificate.issuingURLs)),
            ("PermittedDNSDomainsCritical", .false), ("PermittedDNSDomains", .null), ("ExcludedDNSDomains", .null),
            ("PermittedIPRanges", .null), ("ExcludedIPRanges", .null), ("PermittedEmailAddresses", .null),
            ("ExcludedEmailAddresses", .null), ("PermittedURIDomains", .null), ("ExcludedURIDomains", .null),
            ("CRLDistributionPoints", strings(certificate.distributionPoints)),
            ("PolicyIdentifiers", certificate.policies.isEmpty ? .null : arena.array(certificate.policies.map(identifier))),
            ("Policies", strings(certificate.policies)), ("InhibitAnyPolicy", Value(0)), ("InhibitAnyPolicyZero", .false),
            ("InhibitPolicyMapping", Value(0)), ("InhibitPolicyMappingZero", .false), ("RequireExplicitPolicy", Value(0)),
            ("RequireExplicitPolicyZero", .false), ("PolicyMappings", .null),
        ]
        fields += alternatives(certificate.alternativeNames)
        // What OPA adds: the URIs as text.
        fields.append(("URIStrings", strings(certificate.alternativeNames.uris)))
        return arena.record(fields)
    }

    func request(_ request: HostCertificateRequest, key: (any HostKey)?) -> Value {
        let (keyAlgorithm, keyValue) = publicKey(key)
        var fields: [(String, Value)] = [
            ("Raw", bytes(request.raw)), ("RawTBSCertificateRequest", bytes(request.rawTBS)),
            ("RawSubjectPublicKeyInfo", bytes(request.rawPublicKeyInfo)), ("RawSubject", bytes(request.rawSubject)),
            ("Version", Value(request.version)), ("Signature", bytes(request.signature)),
            ("SignatureAlgorithm", Value(signatureAlgorithm(request.signatureAlgorithm))), ("PublicKeyAlgorithm", Value(keyAlgorithm)),
            ("PublicKey", keyValue), ("Subject", name(request.subject)), ("Attributes", .emptyArray),
            ("Extensions", extensions(request.extensions)), ("ExtraExtensions", .null),
        ]
        fields += alternatives(request.alternativeNames)
        return arena.record(fields)
    }

    /// Go's private keys.
    func privateKey(_ key: any HostKey) -> Value {
        let numbers = key.numbers
        switch key.kind {
        case .rsa:
            return arena.record([
                ("N", number(numbers["n"])), ("E", number(numbers["e"])), ("D", number(numbers["d"])),
                ("Primes", arena.array([number(numbers["p"]), number(numbers["q"])])),
                (
                    "Precomputed",
                    arena.record([
                        ("Dp", number(numbers["dp"])), ("Dq", number(numbers["dq"])), ("Qinv", number(numbers["qi"])),
                        ("CRTValues", .emptyArray),
                    ])
                ),
            ])
        case .ec:
            return arena.record([
                ("Curve", .emptyObject), ("X", number(numbers["x"])), ("Y", number(numbers["y"])), ("D", number(numbers["d"])),
            ])
        default: return bytes((numbers["d"] ?? []) + (numbers["x"] ?? []))
        }
    }
}
