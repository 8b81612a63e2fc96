import Rego
import RegoHost

@testable import Rego

/// Calls built-ins with arguments written as JSON; answers as JSON.
struct BuiltinCall {
    /// A built-in's error, as `name: message`.
    struct Refusal: Error, Equatable { let text: String }

    /// The JSON of the result, or nil when it is undefined.
    static func call(_ name: String, _ arguments: String...) throws -> String? {
        let arena = Arena()
        let context = BuiltinContext(arena: arena, host: .libraries())
        let values = try arguments.map { try JSONReader.read(Array($0.utf8), into: arena) }
        return try call(name, values, context)
    }

    static func call(_ name: String, _ values: [Value], _ context: BuiltinContext) throws -> String? {
        guard let builtin = BuiltinTable.standard[name] else { throw Refusal(text: "there is no \(name)") }
        precondition(builtin.parameters.count == values.count, "\(name) takes \(builtin.parameters.count) arguments")
        let result: Result<Value, BuiltinFailure> = values.withUnsafeBufferPointer { values in
            do throws(BuiltinFailure) { return .success(try builtin.call(values, context)) } catch { return .failure(error) }
        }
        switch result {
        case .success(let value): return value.isUndefined ? nil : JSONWriter.text(value)
        case .failure(let failure): throw Refusal(text: "\(name): \(failure.message)")
        }
    }

    /// The text of the error that a call ends with; nil when it gives a value.
    static func error(_ name: String, _ arguments: [String]) -> String? {
        let arena = Arena()
        let context = BuiltinContext(arena: arena, host: .libraries())
        do {
            let values = try arguments.map { try JSONReader.read(Array($0.utf8), into: arena) }
            _ = try call(name, values, context)
            return nil
        } catch let refusal as Refusal {
            return refusal.text
        } catch {
            return "\(error)"
        }
    }
}
