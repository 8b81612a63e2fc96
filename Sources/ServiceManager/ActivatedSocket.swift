import CSystemd
import Glibc

/// A listening socket that systemd opened for us and keeps over our restarts (sd_listen_fds(3)).
package struct ActivatedSocket: Equatable, Sendable {
    package enum Family: Equatable, Sendable { case tcp, unix }

    package let descriptor: Int32
    /// `FileDescriptorName=` of the socket unit.
    package let name: String
    package let family: Family

    package init(descriptor: Int32, name: String, family: Family) {
        self.descriptor = descriptor
        self.name = name
        self.family = family
    }

    /// Takes over what systemd handed to this process, once: the variables are removed, so that no child believes they are its own.
    /// Descriptors that are no listening stream sockets are left out. In main, before the first thread.
    package static func takeAll() -> [ActivatedSocket] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        guard count > 0 else { return [] }
        var result: [ActivatedSocket] = []
        for i in 0..<Int(count) {
            let descriptor = SD_LISTEN_FDS_START + Int32(i)
            let name = names?[i].map { String(cString: $0) } ?? ""
            free(names?[i])
            if sd_is_socket(descriptor, AF_UNIX, Int32(SOCK_STREAM.rawValue), 1) > 0 {
                result.append(ActivatedSocket(descriptor: descriptor, name: name, family: .unix))
            } else if sd_is_socket(descriptor, AF_UNSPEC, Int32(SOCK_STREAM.rawValue), 1) > 0 {
                result.append(ActivatedSocket(descriptor: descriptor, name: name, family: .tcp))
            }
        }
        free(names)
        return result
    }
}
