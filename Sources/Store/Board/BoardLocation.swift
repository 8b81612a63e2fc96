import CPlatform
import Glibc

/// Chooses where the board lies: memory that survives the process, but need not survive the host.
package enum BoardLocation {
    /// The folders worth trying, best first. The state folder is the last: it is a disk, so that renewals wear it, but it always exists.
    package static func candidates(stateDirectory: String, environment: [String: String]) -> [String] {
        var folders: [String] = []
        // systemd gives a list, one entry for each RuntimeDirectory=.
        if let first = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first { folders.append(String(first)) }
        folders.append("/run/posto")
        if let session = environment["XDG_RUNTIME_DIR"], session.hasPrefix("/") { folders.append(session) }
        folders.append("/dev/shm")
        folders.append(stateDirectory)
        return folders
    }

    /// The path of the board of this state folder. Its name carries device and inode of the folder, so that two daemons never share one,
    /// under whatever path they know it.
    package static func choose(stateDirectory: String, environment: [String: String]) throws(StoreError) -> String {
        var status = stat()
        guard stat(stateDirectory, &status) == 0 else { throw StoreError(.system, "look at \(stateDirectory)", number: errno) }
        let name = "lease-\(String(status.st_dev, radix: 16))-\(String(status.st_ino, radix: 16)).board"
        for folder in candidates(stateDirectory: stateDirectory, environment: environment) where isUsable(folder) {
            return folder + "/" + name
        }
        throw StoreError(.system, "find a folder for the lease board; \(stateDirectory) cannot be written", number: EACCES)
    }

    private static func isUsable(_ folder: String) -> Bool {
        var status = stat()
        return stat(folder, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && access(folder, W_OK | X_OK) == 0
    }
}
