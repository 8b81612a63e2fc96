import RegoSyntax

/// Turns the syntax of one module's rules, or of a query, into the intermediate form.
///
/// Names become documents, functions or variables; calls within terms become expressions of their own in front; `:=`, `some` and `in` become
/// unifications, as OPA's compiler does it.
final class Resolver {
    let tree: RuleTree
    let builtins: BuiltinTable
    let constants: Constants
    let file: String
    /// The package whose rules may be called by their name alone.
    let package: [String]
    /// Names that imports define.
    private var imports: [String: [Term]] = [:]
    private(set) var usedImports: Set<String> = []
    var scopes = Scopes()
    var problems: [CompileProblem] = []
    /// Functions that some `with` replaces: their calls ask before they go.
    var mocked: Set<IRCallee> = []
    /// Names of the rules that begin on each row: where several do, errors say which one is meant.
    var namesByRow: [UInt32: Set<String>] = [:]
    var ruleSuffix = ""
    var annotations: AnnotationTable?
    var erasesPrints = false
    var currentRule: Rule?

    init(tree: RuleTree, builtins: BuiltinTable, constants: Constants, file: String, package: [String], imports: [Import]) {
        self.tree = tree
        self.builtins = builtins
        self.constants = constants
        self.file = file
        self.package = package
        for one in imports where !one.isOfKeywords { self.imports[one.name] = one.path }
    }

    func report(
        _ code: String, _ message: String, _ location: Location, _ stage: CompileStage = .undefinedFunctions, detail: TypeErrorDetail? = nil
    ) {
        problems.append(CompileProblem(code: code, message: message, file: file, location: location, detail: detail, stage: stage))
    }

    // MARK: names

    /// What a name stands for that is no variable: the path of a document, with its root first.
    private func global(_ name: String) -> (root: IRRoot, path: [Value])? {
        if name == "data" { return (.data, []) }
        if name == "input" { return (.input, []) }
        if let path = imports[name], case .variable(let root) = path[0].value {
            usedImports.insert(name)
            return (root == "input" ? .input : .data, path.dropFirst().compactMap { constants.scalar($0.value) })
        }
        if tree.names[package]?.contains(name) == true {
            return (.data, (package + [name]).map { constants.string($0) })
        }
        return nil
    }

    private func variable(_ name: String, at location: Location) -> IRTerm {
        if let id = scopes.find(name) { return .local(id) }
        if let (root, path) = global(name) { return .ref(IRRef(root: root, path: path.map { .constant($0) }, location: location)) }
        return .local(scopes.implicitly(name))
    }

    // MARK: terms

    /// Resolves a term; calls in it are appended to `out`, which comes before whatever uses the term.
    func term(_ term: Term, _ out: inout [IRExpression], with: [IRWith] = []) -> IRTerm {
        if let value = constants.scalar(term.value) { return .constant(value) }
        switch term.value {
        case .null, .boolean, .number, .string: return .constant(.null)
        case .variable(let name): return variable(name, at: term.location)
        case .ref(let parts): return ref(parts, at: term.location, &out, with: with)
        case .call(let parts):
            let local = scopes.generated()
            call(parts, result: .local(local), at: term.location, &out, with: with)
            return .local(local)
        case .array(let parts):
            let resolved = parts.map { self.term($0, &out, with: with) }
            if let values = constantValues(resolved) { return .constant(constants.arena.array(values)) }
            return .array(resolved)
        case .set(let parts):
            let resolved = parts.map { self.term($0, &out, with: with) }
            if let values = constantValues(resolved) { return .constant(constants.arena.set(values)) }
            return .set(resolved)
        case .object(let items):
            let resolved = items.map { (key: self.term($0.key, &out, with: with), value: self.term($0.value, &out, with: with)) }
            if let keys = constantValues(resolved.map(\.key)), let values = constantValues(resolved.map(\.value)) {
                return .constant(constants.arena.object(zip(keys, values).map { ($0, $1) }))
            }
            return .object(resolved)
        case .arrayComprehension(let one): return comprehension(.array, one)
        case .setComprehension(let one): return comprehension(.set, one)
        case .objectComprehension(let one): return comprehension(.object, one)
        case .template(let template): return self.template(template, at: term.location, &out, with: with)
        }
    }

    private func constantValues(_ terms: [IRTerm]) -> [Value]? {
        var values: [Value] = []
        for term in terms {
            guard case .constant(let value) = term else { return nil }
            values.append(value)
        }
        return values
    }

    private func ref(_ parts: [Term], at location: Location, _ out: inout [IRExpression], with: [IRWith]) -> IRTerm {
        var root: IRRoot
        var path: [IRTerm] = []
        if case .variable(let name) = parts[0].value {
            if let id = scopes.find(name) {
                root = .local(id)
            } else if let found = global(name) {
                root = found.root
                path = found.path.map { .constant($0) }
            } else {
                root = .local(scopes.implicitly(name))
            }
        } else {
            switch term(parts[0], &out, with: with) {
            case .local(let id): root = .local(id)
            case .ref(let inner):
                root = inner.root
                path = inner.path
            case let other: root = .term(other)
            }
        }
        for part in parts.dropFirst() { path.append(term(part, &out, with: with)) }
        return .ref(IRRef(root: root, path: path, location: location))
    }

    private func comprehension(_ kind: IRComprehension.Kind, _ syntax: Comprehension) -> IRTerm {
        scopes.push(pending: declaredNames(syntax.body))
        let body = expressions(syntax.body)
        var out = body.expressions
        let key = syntax.key.map { head($0, at: $0.location, &out) }
        let value = head(syntax.value, at: syntax.value.location, &out)
        body.expressions = out
        scopes.pop()
        return .comprehension(IRComprehension(kind: kind, key: key, value: value, body: body))
    }

    /// `$"a {x}"` is `internal.template_string(["a ", {y | y = x}])`: an empty set is an undefined part.
    private func template(_ template: TemplateString, at location: Location, _ out: inout [IRExpression], with: [IRWith]) -> IRTerm {
        var parts: [IRTerm] = []
        for part in template.parts {
            switch part {
            case .text(let text, _): parts.append(.constant(constants.string(text)))
            case .scalar(let scalar): parts.append(term(scalar, &out, with: with))
            case .expression(let expression):
                scopes.push()
                let local = scopes.generated()
                var body: [IRExpression] = []
                let with = withs(expression.with, &body)
                switch expression.kind {
                case .term(let value):
                    let resolved = term(value, &body, with: with)
                    body.append(IRExpression(.unify(.local(local), resolved), with: with, at: expression.location))
                case .call(let parts):
                    if case .builtin(let index)? = callee(parts[0]), builtins.all[index].isRelation {
                        let message = "illegal call to relation built-in '\(builtins.all[index].name)' that may cause multiple outputs"
                        report(CompileProblem.compile, message, expression.location, .templates)
                    }
                    call(parts, result: .local(local), at: expression.location, &body, with: with)
                default: report(CompileProblem.compile, "unexpected expression in a template string", expression.location, .templates)
                }
                for one in body { one.templatePart = expression.location }
                scopes.pop()
                parts.append(.comprehension(IRComprehension(kind: .set, key: nil, value: .local(local), body: IRBody(body))))
            }
        }
        guard let builtin = builtins.index("internal.template_string") else {
            report(CompileProblem.type, "undefined function internal.template_string", location)
            return .constant(.null)
        }
        let local = scopes.generated()
        let argument: IRTerm = constantValues(parts).map { .constant(constants.arena.array($0)) } ?? .array(parts)
        out.append(IRExpression(.call(.builtin(builtin), [argument], result: .local(local)), with: with, at: location))
        return .local(local)
    }

    // MARK: calls

    /// The function that an operator names.
    func callee(_ term: Term) -> IRCallee? {
        let parts: [Term]
        switch term.value {
        case .ref(let list): parts = list
        case .variable: parts = [term]
        default: return nil
        }
        guard case .variable(let head) = parts[0].value else { return nil }
        let names = parts.dropFirst().map { part -> String? in
            if case .string(let name) = part.value { return name }
            return nil
        }
        if scopes.find(head) == nil, let found = global(head), case .data = found.root {
            var path = found.path
            for part in parts.dropFirst() {
                guard let key = constants.scalar(part.value) else { return nil }
                path.append(key)
            }
            guard let node = tree.node(path), let group = tree.nodes[node].group, tree.groups[group].kind == .function else { return nil }
            return .group(group)
        }
        if names.contains(nil) || scopes.find(head) != nil { return nil }
        return builtins.index(([head] + names.compactMap { $0 }).joined(separator: ".")).map { .builtin($0) }
    }

    func operatorText(_ term: Term) -> String {
        guard case .ref(let parts) = term.value else { return "" }
        return parts.map { part in
            switch part.value {
            case .variable(let name), .string(let name): name
            default: "?"
            }
        }.joined(separator: ".")
    }

    /// The document that an operator names, when it names one.
    private func document(_ term: Term) -> [Value]? {
        guard case .ref(let parts) = term.value, case .variable(let head) = parts[0].value, scopes.find(head) == nil,
            let found = global(head), case .data = found.root
        else { return nil }
        let rest = parts.dropFirst().compactMap { constants.scalar($0.value) }
        return rest.count == parts.count - 1 ? found.path + rest : nil
    }

    func arity(_ callee: IRCallee) -> Int {
        switch callee {
        case .builtin(let index): builtins.all[index].parameters.count
        case .group(let index): tree.groups[index].arity
        }
    }

    /// A call whose result goes to `result`, or must hold when that is nil and no argument takes it.
    func call(_ parts: [Term], result: IRTerm?, at location: Location, _ out: inout [IRExpression], with: [IRWith], isNegated: Bool = false)
    {
        if metadata(parts, result: result, at: location, &out, with: with) { return }
        guard let callee = callee(parts[0]) else {
            undefinedFunction(parts, isTerm: result != nil, location)
            // What it would have given is known, so that one mistake is one error.
            for part in parts.dropFirst() { bindAnyway(term(part, &out, with: with), &out) }
            if let result { bindAnyway(result, &out) }
            return
        }
        var arguments = parts.dropFirst().map { term($0, &out, with: with) }
        let arity = arity(callee)
        var result = result
        let isTerm = result != nil
        if arguments.count == arity + 1, !isTerm { result = arguments.removeLast() }
        guard arguments.count == arity else {
            arityMismatch(callee, arguments, isTerm: isTerm, location)
            for argument in arguments { bindAnyway(argument, &out) }
            if let result { bindAnyway(result, &out) }
            return
        }
        out.append(IRExpression(.call(callee, arguments, result: result), isNegated: isNegated, with: with, at: location))
    }

    private func undefinedFunction(_ parts: [Term], isTerm: Bool, _ location: Location) {
        guard let path = document(parts[0]) else {
            report(CompileProblem.type, "undefined function \(operatorText(parts[0]))", location)
            return
        }
        let name = RuleTree.text(path)
        if let node = tree.node(path), !tree.nodes[node].sources.isEmpty, isTerm || parts.count > 2 {
            let count = parts.count - 1
            report(CompileProblem.type, "function \(name) has arity 0, got \(count) argument\(count == 1 ? "" : "s")", location)
        } else {
            report(CompileProblem.type, "undefined function \(name)", location)
        }
    }

    private func arityMismatch(_ callee: IRCallee, _ arguments: [IRTerm], isTerm: Bool, _ location: Location) {
        switch callee {
        case .group(let index):
            let count = arguments.count
            let message = "function \(tree.groups[index].name) has arity \(arity(callee)), got \(count) argument\(count == 1 ? "" : "s")"
            report(CompileProblem.type, message, location)
        case .builtin(let index):
            let builtin = builtins.all[index]
            let have = arguments.map { typeAtOnce($0) } + (isTerm ? [.unknown] : [])
            report(
                CompileProblem.type, "\(builtin.name): arity mismatch", location,
                detail: .arguments(have: have, want: builtin.declaration(withResult: false)))
        }
    }

    /// The type of a term before anything is inferred.
    private func typeAtOnce(_ term: IRTerm) -> ValueType {
        switch term {
        case .constant(let value): ValueType(of: value)
        case .local, .comprehension: .unknown
        case .ref(let ref):
            switch ref.root {
            case .input, .data: .any
            case .local, .term: .unknown
            }
        case .array(let parts): .array(parts.map(typeAtOnce), nil)
        case .set(let parts): .set(parts.reduce(.unknown) { .or($0, typeAtOnce($1)) })
        case .object: .anyObject
        }
    }

    private func bindAnyway(_ term: IRTerm, _ out: inout [IRExpression]) {
        IRVariables.patterns(term) { out.append(IRExpression(.unify(.local($0), .constant(.null)), at: .none)) }
    }

    /// `rego.metadata.rule()` and `rego.metadata.chain()` are known while compiling.
    private func metadata(_ parts: [Term], result: IRTerm?, at location: Location, _ out: inout [IRExpression], with: [IRWith]) -> Bool {
        let name = operatorText(parts[0])
        guard name == "rego.metadata.rule" || name == "rego.metadata.chain", parts.count == 1 else { return false }
        var value = name == "rego.metadata.rule" ? Value.emptyObject : Value.emptyArray
        if let annotations, let currentRule {
            value = name == "rego.metadata.rule" ? annotations.rule(currentRule) : annotations.chain(currentRule, package: package)
        }
        out.append(IRExpression(.unify(result ?? .constant(value), .constant(value)), with: with, at: location))
        return true
    }

    // MARK: with

    func withs(_ syntax: [With], _ out: inout [IRExpression]) -> [IRWith] {
        syntax.compactMap { one in
            if let function = callee(one.target), !isDocument(one.target) {
                if case .builtin(let index) = function, let refusal = Resolver.refusal(toReplace: builtins.all[index]) {
                    let message = "with keyword replacing built-in function: \(refusal)"
                    report(CompileProblem.compile, message, one.target.location, .withTargets)
                    return nil
                }
                mocked.insert(function)
                if let replacement = callee(one.value), !isDocument(one.value) {
                    return IRWith(target: .function(function), value: .function(replacement), location: one.location)
                }
                return IRWith(target: .function(function), value: .value(term(one.value, &out)), location: one.location)
            }
            var ignored: [IRExpression] = []
            guard case .ref(let ref) = term(one.target, &ignored), let path = constantValues(ref.path), !ref.root.name.isEmpty else {
                let message = "with keyword target must reference existing input, data, or a function"
                report(CompileProblem.type, message, one.target.location, .withTargets)
                return nil
            }
            let value = term(one.value, &out)
            if case .input = ref.root { return IRWith(target: .input(path), value: .value(value), location: one.location) }
            if isWithinRule(path) {
                let message = "with keyword cannot partially replace virtual document(s)"
                report(CompileProblem.compile, message, one.target.location, .withTargets)
                return nil
            }
            return IRWith(target: .data(path), value: .value(value), location: one.location)
        }
    }

    /// A path goes on behind a rule.
    private func isWithinRule(_ path: [Value]) -> Bool {
        var node = 0
        for key in path.dropLast() {
            guard let next = tree.nodes[node].child(key) else { return false }
            if !tree.nodes[next].sources.isEmpty { return true }
            node = next
        }
        return false
    }

    /// Why a built-in cannot be replaced.
    private static func refusal(toReplace builtin: Builtin) -> String? {
        switch builtin.name {
        case "eq", "rego.metadata.chain", "rego.metadata.rule": "replacement of \"\(builtin.name)\" invalid"
        case "print": "target must not be a void function"
        case let name where name.hasPrefix("internal."): "replacement of internal function \"\(name)\" invalid"
        default: builtin.isRelation ? "target must not be a relation" : nil
        }
    }

    private func isDocument(_ term: Term) -> Bool {
        switch term.value {
        case .variable(let name): return scopes.find(name) != nil
        case .ref(let parts):
            if case .variable(let name) = parts[0].value { return scopes.find(name) != nil }
            return true
        default: return true
        }
    }
}
