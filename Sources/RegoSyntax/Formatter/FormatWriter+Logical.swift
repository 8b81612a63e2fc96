// The experimental `and` and `or`.

extension FormatWriter {
    /// Rows stay; those below the first are indented once more, however deep the operators nest.
    mutating func writeLogical(_ operation: LogicalOperation, isOr: Bool) throws(CommentClash) {
        let wasContinued = isContinued
        defer {
            if isContinued, !wasContinued { level -= 1 }
            isContinued = wasContinued
        }
        // A long chain groups to the left: from its innermost operation outwards.
        var chain: [(operation: LogicalOperation, isOr: Bool)] = [(operation, isOr)]
        while let last = chain.last, let inner = last.operation.left.chained(under: last.isOr) { chain.append(inner) }
        try writeOperand(chain[chain.count - 1].operation.left, isOr: chain[chain.count - 1].isOr, isRight: false)
        for (link, linkIsOr) in chain.reversed() {
            write(linkIsOr ? " or" : " and")
            let right = link.right.location
            if row(right) > endRow(link.left.location) {
                if !isContinued {
                    isContinued = true
                    level += 1
                }
                endLine()
                try insertComments(before: row(right))
                startLine()
            } else {
                write(" ")
            }
            try writeOperand(link.right, isOr: linkIsOr, isRight: true)
        }
    }

    private mutating func writeOperand(_ operand: LogicalOperand, isOr: Bool, isRight: Bool) throws(CommentClash) {
        if case .braces = operand.shape {
            wrapsLeadingUnion = false
            // What is in the braces has rows of its own.
            let wasContinued = isContinued
            isContinued = false
            defer { isContinued = wasContinued }
            try insertComments(before: row(operand.location))
            return try writeExplicitBody(operand.body, in: operand.location)
        }
        let expression = operand.body[0]
        let needsParentheses: Bool
        switch expression.kind {
        case .or: needsParentheses = !isOr || isRight
        case .and: needsParentheses = !isOr && isRight
        default: needsParentheses = expression.rendersBraceFirst
        }
        try writeExpression(expression, inParentheses: needsParentheses || !expression.with.isEmpty)
    }
}

extension LogicalOperand {
    /// The operation on the left that needs no parentheses under `or` or `and`.
    fileprivate func chained(under isOr: Bool) -> (operation: LogicalOperation, isOr: Bool)? {
        guard shape != .braces, body.count == 1, body[0].with.isEmpty else { return nil }
        switch body[0].kind {
        case .or(let operation) where isOr: return (operation, true)
        case .and(let operation): return (operation, false)
        default: return nil
        }
    }
}
