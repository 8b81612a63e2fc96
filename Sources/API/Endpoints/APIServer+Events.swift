import Domain
import HTTPServer
import Store
import Uplink

/// Seconds after which a sender should try again: a full stream has room when the receiver has taken a batch, a busy disk sooner.
private let retryFullSeconds = 5

extension APIServer {
    /// Appends one JSON object, or NDJSON, to a declared stream.
    func events(_ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route) -> HTTPReply {
        let name = parameters.string(0, in: request.path)
        let events: EventLines
        let stream: EventIntake.Stream
        let draft: EventDraft
        let claim: IdempotencyClaim?
        let isRelaxed: Bool
        do throws(Problem) {
            _ = try Query(request, route)
            stream = try declaredStream(name)
            events = try eventLines(of: request)
            draft = try eventDraft(of: request, stream)
            claim = try self.claim(of: request)
            isRelaxed = Self.wantsRelaxed(request)
        } catch {
            return .answer(respond(error, request, route))
        }
        guard let intake else { preconditionFailure("a declared stream without an intake") }
        let answers = EventAnswers(api: self, stream: name, requestID: request.requestID.description, route: route)
        if isRelaxed {
            do throws(StoreError) {
                try intake.submit(events, to: stream, draft: draft, claim: claim, render: { answers.stored($0) }, completion: { _ in })
            } catch {
                return .answer(respond(Problem(error), request, route))
            }
            return .answer(answers.accepted(events.ranges.count))
        }
        let late = respond(
            Problem(
                .unavailable, "The disk has not confirmed these events in time; they may still be stored.",
                hint: "Send them again with the same Idempotency-Key: they are stored once.", retryAfter: 5),
            request, route)
        let ticket = request.suspend(
            until: HTTPDoor.uptimeNanoseconds() + changeTimeoutNanoseconds, waiter: PendingChange(late: { late }))
        do throws(StoreError) {
            try intake.submit(
                events, to: stream, draft: draft, claim: claim, render: { answers.stored($0) },
                completion: { [self] outcome in
                    let response = answers.response(outcome)
                    if case .failed = outcome { ticket.complete(response) } else { completions.add(ticket, response) }
                })
        } catch {
            ticket.complete(respond(Problem(error), request, route))
        }
        return .later
    }

    private func declaredStream(_ name: String) throws(Problem) -> EventIntake.Stream {
        if let stream = intake?.stream(name) { return stream }
        let names = intake?.names ?? []
        let nearest = EditDistance.nearest(to: name, among: names).map { "Did you mean \"\($0)\"? " } ?? ""
        throw Problem(
            .unknownStream, "No stream \"\(name.prefix(64))\" is declared for events.",
            hint: nearest
                + (names.isEmpty
                    ? "Declare it in the configuration: [[streams]] name = \"sales\"." : "Declared are: \(names.joined(separator: ", "))."))
    }

    private func eventLines(of request: borrowing HTTPRequest) throws(Problem) -> EventLines {
        let type = (request.header("Content-Type") ?? "").prefix { $0 != ";" }.lowercased()
        let isLines: Bool
        switch type {
        case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines": isLines = true
        // curl's own type for -d is taken for what was meant.
        case "", "application/json", "application/x-www-form-urlencoded": isLines = false
        default:
            throw Problem(
                .unsupportedMediaType, "\(type.prefix(64)) is not taken here.",
                hint: "Send application/json (one object) or application/x-ndjson (one object a line).")
        }
        do throws(EventLines.Fault) {
            return isLines ? try EventLines.lines(request.body) : try EventLines.object(request.body)
        } catch {
            throw Problem(error)
        }
    }

    /// The CloudEvents attributes that a sender may give, as in the HTTP binding's binary mode.
    private func eventDraft(of request: borrowing HTTPRequest, _ stream: EventIntake.Stream) throws(Problem) -> EventDraft {
        let type = try attribute(request.header("ce-type"), "ce-type", example: "bank.branch.sale")
        let subject = try attribute(request.header("ce-subject"), "ce-subject", example: "till/4")
        return EventDraft(
            type: type ?? "posto.event.\(stream.name)", subject: subject, tenant: facts.tenant, traceparent: request.traceparent,
            priority: stream.priority)
    }

    private func attribute(_ value: String?, _ name: String, example: String) throws(Problem) -> String? {
        guard let value else { return nil }
        guard (1...Limits.eventAttributeBytesMax).contains(value.utf8.count), value.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
            throw Query.refuse(name, value, "1 to \(Limits.eventAttributeBytesMax) bytes without control characters", example: example)
        }
        return value
    }

    /// `Prefer: respond-async` (RFC 7240 §4.1), alone or among others.
    private static func wantsRelaxed(_ request: borrowing HTTPRequest) -> Bool {
        request.header("Prefer")?.split(separator: ",").contains {
            $0.prefix { $0 != ";" }.filter { $0 != " " }.lowercased() == "respond-async"
        } ?? false
    }
}

/// Renders what becomes of events.
private struct EventAnswers: Sendable {
    let api: APIServer
    let stream: String
    let requestID: String
    let route: Route

    func response(_ outcome: AppendOutcome) -> HTTPResponse {
        switch outcome {
        case .stored(let first, let last): return HTTPResponse(status: 201, body: .bytes(body(first: first, last: last)))
        case .replayed(let status, let body):
            return HTTPResponse(
                status: UInt16(status), contentType: .json, headers: [HTTPHeader("Idempotency-Replayed", "true")], body: .bytes(body))
        default: return api.respond(problem(outcome), requestID: requestID, isShort: false)
        }
    }

    /// What an idempotency key repeats.
    func stored(_ outcome: AppendOutcome) -> (status: Int, body: [UInt8]) {
        guard case .stored(let first, let last) = outcome else { preconditionFailure("only what was stored is remembered") }
        return (201, body(first: first, last: last))
    }

    func accepted(_ count: Int) -> HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.key("stream"); json.string(stream)
            json.key("events"); json.integer(count)
            json.key("durable"); json.bool(false)
        }
        return HTTPResponse(
            status: 202, headers: [HTTPHeader("Preference-Applied", "respond-async")], body: .bytes(json.finish()))
    }

    private func body(first: UInt64, last: UInt64) -> [UInt8] {
        var json = JSONWriter(capacity: 128)
        json.object { json in
            json.key("stream"); json.string(stream)
            json.key("first_seq"); json.unsigned(first)
            json.key("last_seq"); json.unsigned(last)
            json.key("durable"); json.bool(true)
        }
        return json.finish()
    }

    private func problem(_ outcome: AppendOutcome) -> Problem {
        switch outcome {
        case .streamFull:
            return Problem(
                .streamFull, "The stream \"\(stream)\" holds as much as it may; nothing was stored.",
                hint: "Wait until the central plane has taken some (GET /api/v1/uplink), raise bytes_max, or declare when_full = \"drop-oldest\".",
                retryAfter: retryFullSeconds)
        case .keyReused:
            return Problem(
                .idempotencyKeyReused, "This Idempotency-Key was sent with another request.", hint: "Use a new key for each new request.")
        case .failed(let error): return Problem(error)
        case .stored, .replayed: preconditionFailure("an outcome that is no refusal")
        }
    }
}

extension Problem {
    init(_ fault: EventLines.Fault) {
        let example = "Send {\"sku\":\"A-1\",\"amount\":2}, or one such object a line as application/x-ndjson."
        switch fault {
        case .notJSON(let line, let reason):
            self.init(.malformedJSON, line == 0 ? "The body is not JSON: \(reason)." : "Line \(line) is not JSON: \(reason).", hint: example)
        case .notAnObject(let line):
            self.init(.validation, line == 0 ? "An event is a JSON object." : "Line \(line) is not a JSON object.", hint: example)
        case .empty: self.init(.malformedJSON, "The body holds no event.", hint: example)
        case .tooMany:
            self.init(
                .bodyTooLarge, "One request may hold \(Limits.eventsPerRequestMax) events.", hint: "Split it into several requests.")
        }
    }
}
