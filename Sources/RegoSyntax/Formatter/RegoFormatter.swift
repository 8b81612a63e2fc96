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
    public static func format(_ module: Module, options: Options = Options()) throws(SyntaxError) -> [UInt8] {
        var writer = FormatWriter(source: module.source, style: FormatStyle(for: module, version: options.version))
        writer.writeModule(module, imports: FormatImports.settled(module, options: options))
        guard writer.problems.isEmpty else { throw SyntaxError(file: module.source.name, problems: writer.problems) }
        var out = writer.out
        if out.last == 0x0A {
            while out.last == 0x0A { out.removeLast() }
            out.append(0x0A)
        }
        return out
    }
}
