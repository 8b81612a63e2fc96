import Arguments
import Daemon
import Domain
import Glibc
import Store

/// `posto restore`: puts a backup in the place of a node's store.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of the store; the daemon must be stopped.",
        discussion: """
            The whole backup is read and checked first, and what will happen is said before it does. The present store is kept as evidence. After a \
            restore every lease begins as expired, and comes back when its holder renews it.

            Example: posto restore /var/backups/posto.backup --state /var/lib/posto
            """)

    @Argument(help: "The backup.")
    var file: String

    @Option(help: ArgumentHelp("The state folder of the node.", valueName: "dir"))
    var state = "/var/lib/posto"

    @Flag(help: "Do not ask.")
    var yes = false

    @Flag(help: "Take a backup of another node's store, for a device that was replaced.")
    var anyStore = false

    @Flag(help: "Print what was restored as JSON.")
    var json = false

    func run() throws {
        let folder = StateFolder(state)
        let place = self.place(StateFolder.environments[0], folder)
        // All three before anybody is asked: there is nothing to ask if it cannot be done.
        try requireStopped(folder)
        let expected = anyStore ? nil : try storeID(place.path)
        let (header, records) = try checked(expecting: expected)
        if !json || !yes { explain(header, records, place) }
        try confirm()
        let restored = try perform(place, expecting: expected, folder)
        if json {
            var json = JSONWriter()
            json.object { json in
                json.key("state"); json.string(folder.path)
                json.key("node"); json.string(restored.nodeID)
                json.key("revision"); json.unsigned(restored.revision)
                json.key("records"); json.unsigned(records)
                json.key("created"); json.timestamp(restored.created)
            }
            Terminal.print(json.finish())
        } else {
            Terminal.print("Restored. Start the daemon: systemctl start posto")
        }
    }

    private func place(_ name: String, _ folder: StateFolder) -> StoreLadder.Place {
        StoreLadder.Place(stateDirectory: folder.path, name: name, streams: [], formatVersion: StoreFormat.currentVersion)
    }

    private func requireStopped(_ folder: StateFolder) throws(CommandFailure) {
        if let holder = StateLock.holder(of: folder.path) {
            throw CommandFailure(
                .tryAgain, "a daemon\(holder) uses \(folder.path)", hint: "stop it first (systemctl stop posto); nothing was changed")
        }
    }

    /// The id of the present store; nil if there is none, or none that can be read.
    private func storeID(_ path: String) throws(CommandFailure) -> Identifier16? {
        do throws(StoreError) {
            guard try StoreCheck.run(path: path, formatVersion: StoreFormat.currentVersion) == .sound else { return nil }
            let store = try StoreEnvironment.openForReading(path)
            return try store.read { (transaction) throws(StoreError) in try StoreIdentity.read(transaction) }
                .flatMap { Identifier16($0.storeID) }
        } catch {
            throw CommandFailure(error, path)
        }
    }

    private func checked(expecting store: Identifier16?) throws(CommandFailure) -> (header: BackupHeader, records: UInt64) {
        guard access(file, R_OK) == 0 else { throw CommandFailure(system: "read \(file)") }
        do throws(StoreError) {
            return try Restore.verify(file, expecting: store)
        } catch {
            throw CommandFailure(
                error.code == .newerFormat ? .configuration : .inputOutput, "\(file) cannot be restored: \(error.operation)",
                hint: store == nil
                    ? "choose another backup; nothing was changed"
                    : "choose another backup, or say --any-store if this device takes the place of that node")
        }
    }

    private func explain(_ header: BackupHeader, _ records: UInt64, _ place: StoreLadder.Place) {
        Terminal.note(
            "\(file) is a backup of node \(HumanText.clean(header.nodeID)), taken at \(header.created.rfc3339), with \(HumanText.count(records, "record")) up to revision \(header.revision)"
        )
        let present =
            access(place.path, F_OK) == 0 ? "the present store is moved to \(place.stateDirectory)/evidence" : "there is no store there yet"
        if !header.holdsBulk {
            Terminal.note("it is of an older version and holds the state alone: the streams of bulk.mdb stay as they are")
        }
        Terminal.note("it becomes the store in \(place.stateDirectory); \(present); what happened after the backup is not in the new store")
    }

    private func confirm() throws(CommandFailure) {
        guard !yes else { return }
        switch Terminal.confirm("Restore it?") {
        case true?: return
        case false?: throw CommandFailure(.no, "nothing was changed")
        case nil: throw CommandFailure(.usage, "nobody is here to confirm it; nothing was changed", hint: "say --yes")
        }
    }

    private func perform(_ place: StoreLadder.Place, expecting store: Identifier16?, _ folder: StateFolder) throws -> BackupHeader {
        do throws(DaemonFailure) {
            // Held until the end, so that no daemon starts meanwhile.
            let lock = try StateDirectory.open(folder.path)
            defer { withExtendedLifetime(lock.path) {} }
            do throws(StoreError) {
                let header = try Restore.run(
                    file, onto: place, bulk: self.place(StateFolder.environments[1], folder), expecting: store,
                    now: SystemTime.source.timestamp())
                Ownership.giveBack(folder.path)
                return header
            } catch {
                Ownership.giveBack(folder.path)
                throw DaemonFailure(
                    code: error.code == .locked ? 75 : 74, message: "cannot \(error.operation)", hint: "the store is as it was")
            }
        } catch {
            throw CommandFailure(ExitStatus(rawValue: error.code) ?? .inputOutput, error.message, hint: error.hint)
        }
    }
}
