import CRE2
import Rego

/// A pattern compiled by RE2, which never takes longer than text × pattern.
final class RE2Expression: RegularExpression {
    private let handle: OpaquePointer
    let groupCount: Int
    let groupNames: [String: Int]

    /// A compiled pattern and the states of matching it: a pattern of 1,000 alternatives needs some 200 KB.
    private static let memoryMax: Int64 = 8 << 20
    private static let patternBytesMax = 64 << 10

    /// - Throws: with Go's words, "error parsing regexp: missing closing ]: `[a`".
    init(_ pattern: [UInt8]) throws(HostFailure) {
        guard pattern.count <= Self.patternBytesMax else { throw HostFailure("error parsing regexp: expression too large") }
        let pattern = try Self.withGoSyntax(pattern)
        var message = [CChar](repeating: 0, count: 512)
        let made = pattern.withUnsafeBytes { bytes in
            posto_re2_new(bytes.bindMemory(to: CChar.self).baseAddress, bytes.count, Self.memoryMax, &message, message.count)
        }
        guard let made else { throw HostFailure(String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)) }
        handle = made
        groupCount = Int(posto_re2_groups(made))
        var names: [String: Int] = [:]
        for group in 1..<(groupCount + 1) {
            if let name = posto_re2_name(made, Int32(group)) { names[String(cString: name)] = group }
        }
        groupNames = names
    }

    deinit { posto_re2_free(handle) }

    func firstMatch(in text: UnsafeRawBufferPointer, from offset: Int) -> [Int]? {
        var spans = [Int64](repeating: -1, count: 2 * (groupCount + 1))
        // An empty text has no address; RE2 wants one to reckon offsets from.
        let found =
            if let base = text.baseAddress {
                posto_re2_match(handle, base.assumingMemoryBound(to: CChar.self), text.count, offset, Int32(groupCount), &spans)
            } else {
                posto_re2_match(handle, "", 0, 0, Int32(groupCount), &spans)
            }
        return found == 1 ? spans.map(Int.init) : nil
    }

    /// Where Go's syntax differs from that of Debian's RE2: `(?<name>…)` is new, and `\C` does not exist.
    private static func withGoSyntax(_ pattern: [UInt8]) throws(HostFailure) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(pattern.count + 8)
        var index = 0
        var inClass = false
        var isQuoted = false
        while index < pattern.count {
            let byte = pattern[index]
            let next = index + 1 < pattern.count ? pattern[index + 1] : 0
            if byte == UInt8(ascii: "\\") {
                if next == UInt8(ascii: "Q") { isQuoted = true }
                if next == UInt8(ascii: "E") { isQuoted = false }
                if next == UInt8(ascii: "C"), !isQuoted {
                    throw HostFailure("error parsing regexp: invalid escape sequence: `\\C`")
                }
                result.append(byte)
                if index + 1 < pattern.count { result.append(next) }
                index += 2
                continue
            }
            if !isQuoted {
                if byte == UInt8(ascii: "[") { inClass = true } else if byte == UInt8(ascii: "]") { inClass = false }
                let afterNext = index + 2 < pattern.count ? pattern[index + 2] : 0
                if !inClass, byte == UInt8(ascii: "("), next == UInt8(ascii: "?"), afterNext == UInt8(ascii: "<") {
                    result += Array("(?P<".utf8)
                    index += 3
                    continue
                }
            }
            result.append(byte)
            index += 1
        }
        return result
    }
}
