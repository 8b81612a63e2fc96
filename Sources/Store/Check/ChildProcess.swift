import CPlatform
import Domain
import Glibc

/// Runs work that may crash, hang or run wild in a child process, and says how it ended.
///
/// A damaged store makes LMDB assert, fault or loop; only a process of its own can take that. To be called before the first thread is started:
/// the child of a process with threads may find a lock held for ever, which ends in `.timedOut`.
package enum ChildProcess {
    package enum End: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        case timedOut
    }

    /// The child's way to answer.
    package struct Answer {
        let file: Int32

        /// Sends bytes to the parent. More than `Limits.childAnswerBytesMax` in all are not read.
        package func send(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { raw in
                var done = 0
                while done < raw.count {
                    let count = Glibc.write(file, raw.baseAddress! + done, raw.count - done)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return }
                    done += count
                }
            }
        }

        package func send(_ text: String) { send(Array(text.utf8)) }
    }

    /// Forks, runs `body` in the child, and waits for its end.
    ///
    /// - Parameter body: gives the exit status. It runs with one thread, and must not touch what the parent's other threads own.
    /// - Throws: `.system` if no process or pipe could be had.
    package static func run(seconds: Int, _ body: (Answer) -> Int32) throws(StoreError) -> (end: End, answer: [UInt8]) {
        var ends: [Int32] = [-1, -1]
        guard posto_pipe(&ends) == 0 else { throw StoreError(.system, "make a pipe", number: errno) }
        let child = posto_fork()
        if child == 0 {
            posto_die_quietly()
            // Whatever else is open belongs to the parent; the locks of its files would last as long as this child.
            let answer: Int32 = 3
            dup2(ends[1], answer)
            _ = posto_close_from(4)
            alarm(UInt32(clamping: max(1, seconds)))
            _exit(body(Answer(file: answer)))
        }
        let failure = errno
        close(ends[1])
        defer { close(ends[0]) }
        guard child > 0 else { throw StoreError(.system, "start a child process", number: failure) }
        let answer = readAll(ends[0])
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw StoreError(.system, "wait for a child process", number: errno) }
        }
        // What <sys/wait.h> spells as macros: the low seven bits are the signal, the next byte the exit status.
        let signal = status & 0x7F
        if signal == SIGALRM { return (.timedOut, answer) }
        return (signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal), answer)
    }

    private static func readAll(_ file: Int32) -> [UInt8] {
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return answer }
            // Read on even beyond the limit, so that the child never blocks on a full pipe.
            answer.append(contentsOf: chunk[..<min(count, max(0, Limits.childAnswerBytesMax - answer.count))])
        }
    }
}
