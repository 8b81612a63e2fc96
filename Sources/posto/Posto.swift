import ArgumentParser
import Domain

/// The binary: one command line, many subcommands.
@main
struct Posto: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "posto", abstract: "The post of a branch: registry, policy cache and journal on one host.",
        version: PostoVersion.text,
        subcommands: [Serve.self, Bench.self, BenchFloor.self])
}
