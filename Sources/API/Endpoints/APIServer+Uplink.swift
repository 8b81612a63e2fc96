import Domain
import HTTPServer
import Registry
import Store
import Uplink

extension APIServer {
    /// How the sinks are.
    func uplink(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            _ = try Query(request, route)
        } catch {
            return .answer(respond(error, request, route))
        }
        var json = JSONWriter(capacity: 2_048)
        json.object { json in
            json.key("epoch"); json.unsigned(UInt64(streams.epoch))
            json.key("sinks")
            json.array { json in
                if let sink { SinkListing.write(sink.report, now: time.timestamp(), to: &json) }
            }
        }
        return .answer(HTTPResponse(status: 200, body: .bytes(json.finish())))
    }

    /// Has a sink try now, and answers how it is afterwards.
    func probeUplink(_ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route) -> HTTPReply {
        let name = parameters.string(0, in: request.path)
        guard let sink, sink.options.name == name else {
            let hint = sink.map { "There is \"\($0.options.name)\"." } ?? "Set uplink.url in the configuration."
            return .answer(respond(Problem(.unknownSink, "There is no sink \"\(name.prefix(64))\".", hint: hint), request, route))
        }
        let late = respond(
            Problem(.unavailable, "The receiver has not answered yet.", hint: "GET /api/v1/uplink tells how it goes on.", retryAfter: 5),
            request, route)
        let ticket = request.suspend(until: HTTPDoor.uptimeNanoseconds() + 75_000_000_000, waiter: PendingChange(late: { late }))
        sink.probe { [self] report in
            var json = JSONWriter(capacity: 2_048)
            json.object { json in
                json.key("reachable"); json.bool(report.state == "connected")
                json.key("sink"); SinkListing.write(report, now: time.timestamp(), to: &json)
            }
            ticket.complete(HTTPResponse(status: 200, body: .bytes(json.finish())))
        }
        return .later
    }

    func deadLetters(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            let query = try Query(request, route)
            let since = try query.integer("since", in: 0...UInt64.max, default: 0)
            let limit = Int(try query.integer("limit", in: 1...UInt64(Limits.changesPageMax), default: UInt64(Limits.listPageDefault)))
            let letters: [DeadLetter]
            do throws(StoreError) {
                letters = try registry.environment.read { (transaction) throws(StoreError) in try transaction.deadLetters() }
            } catch {
                throw Problem(error)
            }
            let page = letters.filter { $0.id > since }.prefix(limit)
            var json = JSONWriter(capacity: 1_024)
            json.object { json in
                json.key("deadletters")
                json.array { json in for letter in page { SinkListing.write(letter, to: &json) } }
                json.key("total"); json.integer(letters.count)
            }
            return .answer(HTTPResponse(status: 200, body: .bytes(json.finish())))
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    /// Has a dead letter sent again, once.
    func redrive(_ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route) -> HTTPReply {
        let text = parameters.string(0, in: request.path)
        guard let sink, let id = UInt64(text) else {
            let problem = Problem(
                .unknownDeadLetter, "There is no dead letter \"\(text.prefix(32))\".", hint: "GET /api/v1/deadletters lists them.")
            return .answer(respond(problem, request, route))
        }
        let requestID = request.requestID.description
        let late = respond(Problem(.unavailable, "The disk has not confirmed this in time.", retryAfter: 5), request, route)
        let ticket = request.suspend(
            until: HTTPDoor.uptimeNanoseconds() + changeTimeoutNanoseconds, waiter: PendingChange(late: { late }))
        do throws(StoreError) {
            try sink.redrive(id, principal: origin(of: request).principal) { [self] outcome in
                ticket.complete(redriveAnswer(outcome, id, requestID))
            }
        } catch {
            ticket.complete(respond(Problem(error), request, route))
        }
        return .later
    }

    private func redriveAnswer(_ outcome: RedriveOutcome, _ id: UInt64, _ requestID: String) -> HTTPResponse {
        switch outcome {
        case .accepted(let letter):
            var json = JSONWriter()
            SinkListing.write(letter, to: &json)
            return HTTPResponse(status: 202, body: .bytes(json.finish()))
        case .unknown:
            return respond(
                Problem(.unknownDeadLetter, "There is no dead letter \(id).", hint: "GET /api/v1/deadletters lists them."),
                requestID: requestID, isShort: false)
        case .before(let letter):
            return respond(
                Problem(
                    .redrivenBefore, "The dead letter \(id) was sent again once and refused as \"\(letter.code)\".",
                    hint: "Read it (posto queue peek, or the stream's record) and send a corrected event."),
                requestID: requestID, isShort: false)
        case .failed(let error): return respond(Problem(error), requestID: requestID, isShort: false)
        }
    }
}

/// Sinks and dead letters as people and programs are shown them.
enum SinkListing {
    static func write(_ report: SinkReport, now: Timestamp, to json: inout JSONWriter) {
        json.object { json in
            json.key("name"); json.string(report.name)
            json.key("url"); json.string(report.url)
            json.key("state"); json.string(report.state)
            json.key("breaker"); json.string(report.breaker)
            json.key("failure_count"); json.integer(report.failures)
            json.key("last_ack_at")
            if let time = report.lastAck { json.timestamp(time) } else { json.null() }
            json.key("last_failure")
            if let failure = report.lastFailure { json.string(failure) } else { json.null() }
            json.key("last_failure_at")
            if let time = report.lastFailureAt { json.timestamp(time) } else { json.null() }
            json.key("lag_records"); json.unsigned(report.lagRecords)
            json.key("lag_bytes"); json.unsigned(report.lagBytes)
            json.key("oldest_age_seconds")
            json.double(report.oldestWaiting.map { Double(max(0, (now - $0).wholeMilliseconds)) / 1_000 } ?? 0)
            json.key("records_per_second"); json.double(report.recordsPerSecond.rounded(toPlaces: 1))
            json.key("drain_seconds")
            if let seconds = report.drainSeconds { json.double(seconds.rounded(toPlaces: 1)) } else { json.null() }
            json.key("dropped_records"); json.unsigned(report.dropped)
            json.key("dead_letters"); json.integer(report.deadLetters)
            json.key("streams")
            json.array { json in
                for stream in report.streams {
                    json.object { json in
                        json.key("stream"); json.string(stream.name)
                        json.key("priority"); json.integer(stream.priority)
                        json.key("last_seq"); json.unsigned(stream.head)
                        json.key("acked_to"); json.unsigned(stream.ackedTo)
                        json.key("lag_records"); json.unsigned(stream.lagRecords)
                        json.key("lag_bytes"); json.unsigned(stream.lagBytes)
                        json.key("dropped_records"); json.unsigned(stream.dropped)
                    }
                }
            }
        }
    }

    static func write(_ letter: DeadLetter, to json: inout JSONWriter) {
        json.object { json in
            json.key("id"); json.unsigned(letter.id)
            json.key("sink"); json.string(letter.sink)
            json.key("stream"); json.string(letter.stream)
            json.key("seq"); json.unsigned(letter.seq)
            json.key("code"); json.string(letter.code)
            json.key("bytes"); json.integer(letter.length)
            json.key("buried_at"); json.timestamp(letter.buried)
            json.key("redriven_at")
            if let time = letter.redriven { json.timestamp(time) } else { json.null() }
        }
    }

    static func metrics(_ report: SinkReport, now: Timestamp, to text: inout MetricsWriter) {
        let sink = "sink=\"\(report.name)\""
        text.gauge(
            "posto_uplink_lag_records", "Records that the receiver has not acknowledged.",
            report.streams.map { ("\(sink),stream=\"\($0.name)\"", Double($0.lagRecords)) })
        text.gauge(
            "posto_uplink_lag_bytes", "Their bytes, estimated.",
            report.streams.map { ("\(sink),stream=\"\($0.name)\"", Double($0.lagBytes)) })
        text.gauge(
            "posto_uplink_oldest_age_seconds", "Age of the oldest record that waits.",
            [(sink, report.oldestWaiting.map { max(0, Double((now - $0).wholeMilliseconds) / 1_000) } ?? 0)])
        text.gauge(
            "posto_uplink_breaker_state", "0 closed, 1 open, 2 half-open.",
            [(sink, report.breaker == "closed" ? 0 : report.breaker == "open" ? 1 : 2)])
        text.gauge("posto_uplink_dead_letters", "Records that the receiver refused for good.", [(sink, Double(report.deadLetters))])
        text.counter("posto_uplink_batches_total", "Requests with records.", [(sink, report.batches)])
        text.counter("posto_uplink_records_total", "Acknowledged records.", [(sink, report.records)])
        text.counter("posto_uplink_sent_bytes_total", "Bytes of bodies sent.", [(sink, report.sentBytes)])
        text.counter("posto_uplink_failures_total", "Requests without an ack.", [(sink, report.failuresTotal)])
        text.counter(
            "posto_uplink_dropped_records_total", "Records deleted before the receiver had them.",
            report.streams.map { ("\(sink),stream=\"\($0.name)\"", $0.dropped) })
    }
}
