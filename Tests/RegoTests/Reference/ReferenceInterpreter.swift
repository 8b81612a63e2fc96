import RegoSyntax

/// Rego by search, straight from the syntax tree: no compiler, no index, no memo, no order but that of the text.
///
/// It knows what `GeneratedProgram` writes: one package, rules that refer to earlier ones, integers, and names that are used for one variable
/// only. Whatever is slow here is meant to be.
struct ReferenceInterpreter {
    typealias Bindings = [String: ReferenceValue]
    typealias Next = (ReferenceValue, Bindings) throws -> Void

    enum Failure: Error { case conflict, unsupported(String) }

    let module: Module
    var input: ReferenceValue?

    /// `data.t`: the documents of all rules that are no functions.
    func document() throws -> ReferenceValue {
        var documents: [ReferenceValue: ReferenceValue] = [:]
        for name in Set(module.rules.filter { $0.head.arguments.isEmpty }.map(name)) {
            if let value = try document(name) { documents[.string(name)] = value }
        }
        return .object(of: documents)
    }

    private func name(_ rule: Rule) -> String { if case .variable(let name) = rule.head.ref[0].value { name } else { "" } }

    private func rules(_ name: String) -> [Rule] { module.rules.filter { self.name($0) == name } }

    private func document(_ name: String) throws -> ReferenceValue? {
        let rules = rules(name)
        if rules[0].head.kind == .multiValue {
            var members: Set<ReferenceValue> = []
            for rule in rules { try body(rule.body[...], [:]) { try term(rule.head.key!, $0) { value, _ in members.insert(value) } } }
            return .set(of: members)
        }
        if rules.contains(where: { $0.head.ref.count == 2 }) {
            var entries: [ReferenceValue: ReferenceValue] = [:]
            for rule in rules {
                try body(rule.body[...], [:]) { bindings in
                    try term(rule.head.ref[1], bindings) { key, bindings in
                        try term(rule.head.value!, bindings) { value, _ in
                            if let known = entries[key], known != value { throw Failure.conflict }
                            entries[key] = value
                        }
                    }
                }
            }
            return .object(of: entries)
        }
        return try complete(rules, [])
    }

    /// A complete rule or a function: every rule gives the value of its first branch that holds, and all must agree.
    private func complete(_ rules: [Rule], _ arguments: [ReferenceValue]) throws -> ReferenceValue? {
        var found: Set<ReferenceValue> = []
        for rule in rules where !rule.isDefault {
            let branches = [(rule.body, rule.head.value!, rule.head.arguments)] + rule.elses.map { ($0.body, $0.value, $0.arguments) }
            for (body, value, parameters) in branches {
                var values: Set<ReferenceValue> = []
                try bind(parameters[...], arguments[...], [:]) { bindings in
                    try self.body(body[...], bindings) { try term(value, $0) { value, _ in values.insert(value) } }
                }
                found.formUnion(values)
                if !values.isEmpty { break }
            }
        }
        if found.count > 1 { throw Failure.conflict }
        if let value = found.first { return value }
        for rule in rules where rule.isDefault {
            var value: ReferenceValue?
            try term(rule.head.value!, [:]) { found, _ in value = found }
            return value
        }
        return nil
    }

    private func bind(
        _ parameters: ArraySlice<Term>, _ arguments: ArraySlice<ReferenceValue>, _ bindings: Bindings, _ next: (Bindings) throws -> Void
    ) throws {
        guard let parameter = parameters.first, let argument = arguments.first else { return try next(bindings) }
        try match(parameter, argument, bindings) { try bind(parameters.dropFirst(), arguments.dropFirst(), $0, next) }
    }

    // MARK: bodies

    private func body(_ body: ArraySlice<Expression>, _ bindings: Bindings, _ next: (Bindings) throws -> Void) throws {
        guard let first = body.first else { return try next(bindings) }
        try expression(first, bindings) { try self.body(body.dropFirst(), $0, next) }
    }

    private func expression(_ expression: Expression, _ bindings: Bindings, _ next: (Bindings) throws -> Void) throws {
        if let with = expression.with.first {
            var inner = expression
            inner.with.removeFirst()
            try term(with.value, bindings) { value, bindings in
                var changed = self
                changed.input = value
                // What follows sees the old input again.
                try changed.expression(inner, bindings, next)
            }
            return
        }
        if expression.isNegated {
            // As OPA's compiler does it: what a call takes is no part of what is negated; when it is undefined, so is all.
            var inner = expression
            inner.isNegated = false
            var calls: [(String, Term)] = []
            inner.kind = hoisted(expression.kind, &calls)
            try bindAll(calls[...], bindings) { bindings in
                var holds = false
                try self.expression(inner, bindings) { _ in holds = true }
                if !holds { try next(bindings) }
            }
            return
        }
        switch expression.kind {
        case .term(let term):
            try self.term(term, bindings) { value, bindings in if value != .boolean(false) { try next(bindings) } }
        case .call(let parts):
            switch InfixOperator(operator: parts[0]) {
            case .assign, .unify: try unify(parts[1], parts[2], bindings, next)
            default: try call(parts, bindings) { value, bindings in if value != .boolean(false) { try next(bindings) } }
            }
        case .some(let declaration):
            for symbol in declaration.symbols {
                guard case .call(let parts) = symbol.value else { return try next(bindings) }
                try term(parts[parts.count - 1], bindings) { collection, bindings in
                    for (key, value) in collection.items {
                        try match(parts[parts.count - 2], value, bindings) { bindings in
                            if parts.count == 4 { try match(parts[1], key, bindings, next) } else { try next(bindings) }
                        }
                    }
                }
            }
        case .every(let every):
            try term(every.domain, bindings) { domain, bindings in
                for (_, value) in domain.items {
                    var holds = false
                    try match(every.value, value, bindings) { try body(every.body[...], $0) { _ in holds = true } }
                    if !holds { return }
                }
                switch domain {
                case .array, .object, .set: try next(bindings)
                default: return
                }
            }
        case .not, .and, .or: throw Failure.unsupported("a future keyword")
        }
    }

    private func bindAll(_ calls: ArraySlice<(String, Term)>, _ bindings: Bindings, _ next: (Bindings) throws -> Void) throws {
        guard let (name, call) = calls.first else { return try next(bindings) }
        try term(call, bindings) { value, bindings in
            var bindings = bindings
            bindings[name] = value
            try bindAll(calls.dropFirst(), bindings, next)
        }
    }

    private func hoisted(_ kind: ExpressionKind, _ calls: inout [(String, Term)]) -> ExpressionKind {
        switch kind {
        case .term(let term): return .term(hoisted(term, &calls, isOperand: false))
        case .call(let parts):
            // What a call takes is looked up before it, the sides of `==` are not.
            let isOperand = InfixOperator(operator: parts[0]) != .equal
            return .call([parts[0]] + parts.dropFirst().map { hoisted($0, &calls, isOperand: isOperand) })
        default: return kind
        }
    }

    private func hoisted(_ term: Term, _ calls: inout [(String, Term)], isOperand: Bool = true) -> Term {
        func out(_ inner: Term) -> Term {
            let name = "call \(calls.count)"
            calls.append((name, inner))
            return Term(.variable(name))
        }
        switch term.value {
        case .call(let parts): return out(Term(.call([parts[0]] + parts.dropFirst().map { hoisted($0, &calls) })))
        case .variable(let name): return isOperand && name.first == "r" ? out(term) : term
        case .array(let parts): return Term(.array(parts.map { hoisted($0, &calls) }))
        case .set(let parts): return Term(.set(parts.map { hoisted($0, &calls) }))
        case .ref(let parts):
            let inner = Term(.ref([parts[0]] + parts.dropFirst().map { hoisted($0, &calls) }))
            return isOperand ? out(inner) : inner
        case .object(let items):
            return Term(.object(items.map { ObjectItem(key: hoisted($0.key, &calls), value: hoisted($0.value, &calls)) }))
        default: return term
        }
    }

    /// Both sides may have variables without a value.
    private func unify(_ a: Term, _ b: Term, _ bindings: Bindings, _ next: (Bindings) throws -> Void) throws {
        if isKnown(b, bindings) {
            try term(b, bindings) { value, bindings in try match(a, value, bindings, next) }
        } else if isKnown(a, bindings) {
            try term(a, bindings) { value, bindings in try match(b, value, bindings, next) }
        } else if case .array(let left) = a.value, case .array(let right) = b.value {
            guard left.count == right.count else { return }
            try unifyAll(zip(left, right).map { ($0, $1) }[...], bindings, next)
        } else {
            throw Failure.unsupported("two patterns")
        }
    }

    private func unifyAll(_ pairs: ArraySlice<(Term, Term)>, _ bindings: Bindings, _ next: (Bindings) throws -> Void) throws {
        guard let (a, b) = pairs.first else { return try next(bindings) }
        try unify(a, b, bindings) { try unifyAll(pairs.dropFirst(), $0, next) }
    }

    /// A pattern with a value.
    private func match(_ pattern: Term, _ value: ReferenceValue, _ bindings: Bindings, _ next: (Bindings) throws -> Void) throws {
        switch pattern.value {
        case .variable(let name) where isFree(name, bindings):
            var bindings = bindings
            bindings[name] = value
            try next(bindings)
        case .array(let parts):
            guard case .array(let elements) = value, elements.count == parts.count else { return }
            try bind(parts[...], elements[...], bindings, next)
        case .object(let items) where !isKnown(pattern, bindings):
            guard case .object(let entries) = value, entries.count == items.count else { return }
            var values: [ReferenceValue] = []
            for item in items {
                var key: ReferenceValue?
                try term(item.key, bindings) { found, _ in key = found }
                guard let key, let found = value.lookup(key) else { return }
                values.append(found)
            }
            try bind(items.map(\.value)[...], values[...], bindings, next)
        default: try term(pattern, bindings) { found, bindings in if found == value { try next(bindings) } }
        }
    }

    private func isFree(_ name: String, _ bindings: Bindings) -> Bool { bindings[name] == nil && name.first != "r" && name.first != "f" }

    /// It has no variable without a value but those in brackets.
    private func isKnown(_ term: Term, _ bindings: Bindings) -> Bool {
        switch term.value {
        case .variable(let name): !isFree(name, bindings)
        case .array(let parts), .set(let parts): parts.allSatisfy { isKnown($0, bindings) }
        case .object(let items): items.allSatisfy { isKnown($0.key, bindings) && isKnown($0.value, bindings) }
        default: true
        }
    }

    // MARK: terms

    /// All values of a term.
    private func term(_ term: Term, _ bindings: Bindings, _ next: Next) throws {
        switch term.value {
        case .null: try next(.null, bindings)
        case .boolean(let value): try next(.boolean(value), bindings)
        case .number(let text): try next(.number(Int(text)!), bindings)
        case .string(let text): try next(.string(text), bindings)
        case .variable(let name):
            if let value = bindings[name] { return try next(value, bindings) }
            guard name.first == "r" else { throw Failure.unsupported("\(name) has no value") }
            if let value = try document(name) { try next(value, bindings) }
        case .ref(let parts):
            guard case .variable(let root) = parts[0].value else { throw Failure.unsupported("a reference into a literal") }
            let value: ReferenceValue? =
                if root == "input" { input } else if let known = bindings[root] { known } else { try document(root) }
            if let value { try path(value, parts.dropFirst(), bindings, next) }
        case .call(let parts): try call(parts, bindings, next)
        case .array(let parts): try all(parts[...], [], bindings) { try next(.array($0), $1) }
        case .set(let parts): try all(parts[...], [], bindings) { try next(.set(of: $0), $1) }
        case .object(let items):
            try all(items.flatMap { [$0.key, $0.value] }[...], [], bindings) { parts, bindings in
                var entries: [ReferenceValue: ReferenceValue] = [:]
                for index in stride(from: 0, to: parts.count, by: 2) { entries[parts[index]] = parts[index + 1] }
                try next(.object(of: entries), bindings)
            }
        case .arrayComprehension(let one):
            var values: [ReferenceValue] = []
            try body(one.body[...], bindings) { try self.term(one.value, $0) { value, _ in values.append(value) } }
            try next(.array(values), bindings)
        case .setComprehension(let one):
            var values: Set<ReferenceValue> = []
            try body(one.body[...], bindings) { try self.term(one.value, $0) { value, _ in values.insert(value) } }
            try next(.set(of: values), bindings)
        case .objectComprehension(let one):
            var entries: [ReferenceValue: ReferenceValue] = [:]
            try body(one.body[...], bindings) { bindings in
                try self.term(one.key!, bindings) { key, bindings in
                    try self.term(one.value, bindings) { value, _ in
                        if let known = entries[key], known != value { throw Failure.conflict }
                        entries[key] = value
                    }
                }
            }
            try next(.object(of: entries), bindings)
        case .template: throw Failure.unsupported("a template string")
        }
    }

    private func all(
        _ terms: ArraySlice<Term>, _ values: [ReferenceValue], _ bindings: Bindings,
        _ next: ([ReferenceValue], Bindings) throws -> Void
    ) throws {
        guard let first = terms.first else { return try next(values, bindings) }
        try term(first, bindings) { try all(terms.dropFirst(), values + [$0], $1, next) }
    }

    private func path(_ value: ReferenceValue, _ rest: ArraySlice<Term>, _ bindings: Bindings, _ next: Next) throws {
        guard let first = rest.first else { return try next(value, bindings) }
        if case .variable(let name) = first.value, isFree(name, bindings) {
            for (key, found) in value.items {
                var bindings = bindings
                bindings[name] = key
                try path(found, rest.dropFirst(), bindings, next)
            }
            return
        }
        try term(first, bindings) { key, bindings in
            if let found = value.lookup(key) { try path(found, rest.dropFirst(), bindings, next) }
        }
    }

    // MARK: calls

    private func call(_ parts: [Term], _ bindings: Bindings, _ next: Next) throws {
        guard case .ref(let names) = parts[0].value, case .variable(let name) = names[0].value else {
            throw Failure.unsupported("an operator")
        }
        try all(parts.dropFirst(), [], bindings) { arguments, bindings in
            let value = name.first == "f" ? try complete(rules(name), arguments) : try builtin(name, parts[0], arguments)
            if let value { try next(value, bindings) }
        }
    }

    /// Nil: undefined, as for operands of the wrong kind.
    private func builtin(_ name: String, _ operatorTerm: Term, _ arguments: [ReferenceValue]) throws -> ReferenceValue? {
        let (a, b) = (arguments[0], arguments.count > 1 ? arguments[1] : .null)
        switch name {
        case "equal": return .boolean(a == b)
        case "neq": return .boolean(a != b)
        case "lt": return .boolean(a < b)
        case "lte": return .boolean(a <= b)
        case "gt": return .boolean(a > b)
        case "gte": return .boolean(a >= b)
        case "internal": return .boolean(b.items.contains { $0.value == a })
        case "plus", "mul", "rem":
            guard case .number(let x) = a, case .number(let y) = b else { return nil }
            if name == "rem" { return y == 0 ? nil : .number(x % y) }
            return .number(name == "plus" ? x + y : x * y)
        case "minus":
            switch (a, b) {
            case (.number(let x), .number(let y)): return .number(x - y)
            case (.set(let x), .set(let y)): return .set(x.filter { !y.contains($0) })
            default: return nil
            }
        case "or":
            guard case .set(let x) = a, case .set(let y) = b else { return nil }
            return .set(of: x + y)
        case "and":
            guard case .set(let x) = a, case .set(let y) = b else { return nil }
            return .set(x.filter { y.contains($0) })
        case "count":
            switch a {
            case .array, .object, .set: return .number(a.items.count)
            case .string(let text): return .number(text.unicodeScalars.count)
            default: return nil
            }
        case "upper":
            guard case .string(let text) = a else { return nil }
            return .string(text.uppercased())
        case "is_number":
            if case .number = a { return .boolean(true) }
            return .boolean(false)
        default: throw Failure.unsupported(name)
        }
    }
}
