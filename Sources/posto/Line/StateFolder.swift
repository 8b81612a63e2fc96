import Arguments
import Domain
import Glibc
import Store

/// The folder of a node's state, for commands that read the store themselves.
struct StateFolder {
    let path: String

    /// The node's environments, in the order in which a stream is looked for.
    static let environments = ["state.mdb", "bulk.mdb"]

    init(_ path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    func file(_ name: String) -> String { "\(path)/store/\(name)" }

    private var present: [String] {
        Self.environments.filter { $0 == Self.environments[0] || access(file($0), F_OK) == 0 }
    }

    /// Opens the environments that are there, to read them only; a daemon may run.
    ///
    /// Without a daemon each is checked first in a child process, so that a damaged file is a sentence and not a crash.
    /// - Parameter areChecked: false in a child process, whose crash is an answer.
    func openStores(areChecked: Bool = true) throws(CommandFailure) -> [StoreEnvironment] {
        var stores: [StoreEnvironment] = []
        for name in present { stores.append(try openStore(name, isChecked: areChecked)) }
        return stores
    }

    func openStore(_ name: String, isChecked: Bool = true) throws(CommandFailure) -> StoreEnvironment {
        let path = file(name)
        do throws(StoreError) {
            if isChecked { try Self.requireSound(path) }
            return try StoreEnvironment.openForReading(path)
        } catch {
            throw CommandFailure(error, path)
        }
    }

    /// What is wrong with the first environment that is damaged; nil if none is.
    func damage() throws(CommandFailure) -> CommandFailure? {
        for name in present {
            do throws(StoreError) {
                try Self.requireSound(file(name))
            } catch {
                let failure = CommandFailure(error, file(name))
                guard error.code == .corrupted else { throw failure }
                return failure
            }
        }
        return nil
    }

    private static func requireSound(_ path: String) throws(StoreError) {
        var verdict = try StoreCheck.run(path: path, formatVersion: StoreFormat.currentVersion)
        if case .damaged = verdict {
            // A daemon that began while we looked was writing.
            verdict = try StoreCheck.run(path: path, formatVersion: StoreFormat.currentVersion)
        }
        switch verdict {
        // A daemon has it open, which looked itself before.
        case .sound, .busy: return
        case .damaged(let reason): throw StoreError(.corrupted, "read it (\(reason))")
        case .newerFormat(let version): throw StoreError(.newerFormat, "its format is \(version)")
        case .missing: throw StoreError(.system, "open the store", number: ENOENT)
        case .unreadable(let reason):
            throw StoreError(.system, "look at it (\(reason))", number: access(path, R_OK) == 0 ? 0 : errno)
        }
    }
}

/// `--state`, of the commands that can read the store without the daemon.
struct StateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Open the store in this state folder instead of asking the daemon, which may run or not.", valueName: "dir"))
    var state: String?

    var folder: StateFolder? { state.map(StateFolder.init) }
}
