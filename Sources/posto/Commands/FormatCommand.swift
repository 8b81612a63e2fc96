import Arguments
import Domain
import RegoSyntax

/// `posto fmt`
struct FormatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fmt", abstract: "Format Rego files.",
        discussion: """
            Prints what a file looks like when it is formatted; without a file it formats standard input. Folders are searched for files \
            that end in .rego. Flags and output are those of opa fmt.

            Exit status: 0 done; 2 with --fail and a file that is not formatted, or a file that cannot be read or written; 1 when \
            standard input cannot be read as Rego.

            Example: posto fmt -w policies/
            """)

    @Argument(help: "Files, or folders of files; none: standard input.")
    var paths: [String] = []

    @Flag(name: [.customShort("w"), .long], help: "Write the result to the file instead of printing it.")
    var write = false

    @Flag(name: [.customShort("l"), .long], help: "Only print the names of files that would change.")
    var list = false

    @Flag(name: [.customShort("d"), .long], help: "Only print what would change.")
    var diff = false

    @Flag(help: "Exit with 2 when a file would change.")
    var fail = false

    @Flag(name: .customLong("drop-v0-imports"), help: "Leave out imports that Rego 1.0 does not need: rego.v1, future.keywords.")
    var dropV0Imports = false

    @Option(name: .customLong("check-result"), help: "Read the result again before it is printed or written (true or false).")
    var checkResult = true

    @OptionGroup var versions: RegoVersionOptions

    func run() throws {
        if paths.isEmpty { return try formatInput() }
        for path in try files() { try format(path) }
    }

    private func files() throws -> [String] {
        do throws(CommandFailure) { return try RegoFiles.find(paths) } catch { throw inputFailure(error) }
    }

    private var options: RegoFormatter.Options {
        RegoFormatter.Options(
            version: versions.version, parser: ParserOptions(version: versions.inputVersion), dropsV0Imports: dropV0Imports)
    }

    private func formatInput() throws {
        let bytes = try InputFile.read("-", bytesMax: SyntaxLimits.sourceBytesMax)
        do throws(SyntaxError) {
            Terminal.put(try RegoFormatter.format(SourceText(name: "stdin", bytes: bytes), options: options))
        } catch {
            Terminal.complain("\(error)")
            throw ExitCode(1)
        }
    }

    private func format(_ path: String) throws {
        let source: SourceText
        do throws(CommandFailure) { source = try RegoFiles.read(path) } catch { throw inputFailure(error) }
        let formatted: [UInt8]
        do throws(SyntaxError) {
            formatted = try RegoFormatter.format(source, options: options)
        } catch {
            Terminal.complain("failed to format Rego source file: \(error)")
            throw ExitCode(2)
        }
        if checkResult { try check(formatted, of: path) }
        let changed = formatted != source.bytes
        if list {
            if changed { Terminal.tell(path) }
        } else if diff {
            if changed {
                let old = String(decoding: source.bytes, as: UTF8.self)
                let new = String(decoding: formatted, as: UTF8.self)
                Terminal.put(Array(LineDiff.unified(old, new, oldName: path, newName: "\(path) (formatted)").utf8))
            }
        }
        if fail, changed {
            Terminal.complain("unexpected diff")
            throw ExitCode(2)
        }
        if list || diff { return }
        if write {
            guard changed else { return }
            do throws(CommandFailure) { try RegoFiles.replace(path, with: formatted) } catch { throw inputFailure(error) }
        } else {
            Terminal.put(formatted)
        }
    }

    private func check(_ formatted: [UInt8], of path: String) throws {
        do throws(SyntaxError) {
            _ = try RegoParser.module(
                SourceText(name: "formatted", bytes: formatted),
                options: ParserOptions(version: versions.version == .v0CompatV1 ? .v0 : versions.version))
        } catch {
            Terminal.complain(
                "\(path) was successfully formatted, but the result is invalid: \(error)\n\n"
                    + "To inspect the formatted Rego, you can turn off this check with --check-result=false.")
            throw ExitCode(2)
        }
    }

    /// `opa fmt` has one status for whatever is wrong with a file.
    private func inputFailure(_ failure: CommandFailure) -> CommandFailure {
        CommandFailure(.usage, failure.message, hint: failure.hint)
    }
}
