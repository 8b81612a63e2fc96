import Domain
import HTTPServer
import Registry
import Store

/// Who waits for changes: long polls, and streams of server-sent events. On the HTTP thread only.
///
/// A commit wakes every watcher that it concerns; watchers that ask the same are given the same rendered bytes.
// SAFETY: touched on the HTTP thread only; a stream's `onIdle`, which is called there too, holds it.
final class ChangeFeed: @unchecked Sendable {
    /// One long poll.
    // SAFETY: touched on the HTTP thread only.
    final class Watcher: HTTPWaiter, @unchecked Sendable {
        let since: UInt64
        let limit: Int
        let form: ChangesPage.Form
        fileprivate let feed: ChangeFeed
        fileprivate var place = 0

        fileprivate init(since: UInt64, limit: Int, form: ChangesPage.Form, feed: ChangeFeed) {
            self.since = since
            self.limit = limit
            self.form = form
            self.feed = feed
        }

        func departed(_ ticket: HTTPTicket) { feed.remove(ticket) }

        func timedOut(_ ticket: HTTPTicket) -> HTTPResponse {
            feed.remove(ticket)
            return ChangeFeed.response(ChangesPage(emptyAfter: since, form: form), form: form)
        }
    }

    /// One stream of events and how far it is.
    fileprivate struct Subscriber {
        let stream: HTTPStream
        var revision: UInt64
    }

    private struct Question: Hashable {
        let since: UInt64
        let limit: Int
        let form: ChangesPage.Form
    }

    private var watchers: [HTTPTicket: Watcher] = [:]
    private var subscribers: [Subscriber] = []

    var count: Int { watchers.count + subscribers.count }

    // MARK: Asking

    /// A request line that asks to wait: `GET /api/v1/changes?…wait=…`, or for events.
    static func isLongPoll(requestLine: UnsafeRawBufferPointer) -> Bool {
        let prefix: StaticString = "GET /api/v1/changes?"
        guard requestLine.count > prefix.utf8CodeUnitCount,
            requestLine[..<prefix.utf8CodeUnitCount].elementsEqual(
                UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
        else { return false }
        let wait = Array("wait=".utf8)
        var at = prefix.utf8CodeUnitCount
        while at + wait.count <= requestLine.count, requestLine[at] != UInt8(ascii: " ") {
            if requestLine[at] == wait[0], requestLine[at..<at + wait.count].elementsEqual(wait) { return true }
            at += 1
        }
        return false
    }

    func watch(_ request: borrowing HTTPRequest, since: UInt64, limit: Int, form: ChangesPage.Form, deadline: UInt64) {
        let watcher = Watcher(since: since, limit: limit, form: form, feed: self)
        let ticket = request.suspend(until: deadline, waiter: watcher)
        watchers[ticket] = watcher
    }

    func subscribe(_ stream: HTTPStream, after revision: UInt64) {
        subscribers.append(Subscriber(stream: stream, revision: revision))
    }

    private func remove(_ ticket: HTTPTicket) { watchers[ticket] = nil }

    // MARK: Waking

    func wake(registry: ServiceRegistry, revision: UInt64, server: HTTPDoor?) {
        wakeWatchers(registry, revision, server)
        wakeSubscribers(registry, revision)
    }

    private func wakeWatchers(_ registry: ServiceRegistry, _ revision: UInt64, _ server: HTTPDoor?) {
        guard !watchers.isEmpty else { return }
        var rendered: [Question: HTTPResponse] = [:]
        var woken: [(HTTPTicket, HTTPResponse)] = []
        woken.reserveCapacity(watchers.count)
        // Most ask the same.
        var last: (question: Question, answer: HTTPResponse)?
        for (ticket, watcher) in watchers where watcher.since < revision {
            let question = Question(since: watcher.since, limit: watcher.limit, form: watcher.form)
            if let last, last.question == question {
                woken.append((ticket, last.answer))
                continue
            }
            let answer =
                rendered[question] ?? Self.answer(registry, since: watcher.since, limit: watcher.limit, form: watcher.form).prepared
            rendered[question] = answer
            last = (question, answer)
            woken.append((ticket, answer))
        }
        if woken.count == watchers.count {
            watchers.removeAll(keepingCapacity: true)
        } else {
            for (ticket, _) in woken { watchers[ticket] = nil }
        }
        // All at once: one lock, and the loop takes them in its next turn.
        if let server {
            server.completeAll(woken)
        } else {
            for (ticket, response) in woken { ticket.complete(response) }
        }
    }

    /// Gives every stream what it has room for; one that is full goes on when its client has taken it.
    func wakeSubscribers(_ registry: ServiceRegistry, _ revision: UInt64) {
        guard !subscribers.isEmpty else { return }
        var pages: [UInt64: ChangesPage] = [:]
        for index in subscribers.indices {
            while subscribers[index].revision < revision {
                let since = subscribers[index].revision
                if pages[since] == nil {
                    guard
                        case .page(let page)? = try? registry.changes(
                            since: since, limit: Limits.changesPageDefault, form: .eventStream, bytesMax: Limits.eventPageBytesMax)
                    else {
                        // What it has not seen is gone; it must take the whole list again, and learns so when it comes back.
                        subscribers[index].stream.close()
                        break
                    }
                    pages[since] = page
                }
                let page = pages[since]!
                let stream = subscribers[index].stream
                guard page.revision > since,
                    stream.queuedBytes == 0 || stream.queuedBytes + page.body.count <= Limits.httpStreamQueueBytesMax,
                    stream.push(page.body)
                else { break }
                subscribers[index].revision = page.revision
            }
        }
        subscribers.removeAll { $0.stream.isClosed }
    }

    /// Keeps connections open through proxies, and notices who left.
    func beat() {
        let comment = Array(":\n\n".utf8)
        for subscriber in subscribers { _ = subscriber.stream.push(comment) }
        subscribers.removeAll { $0.stream.isClosed }
    }

    func closeStreams() {
        for subscriber in subscribers { subscriber.stream.close() }
        subscribers.removeAll()
    }

    // MARK: Answers

    /// - Parameter requestID: of the one request that is answered; nil for an answer that several watchers share.
    static func answer(
        _ registry: ServiceRegistry, since: UInt64?, limit: Int, form: ChangesPage.Form, requestID: HTTPRequestID? = nil
    ) -> HTTPResponse {
        let problem: Problem
        do throws(StoreError) {
            switch try registry.changes(since: since, limit: limit, form: form) {
            case .page(let page): return response(page, form: form)
            case .gone(let oldest): problem = .gone(since: since ?? 0, oldest: oldest)
            case .lost: problem = .lost(since: since ?? 0)
            case .ahead(let revision): problem = .ahead(since: since ?? 0, revision: revision)
            }
        } catch {
            problem = Problem(error)
        }
        return APIServer.respond(problem, requestID: requestID?.description ?? "", isShort: false)
    }

    static func response(_ page: ChangesPage, form: ChangesPage.Form) -> HTTPResponse {
        let type: HTTPContentType =
            switch form {
            case .json: .json
            case .ndjson: .ndjson
            case .eventStream: .eventStream
            }
        return HTTPResponse(status: 200, contentType: type, body: .bytes(page.body), revision: page.revision)
    }
}

extension Problem {
    static func gone(since: UInt64, oldest: UInt64) -> Problem {
        Problem(
            .revisionGone, "Changes after revision \(since) are no longer kept; the oldest kept follow revision \(oldest).",
            hint: "Take the whole list (GET /api/v1/services) and go on from its revision.")
    }

    static func lost(since: UInt64) -> Problem {
        Problem(
            .revisionGone, "A change after revision \(since) was lost with a damaged disk.",
            hint: "Take the whole list (GET /api/v1/services) and go on from its revision.")
    }

    static func ahead(since: UInt64, revision: UInt64) -> Problem {
        Problem(
            .revisionGone, "This node is at revision \(revision) and has never been at \(since): it was restored, or it is another node.",
            hint: "Take the whole list (GET /api/v1/services) and go on from its revision.")
    }
}
