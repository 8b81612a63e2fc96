import CMicroHTTPD
import Glibc

/// All headers of one answer as a single header of libmicrohttpd's, whose value holds the lines of the others.
///
/// Each `MHD_add_response_header` allocates three times and searches its arguments six times: four headers cost a seventh of a whole request.
/// So the lines are joined, with spaces where CRLF belongs, since the library refuses line ends in a value; and then CRLF is written over the
/// spaces in the copy that the response owns. What comes from outside the image is checked here instead.
///
/// `Connection`, which the library must understand, goes its own way.
struct HeaderBlock: ~Copyable {
    private var name: StaticString?
    private var line: UnsafeMutableBufferPointer<UInt8>
    private var count = 0
    /// Offsets of the line ends.
    private var ends: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
    private var endCount = 0
    private let answer: OpaquePointer

    /// `scratch` must outlive the block; what does not fit, or is too much, becomes a header of its own.
    init(_ answer: OpaquePointer, scratch: UnsafeMutableBufferPointer<UInt8>) {
        self.answer = answer
        line = scratch
    }

    mutating func add(_ name: StaticString, _ value: StaticString) {
        _ = add(name, checked: Bytes(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// Leaves the header out if `value` is empty or holds a control character.
    mutating func add(_ name: StaticString, _ value: Bytes) {
        for byte in value where !ASCII.isValue(byte) { return }
        _ = add(name, checked: value)
    }

    /// For what is made here, or was looked through when it came in.
    ///
    /// - Returns: where the value lies behind what `finish` returns; nil if it became a header of its own.
    mutating func add(_ name: StaticString, checked value: Bytes) -> Int? {
        guard value.count > 0 else { return nil }
        let nameCount = name.utf8CodeUnitCount
        let size = value.count + (self.name == nil ? 0 : nameCount + 4)
        guard endCount < 8, count + size < line.count else {
            addAlone(name, value)
            return nil
        }
        if self.name == nil {
            self.name = name
        } else {
            withUnsafeMutableBytes(of: &ends) { $0.bindMemory(to: Int.self)[endCount] = count }
            endCount += 1
            let start = line.baseAddress! + count
            start[0] = 0x20
            start[1] = 0x20
            memcpy(start + 2, name.utf8Start, nameCount)
            start[nameCount + 2] = 0x3a
            start[nameCount + 3] = 0x20
            count += nameCount + 4
        }
        let offset = count
        memcpy(line.baseAddress! + offset, value.baseAddress!, value.count)
        count += value.count
        return offset
    }

    private func addAlone(_ name: StaticString, _ value: Bytes) {
        value.text.withCString { _ = MHD_add_response_header(answer, Self.chars(name.utf8Start), $0) }
    }

    /// Gives the block to the response.
    ///
    /// - Returns: the block as the response keeps it, while it lives; nil if there is none.
    @discardableResult
    consuming func finish() -> UnsafeMutablePointer<UInt8>? {
        guard let name else { return nil }
        line[count] = 0
        guard MHD_add_response_header(answer, Self.chars(name.utf8Start), Self.chars(line.baseAddress!)) == .YES,
            let copy = MHD_get_response_header(answer, Self.chars(name.utf8Start))
        else { return nil }
        // SAFETY: the library copied the value with strdup (response.c, add_response_entry), so it is heap memory of this response alone;
        // the response is not queued yet, and the length, which the library keeps, stays what it was.
        let value = UnsafeMutableRawPointer(mutating: copy).assumingMemoryBound(to: UInt8.self)
        withUnsafeBytes(of: ends) { ends in
            for i in 0..<endCount {
                let at = ends.bindMemory(to: Int.self)[i]
                value[at] = 0x0d
                value[at + 1] = 0x0a
            }
        }
        return value
    }

    private static func chars(_ bytes: UnsafePointer<UInt8>) -> UnsafePointer<CChar> {
        UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self)
    }
}
