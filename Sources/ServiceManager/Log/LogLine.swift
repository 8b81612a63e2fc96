import Domain

/// How much a line matters; the numbers are syslog's (RFC 5424 §6.2.1), lower is worse.
package enum LogLevel: UInt8, Comparable, Sendable, CaseIterable {
    case error = 3
    case warning = 4
    case info = 6
    case debug = 7

    /// A worse level comes later.
    package static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue > b.rawValue }

    var name: StaticString {
        switch self {
        case .error: "ERROR"
        case .warning: "WARNING"
        case .info: "INFO"
        case .debug: "DEBUG"
        }
    }
}

/// A detail of a log line.
package enum LogValue: Equatable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    case text(String)
    case integer(Int64)
    case number(Double)
    case flag(Bool)

    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .flag(value) }

    package static func integer(_ value: some BinaryInteger) -> LogValue { .integer(Int64(clamping: value)) }

    /// What a type says of itself.
    package static func describing(_ value: some CustomStringConvertible) -> LogValue { .text(value.description) }

    var text: String {
        switch self {
        case .text(let value): value
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .flag(let value): "\(value)"
        }
    }

    /// At most `Limits.logValueBytesMax` bytes, cut between characters.
    var shortened: LogValue {
        guard case .text(let value) = self, value.utf8.count > Limits.logValueBytesMax else { return self }
        var end = value.startIndex
        var bytes = 0
        for scalar in value.unicodeScalars {
            bytes += UTF8.width(scalar)
            if bytes > Limits.logValueBytesMax { break }
            value.unicodeScalars.formIndex(after: &end)
        }
        return .text(value[..<end] + "…")
    }
}

/// One event as the log tells it, in its three forms.
struct LogLine {
    var time: Timestamp
    var level: LogLevel
    var component: StaticString
    var event: StaticString
    var details: [(key: StaticString, value: LogValue)]
    var traceID: String?

    /// A line of JSON as REGISTRY.md has it, with its newline, at most `Limits.logLineBytesMax` bytes.
    func json() -> [UInt8] { fitting { $0.encodeJSON() } }

    /// A line for a person at a terminal.
    func plain() -> [UInt8] {
        fitting { line in Array("\(line.time.rfc3339.dropFirst(11).dropLast()) \(line.level.name) \(line.message)\n".utf8) }
    }

    /// A datagram of the journal's native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).
    func journal() -> [UInt8] {
        fitting { line in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(512)
            Self.field("PRIORITY", "\(line.level.rawValue)", into: &bytes)
            Self.field("SYSLOG_IDENTIFIER", "posto", into: &bytes)
            Self.field("MESSAGE", line.message, into: &bytes)
            Self.field("POSTO_COMPONENT", "\(line.component)", into: &bytes)
            Self.field("POSTO_EVENT", "\(line.event)", into: &bytes)
            if let traceID { Self.field("POSTO_TRACE_ID", traceID, into: &bytes) }
            for (key, value) in line.details { Self.field("POSTO_" + "\(key)".uppercased(), value.text, into: &bytes) }
            return bytes
        }
    }

    private var message: String {
        details.reduce("\(component) \(event)") { text, detail in
            let value = detail.value.text
            let needsQuotes = value.isEmpty || value.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: "\"") || $0 == 0x7f }
            return text + " \(detail.key)=" + (needsQuotes ? Self.quoted(value) : value)
        }
    }

    /// Long texts give way first, then all details.
    private func fitting(_ encode: (LogLine) -> [UInt8]) -> [UInt8] {
        let whole = encode(self)
        if whole.count <= Limits.logLineBytesMax { return whole }
        var shorter = self
        shorter.details = details.map { ($0.key, $0.value.shortened) }
        shorter.traceID = traceID.map { String($0.unicodeScalars.prefix(64)) }
        let cut = encode(shorter)
        if cut.count <= Limits.logLineBytesMax { return cut }
        shorter.details = [("truncated", true)]
        return encode(shorter)
    }

    private func encodeJSON() -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.object { line in
            line.key("timestamp")
            line.timestamp(time)
            line.key("level")
            line.string(level.name)
            line.key("component")
            line.string(component)
            line.key("event")
            line.string(event)
            line.key("details")
            line.object { inner in
                for (key, value) in details {
                    inner.key(key)
                    switch value {
                    case .text(let text): inner.string(text)
                    case .integer(let number): inner.integer(number)
                    case .number(let number): inner.double(number)
                    case .flag(let flag): inner.bool(flag)
                    }
                }
            }
            line.key("trace_id")
            if let traceID { line.string(traceID) } else { line.null() }
        }
        writer.newline()
        return writer.finish()
    }

    private static func field(_ name: String, _ value: String, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: name.utf8)
        if value.utf8.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            withUnsafeBytes(of: UInt64(value.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes.append(contentsOf: value.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func quoted(_ text: String) -> String {
        var out = GrowingBytes(capacity: text.utf8.count + 2)
        out.append(json: text)
        return String(decoding: out.bytes, as: UTF8.self)
    }
}
