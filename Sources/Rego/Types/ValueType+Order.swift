extension ValueType: Equatable {
    public static func == (a: ValueType, b: ValueType) -> Bool { compare(a, b) == 0 }

    /// By bytes: quicker than by characters, and as Go compares.
    static func order(_ a: String, _ b: String) -> Int {
        if a == b { return 0 }
        return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
    }

    private var rank: Int {
        switch self {
        case .unknown: -1
        case .null: 0
        case .boolean: 1
        case .number: 2
        case .string: 3
        case .array: 4
        case .object: 5
        case .set: 6
        case .any, .oneOf: 7
        case .function: 8
        }
    }

    /// OPA's order of types: it decides how alternatives are printed.
    static func compare(_ a: ValueType, _ b: ValueType) -> Int {
        let (x, y) = (a.rank, b.rank)
        if x != y { return x < y ? -1 : 1 }
        switch (a, b) {
        case (.array(let first, let rest), .array(let otherFirst, let otherRest)):
            let order = compare(rest, otherRest)
            return order != 0 ? order : compare(first, otherFirst)
        case (.object(let fields, let rest), .object(let otherFields, let otherRest)):
            let order = compare(rest?.key, otherRest?.key)
            if order != 0 { return order }
            let second = compare(rest?.value, otherRest?.value)
            if second != 0 { return second }
            for (one, other) in zip(fields, otherFields) {
                let order = TypeKey.compare(one.key, other.key)
                if order != 0 { return order }
                let second = compare(one.type, other.type)
                if second != 0 { return second }
            }
            return fields.count == otherFields.count ? 0 : (fields.count < otherFields.count ? -1 : 1)
        case (.set(let element), .set(let other)): return compare(element, other)
        case (.any, .any): return 0
        case (.any, .oneOf): return -1
        case (.oneOf, .any): return 1
        case (.oneOf(let types), .oneOf(let others)): return compare(types, others)
        case (.function(let one), .function(let other)):
            if one.parameters.count != other.parameters.count { return one.parameters.count < other.parameters.count ? -1 : 1 }
            let order = compare(one.parameters, other.parameters)
            return order != 0 ? order : compare(one.result ?? .unknown, other.result ?? .unknown)
        default: return 0
        }
    }

    private static func compare(_ a: ValueType?, _ b: ValueType?) -> Int {
        switch (a, b) {
        case (nil, nil): 0
        case (nil, _): -1
        case (_, nil): 1
        case (let a?, let b?): compare(a, b)
        }
    }

    private static func compare(_ a: [ValueType], _ b: [ValueType]) -> Int {
        for (one, other) in zip(a, b) {
            let order = compare(one, other)
            if order != 0 { return order }
        }
        return a.count == b.count ? 0 : (a.count < b.count ? -1 : 1)
    }
}
