// Rules, their heads and their `else`.

extension FormatWriter {
    /// A rule, or one branch of its `else`, as both are written.
    private struct Clause {
        var isDefault = false
        var isElse = false
        var head: Head
        var body: Body
        var location: Location
        /// The value is only in the tree: `f(1)`, `p.q if …`.
        var hasImpliedValue = false
    }

    mutating func writeRule(_ rule: Rule) throws(CommentClash) {
        var clause = Clause(isDefault: rule.isDefault, head: rule.head, body: rule.body, location: rule.location)
        clause.hasImpliedValue = rule.hasImpliedValue
        startLine()
        try writeClause(clause, elses: rule.elses[...])
    }

    private mutating func writeClause(_ first: Clause, elses: ArraySlice<ElseBranch>) throws(CommentClash) {
        var clause = first
        var elses = elses
        // A long chain of branches must not take a long chain of calls.
        while try writeClause(clause, hasElse: !elses.isEmpty), let branch = elses.popFirst() {
            clause = try beginElse(branch, after: clause)
        }
    }

    /// - Returns: false when nothing may follow.
    private mutating func writeClause(_ clause: Clause, hasElse: Bool) throws(CommentClash) -> Bool {
        if clause.isDefault { write("default ") }
        // `p := 1` has the body `true`, and `p := 1 if true` reads the same.
        let isConstant = clause.body.count == 1 && clause.body[0].isAlwaysTrue && !hasElse
        writesCommentOnFinalRow = isConstant
        var clashed = false
        do throws(CommentClash) { try writeHead(clause, isConstant: isConstant) } catch { clashed = true }
        if clause.body.isEmpty || isConstant {
            endLine()
            return false
        }
        writesCommentOnFinalRow = true
        if style.usesIf, style.usesContains || clause.head.value != nil {
            write(" if")
            if clause.body.count == 1, row(clause.body[0].location) == endRow(clause.head.location),
                !clause.body[0].isSetAlone, !clause.isElse || !clause.body[0].rendersBraceFirst
            {
                write(" ")
                try writeExpression(clause.body[0])
                endLine()
                return hasElse
            }
        }
        if clashed, !pending.isEmpty {
            write(" { ")
        } else {
            write(" {")
            endLine()
        }
        level += 1
        // Without `if` a brace opens a body and nothing else.
        wrapsLeadingUnion = style.usesIf
        // A clash has left the text as it was; the rule goes on.
        do throws(CommentClash) { try writeBody(clause.body) } catch {}
        let skip: (UInt8, UInt8)? =
            !clause.head.arguments.isEmpty
            ? (UInt8(ascii: "("), UInt8(ascii: ")"))
            : clause.head.key != nil ? (UInt8(ascii: "["), UInt8(ascii: "]")) : nil
        let closing = closingRow(UInt8(ascii: "{"), UInt8(ascii: "}"), in: clause.location, skipping: skip)
        try insertComments(before: closing)
        level -= 1
        startLine()
        write("}")
        return hasElse
    }

    /// Writes what stands between a branch and the `else` after it.
    private mutating func beginElse(_ branch: ElseBranch, after clause: Clause) throws(CommentClash) -> Clause {
        // An `else` that begins its row keeps one of its own; one after a brace stays there.
        let isInlined = !beginsRow(branch.location)
        let wasInline = isInlined && branch.location.row > clause.location.row
        let hasCommentAbove = (pending.first.map { $0.location.row < branch.location.row } ?? false) || beforeEnd != nil
        // Only a brace on the row at hand can be followed by an `else`.
        if !hasCommentAbove, wasInline, isInline {
            write(" ")
        } else {
            blankLine()
            startLine()
        }
        try insertComments(before: row(branch.location))
        if hasCommentAbove, !wasInline { startLine() }

        var head = Head(ref: [Term(.variable("else"), at: branch.headLocation)], at: branch.headLocation)
        head.isAssigned = branch.isAssigned
        var value = branch.value
        // Comments in the value of an `else` are placed as if it began with the `else`.
        if case .string = value.value {
            value.location.row = branch.headLocation.row
        } else {
            value.location = branch.headLocation
        }
        head.value = value
        return Clause(isElse: true, head: head, body: branch.body, location: branch.location)
    }

    private func beginsRow(_ location: Location) -> Bool {
        var offset = Int(location.offset)
        while offset > 0 {
            offset -= 1
            switch source.bytes[offset] {
            case 0x0A: return true
            case 0x20, 0x09, 0x0D: continue
            default: return false
            }
        }
        return true
    }

    private mutating func writeHead(_ clause: Clause, isConstant: Bool) throws(CommentClash) {
        let head = clause.head
        if style.hasRefHeads || head.ref.count == 1 {
            try writeRef(head.ref)
        } else {
            // Comments within the head: it is kept as it is.
            if let first = pending.first, first.location.row == head.ref[1].location.row {
                writeUnformatted(head.location)
                return
            }
            write("\(TermText.text(of: head.ref[0]))[\(TermText.text(of: head.ref[1]))]")
        }
        if !head.arguments.isEmpty {
            write("(")
            let closing = closingRow(UInt8(ascii: "("), UInt8(ascii: ")"), in: head.location)
            defer { write(")") }
            try writeList(head.arguments.map { .term($0) }, in: head.location, closingRow: closing, style: .arguments)
        }
        if let key = head.key, head.value == nil {
            if style.usesContains {
                write(" contains ")
                try writeTerm(key)
            } else {
                write("[")
                try writeTerm(key)
                write("]")
            }
        }
        guard let value = head.value, head.key != nil || !value.isTrue || isConstant || clause.isDefault else { return }
        let needsValue = style.isV1 && isConstant && head.key == nil && head.arguments.isEmpty
        if clause.hasImpliedValue, value.isTrue, !needsValue { return }
        write(head.isAssigned || style.isV1 ? " := " : " = ")
        try writeTerm(value)
    }
}

extension Rule {
    /// The value is `true` and not written, in the forms where OPA knows it by the place it gave it.
    fileprivate var hasImpliedValue: Bool {
        if head.hasIf { return head.ref.count == 2 && head.arguments.isEmpty && head.hasGeneratedValue }
        guard hasGeneratedBody, let value = head.value else { return false }
        return value.location == head.location
    }
}

extension Expression {
    /// `true` alone.
    var isAlwaysTrue: Bool {
        guard !isNegated, with.isEmpty, case .term(let term) = kind else { return false }
        return term.isTrue
    }
}

extension Term {
    var isTrue: Bool {
        guard case .boolean(true) = value else { return false }
        return true
    }
}
