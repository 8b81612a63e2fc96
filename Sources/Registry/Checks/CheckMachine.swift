import Domain

/// Decides an instance's health from what its probes say.
///
///                 first success
///     unknown ───────────────────▶ passing ◀──────────┐
///        │                            │               │ successes in a row
///        │        failures in a row   ▼               │
///        └──────────────────────▶ critical ───────────┘
///
/// A probe that is answered with a warning (HTTP 429) counts as a success and is shown as such.
package struct CheckMachine: Equatable, Sendable {
    package struct Thresholds: Equatable, Sendable {
        package var failures: Int
        package var successes: Int
        package init(failures: Int, successes: Int) {
            precondition(failures > 0 && successes > 0)
            self.failures = failures
            self.successes = successes
        }
    }

    package enum Result: Equatable, Sendable { case passing, warning, failing }

    package private(set) var health: Health
    package private(set) var failureCount = 0
    private var successCount = 0

    package init(health: Health = .unknown) { self.health = health }

    /// Takes one result; returns the new health if it changed.
    package mutating func probed(_ result: Result, thresholds: Thresholds) -> Health? {
        let before = health
        switch result {
        case .failing:
            successCount = 0
            failureCount = min(failureCount + 1, thresholds.failures)
            if failureCount >= thresholds.failures { health = .critical }
        case .passing, .warning:
            failureCount = 0
            successCount = min(successCount + 1, thresholds.successes)
            if health != .critical || successCount >= thresholds.successes { health = result == .passing ? .passing : .warning }
        }
        return health == before ? nil : health
    }

    /// Critical, and has answered again, but not yet often enough.
    package var isRecovering: Bool { health == .critical && successCount > 0 }

    /// True while a failure waits to be confirmed: the next probe should come soon.
    package func isSuspicious(thresholds: Thresholds) -> Bool {
        failureCount > 0 && failureCount < thresholds.failures
    }
}
