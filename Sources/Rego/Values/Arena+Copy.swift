extension Arena {
    /// The same value in this arena's memory, whatever it pointed to before. Pooled strings become strings of their own.
    public func copy(_ value: Value) -> Value {
        switch value.kind {
        case .undefined, .null, .boolean: value
        case .number: value.tag == Value.Tag.integer ? value : number(text: value.textBytes)
        case .string: string(value.textBytes)
        case .array: array(value.elements.map(copy))
        case .set: set(value.elements.map(copy))
        case .object: object(value.entries.map { (copy($0.key), copy($0.value)) })
        }
    }
}
