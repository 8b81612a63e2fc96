import Glibc

/// What root made in a folder of another user becomes that user's: the daemon must be able to open it.
enum Ownership {
    /// Goes through the folder and what is in it. Follows no link, so that the folder's owner cannot lead it elsewhere.
    static func giveBack(_ folder: String) {
        guard geteuid() == 0 else { return }
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0 else { return }
        guard fstat(descriptor, &status) == 0, status.st_uid != 0 else {
            close(descriptor)
            return
        }
        walk(descriptor, status.st_uid, status.st_gid, depth: 0)
    }

    /// Takes over the descriptor.
    private static func walk(_ folder: Int32, _ user: uid_t, _ group: gid_t, depth: Int) {
        // evidence/SET/FILE is the deepest.
        guard depth < 4, let entries = fdopendir(folder) else {
            close(folder)
            return
        }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }).map { CChar(bitPattern: $0) } + [0] }
            if name == [46, 0] || name == [46, 46, 0] { continue }
            var status = stat()
            guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            // A second name may lie anywhere.
            if status.st_uid == 0, isFolder || (status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1) {
                fchownat(folder, name, user, group, AT_SYMLINK_NOFOLLOW)
            }
            guard isFolder else { continue }
            let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            if inner >= 0 { walk(inner, user, group, depth: depth + 1) }
        }
    }
}
