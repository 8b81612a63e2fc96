import CPlatform
import Domain
import Glibc
import Registry

/// Reads the static registrations: `*.json` of one folder, in the order of their names.
package enum StaticFolder {
    /// - Returns: what is right, and what is wrong with the rest. A missing folder is empty.
    package static func read(
        _ folder: String, defaults: RegistrationReader.Defaults, now: Timestamp
    ) -> (instances: [StaticInstance], faults: [StaticServices.Fault]) {
        guard !folder.isEmpty else { return ([], []) }
        guard let directory = opendir(folder) else {
            let number = errno
            guard number != ENOENT else { return ([], []) }
            return ([], [StaticServices.Fault(file: folder, line: nil, message: "cannot be read: \(String(cString: strerror(number)))")])
        }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(".json"), !name.hasPrefix(".") { names.append(name) }
        }
        closedir(directory)
        var instances: [StaticInstance] = []
        var faults: [StaticServices.Fault] = []
        var places: [InstanceKey: String] = [:]
        for name in names.sorted() {
            let path = folder + "/" + name
            guard let bytes = contents(of: path) else {
                faults.append(
                    StaticServices.Fault(
                        file: path, line: nil, message: "cannot be read, or is larger than \(Limits.staticFileBytesMax) bytes"))
                continue
            }
            let (found, wrong) = StaticServices.read(file: path, bytes: bytes, defaults: defaults, loadedAt: now)
            faults += wrong
            for instance in found {
                let key = InstanceKey(tenant: instance.tenant, service: instance.service, id: instance.id)
                if let place = places[key] {
                    faults.append(
                        StaticServices.Fault(
                            file: path, line: nil,
                            message: "\(instance.service)/\(instance.id) stands in \(place) already; give it another id"))
                } else {
                    places[key] = path
                    instances.append(instance)
                }
            }
        }
        if instances.count > Limits.staticInstancesMax {
            faults.append(
                StaticServices.Fault(file: folder, line: nil, message: "holds more than \(Limits.staticInstancesMax) registrations"))
            instances.removeLast(instances.count - Limits.staticInstancesMax)
        }
        return (instances, faults)
    }

    private static func contents(of path: String) -> [UInt8]? {
        // Without waiting: somebody may have put a pipe there.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1_024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > Limits.staticFileBytesMax { return nil }
        }
    }
}
