import Domain

/// One measured figure, beside the floor that was measured in the same minutes, and what it should be.
struct BenchFigure {
    enum Goal {
        case atLeast(Double)
        case atMost(Double)
        case ratioAtLeast(Double)
    }

    var name: String
    var value: Double
    var unit: StaticString
    /// What the machine can do at this without us, and what that is.
    var floor: (name: String, value: Double)?
    /// Of the figure to its floor, pair by pair; the median of the pairs.
    var ratio: Double?
    var goal: Goal?
    /// Milliseconds of single answers.
    var p50: Double?
    var p99: Double?
    var note: String?

    var isMet: Bool? {
        switch goal {
        case .atLeast(let bound): value >= bound
        case .atMost(let bound): value <= bound
        case .ratioAtLeast(let bound): ratio.map { $0 >= bound }
        case nil: nil
        }
    }

    fileprivate var goalText: String {
        switch goal {
        case .atLeast(let bound): "≥ " + BenchReport.number(bound)
        case .atMost(let bound): "≤ " + BenchReport.number(bound)
        case .ratioAtLeast(let bound): "≥ \(BenchReport.number(bound)) × floor"
        case nil: ""
        }
    }
}

/// Everything that one run found, for people and for programs.
struct BenchReport {
    private(set) var figures: [BenchFigure] = []

    mutating func add(_ figure: BenchFigure) { figures.append(figure) }

    /// A Markdown table, so that it can be pasted as it is.
    var table: String {
        var rows = [["figure", "measured", "p50 ms", "p99 ms", "floor", "ratio", "goal", ""]]
        for figure in figures {
            rows.append([
                figure.name, "\(Self.number(figure.value)) \(figure.unit)", figure.p50.map(Self.number) ?? "",
                figure.p99.map(Self.number) ?? "", figure.floor.map { "\(Self.number($0.value)) (\($0.name))" } ?? "",
                figure.ratio.map(Self.number) ?? "", figure.goalText, figure.isMet.map { $0 ? "met" : "MISSED" } ?? "",
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
        var lines = rows.map { row in
            "| " + zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ") + " |"
        }
        lines.insert("|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|", at: 1)
        let notes = figures.compactMap { figure in figure.note.map { "- \(figure.name): \($0)" } }
        return (lines + (notes.isEmpty ? [] : [""] + notes)).joined(separator: "\n")
    }

    var json: [UInt8] {
        var json = JSONWriter(capacity: 4_096)
        json.object { json in
            json.key("version"); json.string(PostoVersion.text)
            json.key("figures")
            json.array { json in
                for figure in figures { Self.write(figure, to: &json) }
            }
        }
        return json.finish()
    }

    private static func write(_ figure: BenchFigure, to json: inout JSONWriter) {
        json.object { json in
            json.key("name"); json.string(figure.name)
            json.key("value"); json.double(figure.value)
            json.key("unit"); json.string(figure.unit)
            if let p50 = figure.p50 { json.key("p50_ms"); json.double(p50) }
            if let p99 = figure.p99 { json.key("p99_ms"); json.double(p99) }
            if let floor = figure.floor {
                json.key("floor"); json.string(floor.name)
                json.key("floor_value"); json.double(floor.value)
            }
            if let ratio = figure.ratio { json.key("ratio"); json.double(ratio) }
            if figure.goal != nil { json.key("goal"); json.string(figure.goalText) }
            if let isMet = figure.isMet { json.key("met"); json.bool(isMet) }
            if let note = figure.note { json.key("note"); json.string(note) }
        }
    }

    /// Three digits that tell something; thousands in groups.
    static func number(_ value: Double) -> String {
        if abs(value) >= 100 || value == value.rounded() {
            var digits = Array("\(Int(value.rounded()))")
            var at = digits.count - 3
            while at > 0, digits[at - 1] != "-" {
                digits.insert(",", at: at)
                at -= 3
            }
            return String(digits)
        }
        let decimals: Double = abs(value) >= 10 ? 10 : abs(value) >= 1 ? 100 : 1_000
        return "\((value * decimals).rounded() / decimals)"
    }
}
