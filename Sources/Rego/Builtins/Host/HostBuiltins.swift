/// What asks the program around the engine, or tells it something.
let hostBuiltins: [Builtin] = [
    Builtin("opa.runtime", [], .object(of: .string, .any), isPure: false) { _, context throws(BuiltinFailure) in
        let variables = context.host.environment.map { ($0.key, context.arena.string($0.value)) }
        return context.arena.record([("env", context.arena.record(variables))])
    },
    Builtin("trace", [.string], .boolean, isPure: false) { arguments, context throws(BuiltinFailure) in
        context.notes.append(try arguments.text(0))
        return .true
    },
    Builtin("http.send", [.object(of: .string, .any)], .object(of: .any, .any), isPure: false) { arguments, _ throws(BuiltinFailure) in
        let request = try arguments.object(0)
        let missing: [String] = ["method", "url"].filter { name in !request.keys.elements.contains { $0.asString == name } }
        if !missing.isEmpty {
            throw BuiltinFailure(
                "operand 1 missing required request parameters(s): {\(missing.map { "\"\($0)\"" }.joined(separator: ", "))}", kind: .type)
        }
        throw BuiltinFailure(
            "a decision sends no request (\(request["url"].asString ?? "")): mock it `with` a function, or let the bundle bring the data")
    },
]
