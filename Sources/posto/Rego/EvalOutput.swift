import Rego
import RegoSyntax

/// The answers of a query in the formats of `opa eval`.
struct EvalOutput {
    let body: Body
    let text: String
    let query: Query
    let answers: Value
    let arena: Arena

    func text(_ format: Eval.Format) -> String {
        switch format {
        case .json: Rego.JSONWriter.text(document, indent: 2)
        case .values: answers.elements.map { Rego.JSONWriter.text(values($0), indent: 2) }.joined(separator: "\n")
        case .bindings: Rego.JSONWriter.text(arena.array(answers.elements.map(bindings)), indent: 2)
        case .raw: answers.elements.map(raw).joined(separator: "\n")
        case .pretty: pretty
        }
    }

    private func values(_ answer: Value) -> Value { arena.array((0..<query.expressionCount).map { answer[$0] }) }

    private func bindings(_ answer: Value) -> Value {
        var entries: [(key: Value, value: Value)] = []
        for (index, name) in query.variables.enumerated() { entries.append((arena.string(name), answer[query.expressionCount + index])) }
        return arena.object(entries)
    }

    /// `{"result": [{"expressions": […], "bindings": {…}}]}`; `{}` when it is undefined.
    private var document: Value {
        if answers.count == 0 { return .emptyObject }
        let list = answers.elements.map { answer in
            var entries: [(key: Value, value: Value)] = [(arena.string("expressions"), arena.array(expressions(answer)))]
            if !query.variables.isEmpty { entries.append((arena.string("bindings"), bindings(answer))) }
            return arena.object(entries)
        }
        return arena.object([(arena.string("result"), arena.array(list))])
    }

    private func expressions(_ answer: Value) -> [Value] {
        let source = SourceText(name: "", text: text)
        return body.prefix(query.expressionCount).enumerated().map { index, expression in
            let location = arena.object([
                (arena.string("row"), Value(Int(expression.location.row))), (arena.string("col"), Value(Int(expression.location.column))),
            ])
            return arena.object([
                (arena.string("value"), answer[index]), (arena.string("text"), arena.string(source.text(of: expression.location))),
                (arena.string("location"), location),
            ])
        }
    }

    private func raw(_ answer: Value) -> String {
        values(answer).elements.map { $0.asString ?? Rego.JSONWriter.text($0) }.joined(separator: " ")
    }

    private var pretty: String {
        if answers.count == 0 { return "undefined" }
        if query.variables.isEmpty, answers.count == 1, query.expressionCount == 1 { return Rego.JSONWriter.text(answers[0][0], indent: 2) }
        var columns: [(title: String, cells: [String])] = []
        for (index, name) in query.variables.enumerated() {
            columns.append((name, answers.elements.map { Rego.JSONWriter.text($0[query.expressionCount + index]) }))
        }
        let source = SourceText(name: "", text: text)
        for (index, expression) in body.prefix(query.expressionCount).enumerated() where !isTrueAlways(index) {
            columns.append((source.text(of: expression.location), answers.elements.map { Rego.JSONWriter.text($0[index]) }))
        }
        let widths = columns.map { column in ([column.title] + column.cells).map(\.count).max() ?? 0 }
        let line = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined()
        func row(_ cells: [String]) -> String {
            "|" + zip(cells, widths).map { " " + $0 + String(repeating: " ", count: $1 - $0.count) + " |" }.joined()
        }
        let rows = answers.elements.indices.map { index in row(columns.map { $0.cells[index] }) }
        return ([line, row(columns.map(\.title)), line] + rows + [line]).joined(separator: "\n")
    }

    /// What only binds variables is no column of its own.
    private func isTrueAlways(_ index: Int) -> Bool { !query.variables.isEmpty && answers.elements.allSatisfy { $0[index].isTrue } }
}
