/// Formats Rego as `opa fmt` does.
public enum RegoFormatter {
    public struct Options: Sendable, Equatable {
        /// What the output is written in: `.v0CompatV1` imports `rego.v1`.
        public var version: RegoVersion
        /// How the text is read.
        public var parser: ParserOptions
        /// Drop the imports that v1 makes redundant: `rego.v1` and `future.keywords`.
        public var dropsV0Imports: Bool

        public init(version: RegoVersion = .v1, parser: ParserOptions? = nil, dropsV0Imports: Bool = false) {
            self.version = version
            self.parser = parser ?? ParserOptions(version: version == .v0CompatV1 ? .v0 : version)
            self.dropsV0Imports = dropsV0Imports
        }
    }

    /// Reads a module and writes it.
    public static func format(_ source: SourceText, options: Options = Options()) throws(SyntaxError) -> [UInt8] {
        let module = try RegoParser.module(source, options: options.parser)
        if options.version != .v0 {
            let problems = ModuleCheck(module).problems(forFormatting: true)
            guard problems.isEmpty else { throw SyntaxError(file: source.name, problems: problems) }
        }
        return try format(module, options: options)
    }

    /// Writes a module. Its text must be what it was read from, as places in it decide the layout.
    ///
    /// Comments may stand where no layout has a place for them, and imports of keywords below rules. So what is written is read again, and
    /// a rule that would mean something else or lose a comment is left as the author wrote it. What cannot be said in the other version at
    /// all (a variable named `in`, written for v1) comes out as it is written and cannot be read: `opa fmt` has `--check-result` for it.
    public static func format(_ module: Module, options: Options = Options()) throws(SyntaxError) -> [UInt8] {
        let imports = FormatImports.settled(module, options: options)
        let check = FormatCheck(module, options: options)
        let first = try write(module, imports: imports, options: options, verbatim: [])
        guard let spoiled = check.spoiledRules(in: first) else { return first }
        // When it is not one rule's fault, all stay, and when that does not help, the text does.
        for verbatim in [spoiled, Set(module.rules.indices)] {
            let text = try write(module, imports: imports, options: options, verbatim: verbatim)
            if check.spoiledRules(in: text) == nil { return text }
        }
        return options.version == module.version ? module.source.bytes : first
    }

    private static func write(
        _ module: Module, imports: [Import], options: Options, verbatim: Set<Int>
    ) throws(SyntaxError) -> [UInt8] {
        var writer = FormatWriter(source: module.source, style: FormatStyle(for: module, version: options.version))
        writer.verbatim = verbatim
        writer.writeModule(module, imports: imports)
        guard writer.problems.isEmpty else { throw SyntaxError(file: module.source.name, problems: writer.problems) }
        var out = writer.out
        if out.last == 0x0A {
            while out.last == 0x0A { out.removeLast() }
            out.append(0x0A)
        }
        return out
    }
}
