/// A generator of chance that can be repeated: SplitMix64.
struct SeededChance {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func one<T>(of list: [T]) -> T { list[below(list.count)] }
    mutating func isIn(_ percent: Int) -> Bool { below(100) < percent }
    mutating func shuffled<T>(_ list: [T]) -> [T] {
        var list = list
        for index in list.indices.dropLast() { list.swapAt(index, index + below(list.count - index)) }
        return list
    }
}

/// A policy made by chance: rules `r0`, `r1`, … and functions `f2`, … that refer to earlier ones, and variables `v0`, `v1`, …, each name used
/// for one variable of one rule.
///
/// Bodies can be run in the order they have; that they give the same in another order is what the tests look at.
struct GeneratedProgram {
    struct Expression {
        /// With `:=` and `some`.
        var declaring: String
        /// With `=` alone: it may stand anywhere in the body.
        var unifying: String
        /// It mentions no variable of the body, and calls nothing: what is called within a negation is no part of it.
        var isClosed: Bool
    }

    struct Rule {
        enum Shape { case complete, contains, keyed, function }
        var shape: Shape
        var name: String
        var parameters: [String] = []
        var key: String?
        var value: String
        var body: [Expression]
        var elseBody: (value: String, body: [Expression])?
    }

    private(set) var rules: [Rule] = []
    private var chance: SeededChance
    private var variables = 0
    /// Names of rules that can be referred to, and functions with their number of parameters.
    private var names: [(name: String, shape: Rule.Shape)] = []
    private var functions: [(name: String, arity: Int)] = []

    init(seed: UInt64) {
        chance = SeededChance(seed)
        for number in 0..<(2 + chance.below(6)) { rules.append(rule(number)) }
    }

    // MARK: text

    var text: String { text { $0.declaring } }

    func text(_ write: (Expression) -> String) -> String { "package t\n\n" + rules.map { GeneratedProgram.text($0, write) }.joined() }

    static func text(_ rule: Rule, _ write: (Expression) -> String) -> String {
        let body = rule.body.isEmpty ? "true" : rule.body.map(write).joined(separator: "\n\t")
        var text: String
        switch rule.shape {
        case .complete: text = "\(rule.name) := \(rule.value) if {\n\t\(body)\n}"
        case .contains: text = "\(rule.name) contains \(rule.value) if {\n\t\(body)\n}"
        case .keyed: text = "\(rule.name)[\(rule.key ?? "")] := \(rule.value) if {\n\t\(body)\n}"
        case .function: text = "\(rule.name)(\(rule.parameters.joined(separator: ", "))) := \(rule.value) if {\n\t\(body)\n}"
        }
        if let other = rule.elseBody {
            text += " else := \(other.value) if {\n\t\(other.body.isEmpty ? "true" : other.body.map(write).joined(separator: "\n\t"))\n}"
        }
        return text + "\n\n"
    }

    // MARK: rules

    private mutating func fresh() -> String {
        variables += 1
        return "v\(variables - 1)"
    }

    private mutating func rule(_ number: Int) -> Rule {
        let shape: Rule.Shape = chance.one(of: [.complete, .contains, .contains, .keyed, .function])
        var made = Rule(shape: shape, name: (shape == .function ? "f" : "r") + "\(number)", value: "", body: [])
        var known: [String] = []
        if shape == .function {
            for _ in 0...chance.below(2) {
                let name = fresh()
                known.append(name)
                if chance.isIn(20) {
                    let second = fresh()
                    known.append(second)
                    made.parameters.append("[\(name), \(second)]")
                } else {
                    made.parameters.append(name)
                }
            }
        }
        let parameters = known
        made.body = body(&known, 1 + chance.below(4))
        made.value = term(known, 2)
        if shape == .keyed { made.key = chance.one(of: known + ["\"k\"", "\"l\""]) }
        if (shape == .complete || shape == .function) && chance.isIn(30) {
            var inner = parameters
            let body = body(&inner, chance.below(3))
            made.elseBody = (term(inner, 1), body)
        }
        if shape == .function { functions.append((made.name, made.parameters.count)) } else { names.append((made.name, shape)) }
        return made
    }

    private mutating func body(_ known: inout [String], _ count: Int) -> [Expression] {
        (0..<count).map { _ in expression(&known) }
    }

    private mutating func expression(_ known: inout [String]) -> Expression {
        switch chance.below(10) {
        case 0, 1:
            let value = term(known, 2)
            let name = fresh()
            known.append(name)
            return Expression(declaring: "\(name) := \(value)", unifying: "\(name) = \(value)", isClosed: false)
        case 2, 3:
            let collection = collection(known)
            let name = fresh()
            known.append(name)
            return Expression(declaring: "some \(name) in \(collection)", unifying: "\(collection)[_] = \(name)", isClosed: false)
        case 4:
            let reference = reference(known)
            let (key, value) = (fresh(), fresh())
            known += [key, value]
            let text = "\(reference)[\(key)] = \(value)"
            return Expression(declaring: "some \(key), \(value) in \(reference)", unifying: text, isClosed: false)
        case 5:
            let text = "not \(comparison(known))"
            return Expression(declaring: text, unifying: text, isClosed: isClosed(text))
        case 6:
            let name = fresh()
            let text = "every \(name) in \(reference(known)) { \(name) \(chance.one(of: ["!=", "<", ">="])) \(term(known, 1)) }"
            return Expression(declaring: text, unifying: text, isClosed: false)
        case 7:
            let (first, second) = (fresh(), fresh())
            let value = "[\(term(known, 1)), \(term(known, 1))]"
            known += [first, second]
            return Expression(
                declaring: "[\(first), \(second)] := \(value)", unifying: "[\(first), \(second)] = \(value)", isClosed: false)
        default:
            let text = comparison(known)
            return Expression(declaring: text, unifying: text, isClosed: isClosed(text))
        }
    }

    private func isClosed(_ text: String) -> Bool { !text.contains("v") && !text.contains(" ") && !text.contains("(") }

    private mutating func comparison(_ known: [String]) -> String {
        switch chance.below(6) {
        case 0: "\(term(known, 1)) in \(reference(known))"
        case 1: reference(known)
        case 2: "is_number(\(term(known, 1)))"
        case 3: "input.\(chance.one(of: ["a", "b", "c.a"])) == \(term(known, 1))"
        default: "\(term(known, 1)) \(chance.one(of: ["!=", "<", "<=", ">", ">="])) \(term(known, 1))"
        }
    }

    /// Something that has parts, most of the time.
    private mutating func collection(_ known: [String]) -> String {
        chance.isIn(70) ? reference(known) : "[\(term(known, 1)), \(term(known, 1))]"
    }

    private mutating func reference(_ known: [String]) -> String {
        let collections = names.filter { $0.shape != .complete }
        if !collections.isEmpty, chance.isIn(40) { return chance.one(of: collections).name }
        var text = "input." + chance.one(of: ["a", "b", "c", "d", "e"])
        if chance.isIn(30) { text += "[\(chance.one(of: known + ["0", "\"a\"", "1"]))]" }
        return text
    }

    private mutating func term(_ known: [String], _ depth: Int) -> String {
        if depth == 0 || chance.isIn(40) {
            if !names.isEmpty, chance.isIn(15) { return chance.one(of: names).name }
            if !known.isEmpty, chance.isIn(60) { return chance.one(of: known) }
            return chance.one(of: ["0", "1", "2", "\"a\"", "\"b\"", "null", "true", "input.a", "input.b", "input.c.a", "input.d[0]"])
        }
        switch chance.below(9) {
        case 0: return reference(known)
        case 1: return "[\(term(known, depth - 1)), \(term(known, depth - 1))]"
        case 2: return "{\"a\": \(term(known, depth - 1)), \"b\": \(term(known, depth - 1))}"
        case 3: return "{\(term(known, depth - 1)), \(term(known, depth - 1))}"
        case 4: return "(\(number(known)) \(chance.one(of: ["+", "-", "*", "%"])) \(number(known)))"
        case 5: return "count(\(reference(known)))"
        case 6 where !functions.isEmpty:
            let function = chance.one(of: functions)
            return "\(function.name)(\((0..<function.arity).map { _ in term(known, depth - 1) }.joined(separator: ", ")))"
        case 7:
            var inner = known
            let body = [expression(&inner), expression(&inner)].map(\.declaring).joined(separator: "; ")
            let value = term(inner, depth - 1)
            return chance.isIn(50) ? "[\(value) | \(body)]" : "{\(value) | \(body)}"
        default: return chance.one(of: known + ["1", "\"b\""])
        }
    }

    private mutating func number(_ known: [String]) -> String {
        chance.one(of: ["1", "2", "3", "input.a", "count(\(reference(known)))"])
    }

    // MARK: inputs

    static let inputs = [
        "{\"a\":1,\"b\":[1,2,\"a\"],\"c\":{\"a\":1,\"b\":[2]},\"d\":[[1],{\"a\":0}],\"e\":\"ab\"}",
        "{\"a\":\"a\",\"b\":{\"a\":0,\"b\":1},\"c\":[{\"a\":2}],\"d\":[1,1],\"e\":null}",
        "{\"b\":[],\"c\":{\"a\":[1,2]},\"d\":{\"a\":{\"b\":false}}}",
    ]
}
