/// What a single call of a built-in may use at most. Each limit is there so that a hostile argument ends with an error and not with memory.
enum BuiltinLimits {
    /// A string that a built-in makes: `sprintf("%1000000000d", …)`, `replace` that multiplies, `json.marshal`. A decision document is far smaller.
    static let stringBytesMax = 16 << 20
    /// Elements of a collection that a built-in makes: `numbers.range(0, 1e12)`, `net.cidr_expand("::/0")`, `split`.
    static let elementsMax = 1_000_000
    /// Bits of an integer that `bits.lsh` makes: writing its digits costs their square (80,000 digits are a tenth of a second).
    static let integerBitsMax = 1 << 18
    /// Digits of an integer that is calculated with beyond 64 bits, and of an amount with a unit: reading digits costs their square.
    static let integerDigitsMax = 100_000
    /// Nesting of what is parsed (JSON, YAML, GraphQL, templates, schemas): recursion costs stack.
    static let depthMax = 500
    /// Nodes of one path through a value or a graph.
    static let pathLengthMax = 5000
    /// Compiled size of a pattern (`glob.match`), in nodes.
    static let patternNodesMax = 20_000
    /// Steps of one match of a pattern; alternatives nest, so that matching may branch.
    static let matchStepsMax = 2_000_000
}
