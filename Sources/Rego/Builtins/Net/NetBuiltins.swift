private let networks = ValueType.oneOf([
    .string, .array(of: .oneOf([.string, .anyArray])), .set(.oneOf([.string, .anyArray])),
    .object(of: .string, .oneOf([.string, .anyArray])),
])

/// `net.*`: arithmetic on addresses. Nothing reaches a network.
let netBuiltins: [Builtin] = [
    Builtin("net.cidr_contains", [.string, .string], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(try contains(try CIDR(try arguments.text(0)), try arguments.text(1)))
    },
    Builtin("net.cidr_overlap", [.string, .string], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(try contains(try CIDR(try arguments.text(0)), try arguments.text(1)))
    },
    Builtin("net.cidr_intersects", [.string, .string], .boolean) { arguments, _ throws(BuiltinFailure) in
        Value(try CIDR(try arguments.text(0)).intersects(try CIDR(try arguments.text(1))))
    },
    Builtin("net.cidr_is_valid", [.string], .boolean) { arguments, _ throws(BuiltinFailure) in
        guard let text = arguments[0].asString else { return .false }
        return Value((try? CIDR(text)) != nil)
    },
    Builtin("net.cidr_expand", [.string], .set(.string)) { arguments, context throws(BuiltinFailure) in
        context.arena.set(try CIDR(try arguments.text(0)).expanded().map { context.arena.string($0) })
    },
    Builtin("net.cidr_merge", [.oneOf([.array(of: .oneOf([.string])), .set(.string)])], .set(.string)) {
        arguments, context throws(BuiltinFailure) in
        let collection = arguments[0]
        guard collection.isArray || collection.isSet else { throw .operand(1, mustBe: .set, .array, got: collection) }
        var parsed: [CIDR] = []
        for element in collection.elements {
            guard let text = element.asString else { throw BuiltinFailure("element must be string") }
            parsed.append(try CIDR.mergeable(text))
        }
        return context.arena.set(CIDR.merged(parsed).map { context.arena.string($0.text) })
    },
    Builtin("net.cidr_contains_matches", [networks, networks], .set(.array([.any, .any], nil))) {
        arguments, context throws(BuiltinFailure) in
        let outer = try candidates(arguments[0], position: 1, context)
        let inner = try candidates(arguments[1], position: 2, context)
        if outer.count * inner.count > BuiltinLimits.matchStepsMax {
            throw .tooLarge("comparisons of networks", BuiltinLimits.matchStepsMax)
        }
        var found: [Value] = []
        for (key, text) in outer {
            let network = try CIDR(text)
            for (otherKey, other) in inner where try contains(network, other) {
                found.append(context.arena.array([key, otherKey]))
                if found.count > BuiltinLimits.elementsMax { throw .tooLarge("elements of the result", BuiltinLimits.elementsMax) }
            }
        }
        return context.arena.set(found)
    },
    Builtin("net.lookup_ip_addr", [.string], .set(.string), isPure: false) { arguments, context throws(BuiltinFailure) in
        let name = try arguments.text(0)
        if let address = IPAddress(name) { return context.arena.set([context.arena.string(address.text)]) }
        if name == "localhost" { return context.arena.set(["127.0.0.1", "::1"].map { context.arena.string($0) }) }
        throw BuiltinFailure(
            "lookup \(name): names are not looked up during a decision; mock it `with` a function, or put the addresses into data")
    },
]

/// Whether a network holds an address or a whole other network.
private func contains(_ network: CIDR, _ text: String) throws(BuiltinFailure) -> Bool {
    if let address = IPAddress(text) { return network.contains(address) }
    return network.contains(try CIDR(text))
}

/// The networks of an operand, each with what stands for it in the result: itself, its index or its key.
private func candidates(_ value: Value, position: Int, _ context: BuiltinContext) throws(BuiltinFailure) -> [(Value, String)] {
    func text(_ element: Value) throws(BuiltinFailure) -> String {
        if let text = element.asString { return text }
        if element.isArray, element.count > 0, let text = element.slot(0).asString { return text }
        throw BuiltinFailure("operand \(position): element must be string or non-empty array")
    }
    var result: [(Value, String)] = []
    switch value.kind {
    case .string: result.append((value, value.asString ?? ""))
    case .array: for (index, element) in value.elements.enumerated() { result.append((Value(index), try text(element))) }
    case .set: for element in value.elements { result.append((element, try text(element))) }
    case .object: for (key, element) in value.entries { result.append((key, try text(element))) }
    default: throw .operand(position, mustBe: .string, .array, .set, .object, got: value)
    }
    return result
}
