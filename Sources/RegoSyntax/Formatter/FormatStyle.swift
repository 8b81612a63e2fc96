/// What the output's version makes of a module.
struct FormatStyle {
    /// v1's words and signs: `if`, `contains`, `:=`.
    var isV1 = true
    var usesIf = true
    var usesContains = true
    /// Some head is a reference that brackets cannot write, so that all heads are written with points.
    var hasRefHeads = false
    /// The keywords that a name in a reference may be.
    var keywords: Set<String> = []

    init(for module: Module, version: RegoVersion) {
        isV1 = version != .v0
        usesIf = isV1
        usesContains = isV1
        keywords = Self.always
        if isV1 { keywords.formUnion(Self.v1) }
        for one in module.imports {
            if one.isOfRegoV1 {
                usesIf = true
                usesContains = true
            }
            switch one.futureKeyword {
            case .all?:
                usesIf = true
                usesContains = true
                keywords.formUnion(Self.v1)
            case .one(let word)?:
                keywords.insert(word)
                if word == "if" { usesIf = true }
                if word == "contains" { usesContains = true }
            case nil: break
            }
        }
        hasRefHeads = module.rules.contains { rule in
            rule.head.ref.count > 2 || (rule.head.ref.count == 2 && rule.head.key != nil && rule.head.value == nil)
        }
    }

    private static let always: Set<String> = [
        "not", "package", "import", "as", "default", "else", "with", "null", "true", "false", "some",
    ]
    private static let v1: Set<String> = ["if", "contains", "in", "every"]
}

extension Import {
    enum FutureImport: Equatable {
        case all
        case one(String)
    }

    /// Which keywords it imports.
    var futureKeyword: FutureImport? {
        guard path.count >= 2, case .variable("future") = path[0].value, case .string("keywords") = path[1].value else { return nil }
        if path.count == 2 { return .all }
        guard path.count == 3, case .string(let word) = path[2].value else { return nil }
        return .one(word)
    }
}
