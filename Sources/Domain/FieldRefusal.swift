/// Why one field of an input was refused: everything that a person needs to put it right.
package struct FieldRefusal: Error, Equatable, Sendable {
    /// The field's path, as the caller writes it: `metadata.owner`.
    package let field: String
    /// One sentence.
    package let message: String
    /// What was given, as JSON, cut to 200 bytes; nil if nothing was.
    package let provided: String?
    /// The rule.
    package let expected: String
    /// A value that would pass.
    package let example: String

    package init(field: String, message: String, provided: String?, expected: String, example: String) {
        self.field = field
        self.message = message
        self.provided = provided
        self.expected = expected
        self.example = example
    }
}
