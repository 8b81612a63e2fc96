/// Digests, signatures, keys and certificates, by a library that does nothing else.
public protocol HostCryptography: Sendable {
    func digest(_ algorithm: DigestAlgorithm, _ bytes: [UInt8]) -> [UInt8]
    /// HMAC (RFC 2104).
    func authenticate(_ algorithm: DigestAlgorithm, key: [UInt8], _ bytes: [UInt8]) -> [UInt8]
    /// Compares in a time that does not tell where they differ.
    func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool

    /// A key from its numbers, or from DER: a SubjectPublicKeyInfo, PKCS #1, PKCS #8 or SEC 1.
    func key(_ form: KeyForm) throws(HostFailure) -> any HostKey
    /// The key of a certificate.
    func key(ofCertificate der: [UInt8]) throws(HostFailure) -> any HostKey

    /// Reads certificates that follow each other in DER.
    func certificates(_ der: [UInt8]) throws(HostFailure) -> [HostCertificate]
    func certificateRequest(_ der: [UInt8]) throws(HostFailure) -> HostCertificateRequest
    /// The chain from the last certificate to the first, which is trusted; the others are those in between.
    func verifyChain(_ certificates: [[UInt8]], options: ChainOptions) throws(HostFailure) -> [[UInt8]]
}

public enum DigestAlgorithm: Sendable { case md5, sha1, sha256, sha384, sha512 }

/// How a message is signed (RFC 7518, RFC 8037).
public enum SignatureScheme: Sendable, Equatable {
    case rsaPKCS1(DigestAlgorithm)
    case rsaPSS(DigestAlgorithm)
    /// The signature is the two numbers one after the other, each as long as the curve's order.
    case ecdsa(DigestAlgorithm)
    case ed25519
}

/// A key, public or private.
public protocol HostKey: AnyObject, Sendable {
    var kind: KeyKind { get }
    var isPrivate: Bool { get }
    func verify(_ scheme: SignatureScheme, message: [UInt8], signature: [UInt8]) -> Bool
    func sign(_ scheme: SignatureScheme, message: [UInt8]) throws(HostFailure) -> [UInt8]
    /// The key's numbers, big-endian, by the names of RFC 7518: n, e, d, p, q, dp, dq, qi; x, y, d.
    var numbers: [String: [UInt8]] { get }
}

public enum KeyKind: Sendable, Equatable {
    case rsa
    /// P-224, P-256, P-384 or P-521.
    case ec(curve: String)
    case ed25519
    case other
}

/// What a key is made from.
public enum KeyForm: Sendable {
    case publicDER([UInt8])
    case privateDER([UInt8])
    case rsaPublic(modulus: [UInt8], exponent: [UInt8])
    /// By the names of RFC 7518; n, e and d at least.
    case rsaPrivate([String: [UInt8]])
    case ec(curve: String, x: [UInt8], y: [UInt8], d: [UInt8]?)
    case ed25519Public([UInt8])
    case ed25519Private([UInt8])
}

/// What a chain of certificates is checked against.
public struct ChainOptions: Sendable {
    /// Seconds since 1970.
    public var time: Int64
    /// Empty: any name will do.
    public var dnsName = ""
    /// Object identifiers of the extended usages of which one must be allowed; empty: any.
    public var keyUsages: [String] = []

    public init(time: Int64) { self.time = time }
}

/// A name in a certificate: its parts in order, with the object identifier of each.
public struct HostName: Sendable, Equatable {
    public var parts: [(type: String, value: String)] = []

    public init(parts: [(type: String, value: String)]) { self.parts = parts }

    public static func == (left: HostName, right: HostName) -> Bool { left.parts.elementsEqual(right.parts) { $0 == $1 } }
}

public struct HostExtension: Sendable, Equatable {
    public var identifier: String
    public var isCritical: Bool
    public var value: [UInt8]

    public init(identifier: String, isCritical: Bool, value: [UInt8]) {
        self.identifier = identifier
        self.isCritical = isCritical
        self.value = value
    }
}

/// The names that a certificate speaks for besides its subject.
public struct HostAlternativeNames: Sendable, Equatable {
    public var dns: [String] = []
    public var emails: [String] = []
    /// 4 or 16 bytes each.
    public var addresses: [[UInt8]] = []
    public var uris: [String] = []

    public init() {}
}

/// A certificate cut into the parts that policies ask for.
public struct HostCertificate: Sendable {
    public var raw: [UInt8] = []
    public var rawTBS: [UInt8] = []
    public var rawPublicKeyInfo: [UInt8] = []
    public var rawSubject: [UInt8] = []
    public var rawIssuer: [UInt8] = []
    public var signature: [UInt8] = []
    /// The library's short name of the algorithm: "RSA-SHA256", "ecdsa-with-SHA256", "ED25519".
    public var signatureAlgorithm = ""
    public var version = 3
    /// Decimal digits.
    public var serialNumber = "0"
    public var issuer = HostName(parts: [])
    public var subject = HostName(parts: [])
    /// Seconds since 1970.
    public var notBefore: Int64 = 0
    public var notAfter: Int64 = 0
    /// Bit 0 is digitalSignature, as in Go.
    public var keyUsage = 0
    public var extendedKeyUsages: [String] = []
    public var extensions: [HostExtension] = []
    public var hasBasicConstraints = false
    public var isAuthority = false
    /// -1: no limit is written.
    public var pathLengthMax = -1
    public var subjectKeyID: [UInt8]?
    public var authorityKeyID: [UInt8]?
    public var ocspServers: [String] = []
    public var issuingURLs: [String] = []
    public var alternativeNames = HostAlternativeNames()
    public var distributionPoints: [String] = []
    public var policies: [String] = []

    public init() {}
}

/// A request for a certificate (PKCS #10).
public struct HostCertificateRequest: Sendable {
    public var raw: [UInt8] = []
    public var rawTBS: [UInt8] = []
    public var rawPublicKeyInfo: [UInt8] = []
    public var rawSubject: [UInt8] = []
    public var version = 0
    public var signature: [UInt8] = []
    public var signatureAlgorithm = ""
    public var subject = HostName(parts: [])
    public var extensions: [HostExtension] = []
    public var alternativeNames = HostAlternativeNames()

    public init() {}
}
