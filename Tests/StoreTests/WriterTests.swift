import Domain
import Store
import Synchronization
import Testing

@Suite("The writer")
struct WriterTests {
    @Test("a request is durable and in the journal when it is answered, and still there after a reopen")
    func commitAndReopen() throws {
        let folder = TemporaryFolder()
        do {
            let store = try TestStore(in: folder)
            let state = store.state
            let audit = store.audit
            let answer = try store.run(
                TestRequest { (context) throws(StoreError) in
                    try context.transaction.put(.things, StoreKey(.things, Array("a".utf8)), [1, 2, 3], revision: 1)
                    try context.append(state, EventDraft(type: "t.changed", subject: "a", tenant: "default", priority: .state)) {
                        json, seq in
                        json.object {
                            $0.key("revision")
                            $0.unsigned(seq)
                        }
                    }
                    try context.append(audit, EventDraft(type: "t.audited", tenant: "default", priority: .audit)) { json, _ in json.null() }
                })
            #expect(answer == .committed)
            #expect(try store.environment.value("a") == [1, 2, 3])
            #expect(store.journal.position(state).last == 1)
        }
        let store = try TestStore(in: folder)
        #expect(try store.environment.value("a") == [1, 2, 3])
        #expect(
            try store.environment.lines(store.state) == [
                #"{"specversion":"1.0","id":"1-1","source":"/node/3f2a/state","type":"t.changed","subject":"a","time":"2026-11-18T11:06:40.000Z","datacontenttype":"application/json","postoseq":"1","postoepoch":"1","postoprio":"2","postotenant":"default","postomono":"10000","postotimeq":"unknown","data":{"revision":1}}"#
            ])
        #expect(store.journal.position(store.audit).records == 1)
    }
}
