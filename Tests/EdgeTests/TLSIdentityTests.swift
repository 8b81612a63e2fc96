import Domain
import TLS
import TestSupport
import Testing

/// Certificates and keys before they serve.
@Suite("TLS identities") struct TLSIdentityTests {
    private let authority = TestAuthority.shared

    private func error(_ chain: [UInt8], _ key: [UInt8]) -> TLSError? {
        do throws(TLSError) {
            _ = try TLSServerIdentity(chain: chain, key: key)
            return nil
        } catch {
            return error
        }
    }

    @Test("a certificate tells its names, its life and its print")
    func facts() throws {
        let pair = authority.issue("facts", names: "DNS:a.example,DNS:*.b.example,IP:10.1.2.3,email:x@y.example", days: 90)
        let certificate = try TLSServerIdentity(chain: pair.certificateBytes, key: pair.keyBytes).certificate
        #expect(certificate.subject == "CN=facts")
        #expect(certificate.issuer == "CN=Posto test authority")
        #expect(certificate.names == ["a.example", "*.b.example", "10.1.2.3"])
        #expect(certificate.notAfter - certificate.notBefore == .seconds(90 * 86_400))
        let print = TestAuthority.run("openssl", ["x509", "-noout", "-fingerprint", "-sha256", "-in", pair.certificate]).output
        #expect(print.filter { $0 != ":" }.lowercased().contains("fingerprint=\(certificate.fingerprint)"))
    }

    @Test("what is in the files decides what is said")
    func refusals() {
        let pair = authority.localhost
        let other = authority.issue("another")
        let certificate = pair.certificateBytes
        #expect(error(certificate, pair.keyBytes) == nil)
        #expect(error(certificate + pair.keyBytes, pair.keyBytes) == nil, "a key in the same file does no harm")
        #expect(error([], pair.keyBytes)?.code == .badCertificate)
        #expect(error(certificate, [])?.code == .badKey)
        #expect(error(pair.keyBytes, pair.keyBytes)?.message == "holds a key and no certificate")
        #expect(error(certificate, certificate)?.message == "holds a certificate and no key")
        #expect(error(certificate, other.keyBytes)?.code == .mismatch)
        #expect(error(other.certificateBytes + certificate, pair.keyBytes)?.code == .chainOrder)
        #expect(error(certificate + other.certificateBytes, pair.keyBytes)?.code == .chainOrder)
        #expect(error(certificate + authority.certificateBytes, pair.keyBytes) == nil, "the root may stand behind")
        #expect(error(Array(certificate.prefix(200)), pair.keyBytes)?.code == .badCertificate)
        #expect(error(certificate + Array(certificate.prefix(200)), pair.keyBytes)?.code == .badCertificate)
        #expect(error((0..<11).flatMap { _ in certificate }, pair.keyBytes)?.message.contains("more than 10") == true)
    }

    @Test("a key with a password, a weak key and a certificate for clients are refused")
    func unusable() {
        let pair = authority.localhost
        let locked = pair.key + ".locked"
        TestAuthority.openssl(["pkey", "-in", pair.key, "-aes256", "-passout", "pass:secret", "-out", locked])
        #expect(error(pair.certificateBytes, TestAuthority.read(locked))?.code == .encryptedKey)
        let weak = authority.issue("weak", key: ["rsa:1024"])
        #expect(error(weak.certificateBytes, weak.keyBytes)?.code == .refused)
        let client = authority.issue("client", usage: "extendedKeyUsage=clientAuth")
        #expect(error(client.certificateBytes, client.keyBytes)?.code == .wrongPurpose)
        let plain = authority.issue("plain", usage: "basicConstraints=CA:FALSE")
        #expect(error(plain.certificateBytes, plain.keyBytes) == nil)
    }

    @Test(
        "a life of 90 days is expiring for its last 30 and urgent for its last 7; a short one for its last third and tenth",
        arguments: [
            (90, -1.0, CertificateStanding.early), (90, 0, .valid), (90, 59.9, .valid), (90, 60.1, .expiring(daysLeft: 29)),
            (90, 82.9, .expiring(daysLeft: 7)), (90, 83.1, .urgent(daysLeft: 6)), (90, 89.9, .urgent(daysLeft: 0)),
            (90, 90.1, .ended(daysAgo: 0)), (90, 93.5, .ended(daysAgo: 3)), (365, 334, .valid), (365, 336, .expiring(daysLeft: 29)),
            (10, 6.6, .valid), (10, 6.7, .expiring(daysLeft: 3)), (10, 8.9, .expiring(daysLeft: 1)), (10, 9.1, .urgent(daysLeft: 0)),
        ] as [(Int64, Double, CertificateStanding)])
    func standing(_ days: Int64, _ at: Double, _ expected: CertificateStanding) {
        let begin = Timestamp(milliseconds: 1_795_000_000_000)
        #expect(
            CertificateStanding(
                notBefore: begin, notAfter: begin + .seconds(days * 86_400), at: begin + .milliseconds(Int64(at * 86_400_000))) == expected)
    }
}
