import Arguments
import Crypto
import Domain
import HTTPClient
import Store
import Testing

@testable import posto

@Suite("The command line")
struct CommandLineTests {
    @Test("columns are as wide as their widest cell, figures stand at the right, and no line ends with spaces")
    func table() {
        var table = TextTable(["NAME", ">COUNT", "TAGS"])
        table.add(["a", "5", ""])
        table.add(["long-name", "12345678", "x"])
        #expect(table.text() == "NAME          COUNT  TAGS\na                 5\nlong-name  12345678  x\n")
    }

    @Test("a table without titles has no line for them")
    func untitled() {
        var table = TextTable(["", ""])
        table.add(["node", "3f2a"])
        #expect(table.text() == "node  3f2a\n")
    }

    @Test("colours are outside of the widths")
    func colours() {
        var table = TextTable(["", ""])
        table.add([TextTable.Cell("ok", .good), TextTable.Cell("x")])
        table.add([TextTable.Cell("fail", .bad), TextTable.Cell("y")])
        #expect(table.text(colours: true) == "\u{1B}[32mok\u{1B}[0m    x\n\u{1B}[31mfail\u{1B}[0m  y\n")
        #expect(!table.text().contains("\u{1B}"))
    }

    @Test("what comes from outside cannot move the cursor or turn the writing round")
    func clean() {
        #expect(HumanText.clean("a\u{1B}[2Jb\nc\u{202E}d\u{7F}") == "a\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}d\u{FFFD}")
        #expect(HumanText.clean("Zürich 東京") == "Zürich 東京")
    }

    @Test(
        "ages have one unit",
        arguments: [
            (-5, "0 s"), (0, "0 s"), (3, "3 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"), (172_800, "2 d"),
        ])
    func ages(seconds: Int64, text: String) { #expect(HumanText.age(seconds: seconds) == text) }

    @Test(
        "sizes have one decimal and binary units",
        arguments: [
            (0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_536, "1.5 KiB"), (268_435_456, "256.0 MiB"), (UInt64.max, "16.0 EiB"),
        ])
    func sizes(count: UInt64, text: String) { #expect(HumanText.bytes(count) == text) }

    @Test("names go into paths with everything escaped that is not unreserved")
    func escapes() {
        #expect(ServicePath.of("services", "a/b ?ü", "x", tenant: "t&") == "/api/v1/services/a%2Fb%20%3F%C3%BC/x?tenant=t%26")
    }

    @Test(
        "what the daemon answers becomes an exit status",
        arguments: [
            (400, posto.ExitStatus.usage), (401, .notPermitted), (403, .notPermitted), (404, .no), (409, .no), (410, .no), (413, .usage),
            (422, .usage), (429, .tryAgain), (500, .internal), (501, .internal), (503, .tryAgain), (507, .tryAgain),
        ])
    func statuses(http: Int, status: posto.ExitStatus) { #expect(posto.ExitStatus(httpStatus: http) == status) }

    @Test("a daemon that cannot be reached is 69, one that is slow is 75")
    func unreachable() {
        #expect(posto.ExitStatus(.unreachable) == .unreachable && posto.ExitStatus(.broken) == .unreachable)
        #expect(posto.ExitStatus(.timedOut) == .tryAgain)
        #expect(posto.ExitStatus.unreachable.rawValue == 69 && posto.ExitStatus.tryAgain.rawValue == 75)
    }

    @Test(
        "what the store refuses becomes an exit status",
        arguments: [
            (StoreError(.corrupted, "x"), posto.ExitStatus.inputOutput), (StoreError(.newerFormat, "x"), .configuration),
            (StoreError(.locked, "x"), .tryAgain), (StoreError(.system, "x", number: 13), .notPermitted),
            (StoreError(.system, "x", number: 2), .inputOutput), (StoreError(.diskFailed, "x"), .inputOutput),
        ])
    func stores(error: StoreError, status: posto.ExitStatus) { #expect(CommandFailure(error, "/p").status == status) }

    @Test("a mistake on the command line is 2, with the usage as the hint; help is an answer")
    func usage() {
        func outcome(_ arguments: [String]) -> CommandLineEnd.Outcome? {
            do {
                _ = try Posto.parseAsRoot(arguments)
                return nil
            } catch {
                return CommandLineEnd.outcome(of: error)
            }
        }
        let mistake = outcome(["deregister", "name", "--bogus"])
        #expect(mistake?.status == 2 && mistake?.message?.hasPrefix("unknown option '--bogus'") == true)
        #expect(mistake?.hint?.hasPrefix("posto deregister ") == true && mistake?.output == "")
        let help = outcome(["deregister", "--help"])
        #expect(help?.status == 0)
        #expect(help?.message == nil)
        #expect(help?.output.contains("Example: posto deregister") == true)
        #expect(outcome(["status"]) == nil)
        let assets = outcome(["serve", "--assets", "dir"])
        #expect(assets?.status == 2 && assets?.message?.contains("--dev") == true)
        #expect(outcome(["serve", "--dev", "--assets", "dir"]) == nil)
        let long = outcome(["services", "--tag"])
        #expect(
            long?.message == "missing value for '--tag <tag>'"
                && long?.hint == "posto services [<options>] [<name>]; posto services --help tells more", "no line of all options")
    }

    @Test(
        "a word that is no command is named, with the command that was meant",
        arguments: [
            (["sttus"], "posto has no command sttus", "did you mean posto status?"),
            (["help", "registr"], "posto has no command registr", "did you mean posto register?"),
            (["queue", "pek", "state"], "posto queue has no command pek", "did you mean posto queue peek?"),
            (["frobnicate", "--json"], "posto has no command frobnicate", "posto --help lists them"),
            (["bench-flor"], "posto has no command bench-flor", "did you mean posto bench?"),
        ])
    func unknownCommand(arguments: [String], message: String, hint: String) throws {
        do {
            let command = try Posto.parseAsRoot(arguments)
            try command.run()
            Issue.record("it ran")
        } catch {
            let outcome = CommandLineEnd.outcome(of: error)
            #expect(outcome == CommandLineEnd.Outcome(status: 2, message: message, hint: hint))
        }
    }

    @Test(
        "the help of a command that is there is an answer",
        arguments: [["help", "queue"], ["help", "queue", "ls"], ["help"], ["--version"]])
    func knownCommand(arguments: [String]) throws {
        do {
            let command = try Posto.parseAsRoot(arguments)
            try command.run()
            Issue.record("it ran")
        } catch {
            #expect(CommandLineEnd.outcome(of: error).status == 0)
        }
    }

    @Test("registrations are read as one object, as a list, and one a line")
    func registrations() throws {
        let one = try RegistrationText.read(Array("{\n\"a\": 1}\n".utf8), from: "f")
        #expect(one.map(\.place) == ["f:1"])
        let list = try RegistrationText.read(Array("[{},\n {\"b\":2}]".utf8), from: "f")
        #expect(list.map(\.place) == ["f:1", "f:2"] && list[1].bytes == Array("{\"b\":2}".utf8))
        let lines = try RegistrationText.read(Array("{}\n\n{\"c\":3}\r\n".utf8), from: "f")
        #expect(lines.map(\.place) == ["f:1", "f:3"])
        for wrong in ["", "[]", "{", "{}\n{", "x"] {
            #expect {
                _ = try RegistrationText.read(Array(wrong.utf8), from: "f")
            } throws: {
                ($0 as? CommandFailure)?.status == .usage
            }
        }
    }

    @Test("the kind of a file system is that of the deepest mount, the last of those at one place")
    func mounts() {
        let table = """
            22 1 254:0 / / rw - ext4 /dev/vda rw
            30 22 0:25 / /var/lib rw,nosuid shared:5 master:1 - xfs /dev/vdb rw
            31 22 0:26 / /var/lib rw - tmpfs tmpfs rw
            32 22 0:27 / /mnt/a\\040b rw - nfs4 host:/x rw
            """
        #expect(MountTable.kind(of: "/etc", in: table) == "ext4")
        #expect(MountTable.kind(of: "/var/lib/posto", in: table) == "tmpfs")
        #expect(MountTable.kind(of: "/var/library", in: table) == "ext4")
        #expect(MountTable.kind(of: "/mnt/a b/c", in: table) == "nfs4")
    }

    @Test("a daemon for trying out is named by its socket")
    func development() {
        #expect(
            DevelopmentDaemon.option(of: ["/usr/bin/posto", "serve", "--dev", "--state", "/tmp/s"], process: "1")
                == "--server unix:/tmp/s/posto.sock")
        #expect(DevelopmentDaemon.option(of: ["posto", "serve", "--dev", "--socket=/x/y"], process: "1") == "--server unix:/x/y")
        #expect(DevelopmentDaemon.option(of: ["posto", "serve", "--state", "/tmp/s"], process: "1") == nil)
        #expect(DevelopmentDaemon.option(of: ["vi", "serve", "--dev"], process: "1") == nil)
    }

    @Test("libraries are compared by their numbers, not as text")
    func libraries() {
        #expect(HostCheck.library("x", "7.100.1", atLeast: [7, 85, 0]).level == .ok)
        #expect(HostCheck.library("x", "7.9.1", atLeast: [7, 85, 0]).level == .fail)
        #expect(HostCheck.library("x", "8.0.0-DEV", atLeast: [7, 85, 0]).level == .ok)
    }
}

@Suite("The sentence of a node")
struct NodeSentenceTests {
    func sentence(_ json: String) throws -> NodeSentence { NodeSentence(try JSONDocument.parse(Array(json.utf8)).root) }

    @Test("a healthy node says what it holds")
    func healthy() throws {
        let some = try sentence(#"{"status":"healthy","active_services":107,"active_instances":120,"alerts":[]}"#)
        #expect(some.text == "The node is healthy: 107 services with 120 instances." && some.next == nil)
        #expect(try sentence(#"{"status":"healthy","active_services":0,"alerts":[]}"#).next != nil)
    }

    @Test("the worst alert makes the sentence, the others follow")
    func alerts() throws {
        let node = try sentence(
            #"{"status":"unhealthy","alerts":[{"level":"degraded","message":"A.","hint":"a"},{"level":"unhealthy","message":"B","hint":"b"}]}"#
        )
        #expect(
            node
                == (try sentence(
                    #"{"status":"unhealthy","alerts":[{"level":"unhealthy","message":"B.","hint":"b"},{"level":"degraded","message":"A.","hint":"a"}]}"#
                )))
        #expect(node.text == "The node is unhealthy: B." && node.next == "b" && node.others == ["A. a"])
    }

    @Test("a threshold that was passed without an alert is told as well")
    func thresholds() throws {
        let node = try sentence(#"{"status":"degraded","alerts":[],"components":{"store":{"status":"degraded","latency_ms":12.5}}}"#)
        #expect(node.text == "The node is degraded: commits of the store take 12.5 ms." && node.next != nil)
    }
}

@Suite("The walk over the audit trail")
struct ChainWalkTests {
    let address = ServerAddress("unix:/x")!

    /// Pages as the interface gives them, of a chain that begins behind `trimmed`.
    func page(_ seqs: ClosedRange<UInt64>, trimmed: UInt64 = 0, previous: Digest32 = Digest32(), edit: (String) -> String = { $0 }) -> (
        body: [UInt8], hash: Digest32
    ) {
        var hash = previous
        let hasher = SHA256()
        var records: [String] = []
        for seq in seqs {
            let event = #"{"id":"1-\#(seq)","postoseq":"\#(seq)","data":{}}"#
            hash = Array(event.utf8).withUnsafeBytes { chainHash(hasher, hash, $0) }
            records.append(#"{"seq":\#(seq),"hash":"\#(hash.hex)","event":\#(edit(event))}"#)
        }
        let body = #"{"records":[\#(records.joined(separator: ","))],"trimmed_through":\#(trimmed),"previous_hash":"\#(previous.hex)"}"#
        return (Array(body.utf8), hash)
    }

    @Test("a chain is followed over its pages, from where retention left it")
    func intact() throws {
        let start = Digest32(hex: String(repeating: "a5", count: 32))!
        var walk = ChainWalk(last: 20, checkpoint: nil)
        let first = page(11...15, trimmed: 10, previous: start)
        #expect(try walk.take(first.body, from: address) == nil)
        let second = page(16...20, trimmed: 10, previous: first.hash)
        #expect(try walk.take(second.body, from: address) == nil)
        #expect(walk.result(walk.end()) == JournalVerification(finding: .intact, records: 10, first: 11, last: 20))
    }

    @Test("retention that takes records away while they are read is no fault")
    func trimmedMeanwhile() throws {
        var walk = ChainWalk(last: 5, checkpoint: nil)
        let first = page(1...3)
        #expect(try walk.take(first.body, from: address) == nil)
        let skipped = page(4...8, previous: first.hash)
        #expect(try walk.take(page(9...10, trimmed: 8, previous: skipped.hash).body, from: address) == nil)
        #expect(walk.result(walk.end()) == JournalVerification(finding: .intact, records: 2, first: 9, last: 10))
    }

    @Test("a changed record, a missing one, a cut tail and a foreign checkpoint are named")
    func broken() throws {
        var changed = ChainWalk(last: 5, checkpoint: nil)
        let body = page(1...5) { $0.replacing(#""id":"1-3""#, with: #""id":"1-X""#) }.body
        #expect(try changed.take(body, from: address) == .broken(seq: 3, reason: "its hash does not follow from the record before"))

        var missing = ChainWalk(last: 5, checkpoint: nil)
        let first = page(1...2)
        #expect(try missing.take(first.body, from: address) == nil)
        #expect(try missing.take(page(4...5, previous: first.hash).body, from: address) == .broken(seq: 3, reason: "it is missing"))

        var cut = ChainWalk(last: 5, checkpoint: nil)
        #expect(try cut.take(page(1...4).body, from: address) == nil)
        #expect(cut.end() == .broken(seq: 5, reason: "it is missing: the stream ends before its last record"))

        var foreign = ChainWalk(last: 5, checkpoint: ChainWalk.Checkpoint(seq: 4, hash: Digest32().hex))
        #expect(try foreign.take(page(1...5).body, from: address) == .broken(seq: 4, reason: "its checkpoint has another hash"))
    }
}
