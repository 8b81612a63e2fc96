/// Blocks of text armour (RFC 7468): only the envelope; what is inside the host reads.
enum PEM {
    struct Block: Equatable {
        let type: String
        let bytes: [UInt8]
    }

    static func isPEM(_ text: [UInt8]) -> Bool { text.starts(with: "-----BEGIN".utf8) }

    /// The next block, which is taken off the text; nil when there is none.
    static func next(_ text: inout ArraySlice<UInt8>) -> Block? {
        let begin = Array("-----BEGIN ".utf8)
        let dashes = Array("-----".utf8)
        while let start = find(begin, in: text) {
            let afterBegin = text[(start + begin.count)...]
            guard let typeEnd = find(dashes, in: afterBegin) else { return nil }
            let type = Array(afterBegin[..<typeEnd])
            let end = Array("-----END ".utf8) + type + dashes
            let body = text[(typeEnd + dashes.count)...]
            guard !type.contains(0x0A), let bodyEnd = find(end, in: body) else {
                text = afterBegin
                continue
            }
            text = text[(bodyEnd + end.count)...].drop { $0 == 0x0A || $0 == 0x0D }
            var content = Array(body[..<bodyEnd])
            // Headers ("Proc-Type: …") end with an empty line.
            if content.contains(UInt8(ascii: ":")), let blank = ByteText.find([0x0A, 0x0A], in: content) { content.removeFirst(blank + 2) }
            content.removeAll { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
            guard let bytes = try? Base64.standard.decode(content) else { continue }
            return Block(type: String(decoding: type, as: UTF8.self), bytes: bytes)
        }
        return nil
    }

    static func blocks(_ text: [UInt8]) -> [Block] {
        var rest = text[...]
        var blocks: [Block] = []
        while let block = next(&rest) { blocks.append(block) }
        return blocks
    }

    private static func find(_ needle: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard text.count >= needle.count else { return nil }
        for start in text.startIndex...(text.endIndex - needle.count) where text[start] == needle[0] {
            if text[start..<(start + needle.count)].elementsEqual(needle) { return start }
        }
        return nil
    }
}
