import Domain

/// Where a certificate is in its life, and whether a person should do something about it.
///
/// ```
///  notBefore                                    30 days left     7 days left      notAfter
///  ────┼──────────────── valid ──────────────────────┼── expiring ───┼── urgent ───────┼── ended
/// ```
/// Of one that lives for less than 90 days the last third is "expiring" and the last tenth "urgent", so that a short life is no alarm.
package enum CertificateStanding: Equatable, Sendable {
    /// Its first day is still to come, or this host's clock is wrong.
    case early
    case valid
    case expiring(daysLeft: Int)
    case urgent(daysLeft: Int)
    case ended(daysAgo: Int)

    package init(_ certificate: TLSCertificate, at now: Timestamp) {
        self.init(notBefore: certificate.notBefore, notAfter: certificate.notAfter, at: now)
    }

    package init(notBefore: Timestamp, notAfter: Timestamp, at now: Timestamp) {
        if now < notBefore {
            self = .early
            return
        }
        let left = notAfter.milliseconds - now.milliseconds
        let life = notAfter.milliseconds - notBefore.milliseconds
        let day: Int64 = 86_400_000
        if left < 0 {
            self = .ended(daysAgo: Int(-left / day))
        } else if left < min(Int64(Limits.tlsExpiryUrgentDays) * day, life / 10) {
            self = .urgent(daysLeft: Int(left / day))
        } else if left < min(Int64(Limits.tlsExpiryNoticeDays) * day, life / 3) {
            self = .expiring(daysLeft: Int(left / day))
        } else {
            self = .valid
        }
    }
}
