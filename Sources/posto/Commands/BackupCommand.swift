import Arguments
import Daemon
import Domain
import Glibc
import Registry
import Store

/// `posto backup`: takes a backup of the node and proves that it can be restored.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Write a backup of the node into a file.",
        discussion: """
            It holds registrations, every stream of the journal (those of bulk.mdb too), the audit trail and the answers under idempotency keys; \
            not the configuration and not the deadlines of leases. The daemon goes on meanwhile. The file has its name only when all of it is on the disk and was read back; until then FILE.partial grows, \
            and a file of that name stays as it was.

            Example: posto backup /var/backups/posto-$(date +%F).backup
            """)

    @Argument(help: "Where to write it.")
    var file: String

    @OptionGroup var state: StateOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Print what was written as JSON.")
    var json = false

    func run() throws {
        let partial = file + ".partial"
        do {
            if let folder = state.folder { try write(from: folder, to: partial) } else { try download(to: partial) }
            let (header, records) = try verified(partial)
            guard rename(partial, file) == 0 else { throw CommandFailure(system: "give the backup the name \(file)") }
            try syncFolder()
            tell(header, records)
        } catch {
            unlink(partial)
            throw error
        }
    }

    private func download(to path: String) throws {
        let connection = try ServerConnection(server)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CommandFailure(system: "write \(path)") }
        defer { close(descriptor) }
        var failure: CommandFailure?
        try connection.download("/api/v1/backup") { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    failure = CommandFailure(system: "write \(path)", hint: "free space there, or choose another place")
                    return false
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return true
        }
        if let failure { throw failure }
        guard fsync(descriptor) == 0 else { throw CommandFailure(system: "put \(path) on the disk") }
    }

    private func write(from folder: StateFolder, to path: String) throws {
        let stores = try folder.openStores()
        do throws(StoreError) {
            let (identity, revision) = try stores[0].read { (transaction) throws(StoreError) in
                (try StoreIdentity.read(transaction), try transaction.head(.state))
            }
            guard let identity, let storeID = Identifier16(identity.storeID) else {
                throw StoreError(.corrupted, "read the store's identity")
            }
            let header = BackupHeader(
                storeID: storeID, nodeID: identity.nodeID, epoch: identity.epoch, created: SystemTime.source.timestamp(),
                revision: revision, holdsBulk: stores.count > 1)
            if stores.count > 1 {
                _ = try Backup.write(stores[0], bulk: stores[1], header: header, to: path)
            } else {
                _ = try Backup.write(stores[0], header: header, to: path)
            }
        } catch {
            throw CommandFailure(error, folder.file(StateFolder.environments[0]))
        }
    }

    private func verified(_ path: String) throws(CommandFailure) -> (header: BackupHeader, records: UInt64) {
        do throws(StoreError) {
            return try Restore.verify(path, expecting: nil)
        } catch {
            throw CommandFailure(
                .inputOutput, "the backup that was written is not right: \(error.operation)",
                hint: "look at the disk below \(file), and try again")
        }
    }

    /// The new name is on the disk when its folder is.
    private func syncFolder() throws(CommandFailure) {
        let slash = file.lastIndex(of: "/")
        let folder = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure(system: "open the folder \(folder)") }
        defer { close(descriptor) }
        // Some file systems refuse it for folders, and need it not.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw CommandFailure(system: "put the folder \(folder) on the disk") }
    }

    private func tell(_ header: BackupHeader, _ records: UInt64) {
        var status = stat()
        let bytes = stat(file, &status) == 0 ? UInt64(clamping: status.st_size) : 0
        if json {
            var json = JSONWriter()
            json.object { json in
                json.key("file"); json.string(file)
                json.key("bytes"); json.unsigned(bytes)
                json.key("records"); json.unsigned(records)
                json.key("node"); json.string(header.nodeID)
                json.key("epoch"); json.integer(header.epoch)
                json.key("revision"); json.unsigned(header.revision)
                json.key("created"); json.timestamp(header.created)
                json.key("bulk"); json.bool(header.holdsBulk)
            }
            Terminal.print(json.finish())
        } else {
            Terminal.print(
                "Wrote \(file): \(HumanText.count(records, "record")) of node \(header.nodeID) up to revision \(header.revision), \(HumanText.bytes(bytes)), read back and right."
            )
        }
    }
}
