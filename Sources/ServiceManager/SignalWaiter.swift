import CPlatform
import Glibc

/// The signals of a daemon as events of one thread. A handler could interrupt any line of the program; this cannot.
package final class SignalWaiter: Sendable {
    package enum Signal: Equatable, Sendable {
        /// SIGTERM, SIGINT: drain and stop.
        case terminate
        /// SIGHUP: read the configuration again.
        case reload
    }

    /// Readable when a signal waits; for an epoll set.
    package let descriptor: Int32

    /// Blocks the signals in the calling thread and all that it starts: so in main, before the first thread.
    /// SIGPIPE is ignored: a peer that left is an error of its write, not the end of the process.
    package init() {
        _ = signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        precondition(descriptor >= 0, "signalfd: \(errno)")
    }

    deinit { close(descriptor) }

    /// Waits for the next signal.
    ///
    /// - Parameter timeoutMilliseconds: -1 waits for ever.
    /// - Returns: nil when the time is over.
    package func wait(timeoutMilliseconds: Int32 = -1) -> Signal? {
        while true {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let count = poll(&ready, 1, timeoutMilliseconds)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            var information = signalfd_siginfo()
            guard read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size else {
                // Another thread took it.
                continue
            }
            return Int32(bitPattern: information.ssi_signo) == SIGHUP ? .reload : .terminate
        }
    }
}
