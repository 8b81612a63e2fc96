import CCurl
import Domain
import Glibc

/// Sends many probes at once from one thread. Each has a connection of its own, so that a listener that died is seen.
///
///     start(_:) ──▶ queue ──▶ in flight (≤ Limits.probesInFlightMax) ──▶ poll() returns the result
///
// SAFETY: all but `wake` is called by one thread, housekeeping; `wake` only reads the constant `multi`, and
// curl_multi_wakeup(3) is made to be called from others.
package final class Prober: @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer
    private var networks: [Network]
    private var queue: [ProbeRequest] = []
    private var queueHead = 0
    private var flights: [UnsafeMutableRawPointer: ProbeFlight] = [:]
    /// Handles without a transfer, kept because making one costs 20 KB of work.
    private var idle: [UnsafeMutableRawPointer] = []
    private var finished: [ProbeResult] = []

    /// - Parameter networks: the only addresses that are connected to.
    package init(networks: [Network]) {
        CurlLibrary.initialize()
        self.networks = networks
        // It fails only without memory.
        multi = curl_multi_init()!
    }

    deinit {
        for handle in flights.keys {
            curl_multi_remove_handle(multi, handle)
            curl_easy_cleanup(handle)
        }
        for handle in idle { curl_easy_cleanup(handle) }
        curl_multi_cleanup(multi)
    }

    /// Changes what may be probed; holds for probes that leave the queue from now on.
    package func setNetworks(_ new: [Network]) { networks = new }

    /// Queued or in flight.
    package var pending: Int { flights.count + queue.count - queueHead }

    /// Queues a probe; the next `poll` sends it.
    ///
    /// - Returns: false if `Limits.probesQueuedMax` wait already; then there will be no result.
    package func start(_ request: ProbeRequest) -> Bool {
        guard queue.count - queueHead < Limits.probesQueuedMax else { return false }
        queue.append(request)
        return true
    }

    /// Ends a `poll` that waits. From any thread.
    package func wake() { curl_multi_wakeup(multi) }

    /// Moves all probes on, and waits for results up to the time-out or a `wake`.
    package func poll(timeoutMilliseconds: Int32) -> [ProbeResult] {
        step()
        if finished.isEmpty {
            curl_multi_poll(multi, nil, 0, max(0, timeoutMilliseconds), nil)
            step()
        }
        defer { finished.removeAll(keepingCapacity: true) }
        return finished
    }

    private func step() {
        launch()
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            finish(handle, posto_curl_message_result(message))
        }
        launch()
    }

    private func launch() {
        while flights.count < Limits.probesInFlightMax, queueHead < queue.count {
            let request = queue[queueHead]
            queueHead += 1
            if queueHead == queue.count {
                queue.removeAll(keepingCapacity: queue.capacity <= 1_024)
                queueHead = 0
            } else if queueHead >= 1_024, queueHead * 2 > queue.count {
                queue.removeFirst(queueHead)
                queueHead = 0
            }
            launch(request)
        }
    }

    private func launch(_ request: ProbeRequest) {
        guard let host = HostName(request.host), let url = request.url(host) else {
            finished.append(ProbeResult(id: request.id, outcome: .failing(.badAddress), duration: .zero))
            return
        }
        if case .address(let address) = host, !networks.contains(where: { $0.contains(address) }) {
            finished.append(ProbeResult(id: request.id, outcome: .forbidden, duration: .zero))
            return
        }
        let handle = idle.popLast() ?? curl_easy_init()!
        let flight = ProbeFlight(id: request.id, networks: networks)
        flights[handle] = flight
        // SAFETY: `flights` keeps the flight until the handle has left the multi handle.
        let context = Unmanaged.passUnretained(flight).toOpaque()
        Curl.set(handle, CURLOPT_NOSIGNAL, 1)
        Curl.set(handle, CURLOPT_PROTOCOLS_STR, "http")
        Curl.set(handle, CURLOPT_URL, url)
        Curl.set(handle, CURLOPT_PATH_AS_IS, 1)
        Curl.set(handle, CURLOPT_PROXY, "")
        Curl.set(handle, CURLOPT_USERAGENT, "posto-probe")
        Curl.set(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        Curl.set(handle, CURLOPT_FRESH_CONNECT, 1)
        Curl.set(handle, CURLOPT_FORBID_REUSE, 1)
        Curl.set(handle, CURLOPT_TIMEOUT_MS, Curl.milliseconds(request.timeout))
        Curl.set(handle, CURLOPT_CONNECTTIMEOUT_MS, Curl.milliseconds(request.timeout))
        Curl.set(handle, CURLOPT_OPENSOCKETDATA, pointer: context)
        Curl.set(handle, CURLOPT_WRITEDATA, pointer: context)
        _ = posto_curl_set_opensocket(handle, openProbeSocket)
        _ = posto_curl_set_write(handle, CURLOPT_WRITEFUNCTION, discardProbeBody)
        if request.kind == .tcp { Curl.set(handle, CURLOPT_CONNECT_ONLY, 1) }
        let code = curl_multi_add_handle(multi, handle)
        precondition(code == CURLM_OK, "curl_multi_add_handle: \(code.rawValue)")
    }

    private func finish(_ handle: UnsafeMutableRawPointer, _ code: CURLcode) {
        guard let flight = flights.removeValue(forKey: handle) else { preconditionFailure("a probe that was not in flight ended") }
        let result = flight.result(handle, code)
        curl_multi_remove_handle(multi, handle)
        curl_easy_reset(handle)
        if idle.count < Limits.probesInFlightMax { idle.append(handle) } else { curl_easy_cleanup(handle) }
        finished.append(result)
    }
}

extension ProbeRequest {
    fileprivate func url(_ host: HostName) -> String? {
        switch kind {
        case .tcp: return "http://\(host.inURL):\(port)/"
        case .http(let path):
            // Only what may stand in a request line; then nothing can be added to the request.
            guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }) else { return nil }
            return "http://\(host.inURL):\(port)\(path)"
        }
    }
}
