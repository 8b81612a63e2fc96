import RegoSyntax

/// What bodies declare with `:=`, `some`, `every` and as parameters, checked as OPA's compiler does while it renames them: nothing is declared
/// twice or after its use, what is declared is used, and (strict) so is what is assigned.
struct LocalVariables {
    struct Found {
        var message: String
        var location: Location
    }

    private enum Occurrence { case parameter, seen, assigned, declared }

    /// The names of one body.
    private struct Scope {
        var occurrence: [String: Occurrence] = [:]
        /// How often a name was met, its declaration among them.
        var count: [String: Int] = [:]
        /// Where `:=` stands.
        var place: [String: Location] = [:]
    }

    let isStrict: Bool
    private var scopes: [Scope] = [Scope()]
    private(set) var found: [Found] = []

    init(isStrict: Bool) { self.isStrict = isStrict }

    // MARK: rules and queries

    static func problems(of rule: Rule, isStrict: Bool) -> [Found] {
        var check = LocalVariables(isStrict: isStrict)
        check.visit(rule)
        return check.found
    }

    static func problems(of query: Body, isStrict: Bool) -> [Found] {
        var check = LocalVariables(isStrict: isStrict)
        check.body(query, used: [])
        return check.found
    }

    private mutating func visit(_ rule: Rule) {
        var unused: Set<String> = []
        for argument in rule.head.arguments {
            parameter(argument)
            if isStrict { Names.collect(argument, &unused) }
        }
        let parameters = scopes
        var head = rule.head.ref.dropFirst() + (rule.head.key.map { [$0] } ?? [])
        if let value = rule.head.value { head.append(value) }
        branch(Array(head), rule.body, value: rule.head.value, parameters, &unused)
        for other in rule.elses { branch([other.value], other.body, value: other.value, parameters, &unused) }
        for name in unused.sorted() where !name.hasPrefix("$") {
            report("unused argument \(name). (hint: use _ (wildcard variable) instead)", rule.head.location)
        }
    }

    private mutating func branch(_ head: [Term], _ body: Body, value: Term?, _ parameters: [Scope], _ unused: inout Set<String>) {
        var used: Set<String> = []
        for term in head {
            headClosures(term)
            Names.collect(term, &used)
        }
        if let value {
            var names: Set<String> = []
            Names.collect(value, &names)
            unused.subtract(names)
        }
        scopes = parameters
        self.body(body, used: used)
        unused = unused.filter { count($0) <= 1 }
    }

    private mutating func parameter(_ term: Term) {
        switch term.value {
        case .variable(let name): if scopes[0].occurrence[name] == nil { insert(name, .parameter, at: term.location) } else { see(name) }
        case .ref(let parts), .array(let parts): for part in parts { parameter(part) }
        case .object(let items): for item in items { parameter(item.value) }
        case .call: report("rule arguments cannot contain calls", term.location)
        default: break
        }
    }

    /// Comprehensions of a head see nothing of the body.
    private mutating func headClosures(_ term: Term) {
        let kept = scopes
        scopes = [Scope()]
        switch term.value {
        case .arrayComprehension, .setComprehension, .objectComprehension: self.term(term)
        case .array(let parts), .set(let parts), .ref(let parts), .call(let parts): for part in parts { headClosures(part) }
        case .object(let items):
            for item in items {
                headClosures(item.key)
                headClosures(item.value)
            }
        default: break
        }
        scopes = kept
    }

    // MARK: scopes

    private mutating func report(_ message: String, _ location: Location) { found.append(Found(message: message, location: location)) }

    private mutating func insert(_ name: String, _ occurrence: Occurrence, at location: Location) {
        scopes[scopes.count - 1].occurrence[name] = occurrence
        scopes[scopes.count - 1].count[name] = 1
        scopes[scopes.count - 1].place[name] = location
    }

    private func isKnown(_ name: String) -> Bool { scopes.contains { $0.occurrence[name] != nil } }

    private mutating func see(_ name: String) {
        for index in scopes.indices.reversed() {
            if let count = scopes[index].count[name] {
                scopes[index].count[name] = count + 1
                return
            }
        }
    }

    private func count(_ name: String) -> Int { scopes.last { $0.count[name] != nil }?.count[name] ?? 0 }

    /// False: it cannot be declared here, which was reported.
    @discardableResult
    private mutating func declare(_ name: String, _ occurrence: Occurrence, at location: Location, errorAt place: Location? = nil) -> Bool {
        let verb: String
        switch scopes[scopes.count - 1].occurrence[name] {
        case nil:
            insert(name, occurrence, at: location)
            return true
        case .seen?: verb = "referenced above"
        case .assigned?: verb = "assigned above"
        case .declared?: verb = "declared above"
        case .parameter?:
            report("arg \(name) redeclared", place ?? location)
            return false
        }
        report("var \(name) \(verb)", place ?? location)
        return false
    }

    // MARK: bodies

    /// A body in the scope at hand. `used`: names that what is around it uses.
    private mutating func body(_ body: Body, used: Set<String>) {
        for expression in body { visit(expression) }
        guard found.isEmpty, let scope = scopes.last else { return }
        if isStrict {
            for (name, occurrence) in scope.occurrence.sorted(by: { $0.key < $1.key })
            where occurrence == .assigned && !name.hasPrefix("$") && (scope.count[name] ?? 0) <= 1 && !used.contains(name) {
                report("assigned var \(name) unused", scope.place[name] ?? .none)
            }
        }
        guard found.isEmpty else { return }
        for (name, occurrence) in scope.occurrence.sorted(by: { $0.key < $1.key })
        where occurrence == .declared && !name.hasPrefix("$") && (scope.count[name] ?? 0) <= 1 && !used.contains(name) {
            let place = body.first { declaredNames([$0]).contains(name) } ?? body.first
            report("declared var \(name) unused", place?.location ?? .none)
        }
    }

    private mutating func inner(_ body: Body, used: Set<String> = []) {
        scopes.append(Scope())
        self.body(body, used: used)
        scopes.removeLast()
    }

    private mutating func visit(_ expression: Expression) {
        switch expression.kind {
        case .call(let parts) where InfixOperator(operator: parts[0]) == .assign: assign(parts, expression)
        case .some(let declaration): some(declaration, expression)
        case .every(let every):
            term(every.domain)
            scopes.append(Scope())
            for one in [every.key, every.value] {
                guard let one, case .variable(let name) = one.value, !name.hasPrefix("$") else { continue }
                declare(name, .declared, at: one.location, errorAt: every.location)
            }
            body(every.body, used: [])
            withs(expression)
            scopes.removeLast()
        case .not(let not):
            inner(not.body)
            withs(expression)
        case .and(let operation), .or(let operation):
            inner(operation.left.body)
            inner(operation.right.body)
            withs(expression)
        case .term(let term):
            self.term(term)
            withs(expression)
        case .call(let parts):
            // Unlike in a term, an operator here that is a variable is an undefined function.
            for part in parts { term(part) }
            withs(expression)
        }
    }

    private mutating func withs(_ expression: Expression) {
        for with in expression.with {
            term(with.target)
            term(with.value)
        }
    }

    private mutating func some(_ declaration: SomeDeclaration, _ expression: Expression) {
        for symbol in declaration.symbols {
            switch symbol.value {
            case .variable(let name):
                if !declare(name, .declared, at: symbol.location, errorAt: declaration.location) { return }
            case .call(let parts) where parts.count == 3 || parts.count == 4:
                let container = parts[parts.count - 1]
                var names: Set<String> = []
                collectPatternNames(parts[parts.count - 2], &names)
                if parts.count == 4 { Names.collectOutsideClosures(parts[1], &names) }
                var safe: Set<String> = []
                Names.collect(container, &safe)
                for name in names.subtracting(safe).sorted() {
                    if !declare(name, .declared, at: symbol.location, errorAt: declaration.location) { return }
                }
                for part in parts.dropFirst() { term(part) }
                withs(expression)
                return
            default: break
            }
        }
    }

    private mutating func assign(_ parts: [Term], _ expression: Expression) {
        if expression.isNegated {
            report("cannot assign vars inside negated expression", expression.location)
            return
        }
        guard parts.count == 3 else { return }
        term(parts[2])
        for with in expression.with { term(with.value) }
        target(parts[1], expression)
    }

    private mutating func target(_ term: Term, _ expression: Expression) {
        switch term.value {
        case .variable(let name): assigned(name, term, expression)
        case .array(let parts): for part in parts { target(part, expression) }
        case .object(let items): for item in items { target(item.value, expression) }
        case .ref(let parts):
            if parts.count == 1, case .variable(let name) = parts[0].value, name == "input" || name == "data" {
                assigned(name, term, expression)
            } else {
                report("cannot assign to ref", term.location)
            }
        default: report("cannot assign to \(term.value.kindName)", term.location)
        }
    }

    private mutating func assigned(_ name: String, _ term: Term, _ expression: Expression) {
        if declare(name, .assigned, at: term.location) { scopes[scopes.count - 1].place[name] = expression.location }
    }

    // MARK: terms

    private mutating func term(_ term: Term) {
        switch term.value {
        case .null, .boolean, .number, .string: break
        case .variable(let name):
            if isKnown(name) { see(name) } else { insert(name, .seen, at: term.location) }
        case .ref(let parts):
            if parts.count == 1, case .variable("input") = parts[0].value { return }
            if parts.count == 1, case .variable("data") = parts[0].value { return }
            for part in parts { self.term(part) }
        case .array(let parts), .set(let parts): for part in parts { self.term(part) }
        case .call(let parts):
            if case .ref(let names) = parts[0].value {
                for part in names {
                    guard case .variable(let name) = part.value, isDeclared(name) else { continue }
                    report("called function \(RegoSyntax.TermText.text(of: parts[0])) shadowed", term.location)
                }
            }
            for part in parts { self.term(part) }
        case .object(let items):
            for item in items {
                self.term(item.key)
                self.term(item.value)
            }
        case .arrayComprehension(let one), .setComprehension(let one), .objectComprehension(let one):
            var used: Set<String> = []
            if let key = one.key { Names.collect(key, &used) }
            Names.collect(one.value, &used)
            scopes.append(Scope())
            body(one.body, used: used)
            if let key = one.key { self.term(key) }
            self.term(one.value)
            scopes.removeLast()
        case .template(let template):
            for part in template.parts {
                guard case .expression(let expression) = part else { continue }
                scopes.append(Scope())
                visit(expression)
                scopes.removeLast()
            }
        }
    }

    private func isDeclared(_ name: String) -> Bool {
        for scope in scopes.reversed() { if let occurrence = scope.occurrence[name] { return occurrence != .seen } }
        return false
    }
}

/// The names of variables in terms.
enum Names {
    /// All of them, those of closures and the beginnings of references among them.
    static func collect(_ term: Term, _ names: inout Set<String>) {
        var visitor = NameVisitor(entersClosures: true)
        visitor.visit(term)
        names.formUnion(visitor.names)
    }

    static func collectOutsideClosures(_ term: Term, _ names: inout Set<String>) {
        var visitor = NameVisitor(entersClosures: false)
        visitor.visit(term)
        names.formUnion(visitor.names)
    }

    private struct NameVisitor: TreeVisitor {
        let entersClosures: Bool
        var names: Set<String> = []

        mutating func enter(_ term: Term) -> Bool {
            switch term.value {
            case .variable(let name): names.insert(name)
            case .arrayComprehension, .setComprehension, .objectComprehension: return entersClosures
            default: break
            }
            return true
        }
    }
}
