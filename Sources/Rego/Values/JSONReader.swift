/// What is wrong with a JSON text, and where.
public struct JSONError: Error, Equatable, Sendable {
    public var message: String
    /// Bytes from the start.
    public var offset: Int
}

/// Reads JSON bytes into values in one pass.
///
/// Strict RFC 8259: UTF-8 is checked, depth is limited, the last of equal keys stays. Strings that the pool knows become pooled ones.
public struct JSONReader: ~Copyable {
    /// Arrays and objects within each other.
    public static let depthMax = 10_000

    private let start: UnsafePointer<UInt8>
    private let count: Int
    private var at = 0
    // SAFETY: whoever reads holds both until the reader is gone; so nothing is counted for each string.
    private let arena: Unmanaged<Arena>
    private let pool: Unmanaged<StringPool>?
    /// The pool's tables; nil when strings are added to it, or there is none.
    private let known: StringPool.View?
    /// The elements of collections that are still open, keys and values in turn.
    private var stack: ValueStack
    private var depth = 0

    /// Reads one value, and nothing but blanks after it.
    public static func read(_ bytes: UnsafeRawBufferPointer, into arena: Arena, pool: StringPool? = nil) throws(JSONError) -> Value {
        try read(bytes, into: arena, pool: pool, interns: false)
    }

    public static func read(_ bytes: [UInt8], into arena: Arena, pool: StringPool? = nil) throws(JSONError) -> Value {
        let result: Result<Value, JSONError> = bytes.withUnsafeBytes { raw in
            do throws(JSONError) { return .success(try read(raw, into: arena, pool: pool)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Reads a document whose strings are added to the pool: data, which is looked up far more often than it is read.
    static func read(_ bytes: UnsafeRawBufferPointer, into arena: Arena, pool: StringPool?, interns: Bool) throws(JSONError) -> Value {
        guard let base = bytes.baseAddress, bytes.count > 0 else { throw JSONError(message: "unexpected end of JSON input", offset: 0) }
        var reader = JSONReader(
            start: base.assumingMemoryBound(to: UInt8.self), count: bytes.count, arena: arena, pool: pool, interns: interns)
        return try withExtendedLifetime((arena, pool)) { () throws(JSONError) -> Value in
            let value = try reader.value()
            reader.skipBlanks()
            guard reader.at == reader.count else { throw reader.unexpected("after top-level value") }
            return value
        }
    }

    private init(start: UnsafePointer<UInt8>, count: Int, arena: Arena, pool: StringPool?, interns: Bool) {
        self.start = start
        self.count = count
        // SAFETY: `read` is given both, and holds them until the reader it makes is gone.
        self.arena = Unmanaged.passUnretained(arena)
        self.pool = interns ? pool.map { Unmanaged.passUnretained($0) } : nil
        known = interns ? nil : pool?.view
        stack = ValueStack(arena.takeScratch())
    }

    deinit { arena._withUnsafeGuaranteedRef { $0.keepScratch(stack.memory) } }

    private func unexpected(_ place: String) -> JSONError {
        guard at < count else { return JSONError(message: "unexpected end of JSON input", offset: at) }
        let byte = start[at]
        let name =
            byte >= 0x20 && byte < 0x7F ? "'\(Character(UnicodeScalar(byte)))'" : "'\\x" + String(byte, radix: 16) + "'"
        return JSONError(message: "invalid character \(name) \(place)", offset: at)
    }

    @inline(__always) private mutating func skipBlanks() {
        while at < count, start[at] <= 0x20, start[at] == 0x20 || start[at] == 0x0A || start[at] == 0x0D || start[at] == 0x09 { at &+= 1 }
    }

    private mutating func value() throws(JSONError) -> Value {
        skipBlanks()
        guard at < count else { throw unexpected("") }
        switch start[at] {
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "t"): return try word("true", .true)
        case UInt8(ascii: "f"): return try word("false", .false)
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: Value) throws(JSONError) -> Value {
        for index in 0..<text.utf8CodeUnitCount {
            guard at < count, start[at] == text.utf8Start[index] else { throw unexpected("in literal \(text)") }
            at += 1
        }
        return value
    }

    private mutating func enter() throws(JSONError) {
        at += 1
        depth += 1
        if depth > JSONReader.depthMax { throw JSONError(message: "exceeded max depth", offset: at) }
    }

    private mutating func array() throws(JSONError) -> Value {
        try enter()
        let mark = stack.count
        skipBlanks()
        if at < count, start[at] == UInt8(ascii: "]") {
            at += 1
        } else {
            while true {
                let element = try value()
                stack.push(element)
                skipBlanks()
                guard at < count else { throw unexpected("") }
                let byte = start[at]
                guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else { throw unexpected("after array element") }
                at &+= 1
                if byte == UInt8(ascii: "]") { break }
            }
        }
        depth -= 1
        let made = arena._withUnsafeGuaranteedRef { $0.array(stack.since(mark)) }
        stack.drop(to: mark)
        return made
    }

    private mutating func object() throws(JSONError) -> Value {
        try enter()
        let mark = stack.count
        skipBlanks()
        if at < count, start[at] == UInt8(ascii: "}") {
            at += 1
        } else {
            while true {
                skipBlanks()
                guard at < count, start[at] == UInt8(ascii: "\"") else { throw unexpected("looking for beginning of object key string") }
                let key = try string()
                stack.push(key)
                skipBlanks()
                guard at < count, start[at] == UInt8(ascii: ":") else { throw unexpected("after object key") }
                at &+= 1
                let element = try value()
                stack.push(element)
                skipBlanks()
                guard at < count else { throw unexpected("") }
                let byte = start[at]
                guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else { throw unexpected("after object key:value pair") }
                at &+= 1
                if byte == UInt8(ascii: "}") { break }
            }
        }
        depth -= 1
        let made = arena._withUnsafeGuaranteedRef { $0.object(pairs: stack.since(mark)) }
        stack.drop(to: mark)
        return made
    }

    private mutating func number() throws(JSONError) -> Value {
        let begin = at
        func digits() -> Bool { at < count && start[at] &- 0x30 <= 9 }
        if at < count, start[at] == UInt8(ascii: "-") { at &+= 1 }
        guard digits() else { throw unexpected(at == begin ? "looking for beginning of value" : "in numeric literal") }
        var isInteger = true
        if start[at] == 0x30 { at &+= 1 } else { while digits() { at &+= 1 } }
        if at < count, start[at] == UInt8(ascii: ".") {
            isInteger = false
            at &+= 1
            guard digits() else { throw unexpected("after decimal point in numeric literal") }
            while digits() { at &+= 1 }
        }
        if at < count, start[at] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            at &+= 1
            if at < count, start[at] == UInt8(ascii: "+") || start[at] == UInt8(ascii: "-") { at &+= 1 }
            guard digits() else { throw unexpected("in exponent of numeric literal") }
            while digits() { at &+= 1 }
        }
        let text = UnsafeRawBufferPointer(start: start + begin, count: at - begin)
        if isInteger, let value = Arena.plainInteger(text) { return Value(value) }
        return arena._withUnsafeGuaranteedRef { $0.number(text: text) }
    }

    private mutating func string() throws(JSONError) -> Value {
        at &+= 1
        let begin = at
        var state = Value.hashStart
        // Eight bytes at a time while there is no quote, no escape, no control character and nothing beyond ASCII; hashed on the way.
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while at &+ 8 <= count {
            let word = UnsafeRawPointer(start + at).loadUnaligned(as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let slash = word ^ (ones &* 0x5C)
            let found = ((quote &- ones) & ~quote | (slash &- ones) & ~slash | (word &- ones &* 0x20) & ~word | word) & highs
            guard found != 0 else {
                state = Value.step(state, word)
                at &+= 8
                continue
            }
            let before = found.trailingZeroBitCount >> 3
            at &+= before
            guard start[at] == UInt8(ascii: "\"") else { return try stringWithMore(begin) }
            let last = word & ((1 &<< UInt64(before &* 8)) &- 1)
            if before > 0 { state = Value.step(state, last) }
            return ended(begin, state, last)
        }
        let tail = at
        while at < count {
            let byte = start[at]
            if byte == UInt8(ascii: "\"") {
                let last = Value.lastWord(start + tail, at &- tail)
                if at > tail { state = Value.step(state, last) }
                return ended(begin, state, last)
            }
            if byte == UInt8(ascii: "\\") || byte >= 0x80 || byte < 0x20 { break }
            at &+= 1
        }
        return try stringWithMore(begin)
    }

    /// The string that ends here with a quote; `last` are its bytes behind the last whole word.
    @inline(__always) private mutating func ended(_ begin: Int, _ state: UInt64, _ last: UInt64) -> Value {
        let text = UnsafeRawBufferPointer(start: start + begin, count: at &- begin)
        at &+= 1
        return made(text, Value.hashEnd(state, text.count), last)
    }

    @inline(never) private func made(_ text: UnsafeRawBufferPointer, _ hash: UInt32, _ last: UInt64) -> Value {
        if let known {
            if let slots = known.slotsBelow {
                let found = JSONReader.find(text, hash, last, slots, known.maskBelow)
                if found.isDefined { return found }
            }
            let found = JSONReader.find(text, hash, last, known.slots, known.mask)
            if found.isDefined { return found }
        }
        if let pool { return pool._withUnsafeGuaranteedRef { $0.intern(text) } }
        return arena._withUnsafeGuaranteedRef { $0.string(text, hash: hash) }
    }

    @inline(__always) private static func find(
        _ text: UnsafeRawBufferPointer, _ hash: UInt32, _ last: UInt64, _ slots: UnsafePointer<StringPool.Slot>, _ mask: Int
    ) -> Value {
        var at = Int(hash) & mask
        while let bytes = slots[at].bytes {
            if slots[at].hash == hash, Int(slots[at].length) == text.count, isSame(text, last, bytes) {
                return Value(pointer: bytes, tag: Value.Tag.pooledString, count: text.count)
            }
            at = (at &+ 1) & mask
        }
        return .undefined
    }

    /// Whether a string of the pool, whose memory holds whole words, has this text of the same length.
    @inline(__always) private static func isSame(_ text: UnsafeRawBufferPointer, _ last: UInt64, _ other: UnsafeRawPointer) -> Bool {
        var at = 0
        while at &+ 8 <= text.count {
            let mine = text.baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            if mine != other.load(fromByteOffset: at, as: UInt64.self) { return false }
            at &+= 8
        }
        let left = UInt64(text.count &- at)
        return left == 0 || (other.load(fromByteOffset: at, as: UInt64.self) ^ last) &<< (64 &- left &* 8) == 0
    }

    /// A string with escapes or bytes beyond ASCII.
    private mutating func stringWithMore(_ begin: Int) throws(JSONError) -> Value {
        var bytes = [UInt8](UnsafeBufferPointer(start: start + begin, count: at - begin))
        while true {
            guard at < count else { throw unexpected("") }
            let byte = start[at]
            if byte == UInt8(ascii: "\"") { break }
            if byte < 0x20 { throw unexpected("in string literal") }
            if byte == UInt8(ascii: "\\") {
                try escape(&bytes)
            } else if byte < 0x80 {
                bytes.append(byte)
                at += 1
            } else {
                scalar(&bytes)
            }
        }
        at += 1
        return bytes.withUnsafeBytes { text in
            let left = text.count & 7
            let last = text.baseAddress.map { Value.lastWord($0 + (text.count - left), left) } ?? 0
            return made(text, Value.hash(text), last)
        }
    }

    /// Copies one scalar of more than one byte; what is no UTF-8 becomes U+FFFD, as in Go.
    private mutating func scalar(_ bytes: inout [UInt8]) {
        let length = UTF8Check.length(start + at, count - at)
        if length == 0 {
            bytes.append(contentsOf: [0xEF, 0xBF, 0xBD])
            at += 1
        } else {
            bytes.append(contentsOf: UnsafeBufferPointer(start: start + at, count: length))
            at += length
        }
    }

    private mutating func escape(_ bytes: inout [UInt8]) throws(JSONError) {
        at += 1
        guard at < count else { throw unexpected("") }
        let kind = start[at]
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(kind)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "u"):
            at += 1
            var code = try hexadecimal()
            if code >= 0xD800 && code < 0xDC00, at + 1 < count, start[at] == UInt8(ascii: "\\"), start[at + 1] == UInt8(ascii: "u") {
                let back = at
                at += 2
                let low = try hexadecimal()
                if low >= 0xDC00 && low < 0xE000 {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    at = back
                }
            }
            let scalar = UnicodeScalar(code) ?? "\u{FFFD}"
            bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
            return
        default: throw unexpected("in string escape code")
        }
        at += 1
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard at < count, let digit = Character(UnicodeScalar(start[at])).hexDigitValue, start[at] < 0x80 else {
                throw unexpected("in \\u hexadecimal character escape")
            }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }
}

/// Whether bytes are well-formed UTF-8.
enum UTF8Check {
    /// The length of the scalar that begins here, or 0 when none does.
    static func length(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let first = bytes[0]
        if first < 0x80 { return 1 }
        let length = first >= 0xF0 ? 4 : (first >= 0xE0 ? 3 : 2)
        guard first >= 0xC2, first <= 0xF4, length <= count else { return 0 }
        for index in 1..<length where bytes[index] & 0xC0 != 0x80 { return 0 }
        switch first {
        case 0xE0: return bytes[1] >= 0xA0 ? 3 : 0
        case 0xED: return bytes[1] < 0xA0 ? 3 : 0
        case 0xF0: return bytes[1] >= 0x90 ? 4 : 0
        case 0xF4: return bytes[1] < 0x90 ? 4 : 0
        default: return length
        }
    }
}

/// Values that grow at one end, without reference counts or checks. Whoever makes one gives its memory, and takes `memory` back in the end.
struct ValueStack: ~Copyable {
    private(set) var memory: UnsafeMutableBufferPointer<Value>
    private var start: UnsafeMutablePointer<Value>
    private(set) var count = 0

    init(_ memory: UnsafeMutableBufferPointer<Value>) {
        self.memory = memory
        start = memory.baseAddress.unsafelyUnwrapped
    }

    @inline(__always) mutating func push(_ value: Value) {
        if count == memory.count { grow() }
        (start + count).initialize(to: value)
        count &+= 1
    }

    @inline(never) private mutating func grow() {
        let larger = UnsafeMutableBufferPointer<Value>.allocate(capacity: memory.count * 2)
        (larger.baseAddress.unsafelyUnwrapped).initialize(from: start, count: count)
        memory.deallocate()
        memory = larger
        start = larger.baseAddress.unsafelyUnwrapped
    }

    @inline(__always) func at(_ index: Int) -> Value { start[index] }

    @inline(__always) func since(_ mark: Int) -> UnsafeMutableBufferPointer<Value> {
        UnsafeMutableBufferPointer(start: start + mark, count: count &- mark)
    }

    @inline(__always) mutating func drop(to mark: Int) { count = mark }
}
