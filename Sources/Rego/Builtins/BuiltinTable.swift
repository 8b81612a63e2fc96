/// All built-ins by name.
public struct BuiltinTable: Sendable {
    public let all: [Builtin]
    private let byName: [String: Int]

    public init(_ builtins: [Builtin]) {
        all = builtins
        byName = Dictionary(builtins.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { _, last in last })
    }

    public func index(_ name: String) -> Int? { byName[name] }

    public subscript(name: String) -> Builtin? { byName[name].map { all[$0] } }

    /// Everything that Rego has. Each topic is a list in a file of its own.
    public static let standard = BuiltinTable(
        [
            operatorBuiltins, arithmeticBuiltins, numberBuiltins, aggregateBuiltins, typeBuiltins, arrayBuiltins, objectBuiltins,
            graphBuiltins, stringBuiltins, patternBuiltins, encodingBuiltins, jsonBuiltins, netBuiltins, timeBuiltins, uuidBuiltins,
            regexBuiltins, digestBuiltins, tokenBuiltins, certificateBuiltins, yamlBuiltins, schemaBuiltins, graphQLBuiltins,
            templateBuiltins, awsBuiltins, hostBuiltins, moduleBuiltins,
        ].flatMap { $0 })
}
