import RegoSyntax

/// Rules that contradict each other by what they are, before anything is evaluated.
struct RuleConflicts {
    let tree: RuleTree
    let modules: [Module]
    private(set) var problems: [CompileProblem] = []

    /// - Parameter baseDocuments: data that rules must not cover; undefined: not checked.
    init(tree: RuleTree, modules: [Module], baseDocuments: Value) {
        self.tree = tree
        self.modules = modules
        for node in tree.nodes where !node.sources.isEmpty { check(node) }
        if baseDocuments.isObject { for (_, child) in tree.nodes[0].children { check(child, against: baseDocuments, "") } }
        checkPackages()
    }

    private mutating func report(_ code: String, _ message: String, _ location: Location, _ module: Module) {
        problems.append(CompileProblem(code: code, message: message, file: module.source.name, location: location, stage: .conflicts))
    }

    private mutating func check(_ node: RuleTree.Node) {
        let sources = node.sources
        let (first, last) = (sources[0], sources[sources.count - 1])
        let name = RuleConflicts.text(last)
        if !node.children.isEmpty, sources.contains(where: \.isGround) {
            let below = references(below: node)
            if !below.isEmpty {
                let list = below.joined(separator: " ")
                report(CompileProblem.type, "rule \(name) conflicts with [\(list)]", first.rule.location, first.module)
                return
            }
        }
        let kinds = Set(sources.map { $0.rule.head.kind == .multiValue })
        let arities = Set(sources.map(\.rule.head.arguments.count))
        let complete = sources.filter { $0.isGround && $0.rule.head.kind != .multiValue }
        if kinds.count > 1 || arities.count > 1 || (!complete.isEmpty && complete.count < sources.count) {
            report(CompileProblem.type, "conflicting rules \(name) found", first.rule.location, first.module)
            return
        }
        let defaults = sources.filter(\.rule.isDefault)
        guard defaults.count > 1 else { return }
        let places = defaults.map { RuleConflicts.place($0) }.joined(separator: ", ")
        report(
            CompileProblem.type, "multiple default rules \(name) found at \(places)", defaults[0].module.package.location,
            defaults[0].module)
    }

    /// The rules within a document, but for those within others of them.
    private func references(below node: RuleTree.Node) -> [String] {
        var found: [String] = []
        var stack = node.children.map(\.node)
        while let index = stack.popLast() {
            let child = tree.nodes[index]
            if let source = child.sources.first(where: \.isGround) {
                found.append(RuleConflicts.text(source))
            } else {
                found += child.sources.map { RuleConflicts.text($0) }
                stack += child.children.map(\.node)
            }
        }
        return Set(found).sorted()
    }

    private mutating func check(_ index: Int, against data: Value, _ path: String) {
        let node = tree.nodes[index]
        guard let key = node.path.last, key.isString else { return }
        let path = path.isEmpty ? key.asString ?? "" : path + "/" + (key.asString ?? "")
        let value = data.isObject ? data[key] : data
        if value.isUndefined { return }
        if let first = node.sources.first {
            report(CompileProblem.compile, "conflicting rule for data path \(path) found", first.rule.location, first.module)
            return
        }
        for (_, child) in node.children { check(child, against: value, path) }
    }

    /// A package where another module has a rule.
    private mutating func checkPackages() {
        let packages = Dictionary(grouping: modules, by: \.package.names)
        for module in modules {
            for rule in module.rules {
                var path = module.package.names
                var isGround = true
                for (index, part) in rule.head.ref.enumerated() {
                    switch part.value {
                    case .variable(let name) where index == 0: path.append(name)
                    case .string(let name): path.append(name)
                    default: isGround = false
                    }
                }
                guard isGround, let others = packages[path] else { continue }
                let name = RegoSyntax.TermText.text(ofRef: rule.head.ref)
                let place = "\(module.source.name):\(rule.location.row)"
                for _ in others {
                    report(
                        CompileProblem.type, "package \(RuleTree.packageText(path)) conflicts with rule \(name) defined at \(place)",
                        module.package.location, module)
                }
            }
        }
    }

    // MARK: texts

    /// `data.a.p[x]`
    static func text(_ source: RuleTree.Source) -> String {
        let path =
            source.module.package.path
            + source.rule.head.ref.enumerated().map { index, part in
                if index == 0, case .variable(let name) = part.value { Term(.string(name), at: part.location) } else { part }
            }
        return RegoSyntax.TermText.text(ofRef: path)
    }

    private static func place(_ source: RuleTree.Source) -> String {
        let name = source.module.source.name
        return name.isEmpty ? "\(source.rule.location.row):\(source.rule.location.column)" : "\(name):\(source.rule.location.row)"
    }
}

extension RuleTree.Source {
    /// Its reference has no variables.
    var isGround: Bool { suffix.isEmpty }
}

extension RuleTree {
    /// `a.b["c-d"]`: a package as its author wrote it.
    static func packageText(_ names: [String]) -> String {
        guard let first = names.first else { return "" }
        return names.dropFirst().reduce(first) { $0 + (isName($1) ? "." + $1 : "[\"" + $1 + "\"]") }
    }
}
