enum CompletionShell: String { case bash, zsh, fish }

/// Scripts that let a shell complete what is typed: one table of the commands, and a short loop of the shell that walks it.
struct CompletionScript {
    /// A place in the tree, and what may come next there.
    private struct Place {
        let path: String
        let subcommands: [(name: String, abstract: String)]
        let options: [(spelling: String, abstract: String)]
        /// Options that take a value, with all there are if these are few.
        let values: [(spelling: String, words: [String])]
        /// All words of its first place, if they are few.
        let words: [String]
    }

    private let program: String
    private let places: [Place]

    init(of root: any ParsableCommand.Type) {
        program = root.commandName
        var places: [Place] = []
        func visit(_ path: CommandPath) {
            let declarations = Declarations(of: (path.configuration.defaultSubcommand ?? path.command).init())
            let options = declarations.options.filter(\.help.isListed)
            places.append(
                Place(
                    path: path.text, subcommands: path.listed.map { ($0.commandName, $0.configuration.abstract) },
                    options: options.flatMap { option in option.spellings.map { ($0, option.help.abstract) } } + [("--help", "Show help.")],
                    values: options.filter { $0.kind == .option }.flatMap { option in option.spellings.map { ($0, option.words) } },
                    words: declarations.positionals.first?.words ?? []))
            for command in path.listed { visit(path.entering(command)) }
        }
        visit(CommandPath(root))
        self.places = places
    }

    func text(for shell: CompletionShell) -> String {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }

    /// `case` arms that say of each place what words it offers, and how the values of its options are completed.
    private func arms(_ words: (Place) -> String) -> String {
        places.map { "    \(Self.quoted($0.path))) words=(\(words($0))) ;;" }.joined(separator: "\n")
    }

    private var knownPaths: String { places.dropFirst().map { Self.quoted($0.path) }.joined(separator: " | ") }

    /// Arms over `PATH OPTION`: which values there are. Others are files.
    private var valueArms: String {
        places.flatMap { place in
            place.values.map {
                "    \(Self.quoted("\(place.path) \($0.spelling)"))) words=(\($0.words.joined(separator: " "))); value=1 ;;"
            }
        }.joined(separator: "\n")
    }

    private var walk: String {
        """
          local at=\(Self.quoted(program)) value= i word
          local -a words=()
          for ((i = first; i < here; i++)); do
            word="${typed[i]}"
            case "$at $word" in
            \(knownPaths)) at="$at $word" ;;
            esac
          done
          case "$at ${typed[here - 1]}" in
        \(valueArms)
          esac
        """
    }

    private var bash: String {
        """
        # Completions of \(program) for bash, made by: \(program) --generate-completion-script bash
        _\(program)() {
          local -a typed=("${COMP_WORDS[@]}")
          local here=$COMP_CWORD first=1 current="${COMP_WORDS[COMP_CWORD]}"
        \(walk)
          if [[ -z $value ]]; then
            case "$at" in
        \(arms { place in (place.subcommands.map(\.name) + place.words + place.options.map(\.spelling)).joined(separator: " ") })
            esac
          fi
          COMPREPLY=($(compgen -W "${words[*]}" -- "$current"))
        }
        complete -o bashdefault -o default -F _\(program) \(program)
        """
    }

    private var zsh: String {
        """
        #compdef \(program)
        # Completions of \(program) for zsh, made by: \(program) --generate-completion-script zsh
        _\(program)() {
          local -a typed=("${(@)words}")
          local here=$CURRENT first=2
          _\(program)_words
        }
        _\(program)_words() {
        \(walk)
          if [[ -z $value ]]; then
            case "$at" in
        \(arms { place in
                (place.subcommands.map { Self.quoted("\(Self.escaped($0.name)):\($0.abstract)") } + place.words.map(Self.quoted)
                    + place.options.map { Self.quoted("\(Self.escaped($0.spelling)):\($0.abstract)") }).joined(separator: " ")
            })
            esac
          fi
          (( ${#words} )) && _describe \(Self.quoted(program)) words
          [[ -n $value && ${#words} -eq 0 || -z ${words[(r)[^-]*]} ]] && _files
        }
        _\(program) "$@"
        """
    }

    /// A colon separates a word from its explanation.
    private static func escaped(_ text: String) -> String {
        text.split(separator: ":", omittingEmptySubsequences: false).joined(separator: "\\:")
    }

    private var fish: String {
        var lines = [
            "# Completions of \(program) for fish, made by: \(program) --generate-completion-script fish",
            "function __\(program)_at",
            "    set -l at \(program)",
            "    for word in (commandline -opc)[2..-1]",
            "        if contains -- \"$at $word\" \(places.dropFirst().map { Self.quoted($0.path) }.joined(separator: " "))",
            "            set at \"$at $word\"",
            "        end",
            "    end",
            "    test \"$at\" = \"$argv[1]\"",
            "end",
        ]
        for place in places {
            let start = "complete -c \(program) -n \(Self.quoted("__\(program)_at \"\(place.path)\""))"
            for command in place.subcommands {
                lines.append("\(start) -f -a \(Self.quoted(command.name)) -d \(Self.quoted(command.abstract))")
            }
            if !place.words.isEmpty { lines.append("\(start) -f -a \(Self.quoted(place.words.joined(separator: " ")))") }
            for option in place.options {
                let name = option.spelling.hasPrefix("--") ? "-l \(option.spelling.dropFirst(2))" : "-s \(option.spelling.dropFirst())"
                let value = place.values.first { $0.spelling == option.spelling }
                let takes = value.map { $0.words.isEmpty ? " -r" : " -x -a \(Self.quoted($0.words.joined(separator: " ")))" } ?? ""
                lines.append("\(start) \(name)\(takes) -d \(Self.quoted(option.abstract))")
            }
        }
        return lines.joined(separator: "\n")
    }
}
