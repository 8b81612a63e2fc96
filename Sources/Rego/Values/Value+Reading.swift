/// The kinds of values as Rego knows them, in Rego's order.
public enum ValueKind: UInt8, Sendable, Comparable {
    case undefined, null, boolean, number, string, array, object, set

    /// As `type_name` and the errors of built-ins say it.
    public var name: String {
        switch self {
        case .undefined: "undefined"
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        case .set: "set"
        }
    }

    public static func < (left: ValueKind, right: ValueKind) -> Bool { left.rawValue < right.rawValue }
}

extension Value {
    public var kind: ValueKind {
        switch tag & ~Tag.imageBit {
        case Tag.null: .null
        case Tag.boolean: .boolean
        case Tag.integer, Tag.number: .number
        case Tag.pooledString, Tag.string: .string
        case Tag.array: .array
        case Tag.object: .object
        case Tag.set: .set
        default: .undefined
        }
    }

    @inline(__always) public var isUndefined: Bool { tag == Tag.undefined }
    @inline(__always) public var isDefined: Bool { tag != Tag.undefined }
    @inline(__always) public var isNull: Bool { tag == Tag.null }
    @inline(__always) public var isFalse: Bool { tag == Tag.boolean && bits == 0 }
    @inline(__always) public var isTrue: Bool { tag == Tag.boolean && bits == 1 }
    @inline(__always) public var isString: Bool { tag == Tag.pooledString || tag == Tag.string }
    @inline(__always) public var isNumber: Bool { tag == Tag.integer || tag == Tag.number }
    @inline(__always) public var isArray: Bool { tag & ~Tag.imageBit == Tag.array }
    @inline(__always) public var isObject: Bool { tag & ~Tag.imageBit == Tag.object }
    @inline(__always) public var isSet: Bool { tag & ~Tag.imageBit == Tag.set }
    @inline(__always) public var isCollection: Bool { tag >= Tag.array }
    @inline(__always) var isInImage: Bool { tag & Tag.imageBit != 0 }

    @inline(__always) var pointer: UnsafeRawPointer {
        UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: bits)).unsafelyUnwrapped
    }

    public var asBool: Bool? { tag == Tag.boolean ? bits != 0 : nil }

    /// The integer when it fits; also for `1.0` and `1e3`, which are integers written otherwise.
    public var asInt64: Int64? {
        if tag == Tag.integer { return Int64(bitPattern: bits) }
        return tag == Tag.number ? NumberText(textBytes).int64 : nil
    }

    /// The nearest double; nil for what is not a number. Infinity when it is too large.
    public var asDouble: Double? {
        if tag == Tag.integer { return Double(Int64(bitPattern: bits)) }
        return tag == Tag.number ? NumberText(textBytes).double : nil
    }

    /// The number as JSON writes it, in the digits it was written with.
    public var numberText: String? {
        if tag == Tag.integer { return String(Int64(bitPattern: bits)) }
        return tag == Tag.number ? String(decoding: textBytes, as: UTF8.self) : nil
    }

    /// The UTF-8 of a string; empty for anything else. Lives as long as what holds the value.
    @inline(__always) public var utf8: UnsafeRawBufferPointer {
        isString ? textBytes : UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// The bytes of a string or of a number's text.
    @inline(__always) var textBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: Int(length)) }

    public var asString: String? { isString ? String(decoding: textBytes, as: UTF8.self) : nil }

    /// Elements of a collection; 0 for anything else.
    @inline(__always) public var count: Int { isCollection ? Int(length) : 0 }

    /// The value in a slot at an address; `relative` when the slot is in an image.
    @inline(__always) static func load(_ slot: UnsafeRawPointer, relative: Bool) -> Value {
        var value = slot.load(as: Value.self)
        if relative && value.tag >= Tag.firstPointer { value.bits &+= UInt64(UInt(bitPattern: slot)) }
        return value
    }

    /// The element of an array, the member of a set in Rego's order, or the value of an object's n-th key. `index` is below `count`.
    @inline(__always) func slot(_ index: Int) -> Value { Value.load(pointer + index &* 16, relative: isInImage) }

    /// The element of an array, or the member of a set in Rego's order.
    public subscript(index: Int) -> Value {
        precondition((isArray || isSet) && index >= 0 && index < Int(length), "an element that is not there")
        return slot(index)
    }

    /// The keys of an object as a set, without a copy.
    @inline(__always) public var keys: Value {
        if length == 0 { return Value.noKeys }
        let header = pointer - 8
        var keys = header.load(as: UInt64.self)
        if isInImage { keys &+= UInt64(UInt(bitPattern: header)) }
        return Value(bits: keys, tag: Tag.set | (tag & Tag.imageBit), length: length)
    }

    @inline(never) private static var noKeys: Value { .emptySet }

    /// The n-th key and value of an object, in the order of the keys. `index` is below `count`.
    public func entry(_ index: Int) -> (key: Value, value: Value) {
        precondition(isObject && index >= 0 && index < Int(length), "an entry that is not there")
        return (keys.slot(index), slot(index))
    }

    /// The value of an object's key; undefined when it is not there or this is not an object.
    public subscript(key: Value) -> Value {
        guard isObject, let index = keys.index(of: key) else { return .undefined }
        return slot(index)
    }

    /// The value of an object's key.
    public subscript(key: StaticString) -> Value {
        guard isObject else { return .undefined }
        let bytes = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        guard let index = keys.index(ofText: bytes) else { return .undefined }
        return slot(index)
    }

    /// What a reference with a constant key finds. The usual case is in the loop: a small object, and a key that is the same bits.
    @inline(__always) func field(_ key: Value) -> Value {
        guard tag == Tag.object, length <= UInt32(Value.linearMax) else { return lookup(key) }
        var at = UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: (pointer - 8).load(as: UInt64.self)))
        guard let keys = at else { return .undefined }
        let end = keys + Int(length) &* 16
        while at.unsafelyUnwrapped < end {
            let one = at.unsafelyUnwrapped.load(as: Value.self)
            if one.bits == key.bits && one.meta == key.meta {
                return (pointer + (at.unsafelyUnwrapped - keys)).load(as: Value.self)
            }
            at = at.unsafelyUnwrapped + 16
        }
        return lookup(key)
    }

    /// What a reference finds: an object's value, an array's element, a set's member (itself); undefined when there is none.
    @inline(never) func lookup(_ key: Value) -> Value {
        switch tag & ~Tag.imageBit {
        case Tag.object:
            let index = keys.find(key)
            return index < 0 ? .undefined : slot(index)
        case Tag.array:
            guard let index = key.tag == Tag.integer ? Int64(bitPattern: key.bits) : key.asInt64 else { return .undefined }
            return index >= 0 && index < Int64(length) ? slot(Int(index)) : .undefined
        case Tag.set:
            let index = find(key)
            return index < 0 ? .undefined : slot(index)
        default: return .undefined
        }
    }

    /// Whether a set has the member, or an array or an object the value.
    @inline(never) func hasMember(_ value: Value) -> Bool {
        if isSet { return find(value) >= 0 }
        for index in 0..<count where slot(index) == value { return true }
        return false
    }

    /// Whether a set has the member.
    public func contains(_ member: Value) -> Bool { isSet && find(member) >= 0 }

    /// The elements of an array or the members of a set.
    public var elements: [Value] { isArray || isSet ? (0..<count).map { slot($0) } : [] }

    /// The keys and values of an object, in the order of the keys.
    public var entries: [(key: Value, value: Value)] {
        guard isObject else { return [] }
        let keys = self.keys
        return (0..<count).map { (keys.slot($0), slot($0)) }
    }
}
