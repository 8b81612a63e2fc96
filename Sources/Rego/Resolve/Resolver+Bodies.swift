import RegoSyntax

extension Resolver {
    /// Resolves the expressions of a body; its scope has been pushed.
    func expressions(_ body: Body) -> IRBody {
        var out: [IRExpression] = []
        for expression in body { add(expression, &out) }
        return IRBody(out)
    }

    /// A body with a scope of its own.
    func scopedBody(_ body: Body) -> IRBody {
        scopes.push(pending: declaredNames(body))
        defer { scopes.pop() }
        return expressions(body)
    }

    private func add(_ syntax: Expression, _ out: inout [IRExpression]) {
        let location = syntax.location
        let with = withs(syntax.with, &out)
        let negated = syntax.isNegated
        func append(_ kind: IRExpression.Kind, bindsNothing: Bool = false) {
            let made = IRExpression(kind, isNegated: negated, with: with, at: location)
            made.bindsNothing = bindsNothing
            out.append(made)
        }
        switch syntax.kind {
        case .term(let term):
            append(.term(self.term(term, &out, with: with)))
        case .call(let parts):
            switch parts.count == 3 ? InfixOperator(operator: parts[0]) : nil {
            case .assign: assign(parts[1], parts[2], negated, with, location, &out)
            case .unify: unify(parts[1], parts[2], negated, with, location, &out)
            case .equal:
                let (left, right) = (self.term(parts[1], &out, with: with), self.term(parts[2], &out, with: with))
                append(.unify(left, right), bindsNothing: true)
            default:
                if operatorText(parts[0]) == "print" {
                    checkPrint(parts, location, &out)
                } else {
                    call(parts, result: nil, at: location, &out, with: with, isNegated: negated)
                }
            }
        case .some(let declaration): some(declaration, with, location, &out)
        case .every(let every):
            let domain = term(every.domain, &out, with: with)
            scopes.push(pending: [])
            let key = every.key.map { pattern($0, &out) }
            let value = pattern(every.value, &out)
            let body = scopedBody(every.body)
            scopes.pop()
            append(.every(key: key, value: value, domain: domain, body: body))
        case .not(let not): append(.not(scopedBody(not.body)))
        case .and(let operation): append(.and(scopedBody(operation.left.body), scopedBody(operation.right.body)))
        case .or(let operation): append(.or(scopedBody(operation.left.body), scopedBody(operation.right.body)))
        }
    }

    private func unify(_ left: Term, _ right: Term, _ negated: Bool, _ with: [IRWith], _ location: Location, _ out: inout [IRExpression]) {
        for (one, other) in [(left, right), (right, left)] where !negated {
            if case .call(let parts) = other.value, case .variable = one.value, case .local(let id) = term(one, &out, with: with) {
                call(parts, result: .local(id), at: other.location, &out, with: with)
                return
            }
        }
        let (a, b) = (term(left, &out, with: with), term(right, &out, with: with))
        out.append(IRExpression(.unify(a, b), isNegated: negated, with: with, at: location))
    }

    private func assign(_ left: Term, _ right: Term, _ negated: Bool, _ with: [IRWith], _ location: Location, _ out: inout [IRExpression]) {
        // What is assigned is read before the name means something new.
        if case .call(let parts) = right.value, case .variable = left.value, !negated {
            let local = scopes.generated()
            let count = out.count
            call(parts, result: .local(local), at: right.location, &out, with: with)
            let target = pattern(left, &out)
            guard out.count > count, case .call(let callee, let arguments, _) = out[out.count - 1].kind, case .local = target else {
                out.append(IRExpression(.unify(target, .local(local)), with: with, at: location))
                return
            }
            out[out.count - 1].kind = .call(callee, arguments, result: target)
            return
        }
        let value = term(right, &out, with: with)
        let target = pattern(left, &out)
        out.append(IRExpression(.unify(target, value), isNegated: negated, with: with, at: location))
    }

    /// The left side of a declaration: every variable in it is a new one.
    func pattern(_ term: Term, _ out: inout [IRExpression]) -> IRTerm {
        switch term.value {
        case .variable(let name):
            if name.hasPrefix("$") { return .local(scopes.declare(name)) }
            return .local(scopes.declare(name))
        case .array(let parts): return .array(parts.map { pattern($0, &out) })
        case .object(let items): return .object(items.map { (self.term($0.key, &out), pattern($0.value, &out)) })
        default: return self.term(term, &out)
        }
    }

    private func some(_ declaration: SomeDeclaration, _ with: [IRWith], _ location: Location, _ out: inout [IRExpression]) {
        for symbol in declaration.symbols {
            guard case .call(let parts) = symbol.value else {
                _ = pattern(symbol, &out)
                continue
            }
            var path: [IRTerm] = []
            let root: IRRoot
            switch term(parts[parts.count - 1], &out, with: with) {
            case .local(let id): root = .local(id)
            case .ref(let ref):
                root = ref.root
                path = ref.path
            case let other: root = .term(other)
            }
            let key: IRTerm = parts.count == 4 ? pattern(parts[1], &out) : .local(scopes.generated())
            let value = pattern(parts[parts.count - 2], &out)
            path.append(key)
            out.append(IRExpression(.unify(value, .ref(IRRef(root: root, path: path, location: location))), with: with, at: location))
        }
    }

    /// `print` does nothing, but a variable that nothing gives a value is still an error.
    private func checkPrint(_ parts: [Term], _ location: Location, _ out: inout [IRExpression]) {
        let made = IRExpression(.term(.constant(.true)), at: location)
        for part in erasesPrints ? [] : parts.dropFirst() {
            var names: Set<String> = []
            Names.collectOutsideClosures(part, &names)
            for name in names.sorted() {
                var ignored: [IRExpression] = []
                guard case .local(let id) = term(Term(.variable(name), at: part.location), &ignored) else { continue }
                made.printed.append((id, part.location))
            }
        }
        out.append(made)
    }
}
