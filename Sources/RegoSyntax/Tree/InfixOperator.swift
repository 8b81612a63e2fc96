/// The operators that are written between their operands, and the built-in functions they stand for.
public enum InfixOperator: UInt8, CaseIterable, Sendable {
    case assign, unify
    case equal, notEqual, lessThan, lessOrEqual, greaterThan, greaterOrEqual
    case plus, minus, multiply, divide, remainder
    case union, intersection
    case member, memberWithKey

    /// The built-in's name as a call has it.
    public var name: String {
        switch self {
        case .assign: "assign"
        case .unify: "eq"
        case .equal: "equal"
        case .notEqual: "neq"
        case .lessThan: "lt"
        case .lessOrEqual: "lte"
        case .greaterThan: "gt"
        case .greaterOrEqual: "gte"
        case .plus: "plus"
        case .minus: "minus"
        case .multiply: "mul"
        case .divide: "div"
        case .remainder: "rem"
        case .union: "or"
        case .intersection: "and"
        case .member: "internal.member_2"
        case .memberWithKey: "internal.member_3"
        }
    }

    /// The sign between the operands.
    public var sign: String {
        switch self {
        case .assign: ":="
        case .unify: "="
        case .equal: "=="
        case .notEqual: "!="
        case .lessThan: "<"
        case .lessOrEqual: "<="
        case .greaterThan: ">"
        case .greaterOrEqual: ">="
        case .plus: "+"
        case .minus: "-"
        case .multiply: "*"
        case .divide: "/"
        case .remainder: "%"
        case .union: "|"
        case .intersection: "&"
        case .member, .memberWithKey: "in"
        }
    }

    /// The operator a call stands for, however it was written: `plus(1, 2)` is `1 + 2`.
    public init?(operator term: Term) {
        guard case .ref(let parts) = term.value, case .variable(let head) = parts.first?.value else { return nil }
        if parts.count == 1 {
            guard let found = Self.byName[head] else { return nil }
            self = found
        } else {
            guard parts.count == 2, head == "internal", case .string(let name) = parts[1].value else { return nil }
            switch name {
            case "member_2": self = .member
            case "member_3": self = .memberWithKey
            default: return nil
            }
        }
    }

    private static let byName: [String: InfixOperator] = {
        var table: [String: InfixOperator] = [:]
        for one in allCases where one != .member && one != .memberWithKey { table[one.name] = one }
        return table
    }()

    /// The reference of each operator, made once: a call shares it, so that an operator costs no allocation.
    static let refs: [TermValue] = allCases.map { one in
        switch one {
        case .member: .ref([Term(.variable("internal")), Term(.string("member_2"))])
        case .memberWithKey: .ref([Term(.variable("internal")), Term(.string("member_3"))])
        default: .ref([Term(.variable(one.name))])
        }
    }

    /// The operator as the first term of a call.
    func term(at location: Location) -> Term { Term(Self.refs[Int(rawValue)], at: location) }
}
