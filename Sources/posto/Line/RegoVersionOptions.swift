import Arguments
import RegoSyntax

/// Which Rego a command reads and writes, with the flags of `opa`.
struct RegoVersionOptions: ParsableArguments {
    @Flag(name: .customLong("v0-compatible"), help: "Read and write Rego as it was before 1.0.")
    var v0Compatible = false

    @Flag(name: [.customLong("v0-v1"), .customLong("rego-v1")], help: "Rego that both versions understand: v0 that imports rego.v1.")
    var both = false

    @Flag(name: .customLong("v1-compatible"), help: "Read Rego 1.0, as without a flag; with --v0-v1 the input is 1.0.")
    var v1Compatible = false

    /// What is written, or what rules hold: `--v0-v1` goes before `--v0-compatible`, that before `--v1-compatible`.
    var version: RegoVersion { both ? .v0CompatV1 : v0Compatible ? .v0 : .v1 }

    /// What is read before it is formatted.
    var inputVersion: RegoVersion {
        if v0Compatible { return .v0 }
        if v1Compatible { return .v1 }
        return both ? .v0 : .v1
    }
}
