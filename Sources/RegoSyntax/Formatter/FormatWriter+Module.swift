// The order of a module: its package, then imports and rules in the groups they come in, then what comments are left.

extension FormatWriter {
    mutating func writeModule(_ module: Module, imports: [Import]) {
        pending = module.comments.map { Comment(text: Self.trimmedEnd($0.text), at: $0.location) }[...]
        writePackage(module.package)
        var nextImport = 0
        var nextRule = 0
        while nextImport < imports.count || nextRule < module.rules.count {
            let importsEnd = imports[nextImport...].firstIndex {
                nextRule < module.rules.count && Self.isBefore(module.rules[nextRule].location, $0.location)
            }
            writeImports(Array(imports[nextImport..<(importsEnd ?? imports.count)]))
            nextImport = importsEnd ?? imports.count
            let rulesEnd = module.rules[nextRule...].firstIndex {
                nextImport < imports.count && Self.isBefore(imports[nextImport].location, $0.location)
            }
            writeRules(module.rules[nextRule..<(rulesEnd ?? module.rules.count)])
            nextRule = rulesEnd ?? module.rules.count
        }
        let rest = pending
        for comment in rest { writeLine("#\(comment.text)") }
        if !rest.isEmpty { write("\n") }
    }

    private static func isBefore(_ a: Location, _ b: Location) -> Bool { (a.row, a.column) < (b.row, b.column) }

    private static func trimmedEnd(_ text: String) -> String {
        var text = text
        while let last = text.unicodeScalars.last, last.properties.isWhitespace { text.unicodeScalars.removeLast() }
        return text
    }

    private mutating func writePackage(_ package: Package) {
        insertCommentsOrGoOn(before: row(package.location))
        startLine()
        write("package ")
        var path = Array(package.path.dropFirst())
        if case .string(let name) = path[0].value { path[0] = Term(.variable(name), at: path[0].location) }
        writePath(path)
        blankLine()
    }

    /// A path of names, on one row: comments within it go after it.
    private mutating func writePath(_ path: [Term]) {
        for (index, part) in path.enumerated() {
            switch part.value {
            case .string(let name): write(needsBrackets(name, at: part.location) ? "[\(JSONText.quoted(name))]" : ".\(name)")
            default: write(index == 0 ? TermText.text(of: part) : "[\(TermText.text(of: part))]")
            }
        }
    }

    /// At the top of a module nothing waits for the end of a row, so that nothing clashes.
    private mutating func insertCommentsOrGoOn(before row: Int) {
        do throws(CommentClash) { try insertComments(before: row) } catch {}
    }

    // MARK: - Imports

    private mutating func writeImports(_ imports: [Import]) {
        guard !imports.isEmpty else { return }
        // A comment on the row of an import stays with it when the imports are sorted.
        var comments: [UInt32: Comment] = [:]
        let rows = Set(imports.map(\.location.row))
        pending = ArraySlice(
            pending.filter { comment in
                guard rows.contains(comment.location.row) else { return true }
                comments[comment.location.row] = comment
                return false
            })
        var group: [Import] = []
        for (index, one) in imports.enumerated() {
            group.append(one)
            let isLast = index + 1 == imports.count
            if isLast || Int(imports[index + 1].location.row) - Int(one.location.row) > 1 {
                writeImportGroup(group, comments: comments)
                group.removeAll()
            }
        }
    }

    private mutating func writeImportGroup(_ group: [Import], comments: [UInt32: Comment]) {
        var comments = comments
        insertCommentsOrGoOn(before: row(group[0].location))
        let sorted = group.enumerated().sorted { a, b in
            let order = TermOrder.compare(refs: a.element.path, b.element.path)
            if order != 0 { return order < 0 }
            let (left, right) = (a.element.alias ?? "", b.element.alias ?? "")
            if left != right { return TermOrder.isBefore(left, right) }
            return a.offset < b.offset
        }
        for (_, one) in sorted {
            startLine()
            writeImport(one)
            if let comment = comments.removeValue(forKey: one.location.row) { write(" #\(comment.text)") }
            endLine()
        }
        blankLine()
    }

    private mutating func writeImport(_ one: Import) {
        write("import ")
        if one.futureKeyword != nil {
            write(TermText.text(ofRef: one.path))
        } else {
            writePath(one.path)
        }
        if let alias = one.alias { write(" as \(alias)") }
    }

    // MARK: - Rules

    private mutating func writeRules(_ rules: ArraySlice<Rule>) {
        for index in rules.indices {
            let rule = rules[index]
            insertCommentsOrGoOn(before: row(rule.location))
            if verbatim.contains(index), !rule.isChained {
                writeVerbatim(rule)
            } else {
                // A comment that clashes has left the text as it was.
                do throws(CommentClash) { try writeRule(rule) } catch {}
            }
            if index + 1 < rules.endIndex, isOneRow(rule) {
                let next = rules[index + 1]
                if isOneRow(next), next.location.row == rule.location.row + 1 { continue }
            }
            blankLine()
        }
    }

    private mutating func writeVerbatim(_ rule: Rule) {
        startLine()
        let range = rule.textRange
        let text = source.bytes[Int(range.lowerBound)..<Int(range.upperBound)]
        write(bytes: text)
        pending = pending.drop { $0.location.offset < range.upperBound }
        insertCommentsOrGoOn(before: Int(rule.location.row) + text.count { $0 == 0x0A })
    }

    /// Such rules may stand on rows that touch.
    private func isOneRow(_ rule: Rule) -> Bool {
        rule.body.count <= 1 && !rule.isDefault && style.usesIf && (style.usesContains || rule.head.value != nil)
    }
}
