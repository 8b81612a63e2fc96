/// A key that checks or makes signatures of tokens, from a certificate, a public key in PEM, or a JWK (RFC 7517).
struct JSONWebKey {
    enum Material {
        case asymmetric(any HostKey)
        case secret([UInt8])
    }

    let material: Material
    var identifier = ""
    var algorithm = ""

    /// The keys of a certificate, a public key, a JWK or a set of them.
    static func verificationKeys(_ text: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) -> [JSONWebKey] {
        let cryptography = try context.cryptography()
        var rest = text[...]
        if let block = PEM.next(&rest) {
            if !rest.isEmpty { throw BuiltinFailure("extra data after a PEM certificate block") }
            switch block.type {
            case "CERTIFICATE":
                return [
                    JSONWebKey(
                        material: .asymmetric(
                            try host("failed to parse a PEM certificate") { () throws(HostFailure) in
                                try cryptography.key(ofCertificate: block.bytes)
                            }))
                ]
            case "PUBLIC KEY":
                return [
                    JSONWebKey(
                        material: .asymmetric(
                            try host("failed to parse a PEM public key") { () throws(HostFailure) in
                                try cryptography.key(.publicDER(block.bytes))
                            }))
                ]
            default: throw BuiltinFailure("failed to extract a Key from the PEM certificate")
            }
        }
        let document: Value
        do throws(BuiltinFailure) {
            document = try JSONText.read(text, context.arena)
        } catch {
            throw BuiltinFailure("failed to parse a JWK key (set): \(error.message)")
        }
        let list = document["keys"]
        guard list.isArray else { return [try JSONWebKey(document, forSigning: false, context)] }
        var keys: [JSONWebKey] = []
        for element in list.elements { keys.append(try JSONWebKey(element, forSigning: false, context)) }
        return keys
    }

    init(material: Material) { self.material = material }

    init(_ value: Value, forSigning: Bool, _ context: BuiltinContext) throws(BuiltinFailure) {
        let failure = "failed to parse a JWK key (set)"
        guard value.isObject, let type = value["kty"].asString else { throw BuiltinFailure("\(failure): kty is missing") }
        func number(_ name: StaticString) throws(BuiltinFailure) -> [UInt8]? {
            guard value[name].isDefined else { return nil }
            guard value[name].isString else { throw BuiltinFailure("\(failure): \(name) must be a string") }
            return try Base64.rawURL.decode(Array(value[name].utf8).filter { $0 != UInt8(ascii: "=") })
        }
        func required(_ name: StaticString) throws(BuiltinFailure) -> [UInt8] {
            guard let bytes = try number(name), !bytes.isEmpty else { throw BuiltinFailure("\(failure): \(name) is missing") }
            return bytes
        }
        let form: KeyForm
        switch type {
        case "oct":
            material = .secret(try required("k"))
            identifier = value["kid"].asString ?? ""
            algorithm = value["alg"].asString ?? ""
            return
        case "RSA":
            if forSigning {
                var parts = ["n": try required("n"), "e": try required("e"), "d": try required("d")]
                for (name, key) in [("p", "p"), ("q", "q"), ("dp", "dp"), ("dq", "dq"), ("qi", "qi")] as [(StaticString, String)] {
                    parts[key] = try number(name)
                }
                form = .rsaPrivate(parts)
            } else {
                form = .rsaPublic(modulus: try required("n"), exponent: try required("e"))
            }
        case "EC":
            form = .ec(
                curve: value["crv"].asString ?? "", x: try required("x"), y: try required("y"), d: forSigning ? try required("d") : nil)
        case "OKP":
            guard value["crv"].asString == "Ed25519" else { throw BuiltinFailure("\(failure): only Ed25519 is supported") }
            form = forSigning ? .ed25519Private(try required("d")) : .ed25519Public(try required("x"))
        default:
            throw BuiltinFailure("\(failure): unknown key type \(type)")
        }
        let cryptography = try context.cryptography()
        material = .asymmetric(try Self.host(failure) { () throws(HostFailure) in try cryptography.key(form) })
        identifier = value["kid"].asString ?? ""
        algorithm = value["alg"].asString ?? ""
    }

    private static func host<Result>(_ what: String, _ body: () throws(HostFailure) -> Result) throws(BuiltinFailure) -> Result {
        do throws(HostFailure) {
            return try body()
        } catch {
            throw BuiltinFailure("\(what): \(error.message)")
        }
    }
}
