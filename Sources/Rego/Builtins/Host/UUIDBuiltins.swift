/// `uuid.*` (RFC 4122, and DCE's version 2).
let uuidBuiltins: [Builtin] = [
    Builtin("uuid.rfc4122", [.string], .string, isPure: false) { arguments, context throws(BuiltinFailure) in
        let seed = try arguments.bytes(0)
        // One identifier per seed within a query.
        let key = BuiltinContext.CacheKey(builtin: "uuid.rfc4122", text: seed)
        if let known = context.cache[key] as? [UInt8] { return context.arena.string(known) }
        guard let random = context.host.random else { throw .host("random generator") }
        var bytes = random(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = Hex.encode(bytes)
        let text = Array([hex[0..<8], hex[8..<12], hex[12..<16], hex[16..<20], hex[20..<32]].joined(separator: [UInt8(ascii: "-")]))
        context.cache[key] = text
        return context.arena.string(text)
    },
    Builtin("uuid.parse", [.string], .object(of: .string, .any)) { arguments, context throws(BuiltinFailure) in
        guard let bytes = uuidBytes(try arguments.bytes(0)) else { return .undefined }
        return context.arena.record(fields(bytes, context.arena))
    },
]

/// 36 characters; with "urn:uuid:" or a pair of brackets around them; or 32 digits.
private func uuidBytes(_ text: [UInt8]) -> [UInt8]? {
    var text = text
    switch text.count {
    case 36: break
    case 45:
        guard String(decoding: text.prefix(9), as: UTF8.self).lowercased() == "urn:uuid:" else { return nil }
        text.removeFirst(9)
    case 38: text = Array(text.dropFirst().dropLast())
    case 32: return try? Hex.decode(text)
    default: return nil
    }
    guard [8, 13, 18, 23].allSatisfy({ text[$0] == UInt8(ascii: "-") }) else { return nil }
    let digits = text.enumerated().filter { ![8, 13, 18, 23].contains($0.offset) }.map(\.element)
    return try? Hex.decode(digits)
}

private func fields(_ bytes: [UInt8], _ arena: Arena) -> [(String, Value)] {
    let version = Int(bytes[6] >> 4)
    let variant =
        switch bytes[8] >> 5 {
        case 4, 5: "RFC4122"
        case 6: "Microsoft"
        case 7: "Future"
        default: "Reserved"
        }
    var fields: [(String, Value)] = [("version", Value(version)), ("variant", arena.string(variant))]
    guard version == 1 || version == 2 else { return fields }
    let low = bytes[0..<4].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let middle = UInt64(bytes[4]) << 8 | UInt64(bytes[5])
    let high = UInt64(bytes[6] & 0x0F) << 8 | UInt64(bytes[7])
    // Hundreds of nanoseconds since the calendar's reform of 1582.
    let ticks = Int64(high << 48 | middle << 32 | low) - 122_192_928_000_000_000
    let (nanoseconds, overflow) = ticks.multipliedReportingOverflow(by: 100)
    fields.append(("time", Value(overflow ? 0 : nanoseconds)))
    fields.append(("clocksequence", Value(Int(bytes[8] & 0x3F) << 8 | Int(bytes[9]))))
    fields.append(("nodeid", arena.string(bytes[10...].map { String(decoding: Hex.encode([$0]), as: UTF8.self) }.joined(separator: "-"))))
    let scope = bytes[10] & 2 == 0 ? "global" : "local"
    fields.append(("macvariables", arena.string("\(scope):\(bytes[10] & 1 == 0 ? "unicast" : "multicast")")))
    if version == 2 {
        fields.append(("id", Value(Int64(low))))
        let domain = ["Person", "Group", "Org"]
        fields.append(("domain", arena.string(bytes[9] < 3 ? domain[Int(bytes[9])] : "Domain\(bytes[9])")))
    }
    return fields
}
