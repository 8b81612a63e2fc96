import Domain

extension ParsableCommand {
    /// Reads a command line whose root this command is: finds the command, and fills in its arguments.
    ///
    /// Options may stand before, between and behind the words; `--` ends them. `--name VALUE` and `--name=VALUE`, `-f VALUE`, `-fVALUE` and
    /// `-f=VALUE`; flags of one letter may share a dash. (POSIX.1-2017 §12.2 and GNU's long options.)
    /// - Parameter words: what was typed behind the program's name; the process's own if absent.
    /// - Throws: `CommandLineMistake`; `CommandLineAnswer` for help, version and completions.
    package static func parseAsRoot(_ words: [String]? = nil) throws -> any ParsableCommand {
        var words = (words ?? Array(CommandLine.arguments.dropFirst()))[...]
        var path = CommandPath(self)
        while !path.configuration.subcommands.isEmpty {
            guard let word = words.first else {
                guard let next = path.configuration.defaultSubcommand else { break }
                path.enter(next)
                continue
            }
            if let next = path.subcommand(word) {
                words.removeFirst()
                path.enter(next)
            } else if word == "help" {
                throw CommandLineAnswer.help(HelpText(of: try Self.path(from: path, along: words.dropFirst())).text)
            } else if let answer = try answer(words, at: path) {
                throw answer
            } else if let next = path.configuration.defaultSubcommand {
                path.enter(next)
            } else if word.hasPrefix("-") {
                throw path.mistake("unknown option '\(word)'")
            } else {
                throw path.noCommand(word)
            }
        }
        let command = path.command.init()
        var reader = ArgumentReader(path, Declarations(of: command))
        try reader.read(words) { try answer($0, at: path) }
        do {
            for group in reader.declarations.groups { try group.validate() }
            try command.validate()
        } catch let error as ValidationError {
            throw path.mistake(error.message)
        }
        return command
    }

    /// The command that `help WORD…` asks about.
    private static func path(from path: CommandPath, along words: ArraySlice<String>) throws -> CommandPath {
        var path = path
        for word in words {
            guard let next = path.subcommand(word) else {
                guard path.configuration.subcommands.isEmpty else { throw path.noCommand(word) }
                break
            }
            path.enter(next)
        }
        return path
    }

    /// What every command answers, whatever its arguments; nil if the first word asks nothing of the kind.
    private static func answer(_ words: ArraySlice<String>, at path: CommandPath) throws -> CommandLineAnswer? {
        switch words.first {
        case "-h", "--help": return .help(HelpText(of: path).text)
        case "--version": return .version(configuration.version)
        case "--generate-completion-script":
            guard let shell = words.dropFirst().first.flatMap(CompletionShell.init(rawValue:)) else {
                throw path.mistake("'--generate-completion-script' takes bash, zsh or fish")
            }
            return .completions(CompletionScript(of: Self.self).text(for: shell))
        default: return nil
        }
    }
}

/// Fills in the arguments of one command.
struct ArgumentReader {
    let path: CommandPath
    let declarations: Declarations
    private let spellings: [String: Int]
    private let positionals: [Declaration]
    private var seen: Set<Int> = []
    /// How many positionals are filled; one that takes several words is never full.
    private var placed = 0
    private var lastHasWords = false

    init(_ path: CommandPath, _ declarations: Declarations) {
        self.path = path
        self.declarations = declarations
        positionals = declarations.positionals
        var spellings: [String: Int] = [:]
        for (index, declaration) in declarations.all.enumerated() {
            for spelling in declaration.spellings {
                precondition(spellings.updateValue(index, forKey: spelling) == nil, "\(path.text) declares \(spelling) twice")
            }
        }
        self.spellings = spellings
    }

    /// - Parameter answer: what an option that every command has answers; nil for another one.
    mutating func read(_ words: ArraySlice<String>, answer: (ArraySlice<String>) throws -> CommandLineAnswer?) throws {
        var words = words
        while let word = words.first {
            if word == "--" {
                for word in words.dropFirst() { try place(word) }
                break
            } else if !word.hasPrefix("-") || word == "-" || isNegativeNumber(word) {
                words.removeFirst()
                try place(word)
            } else if spellings[word] == nil, let answer = try answer(words) {
                throw answer
            } else {
                words.removeFirst()
                if word.hasPrefix("--") { try readLong(word, &words) } else { try readShort(word, &words) }
            }
        }
        for (index, declaration) in declarations.all.enumerated() where declaration.isRequired && declaration.kind == .option {
            guard seen.contains(index) else { throw path.mistake("'\(declaration.spoken)' is missing") }
        }
        if placed < positionals.count, positionals[placed].isRequired, !lastHasWords {
            throw path.mistake("\(positionals[placed].placeholder) is missing")
        }
    }

    private mutating func readLong(_ word: String, _ words: inout ArraySlice<String>) throws {
        let end = word.firstIndex(of: "=") ?? word.endIndex
        let spelling = String(word[..<end])
        guard let index = spellings[spelling] else { throw unknown(spelling) }
        try take(index, end == word.endIndex ? nil : String(word[word.index(after: end)...]), &words)
    }

    /// `-i FILE`, `-iFILE`, `-i=FILE`, or flags together: `-wl`.
    private mutating func readShort(_ word: String, _ words: inout ArraySlice<String>) throws {
        var rest = word.dropFirst()
        while let letter = rest.popFirst() {
            guard let index = spellings["-\(letter)"] else { throw unknown(word.count == 2 ? word : "-\(letter)") }
            guard declarations.all[index].kind == .flag, rest.first != "=" else {
                let value = rest.first == "=" ? rest.dropFirst() : rest
                return try take(index, rest.isEmpty ? nil : String(value), &words)
            }
            try take(index, nil, &words)
        }
    }

    private mutating func take(_ index: Int, _ attached: String?, _ words: inout ArraySlice<String>) throws {
        let declaration = declarations.all[index]
        var value = attached ?? "true"
        if declaration.kind == .option, attached == nil {
            // A word that is an option of this command was meant as that.
            guard let next = words.first, spellings[next] == nil, next != "--" else {
                throw path.mistake("missing value for '\(declaration.spoken)'")
            }
            words.removeFirst()
            value = next
        }
        if seen.insert(index).inserted { declaration.clear() }
        guard declaration.take(value) else {
            throw path.mistake("'\(declaration.spoken)' takes \(declaration.expectation), not '\(value)'")
        }
    }

    /// A word without a dash: the next positional's.
    private mutating func place(_ word: String) throws {
        guard placed < positionals.count else { throw path.mistake("unexpected argument '\(word)'") }
        let declaration = positionals[placed]
        if !lastHasWords { declaration.clear() }
        guard declaration.take(word) else {
            throw path.mistake("\(declaration.placeholder) is \(declaration.expectation), not '\(word)'")
        }
        if declaration.isRepeatable { lastHasWords = true } else { placed += 1 }
    }

    private func unknown(_ spelling: String) -> CommandLineMistake {
        let near = EditDistance.nearest(to: spelling, among: spellings.keys.filter { $0.hasPrefix("--") }.sorted())
        return path.mistake("unknown option '\(spelling)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
    }

    /// `-5` is a word unless the command has an option of that letter.
    private func isNegativeNumber(_ word: String) -> Bool {
        word.dropFirst().first?.isASCII == true && word.dropFirst().first?.isNumber == true && spellings[String(word.prefix(2))] == nil
    }
}
