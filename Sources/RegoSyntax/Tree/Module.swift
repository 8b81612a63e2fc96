/// One file of policy.
public final class Module: Sendable {
    public let source: SourceText
    /// How it was read; `.v0CompatV1` when a v0 module imports `rego.v1`.
    public let version: RegoVersion
    public let package: Package
    public let imports: [Import]
    /// In the order of the text.
    public let rules: [Rule]
    /// All comments in the order of the text.
    public let comments: [Comment]
    /// The `# METADATA` blocks; their YAML is not parsed.
    public let annotations: [Annotation]

    public init(
        source: SourceText, version: RegoVersion, package: Package, imports: [Import], rules: [Rule], comments: [Comment],
        annotations: [Annotation]
    ) {
        self.source = source
        self.version = version
        self.package = package
        self.imports = imports
        self.rules = rules
        self.comments = comments
        self.annotations = annotations
    }
}

/// The language a module is written in.
public enum RegoVersion: Sendable, Equatable {
    /// `if`, `contains`, `in` and `every` must be imported.
    case v0
    /// v0 with `import rego.v1`: v1's keywords and checks.
    case v0CompatV1
    case v1
}

/// `package a.b`.
public struct Package: Sendable {
    /// With `data` in front: `data`, "a", "b".
    public var path: [Term]
    public var location: Location

    public init(path: [Term], at location: Location) {
        self.path = path
        self.location = location
    }

    /// `a`, `b`.
    public var names: [String] {
        path.dropFirst().map { part in
            guard case .string(let name) = part.value else { preconditionFailure("the parser lets only strings into a package path") }
            return name
        }
    }
}

/// `import data.a.b as c`.
public struct Import: Sendable {
    /// Begins with `data`, `input`, `future` or `rego`; all else are strings.
    public var path: [Term]
    public var pathLocation: Location
    public var alias: String?
    public var location: Location

    public init(path: [Term], pathLocation: Location, alias: String?, at location: Location) {
        self.path = path
        self.pathLocation = pathLocation
        self.alias = alias
        self.location = location
    }

    /// The variable it defines: the alias, or the last name of the path.
    public var name: String {
        if let alias { return alias }
        switch path.last?.value {
        case .string(let name), .variable(let name): return name
        default: return ""
        }
    }
}

/// `# text`.
public struct Comment: Sendable {
    /// Without the `#`.
    public var text: String
    public var location: Location

    public init(text: String, at location: Location) {
        self.text = text
        self.location = location
    }
}

/// A `# METADATA` block.
public struct Annotation: Sendable {
    /// What it stands before.
    public enum Target: Sendable, Equatable {
        case package
        /// The index in `Module.imports`.
        case `import`(Int)
        /// The index in `Module.rules`.
        case rule(Int)
        /// Nothing follows it.
        case nothing
    }

    /// The YAML: the lines after `METADATA`, each without its `#` and the blank after it, each ended by a newline.
    public var yaml: String
    /// The indices in `Module.comments` of `METADATA` and the lines of YAML.
    public var comments: Range<Int>
    public var target: Target
    /// Of `# METADATA`.
    public var location: Location
    /// The last line of the block.
    public var endRow: UInt32

    public init(yaml: String, comments: Range<Int>, target: Target, location: Location, endRow: UInt32) {
        self.yaml = yaml
        self.comments = comments
        self.target = target
        self.location = location
        self.endRow = endRow
    }
}
