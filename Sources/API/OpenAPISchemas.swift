/// The bodies of the OpenAPI document, by name, and which route takes and gives which.
enum OpenAPISchemas {
    struct Answer {
        let status: Int
        let text: StaticString
        var type: StaticString = "application/json"
        var otherTypes: [StaticString] = []
        var schema: StaticString?
    }

    static func request(of route: Route) -> StaticString? {
        switch route {
        case .register, .shortRegister: "Registration"
        case .heartbeat, .heartbeatInstance, .shortHeartbeat, .shortHeartbeatInstance: "Registration"
        case .heartbeats: "HeartbeatBatch"
        case .events: "Event"
        default: nil
        }
    }

    static func requiresBody(_ route: Route) -> Bool {
        switch route {
        case .register, .shortRegister, .heartbeats, .events: true
        default: false
        }
    }

    static func answers(of route: Route) -> [Answer] {
        switch route {
        case .register, .shortRegister:
            [
                Answer(status: 201, text: "Registered, and on the disk.", schema: "Registered"),
                Answer(
                    status: 200,
                    text: "Registered before: the lease is renewed, or the registration changed. For a dry run, what would be done.",
                    schema: "RegisteredOrDryRun"),
            ]
        case .heartbeat, .heartbeatInstance, .shortHeartbeat, .shortHeartbeatInstance:
            [
                Answer(status: 200, text: "Renewed.", schema: "Renewed"),
                Answer(status: 201, text: "Registered, by the registration in the body.", schema: "Registered"),
            ]
        case .heartbeats: [Answer(status: 200, text: "A result for each.", schema: "HeartbeatResults")]
        case .deregister, .deregisterInstance:
            [Answer(status: 204, text: "Removed."), Answer(status: 200, text: "For a dry run, what would be done.", schema: "DryRun")]
        case .shortDeregister, .shortDeregisterInstance: [Answer(status: 204, text: "Removed.")]
        case .services, .shortServices: [Answer(status: 200, text: "A page.", schema: "ServiceList")]
        case .service, .shortService: [Answer(status: 200, text: "Its instances.", schema: "Service")]
        case .changes:
            [
                Answer(
                    status: 200, text: "The changes; empty when nothing came in time.",
                    otherTypes: ["application/x-ndjson", "text/event-stream"],
                    schema: "Changes")
            ]
        case .events:
            [
                Answer(status: 201, text: "Stored, and on the disk.", schema: "Appended"),
                Answer(status: 202, text: "Taken (Prefer: respond-async); a crash within the next moments may lose it.", schema: "Accepted"),
            ]
        case .uplink: [Answer(status: 200, text: "The sinks; none if no receiver is configured.", schema: "Uplink")]
        case .uplinkProbe: [Answer(status: 200, text: "How the sink is after the try.", schema: "Probed")]
        case .deadLetters: [Answer(status: 200, text: "The dead letters, oldest first.", schema: "DeadLetters")]
        case .deadLetterRedrive: [Answer(status: 202, text: "It will be sent again.", schema: "DeadLetter")]
        case .audit: [Answer(status: 200, text: "Records with their hashes.", schema: "AuditPage")]
        case .auditCheckpoint: [Answer(status: 200, text: "The checkpoint.", schema: "Checkpoint")]
        case .node: [Answer(status: 200, text: "The node.", schema: "Node")]
        case .streams: [Answer(status: 200, text: "The streams.", schema: "Streams")]
        case .streamRecords: [Answer(status: 200, text: "CloudEvents, one a line.", type: "application/x-ndjson", schema: "CloudEvent")]
        case .backup: [Answer(status: 200, text: "The backup.", type: "application/octet-stream", schema: "Binary")]
        case .health:
            [
                Answer(status: 200, text: "Healthy or degraded.", schema: "Health"),
                Answer(status: 503, text: "Unhealthy.", schema: "Health"),
            ]
        case .healthLive: [Answer(status: 200, text: "Yes.", schema: "State")]
        case .healthReady:
            [Answer(status: 200, text: "Yes.", schema: "State"), Answer(status: 503, text: "Not yet, or not any more.", schema: "State")]
        case .metrics:
            [Answer(status: 200, text: "Metrics.", type: "text/plain", otherTypes: ["application/openmetrics-text"], schema: "Text")]
        case .openAPI: [Answer(status: 200, text: "This document.", schema: "Any")]
        }
    }

    static let all: [(name: StaticString, json: StaticString)] = [
        (
            "Registration",
            ##"{"type":"object","required":["service_name","host","port","health_endpoint"],"additionalProperties":false,"properties":{"service_name":{"type":"string","pattern":"^[a-z0-9][a-z0-9_-]{2,63}$"},"host":{"type":"string","minLength":1,"maxLength":253,"anyOf":[{"format":"ipv4"},{"format":"ipv6"},{"format":"hostname"}]},"port":{"type":"integer","minimum":1024,"maximum":65535},"health_endpoint":{"type":"string","pattern":"^/[!-~]*$","maxLength":512},"id":{"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$"},"metadata":{"type":"object","maxProperties":64,"propertyNames":{"minLength":1,"maxLength":128},"additionalProperties":{"type":"string","maxLength":512,"description":"At most 512 bytes."}},"tags":{"type":"array","maxItems":64,"items":{"type":"string","minLength":1,"maxLength":128,"pattern":"^[^\\u0000-\\u001f\\u007f]+$"}},"version":{"type":"string","description":"Semantic Versioning 2.0.","pattern":"^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$"},"protocol":{"enum":["http","https","grpc","tcp"]},"weight":{"type":"integer","minimum":1,"maximum":100},"ttl_seconds":{"type":"integer","minimum":10,"maximum":3600},"capabilities":{"type":"array","maxItems":64,"items":{"type":"string","minLength":1,"maxLength":128,"pattern":"^[^\\u0000-\\u001f\\u007f]+$"}},"tenant":{"type":"string","pattern":"^[a-z0-9][a-z0-9_-]{0,63}$"}}}"##
        ),
        (
            "Registered",
            ##"{"type":"object","required":["id","service_name","revision","lease","durable"],"properties":{"id":{"type":"string"},"service_name":{"type":"string"},"revision":{"type":"integer"},"lease":{"type":"object","properties":{"ttl_seconds":{"type":"integer"},"heartbeat_seconds":{"type":"integer"},"grace_seconds":{"type":"integer"},"expires_at":{"type":"string","format":"date-time"}}},"durable":{"const":true}}}"##
        ),
        (
            "DryRun",
            ##"{"type":"object","required":["dry_run","would","service_name","id","durable"],"properties":{"dry_run":{"const":true},"would":{"enum":["register","update","renew","remove"]},"service_name":{"type":"string"},"id":{"type":"string"},"durable":{"const":false}}}"##
        ),
        ("RegisteredOrDryRun", ##"{"oneOf":[{"$ref":"#/components/schemas/Registered"},{"$ref":"#/components/schemas/DryRun"}]}"##),
        (
            "Renewed",
            ##"{"type":"object","required":["expires_at","id"],"properties":{"expires_at":{"type":"string","format":"date-time"},"id":{"type":"string"}}}"##
        ),
        (
            "HeartbeatBatch",
            ##"{"description":"What is no heartbeat is refused in its own result.","oneOf":[{"type":"array","maxItems":1000,"items":{"anyOf":[{"$ref":"#/components/schemas/Heartbeat"},{}]}},{"type":"object","required":["heartbeats"],"properties":{"heartbeats":{"type":"array","maxItems":1000,"items":{"anyOf":[{"$ref":"#/components/schemas/Heartbeat"},{}]}}}}]}"##
        ),
        (
            "Heartbeat",
            ##"{"type":"object","required":["service_name"],"description":"With a host it is a whole registration.","properties":{"service_name":{"type":"string"},"id":{"type":"string"}}}"##
        ),
        (
            "HeartbeatResults",
            ##"{"type":"object","required":["results","renewed","refused"],"properties":{"results":{"type":"array","items":{"type":"object","required":["service_name","id","status"],"properties":{"service_name":{"type":"string"},"id":{"type":"string"},"status":{"type":"integer"},"expires_at":{"type":"string","format":"date-time"},"code":{"type":"string"},"detail":{"type":"string"},"ids":{"type":"array","items":{"type":"string"}}}}},"renewed":{"type":"integer"},"refused":{"type":"integer"}}}"##
        ),
        (
            "Instance",
            ##"{"type":"object","required":["service_name","id","host","port","health_endpoint","health","freshness","age_seconds","registered_at","expires_at","revision","source"],"properties":{"service_name":{"type":"string"},"id":{"type":"string"},"tenant":{"type":"string"},"host":{"type":"string"},"port":{"type":"integer"},"health_endpoint":{"type":"string"},"version":{"type":"string"},"protocol":{"type":"string"},"weight":{"type":"integer"},"ttl_seconds":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}},"capabilities":{"type":"array","items":{"type":"string"}},"metadata":{"type":"object","additionalProperties":{"type":"string"}},"health":{"enum":["passing","warning","critical","unknown"]},"freshness":{"enum":["fresh","stale","expired"]},"age_seconds":{"type":"integer"},"registered_at":{"type":"string","format":"date-time"},"expires_at":{"type":["string","null"],"format":"date-time"},"revision":{"type":"integer"},"source":{"enum":["live","static"]}}}"##
        ),
        (
            "Service",
            ##"{"type":"object","required":["revision","service_name","instances"],"properties":{"revision":{"type":"integer"},"service_name":{"type":"string"},"instances":{"type":"array","items":{"$ref":"#/components/schemas/Instance"}}}}"##
        ),
        (
            "ServiceList",
            ##"{"type":"object","required":["revision","services","next"],"properties":{"revision":{"type":"integer"},"services":{"type":"array","items":{"$ref":"#/components/schemas/Instance"}},"next":{"type":["string","null"]}}}"##
        ),
        (
            "Changes",
            ##"{"type":"object","required":["revision","changes"],"properties":{"revision":{"type":"integer"},"changes":{"type":"array","items":{"type":"object","required":["revision","time","kind","service_name","id","instance"],"properties":{"revision":{"type":"integer"},"time":{"type":"string","format":"date-time"},"kind":{"enum":["registered","updated","health","expired","removed"]},"service_name":{"type":"string"},"id":{"type":"string"},"tenant":{"type":"string"},"reason":{"type":"string"},"instance":{"oneOf":[{"$ref":"#/components/schemas/Instance"},{"type":"null"}]}}}}}}"##
        ),
        (
            "Sink",
            ##"{"type":"object","required":["name","url","state","breaker","last_ack_at","lag_records","lag_bytes","oldest_age_seconds","drain_seconds","streams"],"properties":{"name":{"type":"string"},"url":{"type":"string"},"state":{"enum":["connected","waiting","cloned"]},"breaker":{"enum":["closed","open","half-open"]},"failure_count":{"type":"integer"},"last_ack_at":{"type":["string","null"],"format":"date-time"},"last_failure":{"type":["string","null"]},"last_failure_at":{"type":["string","null"],"format":"date-time"},"lag_records":{"type":"integer"},"lag_bytes":{"type":"integer","description":"Estimated by the mean size of a record."},"oldest_age_seconds":{"type":"number"},"records_per_second":{"type":"number"},"drain_seconds":{"type":["number","null"],"description":"null: nothing moves."},"dropped_records":{"type":"integer"},"dead_letters":{"type":"integer"},"streams":{"type":"array","items":{"type":"object","properties":{"stream":{"type":"string"},"priority":{"type":"integer"},"last_seq":{"type":"integer"},"acked_to":{"type":"integer"},"lag_records":{"type":"integer"},"lag_bytes":{"type":"integer"},"dropped_records":{"type":"integer"}}}}}}"##
        ),
        (
            "Uplink",
            ##"{"type":"object","required":["epoch","sinks"],"properties":{"epoch":{"type":"integer"},"sinks":{"type":"array","items":{"$ref":"#/components/schemas/Sink"}}}}"##
        ),
        (
            "Probed",
            ##"{"type":"object","required":["reachable","sink"],"properties":{"reachable":{"type":"boolean"},"sink":{"$ref":"#/components/schemas/Sink"}}}"##
        ),
        (
            "DeadLetter",
            ##"{"type":"object","required":["id","sink","stream","seq","code","bytes","buried_at","redriven_at"],"properties":{"id":{"type":"integer"},"sink":{"type":"string"},"stream":{"type":"string"},"seq":{"type":"integer"},"code":{"type":"string","description":"Why the receiver refused it."},"bytes":{"type":"integer"},"buried_at":{"type":"string","format":"date-time"},"redriven_at":{"type":["string","null"],"format":"date-time"}}}"##
        ),
        (
            "DeadLetters",
            ##"{"type":"object","required":["deadletters","total"],"properties":{"deadletters":{"type":"array","items":{"$ref":"#/components/schemas/DeadLetter"}},"total":{"type":"integer"}}}"##
        ),
        ("Event", ##"{"type":"object","description":"The event's data, as it is; NDJSON holds one a line."}"##),
        (
            "Appended",
            ##"{"type":"object","required":["stream","first_seq","last_seq","durable"],"properties":{"stream":{"type":"string"},"first_seq":{"type":"integer"},"last_seq":{"type":"integer"},"durable":{"const":true}}}"##
        ),
        (
            "Accepted",
            ##"{"type":"object","required":["stream","events","durable"],"properties":{"stream":{"type":"string"},"events":{"type":"integer"},"durable":{"const":false}}}"##
        ),
        (
            "AuditPage",
            ##"{"type":"object","required":["records","last_seq","trimmed_through","previous_hash"],"properties":{"records":{"type":"array","items":{"type":"object","properties":{"seq":{"type":"integer"},"time":{"type":"string","format":"date-time"},"hash":{"type":"string"},"event":{"$ref":"#/components/schemas/CloudEvent"}}}},"last_seq":{"type":"integer"},"trimmed_through":{"type":"integer","description":"Everything through it was deleted by retention."},"previous_hash":{"type":["string","null"],"description":"What the first of the records is chained to: hash = SHA-256(previous hash, event)."}}}"##
        ),
        (
            "Checkpoint",
            ##"{"type":"object","properties":{"stream":{"type":"string"},"seq":{"type":"integer"},"hash":{"type":"string"},"time":{"type":"string","format":"date-time"},"epoch":{"type":"integer"}}}"##
        ),
        ("Node", ##"{"type":"object","required":["id","site","tenant","labels","version","epoch","started_at"]}"##),
        ("Streams", ##"{"type":"object","required":["streams"],"properties":{"streams":{"type":"array","items":{"type":"object"}}}}"##),
        ("CloudEvent", ##"{"type":"object","required":["specversion","id","source","type"]}"##),
        ("Health", ##"{"type":"object","required":["status","timestamp","uptime_seconds","components","active_services"]}"##),
        ("State", ##"{"type":"object","required":["status"]}"##),
        ("Binary", ##"{"type":"string","contentMediaType":"application/octet-stream"}"##),
        ("Text", ##"{"type":"string"}"##),
        ("Any", ##"{"type":"object"}"##),
        (
            "Problem",
            ##"{"type":"object","required":["type","code","title","status","detail"],"properties":{"type":{"type":"string"},"code":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},"field":{"type":"string"},"provided":{},"expected":{"type":"string"},"example":{"type":"string"},"hint":{"type":"string"},"ids":{"type":"array","items":{"type":"string"}},"errors":{"type":"array","items":{"type":"object"}}}}"##
        ),
        (
            "ShortRefusal",
            ##"{"type":"object","required":["error","message"],"properties":{"error":{"type":"string"},"field":{"type":"string"},"message":{"type":"string"},"provided":{},"example":{"type":"string"}}}"##
        ),
    ]
}
