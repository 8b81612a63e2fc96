import RegoSyntax

/// Putting an index before the rules of a group.
extension FunctionCompiler {
    /// Writes each rule with `write`, either one after another, or behind an index that jumps to the candidates. What `write` writes goes on at
    /// `after` when its rule is done.
    func indexed(_ rules: [(Int, IRRule)], _ write: (_ rule: IRRule, _ after: Label) -> Void) {
        func writeOne(_ file: Int, _ rule: IRRule, _ after: Label) {
            self.file = file
            program.code.at(file, rule.location)
            withRegistersOfItsOwn { write(rule, after) }
        }
        guard program.usesIndex, rules.count >= RuleIndex.rulesMin, let plan = plan(rules.map(\.1)) else {
            for (file, rule) in rules {
                let after = program.code.label()
                writeOne(file, rule, after)
                program.code.place(after)
            }
            return
        }
        // The place among the rules and the values; then the sets that these choose.
        let state = newRegister(1 + plan.sources.count)
        let sets = newRegister(plan.index.tables.count)
        var known: [RuleQuestions.Source: Int] = [:]
        for (offset, source) in plan.sources.enumerated() {
            program.code.emit(.move, state + 1 + offset, read(source, &known))
        }
        let number = program.addIndex(plan.index)
        let (again, done) = (program.code.label(), program.code.label())
        program.code.emit(.indexBegin, state, sets, to: nil, number)
        program.code.place(again)
        program.code.emit(.indexNext, state, sets, to: done, number)
        // A table of jumps, one for each rule: word by word behind the instruction.
        let bodies = rules.map { _ in program.code.label() }
        for body in bodies { program.code.emitTarget(body) }
        for (position, body) in bodies.enumerated() {
            program.code.place(body)
            let (file, rule) = rules[plan.order[position]]
            writeOne(file, rule.without(plan.decided[position]), again)
            program.code.emit(.jump, to: again)
        }
        program.code.place(done)
    }

    /// The register of a value that may be undefined: nothing fails on the way.
    private func read(_ source: RuleQuestions.Source, _ known: inout [RuleQuestions.Source: Int]) -> Int {
        if source.argument >= 0 && source.path.isEmpty { return source.argument }
        if let register = known[source] { return register }
        let register: Int
        let out = program.code.label()
        if let key = source.path.last {
            let start = read(RuleQuestions.Source(argument: source.argument, path: source.path.dropLast()), &known)
            register = newRegister()
            program.code.emit(.getConstant, register, start, to: out, program.constants.index(of: key))
        } else {
            register = newRegister()
            program.code.emit(.input, register, to: out)
        }
        program.code.place(out)
        known[source] = register
        return register
    }

    private struct Plan {
        var index: RuleIndex
        /// The rules in the order of the sets' bits.
        var order: [Int]
        var sources: [RuleQuestions.Source] = []
        /// The expressions of each rule that hold when the index lets it through.
        var decided: [Set<Int>]
    }

    private func plan(_ rules: [IRRule]) -> Plan? {
        var asked = RuleQuestions(rules, builtins: program.builtins, mocked: program.mocked)
        guard !asked.questions.isEmpty else { return nil }
        let order = rules.count < RuleIndex.clusteredMin ? Array(rules.indices) : asked.clustered(rules.count)
        asked.reorder(order)
        var plan = Plan(index: RuleIndex(ruleCount: rules.count), order: order, decided: Array(repeating: [], count: rules.count))
        for question in asked.questions where !plan.index.isFull {
            guard let table = RuleTable.make(question.demands) else { continue }
            let source = plan.sources.firstIndex(of: question.source) ?? plan.sources.count
            if source == plan.sources.count { plan.sources.append(question.source) }
            plan.index.add(table, source: source)
            for (rule, decides) in table.decides.enumerated() where decides { plan.decided[rule].formUnion(question.expressions[rule]) }
        }
        return plan.index.tables.isEmpty ? nil : plan
    }
}

extension IRRule {
    /// The same rule without some expressions of its only branch.
    fileprivate func without(_ expressions: Set<Int>) -> IRRule {
        guard !expressions.isEmpty, var branch = branches.first else { return self }
        let rule = IRRule(syntax, package: package)
        rule.arguments = arguments
        branch.body = IRBody(branch.body.expressions.enumerated().filter { !expressions.contains($0.offset) }.map(\.element))
        rule.branches = [branch]
        return rule
    }
}
