import Domain
import HTTPServer
import Registry
import Store

/// Renewals with an `Idempotency-Key`. A renewal is not on the disk, but the answer to one with a key is.
///
/// Renewing twice is harmless; what the key gives is the same answer to the same request, and a refusal for another one.
extension APIServer {
    /// The answer that was given before, or the refusal of a key that was; nil for a new key, and without one.
    func earlierAnswer(_ claim: IdempotencyClaim?, _ request: borrowing HTTPRequest, _ route: Route) throws(Problem) -> HTTPResponse? {
        guard let claim else { return nil }
        do throws(StoreError) {
            return try registry.answer(to: claim).map {
                response(to: $0, HTTPResponse(status: 500), requestID: request.requestID.description, isShort: route.isShort)
            }
        } catch {
            throw Problem(error)
        }
    }

    /// Gives an answer that is known already: at once, or with a key after it is remembered. Refusals are not: the next try may fare better.
    ///
    /// - Parameter summary: what is remembered instead of an answer that is too long for it.
    func answer(
        _ response: HTTPResponse, _ claim: IdempotencyClaim?, summary: [UInt8] = [], _ request: borrowing HTTPRequest, _ route: Route
    ) -> HTTPReply {
        guard let claim, response.status == 200 else { return .answer(response) }
        let requestID = request.requestID.description
        return change(request, route) { api, ticket in
            api.remembering(response, claim, summary: summary, ticket, requestID: requestID, isShort: route.isShort)
        }
    }

    /// The request that remembers `response` and then completes the ticket.
    func remembering(
        _ response: HTTPResponse, _ claim: IdempotencyClaim, summary: [UInt8] = [], _ ticket: HTTPTicket, requestID: String, isShort: Bool
    ) -> AnswerRequest {
        var body: [UInt8] = []
        if case .bytes(let bytes) = response.body { body = bytes.count > Limits.idempotencyAnswerBytesMax ? summary : bytes }
        return AnswerRequest(claim, status: Int(response.status), body: body) { [self] outcome in
            let answer = self.response(to: outcome, response, requestID: requestID, isShort: isShort)
            if case .failed = outcome { ticket.complete(answer) } else { completions.add(ticket, answer) }
        }
    }

    private func response(to outcome: AnswerOutcome, _ new: HTTPResponse, requestID: String, isShort: Bool) -> HTTPResponse {
        switch outcome {
        case .remembered: new
        case .replayed(let status, let body): .replayed(status: status, body: body, isShort: isShort)
        case .idempotencyKeyReused: respond(.keyReused, requestID: requestID, isShort: isShort)
        case .failed(let error): respond(Problem(error), requestID: requestID, isShort: isShort)
        }
    }
}

extension HTTPResponse {
    /// An answer from memory.
    static func replayed(status: Int, body: [UInt8], isShort: Bool) -> HTTPResponse {
        HTTPResponse(
            status: UInt16(status), contentType: status < 400 || isShort ? .json : .problemJSON,
            headers: [HTTPHeader("Idempotency-Replayed", "true")], body: body.isEmpty ? .none : .bytes(body))
    }
}

extension Problem {
    static var keyReused: Problem {
        Problem(
            .idempotencyKeyReused, "This Idempotency-Key was sent with another request.", hint: "Use a new key for each new request.")
    }
}
