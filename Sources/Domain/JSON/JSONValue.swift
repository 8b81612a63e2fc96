/// One value of a document: a view that keeps the document alive. Made and copied without allocation.
package struct JSONValue: Sendable {
    package enum Kind: Equatable, Sendable {
        case null, bool, integer, double, string, array, object
        /// A number that neither Int64 nor Double holds; its text is in `rawBytes`.
        case bigNumber
    }

    package let document: JSONDocument
    let index: Int

    package var kind: Kind {
        switch document.nodes[index].kind {
        case .null: .null
        case .falsehood, .truth: .bool
        case .integer: .integer
        case .double: .double
        case .bigNumber: .bigNumber
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    package var isNull: Bool { document.nodes[index].kind == .null }

    package var bool: Bool? {
        switch document.nodes[index].kind {
        case .truth: true
        case .falsehood: false
        default: nil
        }
    }

    /// An integer, also when it was written as `60.0` or `6e1`: JSON has one kind of number.
    package var int64: Int64? {
        let node = document.nodes[index]
        switch node.kind {
        case .integer: return Int64(bitPattern: node.payload)
        case .double: return Int64(exactly: Double(bitPattern: node.payload))
        default: return nil
        }
    }

    /// A number as a double, rounded if it is an integer above 2^53; nil for one that a double cannot hold.
    package var double: Double? {
        let node = document.nodes[index]
        switch node.kind {
        case .double: return Double(bitPattern: node.payload)
        case .integer: return Double(Int64(bitPattern: node.payload))
        case .bigNumber:
            let value = Double(String(decoding: rawBytes, as: UTF8.self))
            return value.flatMap { $0.isFinite ? $0 : nil }
        default: return nil
        }
    }

    package var string: String? {
        guard document.nodes[index].kind == .string else { return nil }
        return document.withText(at: index) { String(decoding: $0, as: UTF8.self) }
    }

    /// Lends the text of a string, UTF-8, escapes resolved; nil if it is not a string.
    package func withString<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R? {
        guard document.nodes[index].kind == .string else { return nil }
        return document.withText(at: index, body)
    }

    /// Whether this is the string `text`, without making one.
    package func equals(_ text: StaticString) -> Bool {
        guard document.nodes[index].kind == .string, document.nodes[index].low == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { t in document.withText(at: index) { $0.isEqual(to: t) } }
    }

    /// How many members or elements; 0 for what is no container.
    package var count: Int {
        let node = document.nodes[index]
        guard node.isContainer else { return 0 }
        if node.extra < JSONNode.countMax { return node.extra }
        var total = 0
        if node.kind == .object { for _ in members { total += 1 } } else { for _ in elements { total += 1 } }
        return total
    }

    /// The member of that name; nil if there is none or this is no object. Walks the members.
    package subscript(_ key: StaticString) -> JSONValue? {
        key.withUTF8Buffer { member(named: $0) }
    }

    /// The member of a name that is known only at run time.
    package subscript(dynamic key: String) -> JSONValue? {
        var key = key
        return key.withUTF8 { member(named: $0) }
    }

    private func member(named name: UnsafeBufferPointer<UInt8>) -> JSONValue? {
        let node = document.nodes[index]
        guard node.kind == .object else { return nil }
        let fingerprint = name.baseAddress.map { JSONFingerprint.of($0, name.count) } ?? 0
        let plain = UInt64(fingerprint) << 32 | UInt64(name.count)
        var key = index + 1
        while key < node.low {
            let candidate = document.nodes[key]
            if candidate.payload == plain || candidate.hasEscapes, candidate.low == name.count,
                document.withText(at: key, { $0.isEqual(to: name) })
            {
                return JSONValue(document: document, index: key + 1)
            }
            key = document.index(after: key + 1)
        }
        return nil
    }

    /// The members in the order of the source; none if this is no object.
    package var members: JSONMembers {
        let node = document.nodes[index]
        return JSONMembers(document: document, upcoming: index + 1, end: node.kind == .object ? node.low : index + 1)
    }

    /// The elements in order; none if this is no array.
    package var elements: JSONElements {
        let node = document.nodes[index]
        return JSONElements(document: document, upcoming: index + 1, end: node.kind == .array ? node.low : index + 1)
    }

    /// The text of this value as it was sent, spaces inside included.
    package var rawBytes: ArraySlice<UInt8> {
        document.source[Int(document.nodes[index].offset)..<document.sourceEnd(of: index)]
    }

    /// Where it begins, both from 1, the column in bytes.
    package var position: (line: Int, column: Int) {
        document.source.withUnsafeBufferPointer { JSONError.position(of: Int(document.nodes[index].offset), in: $0) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Of two texts of one length: eight bytes at a time, because `elementsEqual` asks an iterator for each.
    @inline(__always)
    func isEqual(to other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count else { return false }
        guard let a = UnsafeRawPointer(baseAddress), let b = UnsafeRawPointer(other.baseAddress) else { return count == 0 }
        var at = 0
        while at + 8 <= count {
            guard a.loadUnaligned(fromByteOffset: at, as: UInt64.self) == b.loadUnaligned(fromByteOffset: at, as: UInt64.self) else {
                return false
            }
            at += 8
        }
        while at < count {
            guard self[at] == other[at] else { return false }
            at += 1
        }
        return true
    }
}

/// A key and its value.
package struct JSONMember: Sendable {
    /// A string.
    package let key: JSONValue
    package let value: JSONValue

    package var name: String { key.string ?? "" }
}

package struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    let document: JSONDocument
    var upcoming: Int
    let end: Int

    package mutating func next() -> JSONMember? {
        guard upcoming < end else { return nil }
        let key = upcoming
        upcoming = document.index(after: key + 1)
        return JSONMember(key: JSONValue(document: document, index: key), value: JSONValue(document: document, index: key + 1))
    }
}

package struct JSONElements: Sequence, IteratorProtocol, Sendable {
    let document: JSONDocument
    var upcoming: Int
    let end: Int

    package mutating func next() -> JSONValue? {
        guard upcoming < end else { return nil }
        let element = upcoming
        upcoming = document.index(after: element)
        return JSONValue(document: document, index: element)
    }
}
