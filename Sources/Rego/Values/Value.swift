/// One Rego value in 16 bytes: a scalar, or a pointer to what an `Arena`, a `StringPool` or a data image holds.
///
/// Copying costs nothing and counts no references; whoever keeps a value keeps what it points into. `Documentation/decisions/0010-rego-values.md` has the
/// layout. Scalars compare by their bits, except that numbers outside of `Int64` and strings that are not pooled need a look at their text.
@frozen public struct Value: BitwiseCopyable, Sendable {
    /// What the value is; the order of the cases is part of the fast path of `==`.
    @usableFromInline enum Tag {
        static let undefined: UInt32 = 0
        static let null: UInt32 = 1
        static let boolean: UInt32 = 2
        static let integer: UInt32 = 3
        /// In the pool of the evaluation: equal strings are the same pointer.
        static let pooledString: UInt32 = 4
        static let string: UInt32 = 5
        /// A number that `Int64` does not hold, or one that is not written as an integer: its text.
        static let number: UInt32 = 6
        static let array: UInt32 = 8
        static let object: UInt32 = 9
        static let set: UInt32 = 10
        /// Added to a collection whose slots hold distances from themselves instead of addresses, so that an image works wherever it is mapped.
        static let imageBit: UInt32 = 16
        /// The least tag whose `bits` are an address.
        static let firstPointer: UInt32 = 4
    }

    /// The boolean (0 or 1), the integer's bits, or the address of the content.
    @usableFromInline var bits: UInt64
    /// The tag, and above it the length: one word, so that a value is two loads and two comparisons.
    @usableFromInline var meta: UInt64

    @inline(__always) @usableFromInline var tag: UInt32 { UInt32(truncatingIfNeeded: meta) }
    /// Bytes of a string or a number's text, elements of a collection; 0 for other scalars.
    @inline(__always) @usableFromInline var length: UInt32 { UInt32(truncatingIfNeeded: meta &>> 32) }

    @inline(__always) init(bits: UInt64, tag: UInt32, length: UInt32) {
        self.bits = bits
        meta = UInt64(tag) | UInt64(length) &<< 32
    }

    @inline(__always) init(pointer: UnsafeRawPointer, tag: UInt32, count: Int) {
        self.init(bits: UInt64(UInt(bitPattern: pointer)), tag: tag, length: UInt32(truncatingIfNeeded: count))
    }

    /// No value: what an undefined reference or a failed built-in gives.
    @inline(__always) public static var undefined: Value { Value(bits: 0, tag: Tag.undefined, length: 0) }
    @inline(__always) public static var null: Value { Value(bits: 0, tag: Tag.null, length: 0) }
    @inline(__always) public static var `true`: Value { Value(bits: 1, tag: Tag.boolean, length: 0) }
    @inline(__always) public static var `false`: Value { Value(bits: 0, tag: Tag.boolean, length: 0) }
    public static let emptyArray = Value(pointer: EmptyCollection.address, tag: Tag.array, count: 0)
    public static let emptyObject = Value(pointer: EmptyCollection.address, tag: Tag.object, count: 0)
    public static let emptySet = Value(pointer: EmptyCollection.address, tag: Tag.set, count: 0)

    public init(_ value: Bool) { self.init(bits: value ? 1 : 0, tag: Tag.boolean, length: 0) }
    public init(_ value: Int64) { self.init(bits: UInt64(bitPattern: value), tag: Tag.integer, length: 0) }
    public init(_ value: Int) { self.init(Int64(value)) }
}

/// What empty collections point to: a header without a table, and nothing behind it.
enum EmptyCollection {
    // SAFETY: 32 zeroed bytes, written before anybody sees them and never again, never freed.
    nonisolated(unsafe) static let address: UnsafeRawPointer = {
        let block = UnsafeMutableRawPointer.allocate(byteCount: 32, alignment: 16)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: 32)
        return UnsafeRawPointer(block + 16)
    }()
}
