import Domain
import HTTPServer
import Registry
import Store
import Testing

@testable import API

@Suite("the interface over a socket")
struct EndpointTests {
    @Test("a refusal on the short form has the specification's shape, to the byte")
    func shortShape() throws {
        let node = try TestNode()
        let reply = node.ask("POST", "/register", TestNode.registration("MyService-123!"))
        #expect(reply.status == 400)
        #expect(reply["Content-Type"] == "application/json")
        let expected =
            #"{"error":"ValidationError","field":"service_name","message":"Service name must match ^[a-z0-9][a-z0-9_-]{2,63}$","provided":"MyService-123!","example":"my-service-123""#
        #expect(reply.text.hasPrefix(expected), "\(reply.text)")
    }

    @Test("a native refusal is a problem of RFC 9457 that names field, provided, expected, example and what to do")
    func problemShape() throws {
        let node = try TestNode()
        let reply = node.ask("POST", "/api/v1/register", TestNode.registration("ok-name", port: 80))
        let json = try reply.json()
        #expect(reply.status == 400 && reply["Content-Type"] == "application/problem+json")
        #expect(json["type"]?.string == "urn:posto:problem:validation_error" && json["code"]?.string == "validation_error")
        #expect(json["status"]?.int64 == 400 && json["field"]?.string == "port" && json["provided"]?.int64 == 80)
        #expect(json["expected"]?.string == "an integer from 1024 to 65535" && json["example"]?.string == "8080")
        #expect(json["hint"]?.string?.isEmpty == false && json["title"]?.string?.isEmpty == false)
        #expect(json["request_id"]?.string == reply["X-Request-Id"])
    }

    @Test("registered, the same again, changed: 201, 200 with the same id and revision, 200")
    func register() throws {
        let node = try TestNode()
        let first = node.register("teller")
        let json = try first.json()
        #expect(first.status == 201 && json["durable"]?.bool == true && json["revision"]?.int64 == 1)
        #expect(first["Posto-Revision"] == "1")
        #expect(json["lease"]?["heartbeat_seconds"]?.int64 == 30 && json["lease"]?["grace_seconds"]?.int64 == 15)
        #expect(json["lease"]?["expires_at"]?.string == (node.clock.wall + .seconds(60)).rfc3339)
        let again = node.register("teller")
        #expect(again.status == 200)
        #expect(try again.json()["id"]?.string == json["id"]?.string && again.json()["revision"]?.int64 == 1)
        #expect(node.register("teller", more: #","weight":5"#).status == 200)
        #expect(node.register("other-one").status == 409)
    }

    @Test("a dry run says what would be done, refuses what would be refused, and leaves nothing behind")
    func dryRun() throws {
        let node = try TestNode()
        let body = TestNode.registration("teller", more: #","id":"t-1""#)
        let would = node.ask("POST", "/api/v1/register?dry_run=true", body)
        #expect(would.status == 200)
        #expect(try would.json()["would"]?.string == "register" && would.json()["durable"]?.bool == false)
        #expect(node.ask("GET", "/api/v1/services/teller").status == 404)
        #expect(try node.ask("GET", "/api/v1/changes").json()["revision"]?.int64 == 0)
        // The slot that was taken for it is free again: the registration itself is the first of all.
        #expect(node.ask("POST", "/api/v1/register", body).status == 201)
        #expect(try node.ask("POST", "/api/v1/register?dry_run=true", body).json()["would"]?.string == "renew")
        #expect(node.ask("POST", "/api/v1/register?dry_run=true", TestNode.registration("other-one")).status == 409)
        #expect(node.ask("POST", "/api/v1/register?dry_run=perhaps", body).status == 400)
        #expect(try node.ask("DELETE", "/api/v1/deregister/teller?dry_run=true").json()["would"]?.string == "remove")
        #expect(node.ask("GET", "/api/v1/services/teller").status == 200)
        #expect(node.ask("DELETE", "/api/v1/deregister/teller").status == 204)
        #expect(try node.ask("GET", "/api/v1/changes").json()["revision"]?.int64 == 2)
    }

    @Test("a heartbeat: plain, with words that are no registration, with a registration, by name, by id, unknown, ambiguous")
    func heartbeat() throws {
        let node = try TestNode()
        node.register("teller", more: #","id":"t-1""#)
        node.clock.advance(.seconds(10))
        for body in ["", "{}", "not json at all", #"{"service_name":"teller"}"#, #"{"status":"fine"}"#] {
            let reply = node.ask("POST", "/api/v1/heartbeat/teller", body)
            #expect(reply.status == 200, "\(body)")
            #expect(try reply.json()["expires_at"]?.string == (node.clock.wall + .seconds(60)).rfc3339)
        }
        #expect(node.ask("POST", "/heartbeat/teller/t-1").status == 200)
        #expect(try node.ask("POST", "/api/v1/heartbeat/teller/t-2").json()["code"]?.string == "unknown_lease")
        #expect(node.ask("POST", "/heartbeat/nobody").status == 404)
        #expect(node.ask("POST", "/api/v1/heartbeat/" + String(repeating: "x", count: 300)).status == 404)
        let upsert = node.ask("POST", "/api/v1/heartbeat/atm/a-1", TestNode.registration("atm", port: 9_001, more: #","id":null"#))
        #expect(upsert.status == 201)
        #expect(try upsert.json()["id"]?.string == "a-1" && upsert.json()["expires_at"]?.string != nil)
        #expect(node.ask("POST", "/api/v1/heartbeat/atm/a-2", TestNode.registration("atm", port: 9_002)).status == 201)
        let ambiguous = node.ask("POST", "/api/v1/heartbeat/atm")
        #expect(ambiguous.status == 409)
        #expect(try ambiguous.json()["ids"]?.elements.compactMap(\.string) == ["a-1", "a-2"])
        #expect(node.ask("POST", "/api/v1/heartbeat/atm", TestNode.registration("other", port: 9_003)).status == 400)
    }

    @Test("the tenant of the query is the tenant of everything that the request does")
    func tenants() throws {
        let node = try TestNode()
        #expect(node.ask("POST", "/api/v1/heartbeat/teller?tenant=b", TestNode.registration("teller")).status == 201)
        #expect(node.ask("GET", "/api/v1/services/teller").status == 404)
        #expect(node.ask("GET", "/api/v1/services/teller?tenant=b").status == 200)
        let batch = node.ask(
            "POST", "/api/v1/heartbeats?tenant=b", "[" + TestNode.registration("atm", port: 9_001) + #",{"service_name":"teller"}]"#)
        #expect(try batch.json()["renewed"]?.int64 == 2)
        #expect(try node.ask("GET", "/services?tenant=b").json()["services"]?.count == 2)
        #expect(try node.ask("GET", "/services").json()["services"]?.count == 0)
        #expect(node.ask("DELETE", "/deregister/teller").status == 404)
        #expect(node.ask("DELETE", "/deregister/teller?tenant=b").status == 204)
        #expect(node.ask("GET", "/services?tenant=B").status == 400)
        // A name of one tenant is no hint for another.
        #expect(node.ask("GET", "/api/v1/services/atn").text.contains("atm") == false)
        #expect(node.ask("GET", "/api/v1/services/atn?tenant=b").text.contains("Did you mean atm?"))
    }

    @Test("a batch has a result for each element, in order")
    func batch() throws {
        let node = try TestNode()
        node.register("teller", more: #","id":"t-1""#)
        node.register("expired-one", port: 9_001)
        node.clock.advance(.seconds(61))
        _ = node.ask("POST", "/heartbeat/teller")
        node.registry.sweep(now: node.clock.uptime, isForgiving: false)
        let body =
            #"{"heartbeats":[{"service_name":"teller","id":"t-1"},{"service_name":"nobody"},{"service_name":"expired-one"},{"service_name":"X"},{"service_name":"teller","id":"-"},7,"#
            + TestNode.registration("fresh-one", port: 9_002) + "," + TestNode.registration("teller", port: 1) + "]}"
        let reply = node.ask("POST", "/api/v1/heartbeats", body)
        let results = try reply.json()["results"]!.elements.map { $0["status"]!.int64! }
        #expect(results == [200, 404, 200, 400, 400, 400, 200, 400])
        let fifth = try Array(reply.json()["results"]!.elements)[4]
        #expect(fifth["detail"]?.string?.contains("id") == true)
        #expect(try node.ask("POST", "/api/v1/heartbeats", "[]").json()["renewed"]?.int64 == 0)
        for wrong in ["", "{", "{}", "7", #"{"heartbeats":{}}"#, "[" + Array(repeating: "0", count: 1_001).joined(separator: ",") + "]"] {
            #expect(node.ask("POST", "/api/v1/heartbeats", wrong).status == 400, "\(wrong.prefix(20))")
        }
    }

    @Test(
        "HEAD answers wherever GET does, with the same status and no body",
        arguments: Route.allCases.filter { $0.description.method == .get })
    func head(route: Route) throws {
        guard route != .backup else { return }
        let node = try TestNode()
        node.register("teller")
        let path = "\(route.description.pattern)".replacing("{name}", with: route == .streamRecords ? "state" : "teller")
        let get = node.ask("GET", path)
        let head = node.ask("HEAD", path)
        #expect(get.status == head.status && get.status != 0, "\(path): \(get.status) \(head.status)")
        #expect(get["Content-Type"] == head["Content-Type"])
        #expect(get["Posto-Revision"] == head["Posto-Revision"])
    }

    @Test("answers that rest on a revision name it")
    func revisions() throws {
        let node = try TestNode()
        node.register("teller")
        for path in ["/api/v1/services", "/services/teller", "/api/v1/changes?since=0", "/api/v1/node"] {
            #expect(node.ask("GET", path)["Posto-Revision"] == "1", "\(path)")
        }
        #expect(node.ask("DELETE", "/api/v1/deregister/teller")["Posto-Revision"] == "2")
    }

    @Test("queries: unknown and repeated parameters, wrong integers and durations are refused with what would be right")
    func queries() throws {
        let node = try TestNode()
        func code(_ query: String) throws -> String? { try node.ask("GET", "/api/v1/changes?" + query).json()["code"]?.string }
        let unknown = node.ask("GET", "/api/v1/services?tga=x")
        #expect(unknown.status == 400)
        #expect(unknown.text.contains("Did you mean tag?"))
        for good in ["since=0", "since=0&limit=1", "limit=1000", "wait=0", "wait=0s&since=0", "wait=0ms&since=0"] {
            #expect(node.ask("GET", "/api/v1/changes?" + good).status == 200, "\(good)")
        }
        for wrong in [
            "since=-1", "since=x", "since=", "since=18446744073709551616", "limit=0", "limit=1001", "limit=1.5", "wait=x", "wait=-1s",
            "wait=5d", "wait=1e3", "limit=1&limit=2",
        ] {
            #expect(node.ask("GET", "/api/v1/changes?" + wrong).status == 400, "\(wrong)")
        }
        #expect(try code("since=18446744073709551615") == "revision_gone")
        #expect(node.ask("GET", "/api/v1/services?tag=a&tag=b").status == 200)
        for wrong in ["health=ok", "protocol=udp", "cursor=%25", "limit=0", "tenant="] {
            #expect(node.ask("GET", "/api/v1/services?" + wrong).status == 400, "\(wrong)")
        }
    }

    @Test("a traceparent of any length goes into records, cut to what every version begins with")
    func traceparent() throws {
        let node = try TestNode()
        node.register("teller")
        let parent = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let reply = node.send(
            "DELETE", "/api/v1/deregister/teller", headers: ["traceparent: \(parent)-\(String(repeating: "x", count: 6_000))"]
        ).reply()
        #expect(reply?.status == 204)
        let records = node.ask("GET", "/api/v1/streams/state?since=1").text
        #expect(records.contains("\"traceparent\":\"\(parent)\""))
    }

    @Test("a replayed refusal keeps the shape of its route")
    func replayShape() throws {
        let node = try TestNode()
        node.register("teller")
        for (path, type) in [("/register", "application/json"), ("/api/v1/register", "application/problem+json")] {
            for round in 0..<2 {
                let reply = node.send(
                    "POST", path, TestNode.registration("other-one"), headers: ["Idempotency-Key: k-\(path.utf8.count)"]
                ).reply()
                #expect(reply?.status == 409 && reply?["Content-Type"] == type, "\(path) \(round)")
                #expect((reply?["Idempotency-Replayed"] == "true") == (round == 1))
            }
        }
        #expect(node.send("POST", "/register", TestNode.registration("third"), headers: ["Idempotency-Key: k-9"]).reply()?.status == 422)
    }

    @Test(
        "a heartbeat with a key is answered alike when it is repeated, over look-ups and time, and refused with another body",
        arguments: ["/api/v1/heartbeat/teller", "/heartbeat/teller/t-1"])
    func heartbeatKey(_ path: String) throws {
        let node = try TestNode()
        node.register("teller", more: #","id":"t-1""#)
        func beat(_ path: String, _ body: String = "", key: String) throws -> TestNode.Reply {
            try #require(node.send("POST", path, body, headers: ["Idempotency-Key: \(key)"]).reply())
        }
        let first = try beat(path, key: "k")
        #expect(first.status == 200 && first["Idempotency-Replayed"] == nil)
        node.clock.advance(.seconds(20))
        let again = try beat(path, key: "k")
        #expect(again.text == first.text && again["Idempotency-Replayed"] == "true")
        #expect(try beat(path, #"{"status":"fine"}"#, key: "k").status == 422)
        #expect(try beat(path + "?tenant=default", key: "k").status == 422)
        #expect(try beat(path, key: "other").text != first.text)
        #expect(try beat(path, key: "with space").status == 400)
        // A refusal is not remembered: the next try may fare better.
        #expect(try beat("/api/v1/heartbeat/late", key: "l").status == 404)
        node.register("late", port: 9_001)
        #expect(try beat("/api/v1/heartbeat/late", key: "l").status == 200)
        // One that brings an expired lease back.
        node.clock.advance(.seconds(61))
        node.registry.sweep(now: node.clock.uptime, isForgiving: false)
        let revived = try beat(path, key: "back")
        #expect(revived.status == 200)
        #expect(try beat(path, key: "back")["Idempotency-Replayed"] == "true")
    }

    @Test("a batch with a key: the same answer again, or how it went if that is too long to be kept")
    func batchKey() throws {
        let node = try TestNode()
        node.register("teller")
        for (count, isWhole) in [(2, true), (100, false)] {
            let body = "[" + Array(repeating: #"{"service_name":"teller"}"#, count: count).joined(separator: ",") + "]"
            let key = ["Idempotency-Key: batch-\(count)"]
            let first = try #require(node.send("POST", "/api/v1/heartbeats", body, headers: key).reply())
            #expect(try first.json()["results"]?.count == count)
            let again = try #require(node.send("POST", "/api/v1/heartbeats", body, headers: key).reply())
            #expect(again["Idempotency-Replayed"] == "true")
            #expect(try again.json()["renewed"]?.int64 == Int64(count))
            #expect((again.text == first.text) == isWhole)
            #expect(node.send("POST", "/api/v1/heartbeats", "[]", headers: key).reply()?.status == 422)
        }
        let mixed = "[" + TestNode.registration("atm", port: 9_001) + #",{"service_name":"nobody"}]"#
        let first = try #require(node.send("POST", "/api/v1/heartbeats", mixed, headers: ["Idempotency-Key: m"]).reply())
        #expect(node.send("POST", "/api/v1/heartbeats", mixed, headers: ["Idempotency-Key: m"]).reply()?.text == first.text)
    }

    @Test(
        "the form of changes is what Accept likes best",
        arguments: [
            ("*/*", "application/json"), ("text/html", "application/json"), ("application/x-ndjson", "application/x-ndjson"),
            ("Application/NDJSON ; q=0.5", "application/x-ndjson"), ("text/event-stream;q=0, application/json", "application/json"),
            ("application/json;q=0.4, application/x-ndjson;q=0.9", "application/x-ndjson"), ("text/event-stream", "text/event-stream"),
            ("application/json, application/x-ndjson", "application/json"), ("application/x-ndjson;q=x", "application/json"),
            ("", "application/json"),
        ])
    func accept(_ accept: String, _ type: String) throws {
        let node = try TestNode()
        node.register("teller")
        let reply = node.send("GET", "/api/v1/changes?since=0", headers: ["Accept: \(accept)"]).head()
        #expect(reply?["Content-Type"] == type)
    }

    @Test("what is not there says what may be meant, OPTIONS what there is, and a compressed body is refused as such")
    func manners() throws {
        let node = try TestNode()
        #expect(try node.ask("GET", "/api/v1/services/").json()["hint"]?.string == "Did you mean /api/v1/services?")
        #expect(try node.ask("GET", "/api/v1/nothing/").json()["hint"]?.string == "GET /openapi.json lists every path.")
        let star = node.ask("OPTIONS", "*")
        #expect(star.status == 204 && star["Allow"] == "GET, HEAD, POST, DELETE, OPTIONS")
        let twice = try node.ask("GET", "/api/v1/services?limit=1&limit=2").json()
        #expect(twice["field"]?.string == "limit" && twice["provided"]?.string == "2" && twice["hint"]?.string == "Give it once.")
        let packed = node.send("POST", "/api/v1/register", "{}", headers: ["Content-Encoding: gzip"]).reply()
        #expect(packed?.status == 415)
        #expect(try packed?.json()["code"]?.string == "unsupported_media_type")
        #expect(
            node.send("POST", "/register", TestNode.registration("teller"), headers: ["Content-Encoding: identity"]).reply()?.status == 201)
        let gone = try node.ask("GET", "/api/v1/changes?since=99").json()
        #expect(gone["request_id"]?.string?.utf8.count == 32)
    }

    @Test("two keys in one request are none")
    func twoKeys() throws {
        let node = try TestNode()
        let keys = ["Idempotency-Key: a", "Idempotency-Key: b"]
        #expect(node.send("POST", "/register", TestNode.registration("teller"), headers: keys).reply()?.status == 400)
    }

    @Test("when the writer has stopped, changes are refused and look-ups go on")
    func closed() throws {
        let node = try TestNode()
        node.register("teller")
        node.writer.stop()
        let reply = node.register("atm", port: 9_001)
        #expect(reply.status == 503 && reply["Retry-After"] == "1")
        #expect(node.ask("DELETE", "/deregister/teller").status == 503)
        #expect(node.ask("GET", "/services/teller").status == 200)
        #expect(node.ask("POST", "/heartbeat/teller").status == 200)
    }

    @Test("a look-up is never older than the change before it, and its ages change with the second")
    func lookup() throws {
        let node = try TestNode()
        node.register("teller", more: #","id":"t-1""#)
        func shown() throws -> JSONValue { Array(try node.ask("GET", "/services/teller").json()["instances"]!.elements)[0] }
        for second in 0..<5 {
            for _ in 0..<2 { #expect(try shown()["age_seconds"]?.int64 == Int64(second)) }
            node.clock.advance(.seconds(1))
        }
        _ = node.ask("POST", "/heartbeat/teller")
        #expect(try shown()["age_seconds"]?.int64 == 0)
        for weight in 2...40 {
            node.register("teller", more: #","id":"t-1","weight":\#(weight)"#)
            #expect(try shown()["weight"]?.int64 == Int64(weight))
        }
        node.clock.advance(.milliseconds(29_999))
        #expect(try shown()["freshness"]?.string == "fresh")
        node.clock.advance(.milliseconds(1))
        #expect(try shown()["freshness"]?.string == "stale")
        _ = node.ask("DELETE", "/deregister/teller")
        #expect(node.ask("GET", "/services/teller").status == 404)
        #expect(node.api.cache.hits > 0)
    }
}

@Suite("watching changes")
struct WatchTests {
    @Test("a long poll is answered by the next change, and by nothing when its time is over")
    func longPoll() throws {
        let node = try TestNode()
        node.register("teller")
        let waiting = node.send("GET", "/api/v1/changes?since=1&wait=60s")
        node.register("atm", port: 9_001)
        let reply = try #require(waiting.reply())
        #expect(try reply.json()["revision"]?.int64 == 2 && reply.json()["changes"]?.count == 1)
        let empty = node.ask("GET", "/api/v1/changes?since=2&wait=20ms")
        #expect(empty.status == 200)
        #expect(try empty.json()["revision"]?.int64 == 2 && empty.json()["changes"]?.count == 0)
    }

    @Test("who watches an old node for the first time begins with the oldest change that is kept")
    func firstTime() throws {
        let node = try TestNode()
        for number in 0..<5 { node.register("svc-\(number)", port: 9_000 + number) }
        try node.registry.submit(RetentionSlice(stream: .state, through: 3))
        node.register("svc-9", port: 9_009)
        #expect(node.ask("GET", "/api/v1/changes?since=0").status == 410)
        let reply = node.ask("GET", "/api/v1/changes")
        #expect(reply.status == 200)
        #expect(try Array(reply.json()["changes"]!.elements).first?["service_name"]?.string == "svc-3")
        #expect(try reply.json()["revision"]?.int64 == 6)
    }

    @Test("a stream of events that begins far behind gets everything, in order, and then what happens")
    func backlog() throws {
        let node = try TestNode()
        let filler = #","metadata":{"k":"\#(String(repeating: "v", count: 512))"}"#
        let count = 600
        for number in 0..<count {
            let connection = node.send("POST", "/register", TestNode.registration("svc-\(number)", port: 2_000 + number, more: filler))
            #expect(connection.reply()?.status == 201)
        }
        let stream = node.send("GET", "/api/v1/changes?since=0", headers: ["Accept: text/event-stream"])
        #expect(stream.head()?.status == 200)
        var text = ""
        func read(through last: Int) {
            while !text.contains("\nid: \(last)\n"), !text.hasPrefix("id: \(last)\n") {
                guard let chunk = stream.chunk() else {
                    Issue.record("the stream ended early, after \(text.utf8.count) bytes")
                    return
                }
                text += chunk
            }
        }
        read(through: count)
        node.register("late-one", port: 9_999)
        read(through: count + 1)
        let ids = text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.map { Int($0.dropFirst(4))! }
        #expect(ids == Array(1...(count + 1)))
    }

    @Test("a stream of events without a number begins with the oldest change that is kept")
    func streamFromOldest() throws {
        let node = try TestNode()
        for number in 0..<3 { node.register("svc-\(number)", port: 9_000 + number) }
        try node.registry.submit(RetentionSlice(stream: .state, through: 1))
        node.register("svc-8", port: 9_008)
        let stream = node.send("GET", "/api/v1/changes", headers: ["Accept: text/event-stream"])
        #expect(stream.head()?.status == 200)
        #expect(stream.chunk()?.hasPrefix("id: 2\nevent: registered\n") == true)
        // Where a browser was when its connection broke.
        let again = node.send("GET", "/api/v1/changes?since=0", headers: ["Accept: text/event-stream", "Last-Event-ID: 3"])
        #expect(again.head()?.status == 200)
        #expect(again.chunk()?.hasPrefix("id: 4\n") == true)
    }
}
