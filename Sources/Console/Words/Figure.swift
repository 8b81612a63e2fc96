import Domain

/// Numbers as people of a language write them. Beside what is rounded for people stands what the interface says, in `<data value>`.
enum Figure {
    static func text(_ number: some BinaryInteger, in language: Language) -> String {
        let digits = Array("\(number.magnitude)".unicodeScalars)
        var result = number < 0 ? "−" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += language == .portuguese ? "." : "," }
            result.unicodeScalars.append(digit)
        }
        return result
    }

    /// One decimal, and none where it says nothing.
    static func text(_ number: Double, in language: Language) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return "?" }
        guard abs(number) < 99.95 else { return text(Int64(number.rounded()), in: language) }
        let tenths = Int64((number * 10).rounded())
        let sign = tenths < 0 ? "−" : ""
        let whole = "\(sign)\(tenths.magnitude / 10)"
        return tenths % 10 == 0 ? whole : "\(whole)\(language == .portuguese ? "," : ".")\(tenths.magnitude % 10)"
    }

    static func data(_ number: some BinaryInteger, id: String, in language: Language) -> HTML {
        #"<data id="\#(id)" value="\#(number)">\#(text(number, in: language))</data>"#
    }

    static func data(_ number: Double, id: String, unit: String, in language: Language) -> HTML {
        #"<data id="\#(id)" value="\#("\(number)")">\#(text(number, in: language))\#u{A0}\#(unit)</data>"#
    }

    /// With the unit that leaves one to four digits.
    static func bytes(_ count: some BinaryInteger, in language: Language) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1_000, unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        return "\(text(value, in: language))\u{A0}\(units[unit])"
    }

    /// The two largest units: `3 h 20 min`. The same in every language of ours.
    static func duration(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")]
        guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "0\u{A0}s" }
        var parts = ["\(seconds / units[first].0)\u{A0}\(units[first].1)"]
        if first + 1 < units.count {
            let rest = seconds % units[first].0 / units[first + 1].0
            if rest > 0 { parts.append("\(rest)\u{A0}\(units[first + 1].1)") }
        }
        return parts.joined(separator: " ")
    }

    static func duration(_ duration: Duration, id: String) -> HTML {
        #"<data id="\#(id)" value="\#(duration.components.seconds)">\#(self.duration(duration))</data>"#
    }

    /// Day and time of day, UTC.
    static func time(_ time: Timestamp) -> HTML {
        let text = time.rfc3339
        let day = text.prefix(10)
        let clock = text.dropFirst(11).prefix(8)
        return #"<time datetime="\#(text)">\#("\(day) \(clock)") UTC</time>"#
    }

    /// Time of day, UTC.
    static func clock(_ time: Timestamp) -> HTML {
        let text = time.rfc3339
        return #"<time datetime="\#(text)">\#(String(text.dropFirst(11).prefix(8))) UTC</time>"#
    }
}
