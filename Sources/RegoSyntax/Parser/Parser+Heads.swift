// The heads of rules, and what a default rule's may hold.

extension Parser {
    mutating func parseHead(isDefault: Bool) -> Head? {
        let place = location
        let start = state.start
        let variable = parseVariable()
        guard let reference = finishHeadName(variable) else {
            illegal("expected rule head name")
            return nil
        }
        guard var head = headOf(reference, at: place) else { return nil }
        let name = TermText.text(ofRef: head.ref)
        switch state.token {
        case .contains:
            if case .call = reference.value {
                illegal(
                    "the contains keyword can only be used with multi-value rule definitions (e.g., \(name) contains <VALUE> { ... })")
            }
            scan()
            head.hasContains = true
            head.key = parseInfix()
            if head.key == nil { illegal("expected rule key term (e.g., \(name) contains <VALUE> { ... })") }
        case .unify:
            scan()
            head.value = parseInfix()
            if head.value == nil { illegal("expected rule value term (e.g., \(name)[%!s(<nil>)] = <VALUE> { ... })") }
        case .assign:
            scan()
            head.isAssigned = true
            head.value = parseInfix()
            if head.value == nil {
                if !head.arguments.isEmpty {
                    illegal("expected function value term (e.g., \(name)(...) := <VALUE> { ... })")
                } else if isDefault {
                    illegal("expected default rule value term (e.g., default \(name) := <VALUE>)")
                } else {
                    illegal("expected rule value term (e.g., \(name) := <VALUE> { ... })")
                }
            }
        default: break
        }
        head.location = spanning(place, from: start, to: state.lastEnd)
        if head.value == nil, head.key == nil, head.ref.count != 2 || !head.arguments.isEmpty {
            head.hasGeneratedValue = true
            head.value = Term(.boolean(true), at: head.location)
        }
        return head
    }

    /// Like `finishTerm`, but blanks may stand between the name and what follows it.
    private mutating func finishHeadName(_ name: Term) -> Term? {
        scan()
        if isAdjacent {
            // `x==1` is no rule; OPA says so at once.
            switch state.token {
            case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .plus, .minus, .multiply, .divide, .remainder,
                .ampersand, .bar:
                illegal()
            default: break
            }
        }
        switch state.token {
        case .leftParenthesis, .dot, .leftBracket: return parseRef(name)
        default: return rooted(name)
        }
    }

    private mutating func headOf(_ reference: Term, at place: Location) -> Head? {
        var head: Head
        switch reference.value {
        case .variable(let name):
            head = Head(ref: [reference], at: place)
            head.name = name
        case .ref(let parts):
            head = Head(ref: parts, at: place)
            if parts.count == 1, case .variable(let name) = parts[0].value { head.name = name }
            guard case .variable = parts[0].value else { return nil }
        case .call(let terms):
            guard case .ref(let parts) = terms[0].value else { return nil }
            guard case .variable(let name) = parts[0].value else {
                illegal("rule head ref \(TermText.text(ofRef: parts)) invalid")
                return nil
            }
            head = Head(ref: parts, at: place)
            if parts.count == 1 { head.name = name }
            head.arguments = Array(terms.dropFirst())
        default: return nil
        }
        return head
    }

    // MARK: - Defaults

    mutating func checkDefault(_ head: Head, at place: Location) -> Bool {
        let whole = spanning(place, from: Int(place.offset), to: state.lastEnd)
        guard let value = head.value, !head.hasGeneratedValue else {
            report("illegal default rule (must have a value)", at: whole)
            return false
        }
        var isFine = true
        value.forEachOutsideClosures { inner in
            switch inner {
            case .ref, .variable, .call:
                report("illegal default rule (value cannot contain \(inner.kindName))", at: whole)
                isFine = false
                return false
            default: return true
            }
        }
        guard isFine else { return false }
        var names: Set<String> = []
        for argument in head.arguments {
            guard case .variable(let name) = argument.value else {
                report("illegal default rule (arguments cannot contain \(argument.value.kindName))", at: whole)
                isFine = false
                continue
            }
            if !names.insert(name).inserted {
                report("illegal default rule (arguments cannot be repeated \(name))", at: whole)
                isFine = false
            }
        }
        return isFine
    }
}
