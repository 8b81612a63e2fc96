import RegoSyntax

/// Finds what can never be: operands of the wrong kind, sides of `=` that cannot be equal, references to keys that nothing has.
///
/// It follows OPA's checker: the types of rules are inferred in the order of their dependencies, from bodies that `Safety` has put in order;
/// input and base documents are `any` unless a schema says more.
final class TypeChecker {
    let tree: RuleTree
    let builtins: BuiltinTable
    let documents: TypeTree
    /// What errors call the variables of the rule at hand.
    var names: [String?] = []
    var file = ""
    /// `==` of a query is a call that may be false; in a rule it is `=`.
    var isQuery = false
    private(set) var problems: [CompileProblem] = []
    /// The types of comprehensions that were checked, unknown when there was an error.
    private var comprehensions: [ObjectIdentifier: ValueType] = [:]

    init(tree: RuleTree, builtins: BuiltinTable, documents: TypeTree) {
        self.tree = tree
        self.builtins = builtins
        self.documents = documents
    }

    // MARK: rules

    /// Infers the type of a group's rules, with what is wrong in them.
    func check(_ group: RuleTree.Group, _ rules: [(file: String, rule: IRRule)], overrides: (String, IRRule) -> TypeTree?) {
        for (file, rule) in rules {
            self.file = file
            names = rule.names
            let overrides = overrides(file, rule)
            for branch in rule.branches { check(branch, of: group, TypeEnvironment(documents: documents, overrides: overrides)) }
        }
    }

    /// What the schemas of a rule's annotations say about documents.
    func overrides(_ file: String, _ rule: IRRule, _ annotations: AnnotationTable, _ schemas: [String: Value]) -> TypeTree? {
        var overrides = SchemaOverrides(constants: tree.constants)
        for one in annotations.schemas(rule.syntax, package: rule.package) {
            guard let root = one.path.first else { continue }
            var schema = one.schema
            if let reference = schema.asString {
                if schemas.isEmpty { continue }
                guard let found = schemas[reference] else {
                    problems.append(
                        CompileProblem(
                            code: CompileProblem.type, message: "undefined schema: \(reference)", file: file, location: rule.location,
                            stage: .types))
                    continue
                }
                schema = found
            }
            let known = documents.children[root]?.extent ?? .any
            overrides.add(one.path, SchemaTypes.type(of: schema), known: known)
        }
        return overrides.tree
    }

    private func check(_ branch: IRBranch, of group: RuleTree.Group, _ outer: TypeEnvironment) {
        let environment = TypeEnvironment(in: outer)
        let path = [tree.constants.string("data")] + group.path
        var found = check(branch.body, environment)
        for term in branch.path + [branch.value] { found += closures(IRExpression(.term(term), at: branch.location), environment) }
        guard found.isEmpty else {
            problems += found
            // Who refers to it is not to blame.
            if group.kind != .dynamic { documents.put(path, .any) }
            return
        }
        let value = type(of: branch.value, environment)
        switch group.kind {
        case .function:
            for argument in branch.arguments {
                IRVariables.all(argument) { id in if environment.type(of: id).isUnknownItself { environment.put(id, .any) } }
            }
            let parameters = branch.arguments.map { type(of: $0, environment) }
            documents.insert(path, .function(ValueType.Function(parameters: parameters, result: type(of: branch.value, environment))))
        case .set: if !value.isUnknownItself { documents.insert(path, .set(value)) }
        case .complete: if !value.isUnknownItself { documents.insert(path, value) }
        case .dynamic:
            // A set below variables has no place in the tree; an object has one level for each of them.
            guard !branch.isElement, !value.isUnknownItself else { return }
            var type = value
            for part in branch.path.reversed() {
                let key = self.type(of: part, environment)
                if key.isUnknownItself { return }
                type = .object([], ValueType.Dynamic(key, type))
            }
            documents.insert(path, type)
        }
    }

    // MARK: bodies

    func check(_ body: IRBody, _ environment: TypeEnvironment) -> [CompileProblem] {
        var found: [CompileProblem] = []
        for expression in body.expressions {
            let ofClosures = closures(expression, environment)
            let ofReferences = references(expression, environment)
            found += ofClosures + ofReferences
            if let problem = check(expression, environment) {
                // The cause has been told already.
                let isConsequence = !(ofClosures.isEmpty && ofReferences.isEmpty) && problem.detail?.isAboutUnknown ?? false
                if !isConsequence { found.append(problem) }
            }
        }
        return found
    }

    /// Checks the comprehensions of an expression. As in OPA the errors of the last one that has any are told.
    private func closures(_ expression: IRExpression, _ environment: TypeEnvironment) -> [CompileProblem] {
        var found: [CompileProblem] = []
        for one in Closures.comprehensions(of: expression) {
            let inner = TypeEnvironment(in: environment)
            var problems = check(one.body, inner)
            for head in [one.key, one.value] {
                if let head { problems += closures(IRExpression(.term(head), at: .none), inner) }
            }
            var type = ValueType.unknown
            if problems.isEmpty {
                let value = self.type(of: one.value, inner)
                switch one.kind {
                case .array: type = .array([], value.isUnknownItself ? nil : value)
                case .set: type = .set(value)
                case .object: type = .object([], ValueType.Dynamic(one.key.map { self.type(of: $0, inner) } ?? .unknown, value))
                }
            } else {
                found = problems
            }
            comprehensions[ObjectIdentifier(one)] = type
        }
        for body in Closures.bodies(of: expression) { found += check(body, TypeEnvironment(in: environment)) }
        return found
    }

    private func check(_ expression: IRExpression, _ environment: TypeEnvironment) -> CompileProblem? {
        for with in expression.with {
            guard case .function(let target) = with.target, case .function(let value) = with.value, let want = function(target),
                let have = function(value), !ValueType.unifies(.function(want), .function(have))
            else { continue }
            let detail = TypeErrorDetail.arguments(have: have.parameters, want: parameters(target, want, withResult: false))
            return problem("\(name(target)): arity mismatch", with.location, detail)
        }
        switch expression.kind {
        case .unify(let left, let right):
            if expression.bindsNothing && isQuery { return nil }
            let (a, b) = (type(of: left, environment), type(of: right, environment))
            if unify(left, a, right, b, environment) { return nil }
            return problem("match error", expression.location, .unification(left: a, right: b))
        case .call(let callee, let arguments, let result):
            guard let function = function(callee) else { return nil }
            let operands = arguments + (result.map { [$0] } ?? [])
            let wanted = function.parameters + (function.result.map { [$0] } ?? [])
            for (operand, type) in zip(operands, wanted) where !unify(operand, type, environment, union: false) {
                let have = operands.map { self.type(of: $0, environment) }
                let detail = TypeErrorDetail.arguments(have: have, want: parameters(callee, function, withResult: true))
                return problem("\(name(callee)): invalid argument(s)", expression.location, detail)
            }
            return nil
        case .term, .every, .not, .and, .or: return nil
        }
    }

    // MARK: functions

    /// What a function takes and gives; nil: it has errors itself, or nothing is known.
    private func function(_ callee: IRCallee) -> ValueType.Function? {
        switch callee {
        case .builtin(let index):
            let builtin = builtins.all[index]
            return ValueType.Function(parameters: builtin.parameters, result: builtin.result)
        case .group(let index):
            let path = [tree.constants.string("data")] + tree.groups[index].path
            guard case .function(let function)? = documents.find(path)?.type else { return nil }
            return function
        }
    }

    private func name(_ callee: IRCallee) -> String {
        switch callee {
        case .builtin(let index): builtins.all[index].name
        case .group(let index): tree.groups[index].name
        }
    }

    private func parameters(_ callee: IRCallee, _ function: ValueType.Function, withResult: Bool) -> [TypeErrorDetail.Parameter] {
        if case .builtin(let index) = callee { return builtins.all[index].declaration(withResult: withResult) }
        let types = function.parameters + (withResult ? function.result.map { [$0] } ?? [] : [])
        return types.map { TypeErrorDetail.Parameter(name: "", type: $0) }
    }

    func problem(_ message: String, _ location: Location, _ detail: TypeErrorDetail) -> CompileProblem {
        CompileProblem(code: CompileProblem.type, message: message, file: file, location: location, detail: detail, stage: .types)
    }

    // MARK: types of terms

    func type(of term: IRTerm, _ environment: TypeEnvironment) -> ValueType {
        switch term {
        case .constant(let value): return ValueType(of: value)
        case .local(let id): return environment.type(of: id)
        case .ref(let ref): return type(of: ref, environment)
        case .array(let parts):
            if parts.isEmpty || parts.count > TypeLimits.partsMax { return .anyArray }
            return .array(parts.map { type(of: $0, environment) }, nil)
        case .set(let parts):
            let element = parts.reduce(ValueType.unknown) { .or($0, type(of: $1, environment)) }
            return .set(element.isUnknownItself ? .any : element)
        case .object(let items):
            if items.isEmpty || items.count > TypeLimits.partsMax { return .anyObject }
            var fields: [ValueType.Field] = []
            var rest: ValueType.Dynamic?
            for (key, value) in items {
                let type = type(of: value, environment)
                if case .constant(let key) = key {
                    fields.append(ValueType.Field(TypeKey(key), type))
                } else {
                    rest = ValueType.Dynamic(self.type(of: key, environment), type)
                }
            }
            return .object(unordered: fields, rest)
        case .comprehension(let one): return comprehensions[ObjectIdentifier(one)] ?? .unknown
        }
    }

    /// The type of what a reference finds; unknown: nothing is known, or there can be nothing.
    func type(of ref: IRRef, _ environment: TypeEnvironment) -> ValueType {
        switch ref.root {
        case .local(let id): return select(environment.type(of: id), ref.path[...])
        case .term(let term): return select(type(of: term, environment), ref.path[...])
        case .input, .data:
            let root = tree.constants.string(ref.root.name)
            trees: for tree in environment.trees {
                guard var node = tree.children[root] else { continue }
                var rest = ref.path[...]
                while let head = rest.first {
                    if let type = node.type {
                        guard case .constant(let key) = head, let child = node.children[key] else { return select(type, rest) }
                        node = child
                    } else {
                        guard case .constant(let key) = head else { return select(node.extent, rest) }
                        guard let child = node.children[key] else { continue trees }
                        node = child
                    }
                    rest = rest.dropFirst()
                }
                return node.extent
            }
            return .any
        }
    }

    private func select(_ type: ValueType, _ path: ArraySlice<IRTerm>) -> ValueType {
        var type = type
        for part in path {
            if type.isUnknownItself { return type }
            if case .constant(let key) = part, !key.isCollection { type = type.select(TypeKey(key)) } else { type = type.values }
        }
        return type
    }
}

extension IRRoot {
    /// `input` and `data`; empty for what is no document.
    var name: String {
        switch self {
        case .input: "input"
        case .data: "data"
        case .local, .term: ""
        }
    }
}

extension ValueType {
    /// The type of a literal.
    init(of value: Value) {
        switch value.kind {
        case .undefined: self = .unknown
        case .null: self = .null
        case .boolean: self = .boolean
        case .number: self = .number
        case .string: self = .string
        case .array:
            let isKept = value.count > 0 && value.count <= TypeLimits.partsMax
            self = isKept ? .array(value.elements.map { ValueType(of: $0) }, nil) : .anyArray
        case .set: self = .set(value.count == 0 ? .any : value.elements.reduce(.unknown) { .or($0, ValueType(of: $1)) })
        case .object:
            let isKept = value.count > 0 && value.count <= TypeLimits.partsMax
            self =
                isKept
                ? .object(unordered: value.entries.map { Field(TypeKey($0.key), ValueType(of: $0.value)) }, nil) : .anyObject
        }
    }
}

/// The bodies within an expression.
enum Closures {
    /// Comprehensions outside of others, those within `every` among them.
    static func comprehensions(of expression: IRExpression) -> [IRComprehension] {
        var found: [IRComprehension] = []
        visit(expression, &found)
        return found
    }

    /// Bodies with their own scope that must hold, or must not: of `not`, `and` and `or`.
    static func bodies(of expression: IRExpression) -> [IRBody] {
        switch expression.kind {
        case .not(let body): [body]
        case .and(let left, let right), .or(let left, let right): [left, right]
        case .term, .unify, .call, .every: []
        }
    }

    private static func visit(_ expression: IRExpression, _ found: inout [IRComprehension]) {
        switch expression.kind {
        case .term(let term): visit(term, &found)
        case .unify(let a, let b):
            visit(a, &found)
            visit(b, &found)
        case .call(_, let arguments, let result):
            for argument in arguments { visit(argument, &found) }
            if let result { visit(result, &found) }
        case .every(_, _, let domain, let body):
            visit(domain, &found)
            for inner in body.expressions { visit(inner, &found) }
        case .not, .and, .or: break
        }
        for with in expression.with { if case .value(let term) = with.value { visit(term, &found) } }
    }

    private static func visit(_ term: IRTerm, _ found: inout [IRComprehension]) {
        switch term {
        case .constant, .local: break
        case .ref(let ref):
            if case .term(let root) = ref.root { visit(root, &found) }
            for part in ref.path { visit(part, &found) }
        case .array(let parts), .set(let parts): for part in parts { visit(part, &found) }
        case .object(let items):
            for item in items {
                visit(item.key, &found)
                visit(item.value, &found)
            }
        case .comprehension(let one): found.append(one)
        }
    }
}
