import Domain
import Store
import Synchronization

/// Puts a record among the dead letters, or a redriven one back there.
// SAFETY: the fields are set before `submit` and only read afterwards.
final class BuryRequest: WriteRequest {
    private let sink: String
    private let stream: String
    private let seq: UInt64
    private let code: String
    private let line: [UInt8]
    private let completion: @Sendable (StoreError?) -> Void

    init(
        sink: String, stream: String, seq: UInt64, code: String, line: [UInt8], completion: @escaping @Sendable (StoreError?) -> Void
    ) {
        self.sink = sink
        self.stream = stream
        self.seq = seq
        self.code = String(code.prefix(64))
        self.line = line
        self.completion = completion
    }

    var priority: RecordPriority { .alert }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        let letters = try context.transaction.deadLetters()
        if var known = letters.first(where: { $0.sink == sink && $0.stream == stream && $0.seq == seq }) {
            known.code = code
            try context.transaction.deleteDeadLetter(known)
            try context.transaction.putDeadLetter(known, line, revision: known.id)
        } else {
            let letter = DeadLetter(
                id: (letters.last?.id ?? 0) + 1, sink: sink, stream: stream, seq: seq, code: code, buried: context.now, redriven: nil,
                length: line.count)
            try context.transaction.putDeadLetter(letter, line, revision: letter.id)
        }
        for old in letters.prefix(max(0, letters.count + 1 - Limits.deadLettersMax)) { try context.transaction.deleteDeadLetter(old) }
        try context.append(
            context.journal.stream("audit")!,
            EventDraft(type: "posto.audit.deadletter", subject: "\(stream)/\(seq)", tenant: "default", priority: .audit)
        ) { json, _ in
            json.object { json in
                json.key("who"); json.object { $0.key("principal"); $0.string("sink:\(sink)") }
                json.key("what"); json.object { $0.key("operation"); $0.string("deadletter" as StaticString) }
                json.key("stream"); json.string(stream)
                json.key("seq"); json.unsigned(seq)
                json.key("result"); json.object { $0.key("outcome"); $0.string(code) }
            }
        }
    }

    func committed() { completion(nil) }
    func failed(_ error: StoreError) { completion(error) }
}

/// What became of the wish to send a dead letter again.
package enum RedriveOutcome: Equatable, Sendable {
    case accepted(DeadLetter)
    case unknown
    /// It was sent again once.
    case before(DeadLetter)
    case failed(StoreError)
}

/// Marks a letter as to be sent again.
// SAFETY: `outcome` is touched by the writer's thread only, between `submit` and the end of `committed` or `failed`.
final class RedriveRequest: WriteRequest, @unchecked Sendable {
    private let id: UInt64
    private let principal: String
    private let completion: @Sendable (RedriveOutcome) -> Void
    private var outcome = RedriveOutcome.unknown

    init(_ id: UInt64, principal: String, completion: @escaping @Sendable (RedriveOutcome) -> Void) {
        self.id = id
        self.principal = principal
        self.completion = completion
    }

    var priority: RecordPriority { .alert }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        guard let (letter, line) = try context.transaction.deadLetter(id) else {
            outcome = .unknown
            return
        }
        guard letter.redriven == nil else {
            outcome = .before(letter)
            return
        }
        var marked = letter
        marked.redriven = context.now
        try context.transaction.putDeadLetter(marked, line, revision: id)
        let principal = self.principal
        try context.append(
            context.journal.stream("audit")!,
            EventDraft(type: "posto.audit.redrive", subject: "\(letter.stream)/\(letter.seq)", tenant: "default", priority: .audit)
        ) { json, _ in
            json.object { json in
                json.key("who"); json.object { $0.key("principal"); $0.string(principal) }
                json.key("what"); json.object { $0.key("operation"); $0.string("redrive" as StaticString) }
                json.key("stream"); json.string(letter.stream)
                json.key("seq"); json.unsigned(letter.seq)
                json.key("result"); json.object { $0.key("outcome"); $0.string("accepted" as StaticString) }
            }
        }
        outcome = .accepted(marked)
    }

    func committed() { completion(outcome) }
    func failed(_ error: StoreError) { completion(.failed(error)) }
}

/// Takes letters out: one was delivered after all, or its time is over.
final class ForgetLetters: WriteRequest {
    private let letters: [DeadLetter]

    init(_ letters: [DeadLetter]) { self.letters = letters }

    var priority: RecordPriority { .audit }
    var releasesSpace: Bool { true }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        for letter in letters { try context.transaction.deleteDeadLetter(letter) }
    }

    func committed() {}
    func failed(_ error: StoreError) {}
}
