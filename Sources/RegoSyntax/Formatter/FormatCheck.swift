/// Reads what was written, and tells which rules it spoiled.
struct FormatCheck {
    private let module: Module
    private let options: RegoFormatter.Options

    init(_ module: Module, options: RegoFormatter.Options) {
        self.module = module
        self.options = options
    }

    /// The rules, by their place in the module, that mean something else or have lost a comment. When the text cannot be read, or a
    /// comment is gone that is in no rule: those that have comments, or all. Nil when all is well.
    func spoiledRules(in text: [UInt8]) -> Set<Int>? {
        var parser = options.parser
        parser.version = options.version == .v0CompatV1 ? .v0 : options.version
        let source = SourceText(name: module.source.name, bytes: text)
        guard let written = try? RegoParser.module(source, options: parser),
            written.rules.count == module.rules.count
        else { return suspects }
        var spoiled: Set<Int> = []
        for (index, (before, after)) in zip(module.rules, written.rules).enumerated() where !before.isSame(as: after) {
            spoiled.insert(index)
        }
        guard written.comments.count != module.comments.count else { return spoiled.isEmpty ? nil : spoiled }
        for index in module.rules.indices where !spoiled.contains(index) {
            let before = commentCount(of: module.rules[index], in: module)
            if before > 0, commentCount(of: written.rules[index], in: written) < before { spoiled.insert(index) }
        }
        return spoiled.isEmpty ? suspects : spoiled
    }

    private var suspects: Set<Int> {
        let commented = module.rules.indices.filter { commentCount(of: module.rules[$0], in: module) > 0 }
        return Set(commented.isEmpty ? Array(module.rules.indices) : commented)
    }

    private func commentCount(of rule: Rule, in module: Module) -> Int {
        let range = rule.textRange
        return module.comments.count { range.contains($0.location.offset) }
    }
}

extension Rule {
    /// All of it, with the head.
    var textRange: Range<UInt32> { location.offset..<max(location.end, head.location.end) }
}
