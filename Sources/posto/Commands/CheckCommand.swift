import Arguments
import Domain
import Rego
import RegoHost
import RegoSyntax

/// `posto check`
struct CheckCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case pretty, json }

    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check Rego files for errors.",
        discussion: """
            Prints nothing when all is well. Folders are searched for files that end in .rego. Flags and output are those of opa check.

            Exit status: 0 no error; 1 errors; 2 usage.

            Example: posto check policies/
            """)

    @Argument(help: "Files, or folders of files.")
    var paths: [String]

    @Option(name: [.customShort("f"), .long], help: "How errors are printed: pretty, to standard error, or json, to standard output.")
    var format = Format.pretty

    @Option(name: [.customShort("m"), .customLong("max-errors")], help: "How many errors are reported at most; 0: all.")
    var maxErrors = 10

    @Flag(name: [.customShort("S"), .long], help: "Nothing may be unused, and v0 modules must not use what v1 has no more.")
    var strict = false

    @Option(name: .long, help: ArgumentHelp("Leave out files and folders whose name matches.", valueName: "pattern"))
    var ignore: [String] = []

    @OptionGroup var versions: RegoVersionOptions

    func run() throws {
        var report = RegoErrorReport()
        var modules: [Module] = []
        do throws(CommandFailure) {
            for path in try RegoFiles.find(paths, ignoring: ignore) {
                let source = try RegoFiles.read(path)
                do throws(SyntaxError) {
                    let version: RegoVersion = versions.version == .v0CompatV1 ? .v0CompatV1 : versions.inputVersion
                    modules.append(try RegoParser.module(source, options: ParserOptions(version: version)))
                } catch {
                    report.add(error)
                }
            }
        } catch {
            report.add(message: error.message)
        }
        report.isOfLoading = !report.isEmpty
        if report.isEmpty {
            var options = CompileOptions()
            options.isStrict = strict
            options.usesSchemaAnnotations = true
            do throws(CompileError) { _ = try Policy(modules: modules, host: .libraries(), options: options) } catch { report.add(error) }
        }
        guard !report.isEmpty else { return }
        report.limit(to: maxErrors)
        switch format {
        case .json: Terminal.print(report.json)
        case .pretty: Terminal.complain(report.text)
        }
        throw ExitCode(1)
    }
}
