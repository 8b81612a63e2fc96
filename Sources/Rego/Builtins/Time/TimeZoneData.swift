/// A zone of the tz database: when its clock changed, and the rule for the time after the last known change (RFC 9636).
struct TimeZoneData: Equatable {
    struct Offset: Equatable {
        /// Seconds east of Greenwich.
        let seconds: Int
        let abbreviation: String
        let isDaylight: Bool
    }

    static let utc = TimeZoneData(fixed: Offset(seconds: 0, abbreviation: "UTC", isDaylight: false))

    private let offsets: [Offset]
    private let changes: [(at: Int64, offset: Int)]
    private let rule: PosixRule?

    init(fixed: Offset) {
        offsets = [fixed]
        changes = []
        rule = nil
    }

    static func == (left: TimeZoneData, right: TimeZoneData) -> Bool {
        left.offsets == right.offsets && left.rule == right.rule && left.changes.elementsEqual(right.changes) { $0 == $1 }
    }

    /// Reads the bytes of a TZif file; nil when they are none.
    init?(tzif bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard var header = reader.header() else { return nil }
        var wide = false
        if header.version >= 2 {
            // The first block has 32-bit times, for old readers; the one that counts follows.
            guard reader.skip(header.bodyBytes(timeBytes: 4)), let second = reader.header() else { return nil }
            header = second
            wide = true
        }
        let timeBytes = wide ? 8 : 4
        guard header.types > 0, let body = reader.take(header.bodyBytes(timeBytes: timeBytes)) else { return nil }
        let indexes = header.times * timeBytes
        let types = indexes + header.times
        let names = types + header.types * 6
        func number(_ start: Int, _ count: Int) -> Int64 {
            let value = body[(body.startIndex + start)..<(body.startIndex + start + count)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return count == 8 ? Int64(bitPattern: value) : Int64(Int32(bitPattern: UInt32(value)))
        }
        var offsets: [Offset] = []
        for index in 0..<header.types {
            let start = types + index * 6
            let nameIndex = Int(body[body.startIndex + start + 5])
            guard nameIndex < header.characters else { return nil }
            let name = body[(body.startIndex + names + nameIndex)..<(body.startIndex + names + header.characters)].prefix { $0 != 0 }
            offsets.append(
                Offset(
                    seconds: Int(number(start, 4)), abbreviation: String(decoding: name, as: UTF8.self),
                    isDaylight: body[body.startIndex + start + 4] != 0))
        }
        var changes: [(at: Int64, offset: Int)] = []
        for index in 0..<header.times {
            let offset = Int(body[body.startIndex + indexes + index])
            guard offset < offsets.count else { return nil }
            changes.append((number(index * timeBytes, timeBytes), offset))
        }
        self.offsets = offsets
        self.changes = changes
        rule = wide ? PosixRule(reader.footer()) : nil
    }

    /// The offset of the clock at a time.
    func offset(at seconds: Int64) -> Offset {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        if low == 0 { return changes.isEmpty ? rule?.offset(at: seconds) ?? offsets[0] : offsets.first { !$0.isDaylight } ?? offsets[0] }
        if low == changes.count, let rule { return rule.offset(at: seconds) }
        return offsets[changes[low - 1].offset]
    }

    /// The instant at which the clock of this zone shows `civil`. Of two it takes the one that Go takes; in a gap, one beside it.
    func seconds(of civil: CivilTime) -> Int64 {
        let local = civil.seconds
        // Guess by the offset at the same reading in UTC, then correct once (Go's `time.Date`).
        let guess = offset(at: local).seconds
        let first = local - Int64(guess)
        let second = offset(at: first).seconds
        return second == guess ? first : corrected(local, first, second)
    }

    private func corrected(_ local: Int64, _ first: Int64, _ offsetSeconds: Int) -> Int64 {
        let second = local - Int64(offsetSeconds)
        return offset(at: second).seconds == offsetSeconds ? second : first
    }

    private struct Header {
        let version: Int
        let utcFlags, standardFlags, leapSeconds, times, types, characters: Int
        func bodyBytes(timeBytes: Int) -> Int {
            times * timeBytes + times + types * 6 + characters + leapSeconds * (timeBytes + 4) + standardFlags + utcFlags
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= bytes.count - index else { return nil }
            index += count
            return bytes[(index - count)..<index]
        }

        mutating func header() -> Header? {
            guard let head = take(44), head.starts(with: Array("TZif".utf8)) else { return nil }
            let start = head.startIndex
            func count(_ field: Int) -> Int {
                head[(start + 20 + field * 4)..<(start + 24 + field * 4)].reduce(0) { $0 << 8 | Int($1) }
            }
            let version = head[start + 4] == 0 ? 1 : Int(head[start + 4]) - 0x30
            return Header(
                version: version, utcFlags: count(0), standardFlags: count(1), leapSeconds: count(2), times: count(3), types: count(4),
                characters: count(5))
        }

        func footer() -> String {
            guard index < bytes.count, bytes[index] == 0x0A else { return "" }
            return String(decoding: bytes[(index + 1)...].prefix { $0 != 0x0A }, as: UTF8.self)
        }
    }
}
