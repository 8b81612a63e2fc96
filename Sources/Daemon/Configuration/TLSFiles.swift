import Domain
import Glibc
import TLS

/// A certificate and its key, read from their files and checked together.
package struct TLSFiles: Sendable {
    package let identity: TLSServerIdentity
    /// What is usable and yet not right: sentences with what to do.
    package let warnings: [String]

    /// Which of the two files is to blame, and what to do.
    package struct Fault: Error, Equatable, Sendable {
        package let isKey: Bool
        /// A sentence without its end, the file's path in it.
        package let message: String
        package let hint: String
    }

    package static func load(certificate: String, key: String, now: Timestamp) throws(Fault) -> TLSFiles {
        let chain = try read(certificate, isKey: false)
        let keyBytes = try read(key, isKey: true)
        let identity: TLSServerIdentity
        do throws(TLSError) {
            identity = try TLSServerIdentity(chain: chain, key: keyBytes)
        } catch {
            let isKey = error.code == .badKey || error.code == .encryptedKey || error.code == .mismatch
            throw Fault(isKey: isKey, message: "\(isKey ? key : certificate): \(error.message)", hint: error.hint)
        }
        return TLSFiles(identity: identity, warnings: warnings(identity.certificate, certificate, key, now))
    }

    private static func read(_ path: String, isKey: Bool) throws(Fault) -> [UInt8] {
        switch ConfigurationFiles.read(path, bytesMax: Limits.tlsFileBytesMax) {
        case .bytes(let bytes): return bytes
        case .missing:
            throw Fault(
                isKey: isKey, message: "there is no file \(path)",
                hint:
                    "expected a PEM file such as /etc/posto/tls/\(isKey ? "key.pem" : "certificate.pem"); OPERATIONS tells how to make one")
        case .unreadable(let reason):
            throw Fault(
                isKey: isKey, message: "\(path) cannot be read: \(reason)",
                hint: isKey
                    ? "let the daemon's user read it (chown posto, chmod 600), or hand it over as a systemd credential"
                    : "let the daemon's user read it (chmod 644)")
        }
    }

    private static func warnings(_ certificate: TLSCertificate, _ path: String, _ keyPath: String, _ now: Timestamp) -> [String] {
        var warnings: [String] = []
        switch CertificateStanding(certificate, at: now) {
        case .ended:
            warnings.append("the certificate in \(path) ended at \(certificate.notAfter.rfc3339); clients refuse it: renew it, then reload")
        case .early:
            warnings.append(
                "the certificate in \(path) holds from \(certificate.notBefore.rfc3339) on; clients refuse it until then: is this host's clock right?"
            )
        case .urgent(let days), .expiring(let days):
            warnings.append("the certificate in \(path) ends in \(days) days, at \(certificate.notAfter.rfc3339): renew it, then reload")
        case .valid: break
        }
        if certificate.names.isEmpty {
            warnings.append(
                "the certificate in \(path) names no host (subjectAltName); clients will refuse it: make one with the names and addresses they use"
            )
        }
        var status = stat()
        if stat(keyPath, &status) == 0 {
            if status.st_mode & 0o007 != 0 {
                warnings.append(
                    "every user of this host may use the key \(keyPath): chmod 600 it, and renew it if others have accounts here")
            } else if status.st_mode & 0o020 != 0 {
                warnings.append("the group of \(keyPath) may change it: chmod 640")
            }
        }
        return warnings
    }
}

extension TLSFiles {
    /// Nil if the configuration has no certificate.
    package static func load(_ configuration: Configuration, now: Timestamp) throws(ConfigurationError) -> TLSFiles? {
        guard configuration.listen.hasTLS else { return nil }
        do throws(Fault) {
            return try load(certificate: configuration.listen.tlsCertificate, key: configuration.listen.tlsKey, now: now)
        } catch {
            let name = error.isKey ? "tls_key" : "tls_certificate"
            throw ConfigurationError(
                code: .configuration,
                problems: [
                    ConfigurationError.Problem(
                        origin: configuration.origins["listen.\(name)"], message: "\(name): \(error.message)", hint: error.hint)
                ])
        }
    }

    /// What `serve --check` says about it, as comments of TOML.
    package var description: String {
        let certificate = identity.certificate
        let names = certificate.names.isEmpty ? "no host" : certificate.names.joined(separator: ", ")
        return """

            # The certificate: \(certificate.subject), for \(names),
            # signed by \(certificate.issuer), until \(certificate.notAfter.rfc3339), SHA-256 \(certificate.fingerprint)

            """ + warnings.map { "# warning: \($0)\n" }.joined()
    }
}
