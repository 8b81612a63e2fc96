import Domain
import Synchronization

/// A registration that stands in a file: shown while nobody of that name is live.
package struct StaticInstance: Equatable, Sendable {
    package let tenant: String
    package let service: String
    package let id: String
    package let members: [UInt8]
    package let loadedAt: Timestamp
}

/// The static registrations of one reading of the files. Immutable.
package final class StaticServiceSet: Sendable {
    private let byTenant: [String: [StaticInstance]]
    /// By tenant, service, then id.
    package let all: [StaticInstance]

    package init(_ instances: [StaticInstance]) {
        byTenant = Dictionary(grouping: instances, by: \.tenant).mapValues { instances in
            instances.sorted { ListCursor(service: $0.service, id: $0.id) < ListCursor(service: $1.service, id: $1.id) }
        }
        all = byTenant.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.flatMap(\.value)
    }

    package static let empty = StaticServiceSet([])

    /// By service, then id.
    package func sorted(tenant: String) -> [StaticInstance] { byTenant[tenant] ?? [] }

    package func instances(tenant: String, service: String) -> [StaticInstance] {
        sorted(tenant: tenant).filter { $0.service == service }
    }

    package var count: Int { byTenant.values.reduce(0) { $0 + $1.count } }
}

/// The fallback of last resort: what the operator wrote down, kept as one set that is replaced whole.
package final class StaticServices: Sendable {
    private let stored: Mutex<StaticServiceSet>

    package init(_ set: StaticServiceSet) { stored = Mutex(set) }

    package var current: StaticServiceSet { stored.withLock { $0 } }

    package func replace(_ set: StaticServiceSet) { stored.withLock { $0 = set } }

    /// A fault in a file: what a person must correct.
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let file: String
        package let line: Int?
        package let message: String

        package init(file: String, line: Int?, message: String) {
            self.file = file
            self.line = line
            self.message = message
        }

        package var description: String { line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)" }
    }

    /// Reads one file: a registration, or an array of them. What is right is taken, what is wrong is told; nothing is half taken.
    package static func read(
        file: String, bytes: [UInt8], defaults: RegistrationReader.Defaults, loadedAt: Timestamp
    ) -> (instances: [StaticInstance], faults: [Fault]) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument.parse(bytes)
        } catch {
            return ([], [Fault(file: file, line: error.line, message: error.message)])
        }
        var instances: [StaticInstance] = []
        var faults: [Fault] = []
        let values = document.root.kind == .array ? Array(document.root.elements) : [document.root]
        for value in values {
            switch RegistrationReader.read(value, defaults: defaults) {
            case .registration(let registration):
                instances.append(
                    StaticInstance(
                        tenant: registration.tenant, service: registration.serviceName, id: registration.id,
                        members: registration.members(), loadedAt: loadedAt))
            case .refused(let refusals):
                let line = value.position.line
                faults.append(
                    contentsOf: refusals.map {
                        Fault(file: file, line: line, message: "\($0.field): \($0.message) (for example \($0.example))")
                    })
            }
        }
        return (instances, faults)
    }
}
