/// Rows in aligned columns, as people read them.
struct TextTable {
    enum Side { case left, right }

    enum Colour: String {
        case good = "32"
        case warning = "33"
        case bad = "31"
        case faint = "2"
    }

    struct Cell {
        let text: String
        let colour: Colour?

        init(_ text: String, _ colour: Colour? = nil) {
            self.text = HumanText.clean(text)
            self.colour = colour
        }
    }

    private let titles: [String]
    private let sides: [Side]
    private var rows: [[Cell]] = []

    /// - Parameter columns: titles in capitals; a title that begins with `>` is of a column of figures.
    init(_ columns: [String]) {
        titles = columns.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
        sides = columns.map { $0.hasPrefix(">") ? .right : .left }
    }

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ cells: [Cell]) {
        precondition(cells.count == titles.count, "a row of \(cells.count) cells in a table of \(titles.count) columns")
        rows.append(cells)
    }

    mutating func add(_ cells: [String]) { add(cells.map { Cell($0) }) }

    /// The lines, without spaces at their ends. Titles that are all empty make no line.
    func text(colours: Bool = false) -> String {
        let head = titles.contains { !$0.isEmpty } ? [titles.map { Cell($0, .faint) }] : []
        let widths = titles.indices.map { column in (head + rows).map { $0[column].text.count }.max() ?? 0 }
        var text = ""
        for row in head + rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                if column > 0 { line += "  " }
                let padding = String(repeating: " ", count: widths[column] - cell.text.count)
                let shown =
                    colours && cell.colour != nil && !cell.text.isEmpty
                    ? "\u{1B}[\(cell.colour!.rawValue)m\(cell.text)\u{1B}[0m" : cell.text
                line += sides[column] == .right ? padding + shown : shown + padding
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }

    /// Prints it.
    func show() { Terminal.print(text(colours: Terminal.hasColours)) }
}
