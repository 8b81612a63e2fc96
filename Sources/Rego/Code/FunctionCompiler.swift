import RegoSyntax

/// Writes the code of one function, or of a query.
///
/// A body is nested loops: each expression is given the place to go to when it fails, and leaves behind the place where what follows it goes to:
/// its own loop, when it has one. So backtracking costs a jump and nothing is pushed or popped.
final class FunctionCompiler {
    typealias Label = CodeWriter.Label

    let program: ProgramBuilder
    var file: Int
    /// What is taken now, and the most that was taken at once.
    private var registersTaken: Int
    private(set) var registerCount: Int
    private var registerOf: [LocalID: Int] = [:]
    /// References into the input that have been evaluated on the way here, by their constant paths.
    private var inputs: [Value: Int] = [:]

    init(program: ProgramBuilder, file: Int, arguments: Int) {
        self.program = program
        self.file = file
        registersTaken = arguments
        registerCount = arguments
    }

    func newRegister(_ count: Int = 1) -> Int {
        if registersTaken + count > ProgramLimits.registersMax { program.isTooLarge = true }
        let first = min(registersTaken, ProgramLimits.registersMax - count)
        registersTaken += count
        registerCount = max(registerCount, registersTaken)
        return first
    }

    /// The registers that are taken inside are free after: what one rule of a group needs, the next one does not.
    func withRegistersOfItsOwn(_ body: () -> Void) {
        let before = registersTaken
        body()
        registersTaken = before
    }

    // MARK: variables

    func isBound(_ id: LocalID) -> Bool { registerOf[id] != nil }
    func bind(_ id: LocalID, _ register: Int) { registerOf[id] = register }
    func register(of id: LocalID) -> Int? { registerOf[id] }

    /// What is bound inside is forgotten after.
    func inScope<R>(_ body: () -> R) -> R {
        let before = (registerOf, inputs)
        defer { (registerOf, inputs) = before }
        return body()
    }

    /// Whether a term can be evaluated now: all it needs has a value. Variables in brackets may be without one; they are given one by the loop.
    func isReady(_ term: IRTerm) -> Bool {
        switch term {
        case .constant, .comprehension: return true
        case .local(let id): return isBound(id)
        case .ref(let ref):
            switch ref.root {
            case .local(let id): if !isBound(id) { return false }
            case .term(let root): if !isReady(root) { return false }
            case .input, .data: break
            }
            return ref.path.allSatisfy(isReadyAsKey)
        case .array(let parts), .set(let parts): return parts.allSatisfy(isReady)
        case .object(let items): return items.allSatisfy { isReady($0.key) && isReady($0.value) }
        }
    }

    private func isReadyAsKey(_ term: IRTerm) -> Bool {
        switch term {
        case .local: true
        case .array(let parts): parts.allSatisfy(isReadyAsKey)
        case .object(let items): items.allSatisfy { isReady($0.key) && isReadyAsKey($0.value) }
        default: isReady(term)
        }
    }

    func isConstant(_ term: IRTerm) -> Value? {
        if case .constant(let value) = term { return value }
        return nil
    }

    // MARK: bodies

    /// Writes a body, then what `success` writes for each way in which it holds.
    func body(_ body: IRBody, fail: Label, success: (Label) -> Void) {
        var fail = fail
        for (position, expression) in body.expressions.enumerated() {
            // What a loop would read again and again is read before it; without a value nothing behind the loop would hold.
            if isLoop(expression) {
                for later in body.expressions[(position + 1)...] { readInputs(of: later, &fail) }
            }
            write(expression, &fail)
        }
        success(fail)
    }

    /// The register of a reference into the input, evaluated here or before, as far as it goes.
    func input(_ path: [Value], _ fail: inout Label) -> Int {
        let known = program.constants.arena.array(path)
        if let register = inputs[known] { return register }
        let register: Int
        if let key = path.last {
            let start = input(path.dropLast(), &fail)
            register = newRegister()
            program.code.emit(.getConstant, register, start, to: fail, program.constants.index(of: key))
        } else {
            register = newRegister()
            program.code.emit(.input, register, to: fail)
        }
        inputs[known] = register
        return register
    }

    private func isLoop(_ expression: IRExpression) -> Bool {
        guard !expression.isNegated else { return false }
        var found = false
        func look(_ term: IRTerm) {
            if case .ref(let ref) = term, ref.path.contains(where: { !isReady($0) }) { found = true }
        }
        switch expression.kind {
        case .unify(let a, let b):
            look(a)
            look(b)
        case .term(let term): look(term)
        case .call(_, let arguments, _): arguments.forEach(look)
        default: break
        }
        return found
    }

    /// Evaluates the references into the input that an expression needs in any case.
    private func readInputs(of expression: IRExpression, _ fail: inout Label) {
        guard !expression.isNegated, expression.with.isEmpty else { return }
        func read(_ term: IRTerm) {
            guard case .ref(let ref) = term, case .input = ref.root, ref.path.allSatisfy({ isConstant($0) != nil }) else { return }
            _ = evaluate(term, &fail)
        }
        switch expression.kind {
        case .unify(let a, let b):
            read(a)
            read(b)
        case .term(let term): read(term)
        case .call(_, let arguments, _): arguments.forEach(read)
        default: break
        }
    }

    private func write(_ expression: IRExpression, _ fail: inout Label) {
        program.code.at(file, expression.location)
        guard !expression.with.isEmpty else {
            bare(expression, &fail)
            return
        }
        withContext(expression, &fail)
    }

    private func bare(_ expression: IRExpression, _ fail: inout Label) {
        guard expression.isNegated else {
            positive(expression.kind, expression.location, &fail)
            return
        }
        // As OPA, the operands of what is negated are evaluated outside.
        let kind = hoisted(expression.kind, &fail)
        let out = program.code.label()
        var inner = out
        inScope { positive(kind, expression.location, &inner) }
        program.code.emit(.jump, to: fail)
        program.code.place(out)
    }

    private func positive(_ kind: IRExpression.Kind, _ location: Location, _ fail: inout Label) {
        switch kind {
        case .term(let term):
            if let value = isConstant(term) {
                if value.isFalse { program.code.emit(.jump, to: fail) }
                return
            }
            let register = evaluate(term, &fail)
            program.code.emit(.truth, register, to: fail)
        case .unify(let a, let b): unify(a, b, &fail)
        case .call(let callee, let arguments, let result): call(callee, arguments, result, &fail)
        case .every(let key, let value, let domain, let body): every(key, value, domain, body, &fail)
        case .not(let body):
            let out = program.code.label()
            inScope { self.body(body, fail: out) { _ in program.code.emit(.jump, to: fail) } }
            program.code.place(out)
        case .and(let left, let right):
            let (middle, out) = (program.code.label(), program.code.label())
            inScope { self.body(left, fail: fail) { _ in program.code.emit(.jump, to: middle) } }
            program.code.place(middle)
            inScope { self.body(right, fail: fail) { _ in program.code.emit(.jump, to: out) } }
            program.code.place(out)
        case .or(let left, let right):
            let (middle, out) = (program.code.label(), program.code.label())
            inScope { self.body(left, fail: middle) { _ in program.code.emit(.jump, to: out) } }
            program.code.place(middle)
            inScope { self.body(right, fail: fail) { _ in program.code.emit(.jump, to: out) } }
            program.code.place(out)
        }
    }

    private func every(_ key: IRTerm?, _ value: IRTerm, _ domain: IRTerm, _ body: IRBody, _ fail: inout Label) {
        let collection = evaluate(domain, &fail)
        let scan = newRegister(2)
        let (keyRegister, valueRegister) = (newRegister(), newRegister())
        let (again, done) = (program.code.label(), program.code.label())
        program.code.emit(.scan, scan, collection, to: fail)
        program.code.place(again)
        program.code.emit(.next, scan, keyRegister, valueRegister, to: done)
        inScope {
            var inner = fail
            if let key { match(key, keyRegister, &inner) }
            match(value, valueRegister, &inner)
            self.body(body, fail: inner) { _ in program.code.emit(.jump, to: again) }
        }
        program.code.place(done)
    }

    // MARK: with

    private func withContext(_ expression: IRExpression, _ fail: inout Label) {
        var values: [Int] = []
        for with in expression.with {
            if case .value(let term) = with.value { values.append(evaluate(term, &fail)) } else { values.append(0) }
        }
        let (made, before) = (newRegister(), newRegister())
        program.code.emit(.withBegin, made, before)
        for (with, register) in zip(expression.with, values) {
            switch with.target {
            case .input(let path): program.code.emit(.withInput, made, register, to: nil, program.pathConstant(path))
            case .data(let path): program.code.emit(.withData, made, register, to: nil, program.pathConstant(path))
            case .function(let callee):
                if case .function(let replacement) = with.value {
                    program.code.emit(.withFunction, made, program.calleeNumber(replacement), to: nil, program.calleeNumber(callee))
                } else {
                    program.code.emit(.withValue, made, register, to: nil, program.calleeNumber(callee))
                }
            }
        }
        let (exhausted, retry, out) = (program.code.label(), program.code.label(), program.code.label())
        program.code.emit(.context, made)
        var inner = exhausted
        let known = inputs
        inputs = [:]
        bare(expression, &inner)
        inputs = known
        program.code.emit(.context, before)
        program.code.emit(.jump, to: out)
        program.code.place(retry)
        if inner != exhausted {
            program.code.emit(.context, made)
            program.code.emit(.jump, to: inner)
        }
        program.code.place(exhausted)
        program.code.emit(.context, before)
        program.code.emit(.jump, to: fail)
        program.code.place(out)
        if inner != exhausted { fail = retry }
    }

    // MARK: negation

    private func hoisted(_ kind: IRExpression.Kind, _ fail: inout Label) -> IRExpression.Kind {
        switch kind {
        case .term(let term): return .term(hoistInside(term, &fail))
        case .unify(let a, let b): return .unify(hoistInside(a, &fail), hoistInside(b, &fail))
        case .call(let callee, let arguments, let result):
            return .call(callee, arguments.map { hoist($0, &fail) }, result: result)
        default: return kind
        }
    }

    /// The references within a term go outside, the term itself stays.
    private func hoistInside(_ term: IRTerm, _ fail: inout Label) -> IRTerm {
        switch term {
        case .ref(var ref):
            for index in ref.path.indices { ref.path[index] = hoist(ref.path[index], &fail) }
            return .ref(ref)
        case .array(let parts): return .array(parts.map { hoist($0, &fail) })
        case .set(let parts): return .set(parts.map { hoist($0, &fail) })
        case .object(let items): return .object(items.map { (hoist($0.key, &fail), hoist($0.value, &fail)) })
        default: return term
        }
    }

    private func hoist(_ term: IRTerm, _ fail: inout Label) -> IRTerm {
        switch term {
        case .ref, .comprehension:
            guard isReady(term) else { return term }
            let id = program.temporary()
            bind(id, evaluate(term, &fail))
            return .local(id)
        default: return hoistInside(term, &fail)
        }
    }
}
