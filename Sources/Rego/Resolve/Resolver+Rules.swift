import RegoSyntax

extension Resolver {
    /// Resolves one rule of a group with its branches, ordered for evaluation.
    func rule(_ source: RuleTree.Source, of group: RuleTree.Group) -> IRRule {
        scopes = Scopes()
        scopes.push()
        let syntax = source.rule
        currentRule = syntax
        ruleSuffix = namesByRow[syntax.location.row, default: []].count > 1 ? " in rule " + Resolver.name(syntax) : ""
        let made = IRRule(syntax, package: package)
        let isElement = syntax.head.kind == .multiValue
        made.branches.append(
            branch(
                body: syntax.body, arguments: syntax.head.arguments, path: source.suffix,
                value: isElement ? syntax.head.key : syntax.head.value, isElement: isElement, rule: syntax, at: syntax.location))
        for other in syntax.elses {
            made.branches.append(
                branch(
                    body: other.body, arguments: other.arguments, path: source.suffix, value: other.value, isElement: false, rule: syntax,
                    at: other.location))
        }
        scopes.pop()
        made.names = scopes.names
        return made
    }

    private func branch(body: Body, arguments: [Term], path: [Term], value: Term?, isElement: Bool, rule: Rule, at location: Location)
        -> IRBranch
    {
        scopes.push()
        defer { scopes.pop() }
        var out: [IRExpression] = []
        for argument in arguments { declareAll(argument) }
        let arguments = arguments.map { term($0, &out) }
        scopes.push(pending: declaredNames(body))
        defer { scopes.pop() }
        let resolved = expressions(body)
        out.append(contentsOf: resolved.expressions)
        let path = path.map { head($0, at: rule.head.location, &out) }
        let result = value.map { head($0, at: $0.location, &out) } ?? .constant(.true)
        let ordered = IRBody(out)
        var globals: Set<LocalID> = []
        for argument in arguments { IRVariables.all(argument) { globals.insert($0) } }
        var safety = Safety(arity: arity)
        safety.order(ordered, globals: globals, heads: path + [result])
        reportUnsafe(safety)
        let mentioned = ordered.expressions.reduce(into: globals) { $0.formUnion(IRVariables.set($1)) }
        for (head, place) in path.map({ ($0, rule.head.location) }) + [(result, value?.location ?? rule.head.location)] {
            for variable in IRVariables.set(head).subtracting(mentioned).sorted() {
                if let name = scopes.names[variable] {
                    report(CompileProblem.unsafe, "var \(name) is unsafe" + ruleSuffix, place, .safetyOfHeads)
                }
            }
        }
        return IRBranch(body: ordered, value: result, path: path, isElement: isElement, arguments: arguments, location: location)
    }

    /// A rule's name as its author wrote it: `a.b.c`.
    static func name(_ rule: Rule) -> String {
        var text = ""
        for part in rule.head.ref {
            switch part.value {
            case .variable(let name): text += text.isEmpty ? name : "[\(name)]"
            case .string(let name): text += RuleTree.isName(name) ? "." + name : "[\"\(name)\"]"
            default: text += "[_]"
            }
        }
        return text
    }

    /// A term of a head: what needs evaluation becomes the last expression of the body, as it may be undefined or have many values.
    func head(_ syntax: Term, at location: Location, _ out: inout [IRExpression]) -> IRTerm {
        let resolved = term(syntax, &out)
        guard hasReference(resolved) else { return resolved }
        let local = scopes.generated()
        out.append(IRExpression(.unify(.local(local), resolved), at: location))
        return .local(local)
    }

    private func hasReference(_ term: IRTerm) -> Bool {
        switch term {
        case .constant, .local, .comprehension: false
        case .ref: true
        case .array(let parts), .set(let parts): parts.contains(where: hasReference)
        case .object(let items): items.contains { hasReference($0.key) || hasReference($0.value) }
        }
    }

    /// Every variable of a function's parameter is its own, whatever the name means elsewhere.
    private func declareAll(_ term: Term) {
        switch term.value {
        case .variable(let name): if !scopes.isDeclaredHere(name) { _ = scopes.declare(name) }
        case .array(let parts), .set(let parts): parts.forEach(declareAll)
        case .object(let items): for item in items { declareAll(item.value) }
        default: break
        }
    }

    func reportUnsafe(_ safety: Safety) {
        var seen: Set<LocalID> = []
        for (variable, expression) in safety.unsafe {
            guard let name = scopes.names[variable] else { continue }
            if let place = expression.templatePart {
                report(CompileProblem.compile, "var \(name) is undeclared", place, .templates)
            } else if seen.insert(variable).inserted {
                report(CompileProblem.unsafe, "var \(name) is unsafe" + ruleSuffix, expression.location, .safetyOfBodies)
            }
        }
        for (variable, location) in safety.undeclared {
            guard let name = scopes.names[variable] else { continue }
            report(CompileProblem.compile, "var \(name) is undeclared", location, .prints)
        }
    }
}
