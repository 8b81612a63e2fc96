/// Semantic versions and globs.
let patternBuiltins: [Builtin] = [
    Builtin("semver.is_valid", [.any], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(arguments[0].asString.flatMap { SemVer($0) } != nil)
    },
    Builtin("semver.compare", [.string, .string], .number) { arguments, _ throws(BuiltinFailure) in
        var versions: [SemVer] = []
        for index in 0..<2 {
            let text = try arguments.text(index)
            guard let version = SemVer(text) else {
                throw BuiltinFailure("operand \(index + 1): string \(GoQuote.quoted(text)) is not a valid SemVer")
            }
            versions.append(version)
        }
        return Value(versions[0].compare(to: versions[1]))
    },
    Builtin("glob.match", [.string, .oneOf([.null, .array(of: .string)]), .string], .boolean) { arguments, context throws(BuiltinFailure) in
        let pattern = try arguments.bytes(0)
        var delimiters: [UInt32] = []
        if arguments[1].isArray {
            for element in arguments[1].elements {
                guard element.isString else { throw .element(2, of: arguments[1], mustBe: "string", got: element) }
                let runes = Runes.all(Array(element.utf8))
                guard runes.count == 1 else { throw .element(2, of: arguments[1], mustBe: "rune", got: element) }
                delimiters += runes
            }
            if delimiters.isEmpty { delimiters = [UInt32(UInt8(ascii: "."))] }
        } else if !arguments[1].isNull {
            throw .operand(2, mustBe: .array, .null, got: arguments[1])
        }
        let text = try arguments.bytes(2)
        let key = BuiltinContext.CacheKey(builtin: "glob.match", text: pattern + [0xFF] + Runes.bytes(delimiters))
        if let known = context.longCache[key] as? GlobPattern { return Value(try known.matches(text)) }
        let compiled = try GlobPattern(pattern, delimiters: delimiters)
        context.keep(compiled, for: key)
        return Value(try compiled.matches(text))
    },
    Builtin("glob.quote_meta", [.string], .string) { arguments, context throws(BuiltinFailure) in
        context.arena.string(GlobPattern.quoteMeta(try arguments.bytes(0)))
    },
]

extension BuiltinContext {
    /// Patterns that are kept between queries; when there are too many, all are forgotten.
    private static let patternsMax = 256

    func keep(_ pattern: Any, for key: CacheKey) {
        if longCache.count >= Self.patternsMax { longCache.removeAll(keepingCapacity: true) }
        longCache[key] = pattern
    }
}
