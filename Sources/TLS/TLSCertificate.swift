import CTLS
import Domain

/// What a certificate says, for people and for whoever watches over it.
package struct TLSCertificate: Equatable, Sendable {
    /// `CN=till-7.branch.example`
    package let subject: String
    package let issuer: String
    /// Its alternative names as clients compare them: `till-7.branch.example`, `10.1.2.3`.
    package let names: [String]
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    /// SHA-256 of its DER form in hexadecimal digits.
    package let fingerprint: String

    init(_ certificate: OpaquePointer) {
        subject = Self.text(X509_get_subject_name(certificate))
        issuer = Self.text(X509_get_issuer_name(certificate))
        names = Self.names(certificate)
        notBefore = Self.time(X509_get0_notBefore(certificate))
        notAfter = Self.time(X509_get0_notAfter(certificate))
        fingerprint = Self.fingerprint(certificate)
    }

    private static func text(_ name: OpaquePointer?) -> String {
        Self.printed { X509_NAME_print_ex($0, name, 0, posto_name_flags) >= 0 }
    }

    /// The extension in libcrypto's words: `DNS:a.example, IP Address:10.1.2.3`. Only shown; clients do the comparing.
    private static func names(_ certificate: OpaquePointer) -> [String] {
        let place = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)
        guard place >= 0, let field = X509_get_ext(certificate, place) else { return [] }
        return printed { X509V3_EXT_print($0, field, 0, 0) == 1 }
            .split(separator: ",")
            .compactMap { part in
                let part = part.drop { $0 == " " }
                for kind in ["DNS:", "IP Address:"] where part.hasPrefix(kind) { return String(part.dropFirst(kind.count)) }
                return nil
            }
    }

    private static func printed(_ body: (OpaquePointer) -> Bool) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        var bytes: UnsafeMutablePointer<CChar>?
        guard body(bio) else { return "" }
        let count = posto_bio_bytes(bio, &bytes)
        guard count > 0, let bytes else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> Timestamp {
        var days: Int32 = 0
        var seconds: Int32 = 0
        let epoch = ASN1_TIME_set(nil, 0)
        defer { ASN1_STRING_free(epoch) }
        guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return Timestamp(milliseconds: 0) }
        return Timestamp(milliseconds: (Int64(days) * 86_400 + Int64(seconds)) * 1_000)
    }

    private static func fingerprint(_ certificate: OpaquePointer) -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else { return "" }
        return digest.prefix(Int(count)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
