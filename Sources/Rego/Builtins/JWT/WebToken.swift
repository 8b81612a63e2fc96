/// A JSON Web Token in its compact form, cut at its points (RFC 7519).
struct WebToken {
    /// Header and payload as they were signed.
    let signedPart: [UInt8]
    let payload: [UInt8]
    private let signaturePart: [UInt8]
    let header: Value

    init(_ text: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if parts.count == 1 { throw BuiltinFailure("encoded JWT had no period separators") }
        guard parts.count == 3 else { throw BuiltinFailure("encoded JWT must have 3 sections, found \(parts.count)") }
        signedPart = Array(text[..<parts[1].endIndex])
        payload = Array(parts[1])
        signaturePart = Array(parts[2])
        let bytes = try Self.decoded(Array(parts[0]), "header")
        do throws(BuiltinFailure) {
            header = try JSONText.read(bytes, context.arena)
        } catch {
            throw BuiltinFailure("JWT header was not valid JSON: \(error.message)")
        }
        guard header.isObject else { throw BuiltinFailure("JWT header was not a JSON object") }
        if header["enc"].isDefined { throw BuiltinFailure("JWT is a JWE object, which is not supported") }
    }

    private static func decoded(_ text: [UInt8], _ what: String) throws(BuiltinFailure) -> [UInt8] {
        do throws(BuiltinFailure) {
            return try Base64.decodeURL(text)
        } catch {
            throw BuiltinFailure("JWT \(what) had invalid encoding: \(error.message)")
        }
    }

    func signature() throws(BuiltinFailure) -> [UInt8] { try Self.decoded(signaturePart, "signature") }

    func payloadBytes() throws(BuiltinFailure) -> [UInt8] { try Self.decoded(payload, "payload") }

    /// The payload is another token.
    var isNested: Bool { header["cty"].asString?.uppercased() == "JWT" }

    /// The token within the payload, which may be a JSON string.
    func nestedText() throws(BuiltinFailure) -> [UInt8] {
        var text = try payloadBytes()
        if text.first == UInt8(ascii: "\"") { text.removeFirst() }
        if text.last == UInt8(ascii: "\"") { text.removeLast() }
        return text
    }

    static func object(_ payload: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) -> Value {
        let value: Value
        do throws(BuiltinFailure) {
            value = try JSONText.read(payload, context.arena)
        } catch {
            throw BuiltinFailure("JWT payload was not valid JSON: \(error.message)")
        }
        guard value.isObject else { throw BuiltinFailure("JSON string does not represent an object") }
        return value
    }

    var algorithm: String { header["alg"].asString ?? "" }
    var keyIdentifier: String { header["kid"].asString ?? "" }

    /// A header names its algorithm, and demands nothing that is not understood (RFC 7515, 4.1.11).
    var isAcceptable: Bool { !algorithm.isEmpty && (header["crit"].count == 0) }

    /// Tries the key that the token names, or else every key that may be meant.
    func isSigned(by keys: [JSONWebKey], _ algorithm: TokenAlgorithm, _ context: BuiltinContext) throws(BuiltinFailure) -> Bool {
        let signature = try signature()
        let cryptography = try context.cryptography()
        func verifies(_ key: JSONWebKey) -> Bool { algorithm.verify(key.material, signedPart, signature, cryptography) }
        if !keyIdentifier.isEmpty, let key = keys.first(where: { $0.identifier == keyIdentifier }) { return verifies(key) }
        return keys.contains { ($0.algorithm.isEmpty || $0.algorithm == self.algorithm) && verifies($0) }
    }
}
