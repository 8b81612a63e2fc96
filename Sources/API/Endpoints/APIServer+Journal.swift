import Domain
import HTTPServer
import Store

extension APIServer {
    func audit(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            let (since, limit) = try page(try Query(request, route))
            guard let found = try attempt({ () throws(StoreError) in try streams.chained("audit", after: since, limit: limit) }) else {
                throw unknownStream("audit")
            }
            var json = JSONWriter(capacity: found.json.count + 64)
            json.object { json in
                json.key("records"); json.raw(json: found.json)
                json.key("last_seq"); json.unsigned(found.last)
                json.key("trimmed_through"); json.unsigned(found.trimmedThrough)
                json.key("previous_hash")
                if let hash = found.previousHash { json.string(hash.hex) } else { json.null() }
            }
            return .answer(HTTPResponse(status: 200, body: .bytes(json.finish())))
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    func auditCheckpoint(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            _ = try Query(request, route)
            let checkpoint = try attempt { () throws(StoreError) in try streams.checkpoint(of: "audit") }
            guard let checkpoint else {
                throw Problem(.notFound, "The audit trail has no checkpoint yet.", hint: "One is made each 1,000 records or 5 minutes.")
            }
            var json = JSONWriter()
            json.object { json in
                json.key("stream"); json.string("audit" as StaticString)
                json.key("seq"); json.unsigned(checkpoint.seq)
                json.key("hash"); json.string(checkpoint.hash.hex)
                json.key("time"); json.timestamp(checkpoint.time)
                json.key("epoch"); json.integer(facts.epoch)
            }
            return .answer(HTTPResponse(status: 200, body: .bytes(json.finish())))
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    func streamList(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            _ = try Query(request, route)
            let rows = try attempt { () throws(StoreError) in try streams.rows() }
            return .answer(HTTPResponse(status: 200, body: .bytes(StreamListing.json(rows))))
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    func streamRecords(_ request: borrowing HTTPRequest, _ parameters: HTTPParameters, _ route: Route) -> HTTPReply {
        do throws(Problem) {
            let (since, limit) = try page(try Query(request, route))
            let name = parameters.string(0, in: request.path)
            switch try attempt({ () throws(StoreError) in try streams.lines(of: name, after: since, limit: limit) }) {
            case .unknownStream: throw unknownStream(name)
            case .lines(let lines, let last):
                return .answer(
                    HTTPResponse(status: 200, contentType: .ndjson, headers: [HTTPHeader("Posto-Last-Seq", "\(last)")], body: .bytes(lines))
                )
            }
        } catch {
            return .answer(respond(error, request, route))
        }
    }

    func backup(_ request: borrowing HTTPRequest, _ route: Route) -> HTTPReply {
        let requestID = request.requestID.description
        let late = respond(Problem(.unavailable, "The backup took too long.", retryAfter: 60), requestID: requestID, isShort: false)
        let ticket = request.suspend(until: HTTPDoor.uptimeNanoseconds() + 600_000_000_000, waiter: PendingChange { late })
        makeBackup { [self] result in
            switch result {
            case .success(let file):
                ticket.complete(
                    HTTPResponse(
                        status: 200, contentType: .octets,
                        headers: [HTTPHeader("Content-Disposition", "attachment; filename=posto.backup")],
                        body: .file(descriptor: file.descriptor, size: file.size)))
            case .failure(let error):
                ticket.complete(respond(Problem(error), requestID: requestID, isShort: false))
            }
        }
        return .later
    }

    private func page(_ query: borrowing Query) throws(Problem) -> (since: UInt64, limit: Int) {
        (
            try query.integer("since", in: 0...UInt64.max, default: 0),
            Int(try query.integer("limit", in: 1...UInt64(Limits.changesPageMax), default: UInt64(Limits.listPageDefault)))
        )
    }

    private func unknownStream(_ name: String) -> Problem {
        Problem(.notFound, "There is no stream \"\(name.prefix(64))\".", hint: "GET /api/v1/streams lists the streams.")
    }

    private func attempt<R>(_ body: () throws(StoreError) -> R) throws(Problem) -> R {
        do throws(StoreError) { return try body() } catch { throw Problem(error) }
    }
}

/// The streams of the journal as people and programs are shown them.
package enum StreamListing {
    package static func json(_ rows: [StreamRow]) -> [UInt8] {
        var json = JSONWriter(capacity: 1_024)
        json.object { json in
            json.key("streams")
            json.array { json in
                for row in rows {
                    json.object { json in
                        json.key("name"); json.string(row.policy.name)
                        json.key("priority"); json.integer(row.policy.priority.rawValue)
                        json.key("chained"); json.bool(row.policy.isChained)
                        json.key("records"); json.unsigned(row.records)
                        json.key("bytes"); json.unsigned(row.bytes)
                        json.key("first_seq"); json.unsigned(row.records == 0 ? 0 : row.trimmed + 1)
                        json.key("last_seq"); json.unsigned(row.last)
                        json.key("bytes_max")
                        if let bytesMax = row.policy.bytesMax { json.unsigned(bytesMax) } else { json.null() }
                        json.key("age_max_seconds")
                        if let ageMax = row.policy.ageMax { json.integer(ageMax.components.seconds) } else { json.null() }
                    }
                }
            }
        }
        return json.finish()
    }
}
