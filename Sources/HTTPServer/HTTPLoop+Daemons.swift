import CMicroHTTPD
import CPlatform
import Domain
import Glibc

/// libmicrohttpd's two daemons and the callbacks between them and us.
///
/// The callbacks are file-scope constants: a closure nested in one that stands in `main.swift` would be bound to the main actor and trap here.
extension HTTPLoop {
    func startDaemons() {
        // SAFETY (both): the loop outlives the daemons, which `stopDaemons` ends.
        logger.pointee = posto_mhd_logger(line: logLine, context: Unmanaged.passUnretained(self).toOpaque())
        // Some libraries under us write to sockets without MSG_NOSIGNAL; nobody here wants the signal.
        signal(SIGPIPE, SIG_IGN)
        for memory in [configuration.connectionMemoryBytes, configuration.pollMemoryBytes] {
            var flags =
                MHD_USE_EPOLL.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue | MHD_USE_NO_LISTEN_SOCKET.rawValue
                | MHD_USE_ERROR_LOG.rawValue
            // We write the date ourselves, see `HTTPDate`.
            if floor == nil { flags |= MHD_USE_SUPPRESS_DATE_NO_CLOCK.rawValue }
            // SAFETY: as above.
            let context = Unmanaged.passUnretained(self).toOpaque()
            var options = [
                option(.CONNECTION_MEMORY_LIMIT, memory, nil),
                option(.CONNECTION_LIMIT, configuration.connectionsMax + 16, nil),
                option(.EXTERNAL_LOGGER, posto_mhd_log_address(), UnsafeMutableRawPointer(logger)),
                option(.NOTIFY_CONNECTION, unsafeBitCast(connectionChanged, to: Int.self), context),
                // Signals are ignored above, so it may use sendfile(2).
                option(.SIGPIPE_HANDLED_BY_APP, 1, nil),
            ]
            if floor == nil {
                options += [
                    option(.NOTIFY_COMPLETED, unsafeBitCast(requestCompleted, to: Int.self), context),
                    option(.URI_LOG_CALLBACK, unsafeBitCast(requestLineSeen, to: Int.self), context),
                    option(.UNESCAPE_CALLBACK, unsafeBitCast(leaveEscaped, to: Int.self), nil),
                ]
            }
            if let certificate = floor?.certificate, let key = floor?.key {
                flags |= MHD_USE_TLS.rawValue
                // SAFETY: libmicrohttpd keeps the pointers, so the copies are never freed; a floor lives as long as its process.
                options += [
                    option(.HTTPS_MEM_CERT, 0, strdup(certificate)), option(.HTTPS_MEM_KEY, 0, strdup(key)),
                    option(.HTTPS_PRIORITIES, 0, strdup("SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE")),
                ]
            }
            options.append(option(.END, 0, nil))
            guard let daemon = posto_mhd_start(flags, floor == nil ? requestArrived : floorArrived, context, options) else {
                preconditionFailure("libmicrohttpd did not start; errno \(errno)")
            }
            watch(posto_mhd_epoll_fd(daemon), .daemon, UInt32(EPOLLIN.rawValue), index: daemons.count, add: true)
            daemons.append(daemon)
        }
    }

    private func option(_ option: MHD_OPTION, _ value: Int, _ pointer: UnsafeMutableRawPointer?) -> MHD_OptionItem {
        MHD_OptionItem(option: option, value: value, ptr_value: pointer)
    }

    func stopDaemons() {
        for listener in listeners { closeListener(listener) }
        listeners = []
        abandonAll()
        for daemon in daemons {
            // Twice: resumed connections come back in the first run and end in the second.
            for _ in 0..<2 { MHD_run(daemon) }
            MHD_stop_daemon(daemon)
        }
        daemons = []
        // Taken from the mailbox, and not looked at any more.
        for case .adopt(let handed) in letters.requests { close(handed.descriptor) }
        letters.requests = []
        for slot in 0..<slotsUsed {
            if let connection = slots[slot] { discard(connection) }
        }
    }

    func closeListener(_ listener: ListenSocket) {
        if let path = listener.ownPath { unlink(path) }
        close(listener.descriptor)
    }
}

// SAFETY (all): the context is the loop that started the daemon; it outlives the daemon, and libmicrohttpd calls on the loop's thread only,
// from within `MHD_run`, `MHD_add_connection`, `MHD_queue_response` and `MHD_stop_daemon`.
@inline(__always)
private func withLoop<R>(_ context: UnsafeMutableRawPointer?, _ body: (HTTPLoop) -> R) -> R {
    Unmanaged<HTTPLoop>.fromOpaque(context!)._withUnsafeGuaranteedRef(body)
}

private typealias Notify =
    @convention(c) (
        UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?, MHD_ConnectionNotificationCode
    ) -> Void

private let connectionChanged: Notify = { context, handle, socketContext, code in
    withLoop(context) { loop in
        switch code {
        case .CONNECTION_NOTIFY_STARTED:
            guard let connection = loop.adding else { return }
            loop.adding = nil
            connection.pointee.handle = handle
            socketContext!.pointee = UnsafeMutableRawPointer(connection)
        case .CONNECTION_NOTIFY_CLOSED:
            guard let raw = socketContext?.pointee else { return }
            loop.forget(raw.assumingMemoryBound(to: Connection.self))
        }
    }
}

private let requestLineSeen: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) -> UnsafeMutableRawPointer? =
    {
        context, target, handle in
        guard let raw = posto_mhd_socket_context(handle), let target else { return nil }
        let connection = raw.assumingMemoryBound(to: Connection.self)
        withLoop(context) { loop in
            // libmicrohttpd's own memory, which it changes itself right after this.
            loop.begin(connection, UnsafeMutableRawPointer(mutating: target).assumingMemoryBound(to: UInt8.self))
        }
        return raw
    }

/// We decode by ourselves, after looking.
private let leaveEscaped: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<CChar>?) -> Int = { _, _, text in
    text.map { strlen($0) } ?? 0
}

let libraryRefused: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UInt32) -> Void = { context, handle, status in
    guard let raw = posto_mhd_socket_context(handle) else { return }
    withLoop(context) { $0.libraryRefuses(raw.assumingMemoryBound(to: Connection.self), status: status) }
}

private let requestArrived: MHD_AccessHandlerCallback = { context, _, _, method, version, upload, uploadCount, request in
    guard let raw = request?.pointee, let uploadCount else { return .NO }
    let connection = raw.assumingMemoryBound(to: Connection.self)
    return withLoop(context) { loop in
        let chunk = UnsafeRawBufferPointer(start: upload, count: uploadCount.pointee)
        // All of it is taken, whatever becomes of it.
        uploadCount.pointee = 0
        return loop.advance(connection, method!, version!, chunk) ? .YES : .NO
    }
}

private typealias Completed =
    @convention(c) (
        UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?, MHD_RequestTerminationCode
    ) -> Void

private let requestCompleted: Completed = { context, _, request, code in
    guard let raw = request?.pointee else { return }
    withLoop(context) { $0.end(raw.assumingMemoryBound(to: Connection.self), completed: code == .REQUEST_TERMINATED_COMPLETED_OK) }
}

let logLine: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void = { context, text in
    withLoop(context) { loop in
        guard loop.logGate.allows(at: loop.now) else { return }
        var line = Substring(String(cString: text!))
        while line.last == "\n" { line.removeLast() }
        loop.configuration.log(String(line))
    }
}

private let floorArrived: MHD_AccessHandlerCallback = { context, handle, _, _, _, _, uploadCount, request in
    // The first call comes before the body; an answer then would end the connection.
    if request!.pointee == nil {
        request!.pointee = context
        return .YES
    }
    uploadCount?.pointee = 0
    return withLoop(context) { loop in
        guard let answer = loop.floor?.make() else { return .NO }
        defer { MHD_destroy_response(answer) }
        return posto_mhd_queue_response(handle, 200, answer) == 1 ? .YES : .NO
    }
}

/// Lets a few lines a second through.
struct LogGate {
    private var second: UInt64 = 0
    private var count = 0

    mutating func allows(at now: UInt64) -> Bool {
        let current = now / 1_000_000_000
        if current != second { (second, count) = (current, 0) }
        count += 1
        return count <= Limits.httpLogLinesPerSecondMax
    }
}
