import CPlatform
import Domain
import Glibc
import Store

/// What a start needs of its state folder: that it can write there, that there is room, and that what is kept there stays.
enum StateCheck {
    static func findings(_ folder: StateFolder, storeBytesMax: UInt64) -> [Finding] {
        let (writable, existing) = writable(folder)
        var findings = writable
        guard let existing else { return findings }
        findings.append(free(existing, storeBytesMax: storeBytesMax))
        findings.append(fileSystem(existing))
        if let holder = StateLock.holder(of: folder.path) {
            findings.append(
                Finding(
                    .fail, "lock", "a daemon\(holder) uses \(folder.path)",
                    hint: "it runs already; stop it first, or choose another --state"))
        } else {
            findings.append(Finding(.ok, "lock", "no other daemon uses the state folder"))
        }
        for name in StateFolder.environments { findings.append(store(name, folder)) }
        return findings
    }

    /// Also gives the folder, or what it will be made in.
    private static func writable(_ folder: StateFolder) -> ([Finding], existing: String?) {
        var findings: [Finding] = []
        for path in [folder.path, folder.path + "/store", folder.path + "/evidence", folder.path + "/releases"] {
            guard access(path, F_OK) == 0 else { continue }
            var status = stat()
            if stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR {
                findings.append(Finding(.fail, "state folder", "\(path) is no folder", hint: "move it away"))
            } else if access(path, R_OK | W_OK | X_OK) != 0 {
                findings.append(
                    Finding(
                        .fail, "state folder", "\(path) cannot be written by this user",
                        hint: "chown -R posto: \(folder.path), or run as its owner"))
            } else if status.st_mode & 0o077 != 0, path == folder.path {
                findings.append(
                    Finding(.warn, "state folder", "\(path) can be entered by other users", hint: "chmod 0700 \(path)"))
            }
        }
        if access(folder.path, F_OK) == 0 {
            return (findings.isEmpty ? [Finding(.ok, "state folder", "\(folder.path) can be written")] : findings, folder.path)
        }
        var parent = folder.path
        repeat {
            guard let slash = parent.lastIndex(of: "/") else {
                parent = "."
                break
            }
            parent = slash == parent.startIndex ? "/" : String(parent[..<slash])
        } while access(parent, F_OK) != 0
        if access(parent, W_OK | X_OK) == 0 { return ([Finding(.ok, "state folder", "\(folder.path) will be made in \(parent)")], parent) }
        return (
            [
                Finding(
                    .fail, "state folder", "\(folder.path) is not there and cannot be made in \(parent)",
                    hint: "mkdir -m 0700 \(folder.path) and give it to the daemon's user")
            ], parent
        )
    }

    private static func free(_ path: String, storeBytesMax: UInt64) -> Finding {
        var answer = statvfs()
        guard statvfs(path, &answer) == 0 else {
            return Finding(.fail, "free space", "cannot be asked of \(path): \(String(cString: strerror(errno)))")
        }
        let free = UInt64(answer.f_bavail) * UInt64(answer.f_frsize)
        let message = "\(HumanText.bytes(free)) below \(path)"
        if free < Limits.preflightFreeBytesMin {
            return Finding(.fail, "free space", message, hint: "free at least \(HumanText.bytes(Limits.preflightFreeBytesMin))")
        }
        if free < storeBytesMax {
            return Finding(
                .warn, "free space", "\(message), and the store may grow to \(HumanText.bytes(storeBytesMax))",
                hint: "set store.size_max lower, or make room")
        }
        return Finding(.ok, "free space", message)
    }

    private static func fileSystem(_ path: String) -> Finding {
        guard let kind = MountTable.kind(of: path) else {
            return Finding(.warn, "file system", "\(path): its kind is not known", hint: "use ext4 or XFS on a disk of this host")
        }
        switch kind {
        case "ext4", "ext3", "xfs", "btrfs", "f2fs", "zfs", "bcachefs": return Finding(.ok, "file system", "\(kind) below \(path)")
        case "tmpfs", "ramfs":
            return Finding(
                .warn, "file system", "\(kind) below \(path): everything is lost when the host restarts", hint: "use a disk: ext4 or XFS")
        case "overlay", "aufs":
            return Finding(
                .warn, "file system", "\(kind) below \(path): the state ends with the container", hint: "mount a volume at the state folder"
            )
        case "nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.glusterfs", "afs":
            return Finding(
                .fail, "file system", "\(kind) below \(path): locks and memory maps over a network do not hold what they promise",
                hint: "use a disk of this host: ext4 or XFS")
        case "vfat", "exfat", "msdos":
            return Finding(.fail, "file system", "\(kind) below \(path) survives no power cut", hint: "use ext4 or XFS")
        default:
            return Finding(.warn, "file system", "\(kind) below \(path) was never tried", hint: "use ext4 or XFS on a disk of this host")
        }
    }

    private static func store(_ name: String, _ folder: StateFolder) -> Finding {
        let path = folder.file(name)
        let verdict: StoreVerdict
        do throws(StoreError) {
            verdict = try StoreCheck.run(path: path, formatVersion: StoreFormat.currentVersion)
        } catch {
            return Finding(.warn, name, "could not be looked at: \(error)")
        }
        switch verdict {
        case .sound: return Finding(.ok, name, "there and sound")
        case .missing: return Finding(.ok, name, "not there yet; the first start makes it")
        case .busy: return Finding(.warn, name, "open in another process", hint: "stop that first")
        case .damaged(let reason):
            return Finding(
                .warn, name, "damaged: \(reason)", hint: "the start will salvage what it can and keep the file; or restore a backup before")
        case .newerFormat(let version):
            return Finding(
                .fail, name, "its format \(version) is of a newer version", hint: "install that version; this one will not touch it")
        case .unreadable(let reason): return Finding(.fail, name, reason, hint: "look at its owner and permissions")
        }
    }
}
