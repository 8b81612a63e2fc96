/// The difference of two texts in unified form (`diff -u`).
enum LineDiff {
    /// Empty when the texts are equal.
    static func unified(_ old: String, _ new: String, oldName: String, newName: String, context: Int = 3) -> String {
        let a = lines(old)
        let b = lines(new)
        let edits = script(a, b)
        guard edits.contains(where: { $0.kind != .same }) else { return "" }
        var text = "--- \(oldName)\n+++ \(newName)\n"
        for hunk in hunks(edits, context: context) { text += hunk }
        return text
    }

    private struct Edit {
        enum Kind { case same, removed, added }
        var kind: Kind
        var line: Substring
    }

    /// Each with its end, if it has one.
    private static func lines(_ text: String) -> [Substring] {
        var result: [Substring] = []
        var rest = text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: "\n").map { rest.index(after: $0) } ?? rest.endIndex
            result.append(rest[..<end])
            rest = rest[end...]
        }
        return result
    }

    /// The shortest edit script (Myers 1986), or all of one for all of the other when the texts have little in common.
    private static func script(_ a: [Substring], _ b: [Substring]) -> [Edit] {
        let editsMax = 2_000
        let most = min(a.count + b.count, editsMax)
        // reach[k]: how far in `a` the best path on diagonal k has come; one copy for each number of edits, to walk back.
        var reach = [Int](repeating: 0, count: 2 * most + 3)
        var history: [[Int]] = []
        func index(_ k: Int) -> Int { k + most + 1 }
        for edits in 0...most {
            history.append(reach)
            for k in stride(from: -edits, through: edits, by: 2) {
                var x =
                    k == -edits || (k != edits && reach[index(k - 1)] < reach[index(k + 1)]) ? reach[index(k + 1)] : reach[index(k - 1)] + 1
                var y = x - k
                while x < a.count, y < b.count, x >= 0, y >= 0, a[x] == b[y] {
                    x += 1
                    y += 1
                }
                reach[index(k)] = x
                if x >= a.count, y >= b.count { return walkBack(a, b, history, edits, index) }
            }
        }
        return a.map { Edit(kind: .removed, line: $0) } + b.map { Edit(kind: .added, line: $0) }
    }

    private static func walkBack(
        _ a: [Substring], _ b: [Substring], _ history: [[Int]], _ edits: Int, _ index: (Int) -> Int
    ) -> [Edit] {
        var result: [Edit] = []
        var (x, y) = (a.count, b.count)
        for step in stride(from: edits, through: 0, by: -1) {
            let reach = history[step]
            let k = x - y
            let isDown = step > 0 && (k == -step || (k != step && reach[index(k - 1)] < reach[index(k + 1)]))
            let previous = step == 0 ? 0 : (isDown ? k + 1 : k - 1)
            let startX = step == 0 ? 0 : reach[index(previous)]
            let startY = step == 0 ? 0 : startX - previous
            while x > startX, y > startY {
                x -= 1
                y -= 1
                result.append(Edit(kind: .same, line: a[x]))
            }
            guard step > 0 else { break }
            if isDown {
                y -= 1
                result.append(Edit(kind: .added, line: b[y]))
            } else {
                x -= 1
                result.append(Edit(kind: .removed, line: a[x]))
            }
        }
        return result.reversed()
    }

    private static func hunks(_ edits: [Edit], context: Int) -> [String] {
        var result: [String] = []
        var position = 0
        var (oldLine, newLine) = (1, 1)
        while position < edits.count {
            guard let first = edits[position...].firstIndex(where: { $0.kind != .same }) else { break }
            let start = max(position, first - context)
            oldLine += start - position
            newLine += start - position
            var end = first
            var same = 0
            while end < edits.count, same <= 2 * context {
                same = edits[end].kind == .same ? same + 1 : 0
                end += 1
            }
            end -= max(0, same - context)
            let hunk = edits[start..<end]
            let oldCount = hunk.count { $0.kind != .added }
            let newCount = hunk.count { $0.kind != .removed }
            var text = "@@ -\(range(oldLine, oldCount)) +\(range(newLine, newCount)) @@\n"
            for edit in hunk {
                let mark = edit.kind == .same ? " " : edit.kind == .removed ? "-" : "+"
                text += mark + edit.line + (edit.line.hasSuffix("\n") ? "" : "\n\\ No newline at end of file\n")
            }
            result.append(text)
            oldLine += oldCount
            newLine += newCount
            position = end
        }
        return result
    }

    private static func range(_ line: Int, _ count: Int) -> String {
        count == 1 ? "\(line)" : "\(count == 0 ? line - 1 : line),\(count)"
    }
}
