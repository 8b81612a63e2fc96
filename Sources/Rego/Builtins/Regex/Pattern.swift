/// A compiled regular expression with what Go's package `regexp` does beyond finding one match.
struct Pattern {
    let expression: any RegularExpression
    let isEmpty: Bool

    /// The pattern of an operand, compiled once.
    static func compile(_ pattern: [UInt8], _ context: BuiltinContext) throws(BuiltinFailure) -> Pattern {
        let key = BuiltinContext.CacheKey(builtin: "regex", text: pattern)
        if let known = context.longCache[key] as? Pattern { return known }
        guard let engine = context.host.regularExpressions else { throw .host("regular expressions") }
        let made: Pattern
        do throws(HostFailure) {
            made = Pattern(expression: try engine.compile(pattern), isEmpty: pattern.isEmpty)
        } catch {
            throw BuiltinFailure(error.message)
        }
        context.keep(made, for: key)
        return made
    }

    func matches(_ text: UnsafeRawBufferPointer) -> Bool { expression.firstMatch(in: text, from: 0) != nil }

    /// All matches that do not overlap, each as pairs of begin and end; an empty one right behind another does not count.
    ///
    /// - Parameter limit: at most so many; negative for all.
    func all(in text: [UInt8], limit: Int) throws(BuiltinFailure) -> [[Int]] {
        var found: [[Int]] = []
        var position = 0
        var previousEnd = -1
        while limit < 0 || found.count < limit, position <= text.count {
            guard let match = text.withUnsafeBytes({ expression.firstMatch(in: $0, from: position) }) else { break }
            var accept = true
            if match[1] == position {
                // Go compares where the match begins with where it searched from: an empty match at the start position.
                accept = match[0] != previousEnd
                position += position < text.count ? Runes.decode(text, at: position).width : 1
            } else {
                position = match[1]
            }
            previousEnd = match[1]
            if accept { found.append(match) }
            if found.count > BuiltinLimits.elementsMax { throw .tooLarge("matches", BuiltinLimits.elementsMax) }
        }
        return found
    }

    /// Every match becomes the template, in which `$1`, `${name}` and `$$` have their meaning.
    func replace(in text: [UInt8], with template: [UInt8]) throws(BuiltinFailure) -> [UInt8] {
        var result: [UInt8] = []
        var lastEnd = 0
        var position = 0
        while position <= text.count {
            guard let match = text.withUnsafeBytes({ expression.firstMatch(in: $0, from: position) }) else { break }
            result += text[lastEnd..<match[0]]
            if match[1] > lastEnd || match[0] == 0 { expand(template, match, text, into: &result) }
            if result.count > BuiltinLimits.stringBytesMax { throw .tooLarge("bytes of the result", BuiltinLimits.stringBytesMax) }
            lastEnd = match[1]
            let width = position < text.count ? Runes.decode(text, at: position).width : 0
            if position + width > match[1] {
                position += width
            } else if position + 1 > match[1] {
                position += 1
            } else {
                position = match[1]
            }
        }
        return result + text[lastEnd...]
    }

    private func expand(_ template: [UInt8], _ match: [Int], _ text: [UInt8], into result: inout [UInt8]) {
        var index = 0
        while index < template.count {
            guard template[index] == UInt8(ascii: "$") else {
                result.append(template[index])
                index += 1
                continue
            }
            if index + 1 < template.count, template[index + 1] == UInt8(ascii: "$") {
                result.append(UInt8(ascii: "$"))
                index += 2
                continue
            }
            let braced = index + 1 < template.count && template[index + 1] == UInt8(ascii: "{")
            let start = index + (braced ? 2 : 1)
            let name = template[start...].prefix { ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
            let closed = !braced || (name.endIndex < template.count && template[name.endIndex] == UInt8(ascii: "}"))
            guard !name.isEmpty, closed else {
                // Malformed: a dollar as such.
                result.append(UInt8(ascii: "$"))
                index += 1
                continue
            }
            index = name.endIndex + (braced ? 1 : 0)
            let word = String(decoding: name, as: UTF8.self)
            let group = name.allSatisfy(ASCII.isDigit) ? (name.count < 9 ? Int(word) : nil) : expression.groupNames[word]
            if let group, group <= expression.groupCount, match[2 * group] >= 0 { result += text[match[2 * group]..<match[2 * group + 1]] }
        }
    }

    func split(_ text: [UInt8]) throws(BuiltinFailure) -> [[UInt8]] {
        if !isEmpty && text.isEmpty { return [[]] }
        var parts: [[UInt8]] = []
        var begin = 0
        var end = 0
        for match in try all(in: text, limit: -1) {
            end = match[0]
            if match[1] != 0 { parts.append(Array(text[begin..<end])) }
            begin = match[1]
        }
        if end != text.count { parts.append(Array(text[begin...])) }
        return parts
    }
}
