/// What the rules of a group ask of the input and of their arguments, as far as an index can answer it.
struct RuleQuestions {
    /// Where a value comes from: a path in the input, or in an argument of the function.
    struct Source: Hashable {
        /// -1: the input.
        var argument: Int
        var path: [Value]
    }

    enum Kind: Int { case values, prefixes, ranges }

    struct Question {
        var source: Source
        var kind: Kind
        var demands: [RuleTable.Demand?]
        /// The expressions of each rule that ask; empty when the rule is more than these.
        var expressions: [[Int]]
        var askingCount = 0
    }

    private let builtins: BuiltinTable
    private let mocked: Set<IRCallee>
    private(set) var questions: [Question] = []
    private var numberOf: [Key: Int] = [:]

    private struct Key: Hashable {
        var source: Source
        var kind: Kind
    }

    /// One demand of one branch.
    private struct Asked {
        var key: Key
        var demand: RuleTable.Demand
        var expressions: [Int]
    }

    /// The questions that are worth a table, those that most rules ask first.
    init(_ rules: [IRRule], builtins: BuiltinTable, mocked: Set<IRCallee>) {
        self.builtins = builtins
        self.mocked = mocked
        for (position, rule) in rules.enumerated() {
            let asked = rule.branches.map(asked)
            for one in asked.first ?? [] {
                guard let demand = union(one, asked.dropFirst()) else { continue }
                add(one.key, demand, rule.branches.count == 1 ? one.expressions : [], position, of: rules.count)
            }
        }
        questions = questions.filter { $0.askingCount * 4 >= rules.count }.sorted { $0.askingCount > $1.askingCount }
    }

    /// The order of the rules in which those that want the same values stand together, so that few words of the sets have a candidate.
    ///
    /// Which rule comes first says nothing in Rego; small groups stay as they are written.
    func clustered(_ count: Int) -> [Int] {
        let sorting = questions.compactMap { question -> (ranks: [Int], distinct: Int)? in
            if question.kind == .ranges { return nil }
            var rankOf: [Value: Int] = [:]
            var ranks: [Int] = []
            for demand in question.demands {
                var first: Value?
                switch demand {
                case .anyOf(let values): first = values.min()
                case .startsWith(let prefixes): first = prefixes.min()
                default: break
                }
                guard let first else {
                    ranks.append(.max)
                    continue
                }
                let rank = rankOf[first] ?? rankOf.count
                rankOf[first] = rank
                ranks.append(rank)
            }
            return (ranks, rankOf.count)
        }.sorted { $0.distinct > $1.distinct }
        return Array(0..<count).sorted { left, right in
            for (ranks, _) in sorting where ranks[left] != ranks[right] { return ranks[left] < ranks[right] }
            return left < right
        }
    }

    mutating func reorder(_ order: [Int]) {
        for number in questions.indices {
            let question = questions[number]
            questions[number].demands = order.map { question.demands[$0] }
            questions[number].expressions = order.map { question.expressions[$0] }
        }
    }

    private mutating func add(_ key: Key, _ demand: RuleTable.Demand, _ expressions: [Int], _ position: Int, of count: Int) {
        let number = numberOf[key] ?? questions.count
        if number == questions.count {
            numberOf[key] = number
            questions.append(
                Question(
                    source: key.source, kind: key.kind, demands: Array(repeating: nil, count: count),
                    expressions: Array(repeating: [], count: count)))
        }
        questions[number].demands[position] = demand
        questions[number].expressions[position] = expressions
        questions[number].askingCount += 1
    }

    /// What one branch or another lets through: a value that no branch lets through cannot make the rule hold.
    private func union(_ first: Asked, _ others: ArraySlice<[Asked]>) -> RuleTable.Demand? {
        var demand = first.demand
        for branch in others {
            guard let same = branch.first(where: { $0.key == first.key }) else { return nil }
            switch (demand, same.demand) {
            case (.anyOf(let mine), .anyOf(let theirs)): demand = .anyOf(Array(Set(mine + theirs)))
            case (.startsWith(let mine), .startsWith(let theirs)): demand = .startsWith(Array(Set(mine + theirs)))
            default: return nil
            }
        }
        return demand
    }

    /// What a branch asks, at most one demand for each source and kind; comparisons of one source are taken together.
    private func asked(_ branch: IRBranch) -> [Asked] {
        var found: [Asked] = []
        var argumentOf: [LocalID: Int] = [:]
        for (number, argument) in branch.arguments.enumerated() {
            switch argument {
            case .constant(let value) where !value.isCollection:
                let key = Key(source: Source(argument: number, path: []), kind: .values)
                found.append(Asked(key: key, demand: .anyOf([value]), expressions: []))
            case .local(let id) where argumentOf[id] == nil: argumentOf[id] = number
            default: break
            }
        }
        for (position, expression) in branch.body.expressions.enumerated() {
            guard !expression.isNegated, expression.with.isEmpty, let (term, kind, demand) = demand(of: expression),
                let source = source(term, argumentOf)
            else { continue }
            let key = Key(source: source, kind: kind)
            guard let known = found.firstIndex(where: { $0.key == key }) else {
                found.append(Asked(key: key, demand: demand, expressions: [position]))
                continue
            }
            // Of two demands the first is enough, unless they are two sides of a range.
            guard case .within(let mine) = found[known].demand, case .within(let theirs) = demand else { continue }
            found[known].demand = .within(mine + theirs)
            found[known].expressions.append(position)
        }
        return found
    }

    private func source(_ term: IRTerm, _ argumentOf: [LocalID: Int]) -> Source? {
        switch term {
        case .local(let id): return argumentOf[id].map { Source(argument: $0, path: []) }
        case .ref(let ref):
            var path: [Value] = []
            for part in ref.path {
                guard case .constant(let key) = part, !key.isCollection else { return nil }
                path.append(key)
            }
            switch ref.root {
            case .input: return path.isEmpty ? nil : Source(argument: -1, path: path)
            case .local(let id): return argumentOf[id].map { Source(argument: $0, path: path) }
            default: return nil
            }
        default: return nil
        }
    }

    private func constant(_ term: IRTerm) -> Value? {
        guard case .constant(let value) = term, !value.isCollection else { return nil }
        return value
    }

    private func demand(of expression: IRExpression) -> (IRTerm, Kind, RuleTable.Demand)? {
        switch expression.kind {
        case .unify(let a, let b):
            if let value = constant(b) { return (a, .values, .anyOf([value])) }
            if let value = constant(a) { return (b, .values, .anyOf([value])) }
            return nil
        case .call(let callee, let arguments, nil):
            guard case .builtin(let index) = callee, !mocked.contains(callee), arguments.count == 2 else { return nil }
            return demand(of: builtins.all[index].name, arguments[0], arguments[1])
        default: return nil
        }
    }

    private func demand(of name: String, _ left: IRTerm, _ right: IRTerm) -> (IRTerm, Kind, RuleTable.Demand)? {
        func range(_ comparison: RuleTable.Comparison, _ mirrored: RuleTable.Comparison) -> (IRTerm, Kind, RuleTable.Demand)? {
            if let bound = constant(right) { return (left, .ranges, .within([(comparison, bound)])) }
            if let bound = constant(left) { return (right, .ranges, .within([(mirrored, bound)])) }
            return nil
        }
        switch name {
        case "internal.member_2":
            guard case .constant(let list) = right, list.isSet || list.isArray, list.elements.allSatisfy({ !$0.isCollection }) else {
                return nil
            }
            return (left, .values, .anyOf(Array(Set(list.elements))))
        case "startswith":
            guard let prefix = constant(right), prefix.isString else { return nil }
            return (left, .prefixes, .startsWith([prefix]))
        case "lt": return range(.less, .greater)
        case "lte": return range(.lessOrEqual, .greaterOrEqual)
        case "gt": return range(.greater, .less)
        case "gte": return range(.greaterOrEqual, .lessOrEqual)
        default: return nil
        }
    }
}
