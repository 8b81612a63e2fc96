import Domain
import Store

/// Says in the audit trail that records were deleted before a receiver had them: one summary, not one a record.
final class DropRecord: WriteRequest {
    private let sink: String
    private let stream: String
    private let records: UInt64
    private let bytes: UInt64
    private let through: UInt64

    init(sink: String, stream: String, records: UInt64, bytes: UInt64, through: UInt64) {
        self.sink = sink
        self.stream = stream
        self.records = records
        self.bytes = bytes
        self.through = through
    }

    var priority: RecordPriority { .audit }

    func perform(_ context: borrowing StoreWriteContext) throws(StoreError) {
        guard let audit = context.journal.stream("audit") else { return }
        try context.append(audit, EventDraft(type: "posto.audit.dropped", subject: stream, tenant: "default", priority: .audit)) { json, _ in
            json.object { json in
                json.key("who"); json.object { $0.key("principal"); $0.string("posto" as StaticString) }
                json.key("what"); json.object { $0.key("operation"); $0.string("drop" as StaticString) }
                json.key("stream"); json.string(stream)
                json.key("sink"); json.string(sink)
                json.key("through_seq"); json.unsigned(through)
                json.key("records"); json.unsigned(records)
                json.key("bytes"); json.unsigned(bytes)
                json.key("result"); json.object { $0.key("outcome"); $0.string("dropped" as StaticString) }
            }
        }
    }

    func committed() {}
    func failed(_ error: StoreError) {}
}
