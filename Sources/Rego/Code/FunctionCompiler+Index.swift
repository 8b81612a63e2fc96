import RegoSyntax

/// Putting an index before the rules of a group.
extension FunctionCompiler {
    /// What rules ask of one reference into the input.
    private struct Question {
        var path: [Value]
        var accepted: [[Value]?]
        var askingCount = 0
    }

    /// Writes each rule with `write`, either one after another, or behind an index that jumps to the candidates. What `write` writes goes on at
    /// `after` when its rule is done.
    func indexed(_ rules: [(Int, IRRule)], _ write: (_ rule: IRRule, _ after: Label) -> Void) {
        func writeOne(_ file: Int, _ rule: IRRule, _ after: Label) {
            self.file = file
            program.code.at(file, rule.location)
            write(rule, after)
        }
        let questions = rules.count < RuleIndex.rulesMin ? [] : self.questions(rules.map(\.1))
        guard !questions.isEmpty else {
            for (file, rule) in rules {
                let after = program.code.label()
                writeOne(file, rule, after)
                program.code.place(after)
            }
            return
        }
        let index = RuleIndex(ruleCount: rules.count)
        for question in questions { index.add(question.accepted) }
        // The place among the rules, then the values, which become the sets.
        let state = newRegister(1 + questions.count)
        for (offset, question) in questions.enumerated() {
            let (missing, out) = (program.code.label(), program.code.label())
            var fail = missing
            let ref = IRRef(root: .input, path: question.path.map { .constant($0) }, location: .none)
            // Without a value the rules are asked all the same: nothing behind may rely on it.
            let value = inScope { evaluate(.ref(ref), &fail) }
            program.code.emit(.move, state + 1 + offset, value)
            program.code.emit(.jump, to: out)
            program.code.place(missing)
            program.code.emit(.clear, state + 1 + offset)
            program.code.place(out)
        }
        let number = program.addIndex(index)
        let (again, done) = (program.code.label(), program.code.label())
        program.code.emit(.indexBegin, state, to: nil, number)
        program.code.place(again)
        program.code.emit(.indexNext, state, to: done, number)
        // A table of jumps, one for each rule: word by word behind the instruction.
        let bodies = rules.map { _ in program.code.label() }
        for body in bodies { program.code.emitTarget(body) }
        for ((file, rule), body) in zip(rules, bodies) {
            program.code.place(body)
            writeOne(file, rule, again)
            program.code.emit(.jump, to: again)
        }
        program.code.place(done)
    }

    /// The references that rules compare with constants, those that most rules ask first.
    private func questions(_ rules: [IRRule]) -> [Question] {
        var found: [Question] = []
        var numberOf: [Value: Int] = [:]
        for (position, rule) in rules.enumerated() where rule.branches.count == 1 {
            for expression in rule.branches[0].body.expressions {
                guard let (path, values) = accepted(expression) else { continue }
                let key = program.constants.arena.array(path)
                let number = numberOf[key] ?? found.count
                if number == found.count {
                    numberOf[key] = number
                    found.append(Question(path: path, accepted: Array(repeating: nil, count: rules.count)))
                }
                // Two demands of one rule: the first one is enough.
                if found[number].accepted[position] == nil {
                    found[number].accepted[position] = values
                    found[number].askingCount += 1
                }
            }
        }
        let useful = found.filter { $0.askingCount * 4 >= rules.count }
        return Array(useful.sorted { $0.askingCount > $1.askingCount }.prefix(RuleIndex.referencesMax))
    }

    /// The path in the input and the values that an expression lets through.
    private func accepted(_ expression: IRExpression) -> ([Value], [Value])? {
        guard !expression.isNegated, expression.with.isEmpty else { return nil }
        switch expression.kind {
        case .unify(let a, let b):
            for (one, other) in [(a, b), (b, a)] {
                if let path = inputPath(one), case .constant(let value) = other, !value.isCollection { return (path, [value]) }
            }
        case .call(.builtin(let index), let arguments, nil) where program.builtins.all[index].name == "internal.member_2":
            guard !program.mocked.contains(.builtin(index)), let path = inputPath(arguments[0]), case .constant(let set) = arguments[1],
                set.isSet || set.isArray, set.elements.allSatisfy({ !$0.isCollection })
            else { return nil }
            return (path, Array(Set(set.elements)))
        default: break
        }
        return nil
    }

    private func inputPath(_ term: IRTerm) -> [Value]? {
        guard case .ref(let ref) = term, case .input = ref.root, !ref.path.isEmpty else { return nil }
        var path: [Value] = []
        for part in ref.path {
            guard case .constant(let key) = part, !key.isCollection else { return nil }
            path.append(key)
        }
        return path
    }
}
