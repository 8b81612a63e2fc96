import RegoSyntax

/// The `# METADATA` of modules: what `rego.metadata.rule()` and `rego.metadata.chain()` say, known while compiling.
final class AnnotationTable {
    private let constants: Constants
    /// By rule (of scope `rule`), by the path of a rule (`document`) or a package (`package`, `subpackages`).
    private var ofRules: [ObjectIdentifier: Value] = [:]
    private var ofDocuments: [[Value]: Value] = [:]
    private var ofPackages: [[Value]: Value] = [:]
    private var ofSubpackages: [[Value]: Value] = [:]

    /// YAML is read by the built-in `yaml.unmarshal`; without a host that knows YAML there are no annotations.
    init(modules: [Module], constants: Constants, builtins: BuiltinTable, host: Host) {
        self.constants = constants
        guard host.yaml != nil, let reader = builtins["yaml.unmarshal"] else { return }
        let context = BuiltinContext(arena: constants.arena, host: host)
        for module in modules {
            let package = module.package.names.map { constants.string($0) }
            for annotation in module.annotations {
                let text = [constants.arena.string(annotation.yaml)]
                guard let value = try? text.withUnsafeBufferPointer({ try reader.call($0, context) }), value.isObject else { continue }
                add(value, annotation.target, module, package)
            }
        }
    }

    private func add(_ value: Value, _ target: Annotation.Target, _ module: Module, _ package: [Value]) {
        let written = value["scope"].asString
        switch target {
        case .package:
            let scope = written ?? "package"
            if scope == "subpackages" { ofSubpackages[package] = normal(value, scope) } else { ofPackages[package] = normal(value, scope) }
        case .rule(let index) where index < module.rules.count:
            let rule = module.rules[index]
            switch written ?? "rule" {
            case "document": ofDocuments[package + path(rule)] = normal(value, "document")
            case "package": ofPackages[package] = normal(value, "package")
            case "subpackages": ofSubpackages[package] = normal(value, "subpackages")
            case let scope: ofRules[ObjectIdentifier(rule)] = normal(value, scope)
            }
        default: break
        }
    }

    private func path(_ rule: Rule) -> [Value] {
        rule.head.ref.enumerated().compactMap { index, part in
            if index == 0, case .variable(let name) = part.value { return constants.string(name) }
            return constants.scalar(part.value)
        }
    }

    /// As OPA keeps it: with its scope, authors as objects.
    private func normal(_ value: Value, _ scope: String) -> Value {
        let arena = constants.arena
        var entries: [(key: Value, value: Value)] = []
        for (key, item) in value.entries {
            switch key.asString {
            case "scope": continue
            case "authors" where item.isArray: entries.append((key, arena.array(item.elements.map(author))))
            case "related_resources" where item.isArray:
                let list = item.elements.map { $0.isString ? arena.object([(arena.string("ref"), $0)]) : $0 }
                entries.append((key, arena.array(list)))
            default: entries.append((key, item))
            }
        }
        entries.append((arena.string("scope"), arena.string(scope)))
        return constants.adopt(arena.object(entries))
    }

    /// `Name <mail>`, or an object already.
    private func author(_ value: Value) -> Value {
        guard let text = value.asString else { return value }
        let arena = constants.arena
        var entries: [(key: Value, value: Value)] = []
        var name = text
        if let open = text.lastIndex(of: "<"), text.hasSuffix(">") {
            let mail = text[text.index(after: open)...].dropLast()
            name = String(text[..<open])
            entries.append((arena.string("email"), arena.string(mail)))
        }
        while name.hasSuffix(" ") { name.removeLast() }
        if !name.isEmpty { entries.append((arena.string("name"), arena.string(name))) }
        return arena.object(entries)
    }

    /// One entry of `schemas`: where a schema holds, and the schema or the reference to it.
    struct Schema {
        let path: [Value]
        let schema: Value
    }

    /// The schemas that hold for a rule, those of the rule itself last.
    func schemas(_ rule: Rule, package names: [String]) -> [Schema] {
        let package = names.map { constants.string($0) }
        var all = (0...package.count).dropFirst().compactMap { ofSubpackages[Array(package.prefix($0))] }
        for one in [ofPackages[package], ofDocuments[package + path(rule)], ofRules[ObjectIdentifier(rule)]] {
            if let one { all.append(one) }
        }
        return all.flatMap { $0["schemas"].elements }.flatMap { entry in
            entry.entries.map { key, schema in
                Schema(path: (key.asString ?? "").split(separator: ".").map { constants.string(String($0)) }, schema: schema)
            }
        }
    }

    func rule(_ rule: Rule) -> Value { ofRules[ObjectIdentifier(rule)] ?? .emptyObject }

    /// From the rule outwards.
    func chain(_ rule: Rule, package names: [String]) -> Value {
        let package = names.map { constants.string($0) }
        let path = package + self.path(rule)
        var list = [entry(path, ofRules[ObjectIdentifier(rule)])]
        if let document = ofDocuments[path] { list.append(entry(path, document)) }
        if let value = ofPackages[package] { list.append(entry(package, value)) }
        for count in stride(from: package.count, through: 1, by: -1) {
            let above = Array(package.prefix(count))
            if let value = ofSubpackages[above] { list.append(entry(above, value)) }
        }
        return constants.arena.array(list)
    }

    private func entry(_ path: [Value], _ annotations: Value?) -> Value {
        var entries: [(key: Value, value: Value)] = [(constants.string("path"), constants.arena.array(path))]
        if let annotations { entries.append((constants.string("annotations"), annotations)) }
        return constants.arena.object(entries)
    }
}
