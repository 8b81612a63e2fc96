/// The kinds of token, each with the name that errors call it by.
enum Token: UInt8 {
    case illegal, eof, identifier
    // The keywords of every version.
    case package, `import`, `as`, `default`, `else`, not, some, with, null, `true`, `false`
    // Keywords of v1; v0 imports them.
    case `in`, every, contains, `if`
    // Experimental keywords, imported in both.
    case logicalAnd, logicalOr
    case number, string
    /// `$"text{` and `}text{`: an expression follows. The raw ones are written with backquotes.
    case templatePart, templateEnd, rawTemplatePart, rawTemplateEnd
    case leftBracket, rightBracket, leftBrace, rightBrace, leftParenthesis, rightParenthesis, comma, colon
    case plus, minus, multiply, divide, remainder, ampersand, bar
    case unify, equal, assign, notEqual, greater, less, greaterOrEqual, lessOrEqual
    case dot, semicolon

    /// What errors call it; a keyword is its own name.
    var name: String {
        switch self {
        case .illegal: "illegal"
        case .eof: "eof"
        case .identifier: "identifier"
        case .package: "package"
        case .import: "import"
        case .as: "as"
        case .default: "default"
        case .else: "else"
        case .not: "not"
        case .some: "some"
        case .with: "with"
        case .null: "null"
        case .true: "true"
        case .false: "false"
        case .in: "in"
        case .every: "every"
        case .contains: "contains"
        case .if: "if"
        case .logicalAnd, .ampersand: "and"
        case .logicalOr, .bar: "or"
        case .number: "number"
        case .string: "string"
        case .templatePart: "template-string-part"
        case .templateEnd: "template-string-end"
        case .rawTemplatePart: "raw-template-string-part"
        case .rawTemplateEnd: "raw-template-string-end"
        case .leftBracket: "["
        case .rightBracket: "]"
        case .leftBrace: "{"
        case .rightBrace: "}"
        case .leftParenthesis: "("
        case .rightParenthesis: ")"
        case .comma: ","
        case .colon: ":"
        case .plus: "plus"
        case .minus: "minus"
        case .multiply: "mul"
        case .divide: "div"
        case .remainder: "rem"
        case .unify: "eq"
        case .equal: "equal"
        case .assign: "assign"
        case .notEqual: "neq"
        case .greater: "gt"
        case .less: "lt"
        case .greaterOrEqual: "gte"
        case .lessOrEqual: "lte"
        case .dot: "."
        case .semicolon: ";"
        }
    }

    /// A keyword of some version.
    var isKeyword: Bool { rawValue >= Token.package.rawValue && rawValue <= Token.logicalOr.rawValue }

    /// `x op y` that makes a term, with how tightly it binds; `in` is apart because it may take two terms on its left.
    var infix: (operator: InfixOperator, precedence: Int)? {
        switch self {
        case .equal: (.equal, 1)
        case .notEqual: (.notEqual, 1)
        case .less: (.lessThan, 1)
        case .lessOrEqual: (.lessOrEqual, 1)
        case .greater: (.greaterThan, 1)
        case .greaterOrEqual: (.greaterOrEqual, 1)
        case .bar: (.union, 2)
        case .ampersand: (.intersection, 3)
        case .plus: (.plus, 4)
        case .minus: (.minus, 4)
        case .multiply: (.multiply, 5)
        case .divide: (.divide, 5)
        case .remainder: (.remainder, 5)
        default: nil
        }
    }
}

/// A set of keywords.
struct KeywordSet: OptionSet, Sendable {
    let rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }
    init(_ token: Token) { rawValue = 1 << UInt32(token.rawValue) }

    /// The keywords that nothing needs to import.
    static let always = KeywordSet([.package, .import, .as, .default, .else, .not, .some, .with, .null, .true, .false])
    /// v1's own, which v0 imports.
    static let v1 = KeywordSet([.in, .every, .contains, .if])

    private init(_ tokens: [Token]) {
        self = tokens.reduce(into: KeywordSet(rawValue: 0)) { $0.formUnion(KeywordSet($1)) }
    }

    func contains(_ token: Token) -> Bool { rawValue & (1 << UInt32(token.rawValue)) != 0 }
}

extension Token {
    /// The keyword these bytes spell, whatever the version.
    @inline(__always)
    static func keyword(_ bytes: UnsafeBufferPointer<UInt8>) -> Token? {
        guard bytes.count >= 2, bytes.count <= 8 else { return nil }
        func spells(_ word: StaticString) -> Bool {
            guard word.utf8CodeUnitCount == bytes.count else { return false }
            for i in 0..<bytes.count where bytes[i] != word.utf8Start[i] { return false }
            return true
        }
        switch bytes[0] {
        case UInt8(ascii: "a"): return spells("as") ? .as : spells("and") ? .logicalAnd : nil
        case UInt8(ascii: "c"): return spells("contains") ? .contains : nil
        case UInt8(ascii: "d"): return spells("default") ? .default : nil
        case UInt8(ascii: "e"): return spells("else") ? .else : spells("every") ? .every : nil
        case UInt8(ascii: "f"): return spells("false") ? .false : nil
        case UInt8(ascii: "i"): return spells("if") ? .if : spells("in") ? .in : spells("import") ? .import : nil
        case UInt8(ascii: "n"): return spells("not") ? .not : spells("null") ? .null : nil
        case UInt8(ascii: "o"): return spells("or") ? .logicalOr : nil
        case UInt8(ascii: "p"): return spells("package") ? .package : nil
        case UInt8(ascii: "s"): return spells("some") ? .some : nil
        case UInt8(ascii: "t"): return spells("true") ? .true : nil
        case UInt8(ascii: "w"): return spells("with") ? .with : nil
        default: return nil
        }
    }
}
