/// Which imports of keywords the output has.
enum FormatImports {
    static func settled(_ module: Module, options: RegoFormatter.Options) -> [Import] {
        var imports = module.imports
        if options.version == .v1, options.dropsV0Imports {
            imports.removeAll(where: \.isOfRegoV1)
        } else if options.version == .v0CompatV1, !imports.contains(where: \.isOfRegoV1) {
            imports.append(made(["rego", "v1"], after: imports))
        }
        let hasRegoV1 = imports.contains(where: \.isOfRegoV1)
        if options.version != .v0 || hasRegoV1 {
            if options.dropsV0Imports || hasRegoV1 {
                // What is not part of v1 must stay.
                imports.removeAll { $0.futureKeyword.map { $0.isOfV1 } ?? false }
            }
        } else {
            var uses = KeywordUses()
            uses.visit(module)
            for word in ["every", "in"] where uses.words.contains(word) { ensure(word, in: &imports) }
        }
        return imports.sorted { ($0.location.row, $0.location.column) < ($1.location.row, $1.location.column) }
    }

    private static func ensure(_ word: String, in imports: inout [Import]) {
        let isThere = imports.contains { one in
            one.futureKeyword == .all || one.futureKeyword == .one(word) || (word == "in" && one.futureKeyword == .one("every"))
        }
        if !isThere { imports.append(made(["future", "keywords", word], after: imports)) }
    }

    /// An import that was not in the text: after those of its kind, else first.
    private static func made(_ names: [String], after imports: [Import]) -> Import {
        let row = imports.filter(\.isOfKeywords).map(\.location.row).max().map { $0 + 1 } ?? 1
        let place = Location(offset: 0, end: 0, row: row, column: 1)
        var path = [Term(.variable(names[0]), at: place)]
        path += names.dropFirst().map { Term(.string($0), at: place) }
        return Import(path: path, pathLocation: place, alias: nil, at: place)
    }
}

extension Import.FutureImport {
    fileprivate var isOfV1: Bool {
        switch self {
        case .all: true
        case .one(let word): FutureKeyword(rawValue: word)?.isOfV1 ?? false
        }
    }
}
