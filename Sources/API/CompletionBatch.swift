import HTTPServer
import Synchronization

/// Answers that wait for the end of their batch: one wake of the HTTP loop sends them all. The writer's thread fills it and flushes it.
package final class CompletionBatch: Sendable {
    private let waiting = Mutex<[(HTTPTicket, HTTPResponse)]>([])

    package init() {}

    func add(_ ticket: HTTPTicket, _ response: HTTPResponse) {
        waiting.withLock { $0.append((ticket, response)) }
    }

    func flush(through server: HTTPDoor?) {
        let completions = waiting.withLock { waiting in
            let all = waiting
            waiting.removeAll(keepingCapacity: true)
            return all
        }
        guard !completions.isEmpty else { return }
        if let server {
            server.completeAll(completions)
        } else {
            for (ticket, response) in completions { ticket.complete(response) }
        }
    }
}
