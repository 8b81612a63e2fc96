import Domain

/// One registration as JSON, and where it was read.
struct RegistrationText: Equatable {
    let bytes: [UInt8]
    /// `FILE:3`; nil for one from flags.
    let place: String?

    /// Reads one object, an array of them, or one a line.
    static func read(_ bytes: [UInt8], from name: String) throws(CommandFailure) -> [RegistrationText] {
        let found: [RegistrationText]
        do throws(JSONError) {
            let root = try JSONDocument.parse(bytes).root
            found = (root.kind == .array ? root.elements.map { $0 } : [root]).map {
                RegistrationText(bytes: Array($0.rawBytes), place: "\(name):\($0.position.line)")
            }
        } catch {
            found = try readLines(bytes, name, whole: error)
        }
        guard !found.isEmpty else { throw CommandFailure(.usage, "\(name) holds no registration") }
        return found
    }

    private static func readLines(_ bytes: [UInt8], _ name: String, whole: JSONError) throws(CommandFailure) -> [RegistrationText] {
        var found: [RegistrationText] = []
        for (number, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 32 && $0 != 9 && $0 != 13 }) else { continue }
            do throws(JSONError) {
                _ = try JSONDocument.parse(Array(line))
            } catch {
                // A single document over several lines is told of as a whole.
                let reason = found.isEmpty ? "\(whole)" : "\(error)"
                throw CommandFailure(
                    .usage, "\(name)\(found.isEmpty ? "" : ":\(number + 1)") is not JSON: \(reason)",
                    hint: #"write {"service_name":"my-service","host":"127.0.0.1","port":8080,"health_endpoint":"/health"}"#)
            }
            found.append(RegistrationText(bytes: Array(line), place: "\(name):\(number + 1)"))
        }
        return found
    }
}
