import CPlatform
import Domain
import Glibc
import ServiceManager
import Synchronization
import Testing

/// A clock that stands until it is moved.
private final class ManualTime: Sendable {
    private let now = Mutex(Int64(0))

    var source: TimeSource {
        TimeSource(
            uptime: { [self] in Uptime(milliseconds: now.withLock { $0 }) },
            timestamp: { [self] in Timestamp(milliseconds: 1_761_294_000_000 + now.withLock { $0 }) })
    }

    func advance(_ duration: Duration) { now.withLock { $0 += duration.wholeMilliseconds } }
}

/// A pipe whose ends close with the test.
private final class Pipe {
    let reading: Int32
    let writing: Int32

    init() {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0)
        (reading, writing) = (ends[0], ends[1])
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(reading)
        close(writing)
    }

    func take() -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(reading, &chunk, chunk.count)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}

@Suite("The log")
struct LogTests {
    @Test("an event is one line of JSON in the form that operators know")
    func json() throws {
        let pipe = Pipe()
        let log = Log(level: .info, sink: .json(pipe.writing), time: ManualTime().source)
        log.info(
            "uplink", "circuit_breaker_opened", ["failures": 3, "last": "said \"no\"\n", "open": true],
            traceID: "4bf92f3577b34da6a3ce929d0e0e4736")
        log.warning("store", "slow")
        let lines = pipe.take().split(separator: "\n")
        #expect(
            lines == [
                #"{"timestamp":"2025-10-24T08:20:00.000Z","level":"INFO","component":"uplink","event":"circuit_breaker_opened","details":{"failures":3,"last":"said \"no\"\n","open":true},"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
                #"{"timestamp":"2025-10-24T08:20:00.000Z","level":"WARNING","component":"store","event":"slow","details":{},"trace_id":null}"#,
            ])
    }

    @Test("a level that is off writes nothing and does not look at its details")
    func levels() {
        let pipe = Pipe()
        let log = Log(level: .warning, sink: .json(pipe.writing), time: ManualTime().source)
        func costly() -> LogValue {
            Issue.record("evaluated")
            return 1
        }
        log.info("a", "b", ["x": costly()])
        log.debug("a", "b", ["x": costly()])
        #expect(pipe.take() == "")
        log.setLevel(.debug)
        log.debug("a", "c")
        #expect(pipe.take().contains("\"DEBUG\""))
        #expect([LogLevel.error, .debug, .warning, .info].sorted() == [.debug, .info, .warning, .error])
    }

    @Test("a line for people is short and quotes what has spaces")
    func text() {
        let pipe = Pipe()
        let log = Log(level: .info, sink: .text(pipe.writing), time: ManualTime().source)
        log.error("http", "listener_failed", ["address": "127.0.0.1:80", "reason": "Permission denied"])
        #expect(pipe.take() == "08:20:00.000 ERROR http listener_failed address=127.0.0.1:80 reason=\"Permission denied\"\n")
    }

    @Test("nobody reads the pipe: lines are lost and counted, and nobody waits")
    func fullPipe() {
        let pipe = Pipe()
        let time = ManualTime()
        let log = Log(level: .info, sink: .json(pipe.writing), time: time.source)
        let long = LogValue.text(String(repeating: "x", count: 3_000))
        for _ in 0..<100 {
            log.info("a", "b", ["x": long])
            time.advance(Limits.logBurstWindow)
        }
        #expect(log.lostLines > 50)
        let whole = pipe.take().split(separator: "\n")
        #expect(UInt64(whole.count) + log.lostLines == 100)
        #expect(whole.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        log.info("a", "b")
        #expect(pipe.take() != "")
    }

    @Test("a reader that left costs its line, nothing more")
    func closedPipe() {
        _ = signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        #expect(Glibc.pipe(&ends) == 0)
        close(ends[0])
        let log = Log(level: .info, sink: .json(ends[1]), time: ManualTime().source)
        log.info("a", "b")
        #expect(log.lostLines == 1)
        close(ends[1])
    }

    @Test("a line that would be too long keeps its form and loses text")
    func longLines() throws {
        let pipe = Pipe()
        let log = Log(level: .info, sink: .json(pipe.writing), time: ManualTime().source)
        log.info("a", "b", ["x": .text(String(repeating: "é", count: 5_000)), "y": 1])
        log.info(
            "a", "c",
            [
                "x": .text(String(repeating: "\u{1}", count: 300)), "y": .text(String(repeating: "\u{1}", count: 9_000)),
                "z": .text(String(repeating: "\u{1}", count: 9_000)),
            ])
        let lines = pipe.take().split(separator: "\n").map { Array($0.utf8) }
        #expect(lines.count == 2)
        let first = try JSONDocument.parse(lines[0]).root["details"]
        #expect(first?["x"]?.string == String(repeating: "é", count: Limits.logValueBytesMax / 2) + "…")
        #expect(first?["y"]?.int64 == 1)
        #expect(try JSONDocument.parse(lines[1]).root["details"]?["truncated"]?.bool == true)
        #expect(lines.allSatisfy { $0.count < Limits.logLineBytesMax })
    }

    @Test("a fault in a loop is told a few times, then counted")
    func rate() {
        let pipe = Pipe()
        let time = ManualTime()
        let log = Log(level: .info, sink: .json(pipe.writing), time: time.source)
        for _ in 0..<Limits.logBurstMax + 40 { log.info("a", "loop") }
        log.info("a", "other")
        #expect(pipe.take().split(separator: "\n").count == Limits.logBurstMax + 1)
        time.advance(Limits.logBurstWindow)
        log.info("a", "loop")
        log.info("a", "loop")
        let after = pipe.take().split(separator: "\n")
        #expect(after.count == 2)
        #expect(after[0].contains("\"suppressed\":40"))
        #expect(!after[1].contains("suppressed"))
        for _ in 0..<Limits.logBurstMax + 5 { log.info("a", "loop") }
        _ = pipe.take()
        log.tellSuppressed()
        #expect(pipe.take() == "")
        time.advance(Limits.logBurstWindow)
        log.tellSuppressed()
        #expect(pipe.take().contains("\"event\":\"loop\",\"details\":{\"suppressed\":7}"))
        log.tellSuppressed()
        #expect(pipe.take() == "")
    }

    @Test("the journal gets fields, several lines in one of them too")
    func journal() {
        let path = temporaryPath("journal.sock")
        let socket = TestServer.unixSocket(at: path, type: Int32(SOCK_DGRAM.rawValue))
        defer {
            close(socket)
            unlink(path)
        }
        let log = Log(level: .info, sink: .openJournal(path: path), time: ManualTime().source)
        log.warning("store", "commit_slow", ["milliseconds": 12, "reason": "a\nb"], traceID: "00ff")
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        let expected =
            Array(
                "PRIORITY=4\nSYSLOG_IDENTIFIER=posto\nMESSAGE=store commit_slow milliseconds=12 reason=\"a\\nb\"\nPOSTO_COMPONENT=store\nPOSTO_EVENT=commit_slow\nPOSTO_TRACE_ID=00ff\nPOSTO_MILLISECONDS=12\nPOSTO_REASON\n"
                    .utf8) + [3, 0, 0, 0, 0, 0, 0, 0] + Array("a\nb\n".utf8)
        #expect(count == expected.count)
        #expect(bytes.prefix(max(count, 0)).elementsEqual(expected))
    }

    @Test("without a journal the line goes to standard error after all, and a journal that does not read loses lines without a wait")
    func journalAway() {
        let pipe = Pipe()
        let away = Log(level: .info, sink: .openJournal(path: "/nonexistent/journal", fallback: pipe.writing), time: ManualTime().source)
        away.info("a", "b")
        #expect(pipe.take().hasPrefix("{\"timestamp\""))
        #expect(away.lostLines == 0)

        let path = temporaryPath("journal.sock")
        let socket = TestServer.unixSocket(at: path, type: Int32(SOCK_DGRAM.rawValue))
        defer {
            close(socket)
            unlink(path)
        }
        let time = ManualTime()
        let log = Log(level: .info, sink: .openJournal(path: path, fallback: pipe.writing), time: time.source)
        for _ in 0..<5_000 {
            log.info("a", "b", ["x": .text(String(repeating: "x", count: 200))])
            time.advance(Limits.logBurstWindow)
        }
        #expect(log.lostLines > 0)
        #expect(pipe.take() == "")
    }

    @Test("lines of many threads do not mix")
    func threads() async throws {
        let pipe = Pipe()
        let time = ManualTime()
        let log = Log(level: .info, sink: .json(pipe.writing), time: time.source)
        await withTaskGroup(of: Void.self) { group in
            for i in 0..<8 {
                group.addTask {
                    for j in 0..<10 {
                        log.info("a", "b", ["i": .integer(i), "j": .integer(j), "x": .text(String(repeating: "x", count: 500))])
                    }
                }
            }
        }
        let lines = pipe.take().split(separator: "\n")
        #expect(lines.count == 80)
        for line in lines { _ = try JSONDocument.parse(Array(line.utf8)) }
    }

    @Test("many threads and a full pipe: none of them waits", .timeLimit(.minutes(1)))
    func threadsOnFullPipe() async {
        let pipe = Pipe()
        let time = ManualTime()
        let log = Log(level: .info, sink: .json(pipe.writing), time: time.source)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<200 {
                        log.info("a", "b", ["x": .text(String(repeating: "x", count: 100))])
                        time.advance(Limits.logBurstWindow)
                    }
                }
            }
        }
        let taken = pipe.take().split(separator: "\n").count
        #expect(taken > 100)
        #expect(UInt64(taken) + log.lostLines == 1_600)
    }
}
