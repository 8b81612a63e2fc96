import Testing

@testable import Arguments

/// A command with one argument of each kind.
private struct Sample: ParsableCommand {
    enum Colour: String, CaseIterable, ExpressibleByArgument { case red, green }

    static let configuration = CommandConfiguration(commandName: "sample", abstract: "A sample.", version: "1.2.3")

    @Option(name: [.customShort("n"), .long], help: "How many.") var count = 7
    @Option(help: "A file.") var file: String?
    @Option(help: "May be repeated.") var tag: [String] = ["none"]
    @Option(help: "") var colour = Colour.red
    @Flag(name: [.customShort("q"), .long]) var quiet = false
    @Flag(name: [.customShort("v"), .long]) var verbose = false
    @Argument(help: "What.") var what: String
    @Argument(help: "Numbers.") var more: [Int] = []

    func validate() throws { if quiet && verbose { throw ValidationError("It is quiet or verbose.") } }
}

private struct Tree: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree", version: "1.2.3", subcommands: [Sample.self, Leaf.self, Branch.self])

    struct Leaf: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "leaf", shouldDisplay: false)
        @Option(help: "It is needed.") var needed: String
    }

    struct Branch: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "branch", subcommands: [Sample.self], defaultSubcommand: Sample.self)
    }
}

@Suite("Arguments")
struct ArgumentsTests {
    private func sample(_ words: String...) throws -> Sample { try #require(try Sample.parseAsRoot(words) as? Sample) }

    private func mistake(_ words: String..., root: any ParsableCommand.Type = Sample.self) -> CommandLineMistake? {
        do {
            _ = try root.parseAsRoot(words)
        } catch let error as CommandLineMistake {
            return error
        } catch {
            Issue.record("\(error)")
        }
        return nil
    }

    @Test("what is not said has its default")
    func defaults() throws {
        let sample = try sample("x")
        #expect(sample.count == 7 && sample.file == nil && sample.tag == ["none"] && sample.colour == .red)
        #expect(!sample.quiet && !sample.verbose && sample.what == "x" && sample.more == [])
    }

    @Test(
        "an option's value stands behind it, behind an equals sign, or, for one letter, at it",
        arguments: [["--count", "5"], ["--count=5"], ["-n", "5"], ["-n5"], ["-n=5"], ["--count", "3", "-n5"]])
    func forms(_ words: [String]) throws {
        for order in [words + ["x"], ["x"] + words] {
            #expect((try Sample.parseAsRoot(order) as? Sample)?.count == 5)
        }
    }

    @Test("an option that may be repeated takes its default away; flags of one letter share a dash; two dashes end the options")
    func several() throws {
        let sample = try sample("--tag", "a", "-v", "--tag=b", "x", "-5", "--", "6")
        #expect(sample.tag == ["a", "b"] && sample.verbose && sample.more == [-5, 6])
        #expect(mistake("-qv", "x")?.message == "It is quiet or verbose.")
        #expect(try self.sample("-qn5", "x").count == 5)
        #expect(try self.sample("--quiet=false", "--", "--x").what == "--x")
        #expect(try self.sample("-").what == "-")
        #expect(try self.sample("x", "--file", "-y").file == "-y")
        #expect(try self.sample("x", "--file=").file == "")
    }

    @Test("a mistake names what was typed, what belongs there, and how it is written")
    func mistakes() {
        let usage = "sample [<options>] <what> [<more> ...]; sample --help tells more"
        #expect(
            mistake("x", "--colour", "blue")
                == CommandLineMistake(message: "'--colour <colour>' takes red or green, not 'blue'", hint: usage))
        #expect(mistake("x", "--count", "many")?.message == "'--count <count>' takes a whole number, not 'many'")
        #expect(mistake("x", "--count", "99999999999999999999")?.message.contains("takes a whole number") == true)
        #expect(mistake("x", "y")?.message == "<more> is a whole number, not 'y'")
        #expect(mistake()?.message == "<what> is missing")
        #expect(mistake("x", "--cuont", "5")?.message == "unknown option '--cuont'; did you mean '--count'?")
        #expect(mistake("x", "--file", "--quiet")?.message == "missing value for '--file <file>'")
        #expect(mistake("x", "--file")?.message == "missing value for '--file <file>'")
        #expect(mistake("x", "-qz")?.message.hasPrefix("unknown option '-z'") == true)
        #expect(mistake("x", "--quiet=maybe")?.message == "'--quiet' takes true or false, not 'maybe'")
        #expect(mistake("leaf", root: Tree.self)?.message == "'--needed <needed>' is missing")
        #expect(mistake("leaf", "--needed", "a", "b", root: Tree.self)?.message == "unexpected argument 'b'")
        #expect(mistake("lea", root: Tree.self) == CommandLineMistake(message: "tree has no command lea", hint: "tree --help lists them"))
        #expect(mistake("smaple", root: Tree.self)?.hint == "did you mean tree sample?")
        #expect(mistake("--loud", root: Tree.self)?.message == "unknown option '--loud'")
    }

    @Test("the default subcommand takes what no other is named for")
    func defaultSubcommand() throws {
        #expect((try Tree.parseAsRoot(["branch", "x", "-n", "5"]) as? Sample)?.count == 5)
        #expect((try Tree.parseAsRoot(["branch", "sample", "x"]) as? Sample)?.what == "x")
        #expect(mistake("branch", root: Tree.self)?.message == "<what> is missing")
    }

    @Test("help, version and completions are answers, wherever they are asked for, but not behind two dashes or as a value")
    func answers() throws {
        func answer(_ words: String...) -> String? {
            do { _ = try Tree.parseAsRoot(words) } catch { return (error as? CommandLineAnswer)?.text }
            return nil
        }
        let help = try #require(answer("sample", "--help"))
        #expect(help.contains("OVERVIEW: A sample.") && help.contains("  -n, --count <count>     How many. (default: 7)"))
        #expect(help.contains("(values: red, green; default: red)"))
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(answer("help", "sample") == help && answer("sample", "x", "-h") == help)
        #expect(answer("--version") == "1.2.3" && answer("sample", "--version") == "1.2.3")
        #expect(answer("help")?.contains("leaf") == false, "it is not listed")
        #expect((try Tree.parseAsRoot(["sample", "--file", "-h", "x"]) as? Sample)?.file == "-h")
        #expect((try Tree.parseAsRoot(["sample", "--", "--help"]) as? Sample)?.what == "--help")
        for shell in ["bash", "zsh", "fish"] {
            let script = try #require(answer("--generate-completion-script", shell))
            #expect(script.contains("colour") && script.contains("red green") && script.contains("branch") && !script.contains("leaf"))
        }
    }
}
