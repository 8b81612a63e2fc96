import API
import Domain
import HTTPServer
import ServiceManager
import Synchronization
import TLS

/// The node's certificate through its life: taken at the start, exchanged at SIGHUP, watched until it ends.
final class TLSHouse: Sendable {
    private struct State: Sendable {
        var certificate: TLSCertificate
        /// Why the last exchange failed; nil if it did not.
        var failure: String?
        var exchanges: UInt64 = 0
        var failures: UInt64 = 0
    }

    /// Of the start.
    let identity: TLSServerIdentity
    private let state: Mutex<State>

    private init(_ files: TLSFiles) {
        identity = files.identity
        state = Mutex(State(certificate: files.identity.certificate))
    }

    /// Nil without a certificate.
    ///
    /// - Throws: `DaemonFailure` with exit code 78.
    static func open(_ configuration: Configuration, time: TimeSource, log: Log) throws(DaemonFailure) -> TLSHouse? {
        let files: TLSFiles?
        do throws(ConfigurationError) {
            files = try TLSFiles.load(configuration, now: time.timestamp())
        } catch {
            var problem = error.problems[0]
            let hint = problem.hint
            problem.hint = nil
            throw DaemonFailure(code: error.exitCode, message: problem.description, hint: hint)
        }
        guard let files else { return nil }
        for warning in files.warnings { log.warning("tls", "certificate", ["problem": .text(warning)]) }
        let house = TLSHouse(files)
        log.info("tls", "certificate_taken", fields(files.identity.certificate))
        return house
    }

    /// Reads the files again; handshakes from now on get what is in them. If they cannot be used the old certificate stays, and health says so.
    func exchange(_ configuration: Configuration, door: HTTPDoor, now: Timestamp, log: Log) {
        let files: TLSFiles?
        do throws(ConfigurationError) {
            files = try TLSFiles.load(configuration, now: now)
        } catch {
            let problem = error.problems[0]
            log.error("tls", "certificate_refused", ["problem": .describing(problem)])
            return state.withLock { state in
                state.failure = problem.message
                state.failures += 1
            }
        }
        guard let files else { return }
        for warning in files.warnings { log.warning("tls", "certificate", ["problem": .text(warning)]) }
        let isNew = state.withLock { state in
            state.failure = nil
            state.exchanges += 1
            defer { state.certificate = files.identity.certificate }
            return state.certificate != files.identity.certificate
        }
        // Also the same certificate may have come with another chain.
        door.replace(files.identity)
        if isNew { log.info("tls", "certificate_taken", Self.fields(files.identity.certificate)) }
    }

    var certificate: TLSCertificate { state.withLock { $0.certificate } }

    /// What a person should know, and do.
    func alerts(now: Timestamp) -> [HealthReport.Alert] {
        let (certificate, failure) = state.withLock { ($0.certificate, $0.failure) }
        var alerts: [HealthReport.Alert] = []
        let hint = "Renew it, then: systemctl reload posto."
        func alert(_ code: String, _ message: String, _ hint: String) {
            alerts.append(HealthReport.Alert(.degraded, "tls", code, message, hint: hint))
        }
        switch CertificateStanding(certificate, at: now) {
        case .valid: break
        case .early:
            alert(
                "certificate_early", "The certificate holds from \(certificate.notBefore.rfc3339) on; clients on the network refuse it.",
                "Is this host's clock right? Else use the one before until then.")
        case .expiring(let days):
            alert("certificate_expiring", "The certificate ends in \(days) days, at \(certificate.notAfter.rfc3339).", hint)
        case .urgent(let days):
            alert(
                "certificate_expires_shortly",
                "The certificate ends in \(days) days, at \(certificate.notAfter.rfc3339); then no client on the network can connect.", hint
            )
        case .ended:
            alert(
                "certificate_expired",
                "The certificate ended at \(certificate.notAfter.rfc3339); clients on the network cannot connect, those of this host can.",
                hint)
        }
        if let failure {
            alert(
                "certificate_not_reloaded", "The new certificate was not taken (\(failure)); the one before serves on.",
                "Put the files right, look at them with posto serve --check, then: systemctl reload posto.")
        }
        return alerts
    }

    func gauges() -> [(name: String, help: String, value: Double)] {
        let (certificate, failure) = state.withLock { ($0.certificate, $0.failure) }
        return [
            (
                "posto_tls_certificate_not_after_seconds", "When the certificate ends, in seconds since 1970.",
                Double(certificate.notAfter.milliseconds / 1_000)
            ),
            ("posto_tls_certificate_reload_failed", "1 if the last reload could not take the new certificate.", failure == nil ? 0 : 1),
        ]
    }

    func counters() -> [(name: String, help: String, value: UInt64)] {
        let (exchanges, failures) = state.withLock { ($0.exchanges, $0.failures) }
        return [
            ("posto_tls_certificate_reloads_total", "Times that the certificate was read again and taken.", exchanges),
            ("posto_tls_certificate_reload_failures_total", "Times that the certificate was read again and refused.", failures),
        ]
    }

    private static func fields(_ certificate: TLSCertificate) -> KeyValuePairs<StaticString, LogValue> {
        [
            "subject": .text(certificate.subject), "names": .text(certificate.names.joined(separator: ",")),
            "not_after": .text(certificate.notAfter.rfc3339), "sha256": .text(certificate.fingerprint),
        ]
    }
}
