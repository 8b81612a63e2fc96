"""What callers rely on: the native interface and its short forms, as the specification says it, against the real binary."""

import gzip
import hashlib
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

from node import Node, binary, eventually

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
VALID = {"service_name": "valid-service", "host": "10.1.1.1", "port": 8080, "health_endpoint": "/health"}


def is_problem(answer, status, code):
    assert answer.status == status, answer
    assert answer["content-type"] == "application/problem+json", answer.headers
    body = answer.json
    assert body["code"] == code, body
    assert body["type"] == f"urn:posto:problem:{code}" and body["status"] == status, body
    assert body["title"] and body["detail"], body
    return body


# The main job


def test_the_107_services_register_renew_are_found_and_leave(node, services107):
    """Every service of a branch registers durably, is found by name, renews, and is gone at once when it leaves."""
    registered = {}
    for service in services107:
        answer = node.post("/api/v1/register", service)
        assert answer.status == 201, answer
        body = answer.json
        assert body["durable"] is True and body["service_name"] == service["service_name"]
        assert body["lease"]["ttl_seconds"] == 60 and body["lease"]["heartbeat_seconds"] == 30 and body["lease"]["grace_seconds"] == 15
        assert RFC3339.match(body["lease"]["expires_at"])
        assert answer["posto-revision"] == str(body["revision"])
        digest = hashlib.sha256(f"default\0{service['service_name']}\0{service['host']}\0{service['port']}".encode()).hexdigest()
        assert body["id"] == f"{service['service_name']}-{digest[:16]}"
        registered[service["service_name"]] = body
    assert len(registered) == 107
    for service in services107:
        name = service["service_name"]
        instance = node.instance(name)
        assert service.items() <= instance.items(), (service, instance)
        assert instance["id"] == registered[name]["id"] and instance["source"] == "live"
        assert instance["health"] == "unknown" and instance["freshness"] == "fresh" and 0 <= instance["age_seconds"] < 30
        renewal = node.post(f"/api/v1/heartbeat/{name}")
        assert renewal.status == 200 and renewal.json["expires_at"] >= registered[name]["lease"]["expires_at"]
    node.restart()
    assert {s["service_name"] for s in node.services()} == set(registered)
    for service in services107:
        assert node.delete(f"/api/v1/deregister/{service['service_name']}").status == 204
        assert node.get(f"/api/v1/services/{service['service_name']}").status == 404
    assert node.services() == []


def test_lists_are_sorted_filtered_and_paged_to_the_end(node, services107):
    """Each filter gives exactly the services that match; pages of any size put together are the whole list, sorted by name and id."""
    for index, service in enumerate(services107):
        service = dict(service, capabilities=["pay.read"] if index % 3 == 0 else ["pay.read", "pay.write"] if index % 3 == 1 else [])
        assert node.post("/api/v1/register", service).status == 201
    whole = node.services()
    assert [(s["service_name"], s["id"]) for s in whole] == sorted((s["service_name"], s["id"]) for s in whole)
    for limit in (1, 2, 7, 106, 107, 108, 1000):
        pages, cursor = [], ""
        while True:
            page = node.get(f"/api/v1/services?limit={limit}{cursor}").json
            assert len(page["services"]) <= limit
            pages += page["services"]
            if page["next"] is None:
                break
            assert page["services"], "a page that is not the last holds something"
            cursor = f"&cursor={page['next']}"
        assert [s["id"] for s in pages] == [s["id"] for s in whole], f"limit {limit}"
    assert len(node.get("/api/v1/services").json["services"]) == 100, "the default page"

    def names(query):
        return {s["service_name"] for s in node.services(query)}

    def expected(test):
        return {s["service_name"] for s in whole if test(s)}

    tags = {tag for s in services107 for tag in s.get("tags", [])}
    for tag in tags:
        assert names(f"&tag={tag}") == expected(lambda s: tag in s["tags"])
    first, second = services107[0]["tags"][:2]
    assert names(f"&tag={first}&tag={second}") == expected(lambda s: {first, second} <= set(s["tags"]))
    for transport in ("http", "https", "grpc", "tcp"):
        assert names(f"&protocol={transport}") == expected(lambda s: s["protocol"] == transport)
    version = services107[5]["version"]
    assert names(f"&version={version}") == expected(lambda s: s["version"] == version)
    assert names("&capability=pay.write") == expected(lambda s: "pay.write" in s.get("capabilities", []))
    assert names("&capability=pay.read&capability=pay.write") == names("&capability=pay.write")
    assert names("&health=unknown") == expected(lambda s: True)
    assert names("&health=critical") == set()
    assert names("&tenant=nobody") == set()
    assert names("&tag=no-such-tag") == set()


# Registration


def test_the_same_registration_again_answers_200_with_the_same_id(standing):
    """A registration that is repeated renews the lease; it makes no change, and it moves no revision."""
    first = standing.register("same-again", port=7001)
    second = standing.register("same-again", port=7001)
    assert (first.status, second.status) == (201, 200)
    assert first.json["id"] == second.json["id"] and first.json["revision"] == second.json["revision"]
    assert second.json["lease"]["expires_at"] >= first.json["lease"]["expires_at"]
    changed = standing.register("same-again", port=7001, weight=7)
    assert changed.status == 200 and changed.json["revision"] > first.json["revision"]
    assert standing.instance("same-again")["weight"] == 7


def test_an_idempotency_key_repeats_the_answer_and_refuses_another_body(standing):
    """The same key with the same request is answered from memory, over a restart too; with another body it is refused with 422."""
    headers = {"Idempotency-Key": "register-idem-1"}
    first = standing.register("idem-one", port=7002, headers=headers)
    again = standing.register("idem-one", port=7002, headers=headers)
    assert first.status == again.status == 201 and first.body == again.body
    assert again["idempotency-replayed"] == "true" and first["idempotency-replayed"] is None
    is_problem(standing.register("idem-one", port=7002, weight=2, headers=headers), 422, "idempotency_key_reused")
    assert standing.instance("idem-one")["weight"] == 1
    assert standing.delete("/api/v1/deregister/idem-one", headers={"Idempotency-Key": "leave"}).status == 204
    assert standing.delete("/api/v1/deregister/idem-one", headers={"Idempotency-Key": "leave"}).status == 204
    assert standing.delete("/api/v1/deregister/idem-one").status == 404
    replayed = standing.register("idem-one", port=7002, headers=headers)
    assert replayed.body == first.body and standing.instance("idem-one") is None, "a replay does nothing"
    for key in ("x" * 129, "with space"):
        problem = is_problem(standing.register("idem-two", headers={"Idempotency-Key": key}), 400, "validation_error")
        assert problem["field"] == "Idempotency-Key"


def test_an_idempotency_key_is_remembered_over_kill_and_restart(node):
    """A client that lost the answer because the daemon was killed gets the very same answer for the same key."""
    first = node.register("idem-kill", headers={"Idempotency-Key": "k1"})
    node.restart()
    again = node.register("idem-kill", headers={"Idempotency-Key": "k1"})
    assert again.body == first.body and again["idempotency-replayed"] == "true"


def test_a_service_that_comes_back_on_its_address_takes_over_and_another_is_refused(standing):
    """On one host and port the same service under a new id takes over; another service is refused with address_in_use."""
    old = standing.registered("takeover", host="10.9.9.9", port=7003, id="old-one")
    new = standing.registered("takeover", host="10.9.9.9", port=7003, id="new-one")
    assert [i["id"] for i in standing.instances("takeover")] == ["new-one"]
    after = standing.changes(old["revision"])
    assert ("removed", "old-one") in [(c["kind"], c["id"]) for c in after]
    problem = is_problem(standing.register("intruder", host="10.9.9.9", port=7003), 409, "address_in_use")
    assert "takeover" in problem["detail"]
    assert standing.instances("intruder") == []
    assert standing.delete("/api/v1/deregister/takeover").status == 204
    assert standing.register("intruder", host="10.9.9.9", port=7003).status == 201
    assert new["revision"] > old["revision"]


def test_several_instances_make_a_name_ambiguous_and_the_answer_lists_them(standing):
    """Heartbeat and deregistration by name alone answer 409 with the ids when there are several; by id they work."""
    ids = sorted(standing.registered("many", port=7010 + i)["id"] for i in range(3))
    for answer in (standing.post("/api/v1/heartbeat/many"), standing.delete("/api/v1/deregister/many")):
        problem = is_problem(answer, 409, "ambiguous_instance")
        assert sorted(problem["ids"]) == ids
    assert standing.post(f"/api/v1/heartbeat/many/{ids[0]}").json["id"] == ids[0]
    assert standing.delete(f"/api/v1/deregister/many/{ids[0]}").status == 204
    assert standing.delete(f"/api/v1/deregister/many/{ids[0]}").status == 404
    assert sorted(i["id"] for i in standing.instances("many")) == ids[1:]
    is_problem(standing.post(f"/api/v1/heartbeat/many/{ids[0]}"), 404, "unknown_lease")


def test_batch_heartbeats_answer_for_each_in_order(standing):
    """A batch renews what is there, registers what carries a registration, and says of each of the others what is wrong."""
    one = standing.registered("batch-one", port=7020)["id"]
    standing.registered("batch-two", port=7021)
    standing.registered("batch-two", port=7022)
    answer = standing.post("/api/v1/heartbeats", {"heartbeats": [
        {"service_name": "batch-one", "id": one}, {"service_name": "batch-one"}, {"service_name": "batch-none"},
        {"service_name": "batch-two"}, {"service_name": "batch-new", "host": "10.0.0.2", "port": 7023, "health_endpoint": "/"},
        {"service_name": "batch-bad", "host": "10.0.0.2", "port": 1, "health_endpoint": "/"}, {"service_name": "BAD"}]})
    assert answer.status == 200, answer
    results = answer.json["results"]
    assert [r["status"] for r in results] == [200, 200, 404, 409, 200, 400, 400], results
    assert (answer.json["renewed"], answer.json["refused"]) == (3, 4)
    assert RFC3339.match(results[0]["expires_at"]) and len(results[3]["ids"]) == 2
    assert standing.instance("batch-new")["port"] == 7023
    assert standing.post("/api/v1/heartbeats", [{"service_name": "batch-one"}]).json["renewed"] == 1
    assert standing.post("/api/v1/heartbeats", []).json == {"results": [], "renewed": 0, "refused": 0}


def test_a_heartbeat_with_a_registration_registers_or_renews(standing):
    """A holder that does not know whether it is still held sends its whole registration with the heartbeat."""
    body = {"service_name": "upsert", "host": "10.0.0.3", "port": 7030, "health_endpoint": "/"}
    is_problem(standing.post("/api/v1/heartbeat/upsert"), 404, "unknown_lease")
    created = standing.post("/api/v1/heartbeat/upsert/one", body)
    assert created.status == 201 and created.json["id"] == "one", created
    assert standing.post("/api/v1/heartbeat/upsert/one", body).status == 200
    problem = is_problem(standing.post("/api/v1/heartbeat/other", body), 400, "validation_error")
    assert problem["field"] == "service_name"


def test_a_registration_is_visible_as_soon_as_it_is_answered(standing):
    """Look-up and list show a registration the moment its answer has come, and a removal as well."""
    for i in range(50):
        standing.registered("at-once", port=7040, weight=i % 100 + 1)
        assert standing.instance("at-once")["weight"] == i % 100 + 1
    assert standing.delete("/api/v1/deregister/at-once").status == 204
    assert standing.get("/api/v1/services/at-once").status == 404


def test_a_hundred_registrations_at_once_all_succeed(node):
    """A hundred services that start together are all registered, each with an answer of its own."""
    answers = []

    def one(i):
        answers.append(node.register(f"together-{i}", port=10_000 + i).status)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 100
    assert len(node.services()) == 100 and node.revision == 100


# Short forms


def test_short_forms_do_the_same_and_refuse_in_the_shape_of_the_specification(standing):
    """The short forms take the same bodies; a refusal is exactly the object of the specification."""
    body = {"service_name": "MyService-123!", "host": "10.0.0.1", "port": 8080, "health_endpoint": "/health"}
    answer = standing.post("/register", body)
    assert answer.status == 400 and answer["content-type"] == "application/json"
    assert answer.json == {
        "error": "ValidationError", "field": "service_name", "message": "Service name must match ^[a-z0-9][a-z0-9_-]{2,63}$",
        "provided": "MyService-123!", "example": "my-service-123"}
    assert list(answer.json) == ["error", "field", "message", "provided", "example"]
    good = dict(body, service_name="short-form", port=7050)
    assert standing.post("/register", good).status == 201
    assert standing.post("/heartbeat/short-form").status == 200
    assert standing.get("/services/short-form").json["instances"][0]["port"] == 7050
    assert "short-form" in [s["service_name"] for s in standing.get("/services?limit=1000").json["services"]]
    assert standing.delete("/deregister/short-form").status == 204
    gone = standing.get("/services/short-form")
    assert gone.status == 404 and gone.json["error"] == "UnknownService" and gone.json["code"] == "unknown_service"
    assert standing.post("/heartbeat/short-form").json["error"] == "UnknownLease"


def test_static_registrations_are_the_fallback_for_names_without_a_live_one(nodes):
    """A registration from a file is listed until a live one has the name, and again when that has left; SIGHUP reads the files anew."""
    node = nodes()
    statics = node.statics / "a.json"
    statics.write_text(json.dumps([dict(VALID, service_name="printer", host="10.0.0.77", port=9100)]))
    (node.statics / "broken.json").write_text("{nonsense")
    node.start()
    assert node.instance("printer")["source"] == "static"
    assert [s["source"] for s in node.services()] == ["static"]
    node.registered("printer", port=9101)
    assert node.instance("printer")["source"] == "live" and [s["source"] for s in node.services()] == ["live"]
    assert node.delete("/api/v1/deregister/printer").status == 204
    assert node.instance("printer")["source"] == "static"
    statics.write_text(json.dumps([dict(VALID, service_name="scanner", host="10.0.0.78", port=9100)]))
    node.process.send_signal(1)
    eventually(lambda: node.instance("scanner"), "the new static registration is there")
    assert node.instance("printer") is None
    assert "broken.json" in node.log(), "what is wrong with a file is in the log"


# Changes


def test_changes_come_as_json_ndjson_and_events_and_agree(standing):
    """The same changes in the three forms; ids of events are revisions; a page says from where to go on."""
    since = standing.revision
    standing.registered("forms", port=7060)
    standing.registered("forms", port=7060, weight=3)
    assert standing.delete("/api/v1/deregister/forms").status == 204
    page = standing.get(f"/api/v1/changes?since={since}").json
    assert [c["kind"] for c in page["changes"]] == ["registered", "updated", "removed"]
    assert [c["revision"] for c in page["changes"]] == [since + 1, since + 2, since + 3] and page["revision"] == since + 3
    assert page["changes"][1]["instance"]["weight"] == 3 and page["changes"][2]["instance"] is None
    for change in page["changes"]:
        assert RFC3339.match(change["time"]) and change["service_name"] == "forms" and change["id"]
    lines = standing.get(f"/api/v1/changes?since={since}", {"Accept": "application/x-ndjson"})
    assert lines["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.body.splitlines()] == page["changes"]
    limited = standing.get(f"/api/v1/changes?since={since}&limit=2").json
    assert len(limited["changes"]) == 2 and limited["revision"] == since + 2
    assert standing.get(f"/api/v1/changes?since={since + 3}").json == {"revision": since + 3, "changes": []}
    with Events(standing, since) as events:
        assert [events.next() for _ in range(3)] == [(c["revision"], c["kind"], c) for c in page["changes"]]


class Events:
    """A reader of server-sent events."""

    def __init__(self, node, since=None, last_event_id=None):
        self.connection = socket.create_connection(("127.0.0.1", node.port), timeout=60)
        head = f"GET /api/v1/changes{'' if since is None else f'?since={since}'} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        if last_event_id is not None:
            head += f"Last-Event-ID: {last_event_id}\r\n"
        self.connection.sendall((head + "\r\n").encode())
        self.file = self.connection.makefile("rb")
        assert b" 200 " in self.file.readline()
        self.chunked = False
        while (line := self.file.readline()) not in (b"\r\n", b""):
            self.chunked = self.chunked or line.lower().startswith(b"transfer-encoding: chunked")
        self.buffer = b""

    def next(self):
        while True:
            while b"\n\n" not in self.buffer:
                if self.chunked:
                    size = int(self.file.readline() or b"0", 16)
                    assert size, "the stream ended"
                    self.buffer += self.file.read(size)
                    self.file.readline()
                else:
                    chunk = self.file.read1(65536)
                    assert chunk, "the stream ended"
                    self.buffer += chunk
            block, self.buffer = self.buffer.split(b"\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if line and not line.startswith(":"))
            if fields:
                return int(fields["id"]), fields["event"], json.loads(fields["data"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.connection.close()


def test_no_watcher_ever_misses_a_change(node):
    """While several writers change things, long polls and event streams see every change once, in order, as the whole list has it."""
    total = 300
    feeds = {}

    def poll(place, form):
        since, seen = 0, []
        connection = node.connection()
        while len(seen) < total:
            connection.request("GET", f"/api/v1/changes?since={since}&wait=20s&limit=7", headers={"Accept": form})
            body = connection.getresponse().read()
            page = json.loads(body)["changes"] if form == "application/json" else [json.loads(line) for line in body.splitlines()]
            seen += page
            since = seen[-1]["revision"] if seen else 0
        feeds[place] = seen

    def listen(place):
        with Events(node, 0) as events:
            feeds[place] = [events.next()[2] for _ in range(total)]

    watchers = [threading.Thread(target=poll, args=(f"json {i}", "application/json")) for i in range(3)]
    watchers += [threading.Thread(target=poll, args=("ndjson", "application/x-ndjson"))]
    watchers += [threading.Thread(target=listen, args=(f"events {i}",)) for i in range(2)]

    def write(writer):
        for i in range(25):
            name = f"writer-{writer}"
            node.registered(name, port=20_000 + writer, weight=1)
            node.registered(name, port=20_000 + writer, weight=2 + i)
            assert node.delete(f"/api/v1/deregister/{name}").status == 204

    writers = [threading.Thread(target=write, args=(i,)) for i in range(4)]
    for thread in watchers + writers:
        thread.start()
    for thread in watchers + writers:
        thread.join(60)
    whole = node.changes()
    assert [c["revision"] for c in whole] == list(range(1, total + 1))
    assert sorted(feeds) == sorted(["json 0", "json 1", "json 2", "ndjson", "events 0", "events 1"])
    for place, feed in feeds.items():
        assert feed == whole, f"the feed of {place} differs"


def test_a_long_poll_ends_empty_when_its_time_is_over_and_at_once_when_something_happened(standing):
    """A long poll without news answers an empty page when `wait` is over; with news behind `since` it does not wait."""
    revision = standing.revision
    began = time.monotonic()
    assert standing.get(f"/api/v1/changes?since={revision}&wait=1s").json == {"revision": revision, "changes": []}
    assert 0.9 <= time.monotonic() - began < 5
    standing.registered("news", port=7070)
    began = time.monotonic()
    assert standing.get(f"/api/v1/changes?since={revision}&wait=30s").json["changes"]
    assert time.monotonic() - began < 5


def test_changes_that_are_not_kept_any_more_answer_410(standing):
    """A revision that this node has never reached, as after a restore, answers 410 with what to do."""
    for headers in ({}, {"Accept": "text/event-stream"}):
        problem = is_problem(standing.get("/api/v1/changes?since=99999999", headers), 410, "revision_gone")
        assert "GET /api/v1/services" in problem["hint"]


# Observability


METRICS = """registry_operations_total registry_operation_duration_seconds registry_active_services registry_circuit_breaker_state
registry_cache_hit_rate registry_cache_size_bytes registry_request_duration_seconds registry_health_check_failures_total
registry_memory_bytes registry_cpu_percent expired_services_total cache_hits_total cache_misses_total cache_evictions_total
registry_store_latency_seconds registry_threads""".split()


def test_every_metric_of_the_specification_is_there(standing):
    """Prometheus text with the names of the specification, typed, and with the labels it names; OpenMetrics when asked."""
    standing.registered("measured", port=7080)
    standing.instance("measured")
    standing.get("/api/v1/services/nobody-here")
    text = eventually(
        lambda: (t := standing.get("/metrics").body.decode()) if 'operation="register"' in standing.get("/metrics").body.decode() else None,
        "the registration is counted")
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    for name in METRICS:
        assert name in types or name.removesuffix("_total") in types, name
        assert re.search(rf"^{name}(_bucket|_count|_sum)?(\{{|\s)", text, re.M), name
    assert re.search(r'^registry_operations_total\{operation="register",status="success"\} \d+$', text, re.M)
    assert re.search(r'^registry_operations_total\{operation="lookup",status="error"\} \d+$', text, re.M)
    assert 'registry_request_duration_seconds_count{endpoint="/api/v1/register",method="POST",status="201"}' in text
    for line in text.splitlines():
        assert line.startswith("#") or re.match(r'^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+0-9.e]+$', line), line
    openmetrics = standing.get("/metrics", {"Accept": "application/openmetrics-text"})
    assert openmetrics["content-type"].startswith("application/openmetrics-text") and openmetrics.body.endswith(b"# EOF\n")
    assert b"# TYPE cache_hits counter\n" in openmetrics.body and b"\ncache_hits_total " in openmetrics.body


def test_health_has_the_shape_of_the_specification(standing):
    """The document of /health with its components; live and ready answer supervisors."""
    standing.registered("for-health", port=7081)
    answer = standing.get("/health?bundles&plugins")
    body = answer.json
    assert answer.status == 200 and body["status"] in ("healthy", "degraded")
    assert abs(body["timestamp"] - time.time()) < 60 or body["timestamp"] >= 1_793_491_200
    assert isinstance(body["uptime_seconds"], int) and body["active_services"] >= 1
    parts = body["components"]
    assert {"status", "latency_ms"} <= set(parts["store"])
    assert parts["uplink"] == {"status": "disabled", "lag_records": 0}
    assert parts["circuit_breaker"] == {"state": "closed", "failure_count": 0, "last_failure": None}
    assert {"size", "hit_rate", "memory_mb", "oldest_entry_age_s"} <= set(parts["cache"])
    assert {"cpu_percent", "memory_percent", "threads"} <= set(parts["system"])
    assert standing.get("/health/live").json == {"status": "live"}
    assert standing.get("/health/ready").json == {"status": "ready"}


def test_the_node_tells_what_it_is(nodes):
    """One document with id, site, labels, version and epoch; the id stays over restarts."""
    node = nodes(config='[node]\nsite = "0417"\nlabels = { ring = "pilot" }\n').start()
    first = node.get("/api/v1/node").json
    assert first["site"] == "0417" and first["labels"] == {"ring": "pilot"} and first["tenant"] == "default"
    assert first["id"] and first["version"] and first["epoch"] >= 1 and RFC3339.match(first["started_at"])
    node.restart()
    assert node.get("/api/v1/node").json["id"] == first["id"]


def test_every_answer_has_a_request_id_and_keeps_the_callers(standing):
    """Every answer, a refusal too, carries X-Request-Id: the caller's if it is usable, else a new one; problems repeat it."""
    seen = set()
    for path in ("/health", "/api/v1/services", "/nothing", "/openapi.json", "/metrics"):
        seen.add(standing.get(path)["x-request-id"])
    assert None not in seen and len(seen) == 5
    answer = standing.get("/api/v1/services/nobody", {"X-Request-Id": "mine-42"})
    assert answer["x-request-id"] == "mine-42" and answer.json["request_id"] == "mine-42"
    assert standing.get("/health", {"X-Request-Id": "x" * 65})["x-request-id"] != "x" * 65
    refused = standing.raw(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert b"x-request-id:" in refused.lower()


def test_the_trace_of_a_request_is_in_its_records(node):
    """`traceparent` is carried into the change's record and the audit's; a wrong one is left out."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    node.registered("traced", headers={"traceparent": trace, "X-Request-Id": "r-1"})
    node.registered("untraced", port=9001, headers={"traceparent": "nonsense"})
    lines = [json.loads(line) for line in node.get("/api/v1/streams/state", unix=True).body.splitlines()]
    audit = [record["event"] for record in node.audit()]
    for events in (lines, audit):
        assert [e.get("traceparent") for e in events] == [trace, None]
    assert audit[0]["data"]["request_id"] == "r-1" and audit[0]["data"]["result"]["status"] == 201
    assert {"who", "what", "when", "where", "result"} <= set(audit[0]["data"])


def test_large_bodies_are_compressed_when_asked(node, services107):
    """A large answer is gzip for who accepts it, and plain for who does not; a small one is always plain."""
    for service in services107[:20]:
        assert node.post("/api/v1/register", service).status == 201
    plain = node.get("/api/v1/services")
    packed = node.get("/api/v1/services", {"Accept-Encoding": "gzip"})
    assert packed["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert len(packed.body) < len(plain.body) / 2 and "accept-encoding" in (packed["vary"] or "").lower()
    assert [s["id"] for s in json.loads(gzip.decompress(packed.body))["services"]] == [s["id"] for s in plain.json["services"]]
    assert "content-encoding" not in node.get("/health/live", {"Accept-Encoding": "gzip"}).headers
    assert "content-encoding" not in node.get("/api/v1/services", {"Accept-Encoding": "gzip;q=0"}).headers


def test_the_audit_trail_is_a_whole_chain(standing):
    """Each record's hash is the SHA-256 of the hash before it and of the record's bytes as they are stored."""
    for i in range(5):
        standing.registered("chained", port=7090, weight=i + 1)
    previous, expected = bytes(32), 1
    since = 0
    while True:
        page = standing.get(f"/api/v1/audit?since={since}&limit=1000", unix=True)
        records = split_records(page.body)
        if not records:
            break
        for seq, given, event in records:
            assert seq == expected
            previous = hashlib.sha256(previous + event).digest()
            assert given == previous.hex(), f"record {seq}"
            expected += 1
            since = seq
    assert expected > 5


def split_records(body):
    """(seq, hash, bytes of the event) of each record of an audit page: the hash is over the bytes, so JSON must not be written anew."""
    found = []
    text = body.decode()
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    while text[at] != "]":
        if text[at] == ",":
            at += 1
        record, end = decoder.raw_decode(text, at)
        start = text.index('"event":', at) + len('"event":')
        _, stop = decoder.raw_decode(text, start)
        found.append((record["seq"], record["hash"], text[start:stop].encode()))
        at = end
    return found


# OpenAPI


def operations(node):
    document = node.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items() for method, operation in methods.items()]


def test_every_documented_operation_exists_and_answers_as_documented(node):
    """Each operation of the document answers, with a status and a type that the document names for it."""
    node.registered("thing", id="one")
    found = operations(node)
    assert len(found) >= 27
    for method, path, operation in found:
        address = path.replace("{name}", "audit" if "/streams/" in path else "thing").replace("{id}", "one")
        body = None
        if "requestBody" in operation and operation["requestBody"]["required"]:
            body = [] if path.endswith("heartbeats") else dict(VALID)
        answer = node.request(method, address, body, unix=True)
        assert answer.status != 405, (method, path, answer)
        assert answer.status != 404 or answer.code.startswith("unknown_") or operation["operationId"] == "auditCheckpoint", "there is something at every path"
        documented = operation["responses"].get(str(answer.status))
        if documented is None:
            assert answer.status >= 400, (method, path, answer)
            documented = operation["responses"]["default"]
        if "content" in documented and answer.body:
            kind = answer["content-type"].split(";")[0]
            assert kind in documented["content"], (method, path, kind, documented)
        if method == "DELETE":
            node.registered("thing", id="one")
        names = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        if method == "GET" and operation.get("operationId") not in (
                "health", "healthLive", "healthReady", "metrics", "openAPI", "node", "backup"):
            strange = node.request(method, address + "?no_such_parameter=1", unix=True)
            assert strange.status == 400 and strange.code == "unknown_parameter", (path, strange)
            assert names or "no parameters" in strange.json["hint"] or strange.json["hint"]


def test_methods_that_a_path_does_not_have_answer_405_with_those_it_has(node):
    """Every path refuses the methods that the document does not name for it, and lists in `Allow` those that it does."""
    by_path = {}
    for method, path, _ in operations(node):
        by_path.setdefault(path, set()).add(method)
    for path, methods in by_path.items():
        address = path.replace("{name}", "thing").replace("{id}", "one")
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = node.request(method, address)
            assert answer.status == 405, (method, path, answer)
            allowed = {m.strip() for m in answer["allow"].split(",")}
            assert methods <= allowed and method not in allowed, (path, allowed)
    assert node.get("/api/v1/nothing").status == 404 and node.get("/api/v1/nothing").code == "not_found"
    assert node.get("/api/v1/services/").status == 404


# Wrong input


def changed(**fields):
    return {k: v for k, v in {**VALID, **fields}.items() if v is not ...}


WRONG = [
    ("service_name", changed(service_name=...)), ("service_name", changed(service_name=None)), ("service_name", changed(service_name="")),
    ("service_name", changed(service_name="ab")), ("service_name", changed(service_name="a" * 65)),
    ("service_name", changed(service_name="-abc")), ("service_name", changed(service_name="_abc")),
    ("service_name", changed(service_name="Abc")), ("service_name", changed(service_name="a b c")),
    ("service_name", changed(service_name="açaí")), ("service_name", changed(service_name="a.b.c")),
    ("service_name", changed(service_name="abc\n")), ("service_name", changed(service_name="../etc")),
    ("service_name", changed(service_name=7)), ("service_name", changed(service_name=["abc"])),
    ("service_name", changed(service_name={"a": 1})), ("service_name", changed(service_name=True)),
    ("host", changed(host=...)), ("host", changed(host="")), ("host", changed(host="10.0.0.256")), ("host", changed(host="10.0.0.1:80")),
    ("host", changed(host="http://a")), ("host", changed(host="-a.example")), ("host", changed(host="a..b")),
    ("host", changed(host="a" * 64 + ".b")), ("host", changed(host="a b")), ("host", changed(host="[::1]")),
    ("host", changed(host="fe80::1%eth0")), ("host", changed(host=10)), ("host", changed(host="1.2.3")),
    ("port", changed(port=...)), ("port", changed(port=0)), ("port", changed(port=80)), ("port", changed(port=1023)),
    ("port", changed(port=65536)), ("port", changed(port=-8080)), ("port", changed(port=8080.5)), ("port", changed(port="8080")),
    ("port", changed(port=10 ** 30)), ("port", changed(port=True)),
    ("health_endpoint", changed(health_endpoint=...)), ("health_endpoint", changed(health_endpoint="health")),
    ("health_endpoint", changed(health_endpoint="")), ("health_endpoint", changed(health_endpoint="/a b")),
    ("health_endpoint", changed(health_endpoint="/a\r\nX: y")), ("health_endpoint", changed(health_endpoint="/" + "a" * 512)),
    ("health_endpoint", changed(health_endpoint="http://x/")),
    ("id", changed(id="")), ("id", changed(id="a/b")), ("id", changed(id=".a")), ("id", changed(id="a" * 129)), ("id", changed(id=5)),
    ("metadata", changed(metadata=[])), ("metadata", changed(metadata={f"k{i}": "v" for i in range(65)})),
    ("metadata.k", changed(metadata={"k": 1})), ("metadata.k", changed(metadata={"k": "v" * 513})),
    ("metadata." + "k" * 40, changed(metadata={"k" * 129: "v"})), ("metadata.", changed(metadata={"": "v"})),
    ("metadata.k", changed(metadata={"k": None})), ("metadata.k", changed(metadata={"k": {"deep": 1}})),
    ("tags", changed(tags="prod")), ("tags", changed(tags=[str(i) for i in range(65)])), ("tags[1]", changed(tags=["ok", 1])),
    ("tags[0]", changed(tags=[""])), ("tags[0]", changed(tags=["t" * 129])), ("tags[0]", changed(tags=["a\u0007"])),
    ("version", changed(version="1")), ("version", changed(version="1.2")), ("version", changed(version="v1.2.3")),
    ("version", changed(version="01.2.3")), ("version", changed(version="1.2.3-")), ("version", changed(version=1.2)),
    ("protocol", changed(protocol="HTTP")), ("protocol", changed(protocol="udp")), ("protocol", changed(protocol=1)),
    ("weight", changed(weight=0)), ("weight", changed(weight=101)), ("weight", changed(weight="1")), ("weight", changed(weight=1.5)),
    ("ttl_seconds", changed(ttl_seconds=9)), ("ttl_seconds", changed(ttl_seconds=3601)), ("ttl_seconds", changed(ttl_seconds="60")),
    ("ttl_seconds", changed(ttl_seconds=-1)),
    ("capabilities", changed(capabilities={})), ("capabilities[0]", changed(capabilities=[3])),
    ("tenant", changed(tenant="Tenant A")), ("tenant", changed(tenant="")),
    ("ttl", changed(ttl=60)), ("servicename", changed(servicename="x")), ("Host", changed(Host="10.0.0.1")),
]


@pytest.mark.parametrize("field,body", WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_field_is_named_with_what_was_expected_and_an_example(standing, field, body):
    """A refusal names the field, repeats what was given, and says what was expected with an example; nothing is stored."""
    before = standing.revision
    answer = standing.post("/api/v1/register", body)
    problem = is_problem(answer, 400, "validation_error")
    assert problem["field"] == field, problem
    assert problem["expected"] and problem["example"] and problem["hint"], problem
    key = field.split("[")[0].split(".")[0]
    if key in body and field == key and len(json.dumps(body[key])) < 100:
        assert problem["provided"] == body[key], problem
    short = standing.post("/register", body)
    assert short.status == 400 and short.json["error"] == "ValidationError" and short.json["field"] == field
    assert short.json["message"] and short.json["example"]
    assert standing.revision == before


BROKEN_JSON = [
    b"", b"{", b"[]]", b"nul", b"{'a':1}", b'{"a":1,}', b'{"a" 1}', b'{"service_name":"a","service_name":"b"}', b'"\xff\xfe"', b'{"a":01}',
    b'{"a":"\x01"}', b"{}{}", b'{"a":"\\ud800"}', b"[" * 200 + b"]" * 200, b"\xef\xbb\xbf{}", b'{"a":1e999999}x', b"NaN",
]


@pytest.mark.parametrize("body", BROKEN_JSON, ids=range(len(BROKEN_JSON)))
def test_a_body_that_is_not_json_is_refused(standing, body):
    """Whatever is no JSON is refused with 400 and the place of the fault; the connection goes on."""
    answer = standing.post("/api/v1/register", body)
    assert answer.status == 400 and answer.code in ("malformed_json", "validation_error"), answer
    assert answer["content-type"] == "application/problem+json" and answer.json["detail"]
    assert standing.get("/health/live").status == 200


@pytest.mark.parametrize("path,field", [
    ("/api/v1/services?limit=0", "limit"), ("/api/v1/services?limit=1001", "limit"), ("/api/v1/services?limit=x", "limit"),
    ("/api/v1/services?health=good", "health"), ("/api/v1/services?cursor=%21%21", "cursor"), ("/api/v1/services?tenant=A+B", "tenant"),
    ("/api/v1/changes?since=-1", "since"), ("/api/v1/changes?since=abc", "since"), ("/api/v1/changes?wait=soon", "wait"),
    ("/api/v1/changes?wait=-1s", "wait"), ("/api/v1/changes?limit=0", "limit"), ("/api/v1/changes?since=99999999999999999999", "since"),
    ("/api/v1/audit?limit=0", "limit"), ("/api/v1/services/abc?tenant=%00x", None)])
def test_a_wrong_query_value_is_named(standing, path, field):
    """A query parameter with a wrong value is refused with its name, what was expected, and an example."""
    answer = standing.get(path)
    assert answer.status == 400, answer
    if field:
        problem = is_problem(answer, 400, "validation_error")
        assert problem["field"] == field and problem["expected"] and problem["example"]


# The door


@pytest.mark.parametrize("head,status,code", [
    (b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, b"foreign_host"),
    (b"GET /health HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 403, b"foreign_host"),
    (b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", 403, b"foreign_origin"),
    (b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n", 403, b"foreign_origin"),
    (b"GET /health HTTP/1.1\r\n\r\n", 400, b"malformed_request"),
    (b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, b"malformed_request"),
    (b"GET /a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, b"malformed_request"),
    (b"GET /a%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, b"malformed_request"),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, b"target_too_long"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 13000 + b"\r\n\r\n", 431, b"headers_too_large"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431, b"headers_too_large"),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, b"target_too_long"),
    (b"GET /health HTTP/3.0\r\nHost: localhost\r\n\r\n", 505, b"version_not_supported"),
    (b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400, b"malformed_request"),
    (b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n", 413, b"body_too_large"),
    (b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400, b"malformed_request"),
    (b"GET /health HTTP/1.1\r\nHost: localhost\0\n\r\n", 400, b"malformed_request"),
    (b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, b"malformed_request"),
    (b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     b"malformed_request"),
    (b"GET /health HTTP/1.1\nHost: localhost\n\n", 400, b"malformed_request"),
    (b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501, b"not_implemented"),
], ids=[
    "foreign host", "host that begins like ours", "foreign origin", "null origin", "no host", "two hosts", "NUL", "bad escape",
    "long target", "long head", "very long head", "very long target", "version 3", "no number as length", "a length beyond numbers", "bad chunk", "NUL LF", "two lengths", "length and chunks", "bare LF", "unknown coding"])
def test_the_door_refuses_what_it_must_as_http(standing, head, status, code):
    """Foreign hosts and origins, ambiguous framing and too long heads are refused with an HTTP answer, and the daemon goes on."""
    answer = standing.raw(head)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    head, body = answer.split(b"\r\n\r\n", 1)
    headers = {line.split(b":")[0].lower(): line.split(b": ", 1)[1] for line in head.split(b"\r\n")[1:]}
    assert headers[b"content-type"] == b"application/problem+json" and headers[b"connection"] == b"close"
    problem = json.loads(body)
    assert problem["code"] == code.decode() and problem["status"] == status and problem["title"] and problem["detail"]
    assert problem["request_id"] == headers[b"x-request-id"].decode()
    assert standing.get("/health/live").status == 200


def test_what_the_door_refuses_on_a_short_form_has_its_shape(standing):
    """A refusal that no route gave has the shape of the short forms where its path lies among them."""
    def refused(request):
        status, body = standing.raw(request).split(b"\r\n\r\n", 1)
        return int(status.split()[1]), json.loads(body)
    assert refused(b"POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n") == (
        400, {"error": "MalformedRequest", "message": "The request is not HTTP/1.1.", "code": "malformed_request"})
    status, body = refused(b"GET /services/abc HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert status == 403 and body["error"] == "ForeignHost"
    answer = standing.request("PUT", "/register")
    assert answer.status == 405 and answer.json["error"] == "MethodNotAllowed" and answer["allow"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(standing):
    """A body over the limit of its route answers 413, whether its length was announced or it came in chunks."""
    announced = standing.raw(b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n")
    assert announced.startswith(b"HTTP/1.1 413 "), announced[:200]
    large = dict(VALID, metadata={"k": "v" * 300_000})
    answer = standing.post("/api/v1/register", large)
    assert answer.status == 413 and answer.code == "body_too_large"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    chunked = standing.raw(b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 5 + b"0\r\n\r\n")
    assert chunked.startswith(b"HTTP/1.1 413 "), chunked[:200]


def test_half_a_request_does_nothing(standing):
    """A registration whose body never comes to its end leaves nothing behind."""
    before = standing.revision
    body = json.dumps(dict(VALID, service_name="half-done")).encode()
    with socket.create_connection(("127.0.0.1", standing.port)) as connection:
        connection.sendall(b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:-1])
    standing.registered("after-half", port=7099)
    assert standing.revision == before + 1 and standing.instance("half-done") is None


# Who may call


def test_the_unix_socket_knows_its_callers(node):
    """Root administers over the Unix socket; another user is a service and may not read the audit trail."""
    if os.geteuid() != 0:
        pytest.skip("only root can call as another user")
    node = node
    node.stop()
    node.dev = False
    node.start()
    assert node.get("/api/v1/audit", unix=True).status == 200
    assert node.get("/api/v1/audit").status == 403, "loopback is a service, never an administrator"
    node.folder.chmod(0o755)
    os.chmod(node.socket, 0o666)
    script = (
        "import os,socket,sys\nos.setgid(65534);os.setuid(65534)\n"
        "s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1])\n"
        "for p in ('/api/v1/services','/api/v1/audit'):\n"
        "  s.sendall(b'GET %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'%p.encode());print(s.recv(65536).split()[1].decode())\n")
    done = subprocess.run(["/usr/bin/python3", "-c", script, node.socket], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["200", "403"], done
    node.registered("by-root", unix=True)
    assert node.audit()[-1]["event"]["data"]["who"]["principal"] == "uid:0"


@pytest.mark.parametrize("level,health,service", [("none", 401, 401), ("health", 200, 401), ("service", 200, 200)])
def test_what_loopback_may_do_is_configured(nodes, level, health, service):
    """`access.loopback` gives callers of this host nothing, health, or what services may; never administration."""
    node = nodes(dev=False, config=f'[access]\nloopback = "{level}"\n').start()
    assert node.get("/health").status == node.get("/metrics").status == health
    statuses = {node.get("/api/v1/services").status, node.get("/api/v1/node").status}
    expected = {service} if level != "health" else {401, 403}
    assert statuses <= expected, statuses
    assert node.register("loop").status in ({201} if level == "service" else {401, 403})
    assert node.get("/api/v1/audit").status in (401, 403) and node.get("/api/v1/backup").status in (401, 403)
    assert node.get("/health/live").status == node.get("/openapi.json").status == 200
    assert node.register("over-socket", port=9004, unix=True).status == 201


# Starting and not starting


def test_a_second_daemon_on_the_same_state_is_refused(node, nodes):
    """The second one ends with exit code 75 and a sentence that names the first, which is not disturbed."""
    node.registered("first")
    second = nodes(state=node.state)
    code, text = second.refuses_to_start()
    assert code == 75, text
    assert "another daemon" in text and str(node.process.pid) in text and "hint:" in text
    assert node.instance("first")


def test_check_prints_each_value_with_its_origin(nodes):
    """`--check` prints the configuration with the origin of each value and ends with 0, without starting anything."""
    node = nodes(config='[node]\nsite = "0417"\n')
    node.environment["POSTO_LOG__LEVEL"] = "debug"
    done = subprocess.run(node.command("--check"), capture_output=True, text=True, env=node.environ(), timeout=60)
    assert done.returncode == 0, done
    site = next(line for line in done.stdout.splitlines() if "site" in line)
    assert "0417" in site and str(node.config) in site
    level = next(line for line in done.stdout.splitlines() if "debug" in line)
    assert "POSTO_LOG__LEVEL" in level
    assert not node.state.exists()


@pytest.mark.parametrize("text,words", [
    ("[registry]\nttl_second = 5\n", ["ttl_second", "ttl_seconds"]), ("[lissten]\n", ["lissten", "listen"]),
    ("[registry]\nttl_seconds = 5\n", ["ttl_seconds"]), ("[access]\nloopback = \"all\"\n", ["loopback"]), ("[node\n", []),
    ("[store]\nsize_max = \"many\"\n", ["size_max"])])
def test_a_wrong_configuration_ends_with_78_and_names_file_and_line(nodes, text, words):
    """The file, the line and, for an unknown key, the nearest known one are named; nothing is started."""
    node = nodes()
    node.config.write_text("# first line\n" + text)
    code, said = node.refuses_to_start()
    assert code == 78, said
    line = 2 if text.startswith("[lis") or text.startswith("[node") else 3
    assert f"{node.config}:{line}" in said, said
    assert all(word in said for word in words), said
    assert not node.state.exists()


def test_development_mode_refuses_addresses_that_are_not_loopback(nodes):
    """`--dev` makes every local caller an administrator, so it does not listen to the network: exit code 2."""
    code, said = nodes(listen=("0.0.0.0:0",)).refuses_to_start()
    assert code == 2, said
    code, said = nodes(dev=False, listen=("0.0.0.0:0",)).refuses_to_start()
    assert code == 78 and "allow_plain_lan" in said, said


def test_the_ready_line_names_what_is_listening(nodes):
    """One line on standard output, with every address and the socket."""
    node = nodes(listen=("127.0.0.1:0", "[::1]:0")).start()
    assert re.fullmatch(r"posto ready http=127\.0\.0\.1:\d+,\[::1\]:\d+ socket=" + re.escape(node.socket), node.ready_line), node.ready_line


def test_sighup_takes_what_it_can_and_says_what_needs_a_restart(node):
    """A reload changes the log level at once, names what needs a restart, and keeps the old configuration when the new one is wrong."""
    text = node.config.read_text()
    node.config.write_text(text.replace('"64MiB"', '"128MiB"') + '[log]\nlevel = "debug"\n[registry.x]\n')
    node.process.send_signal(1)
    eventually(lambda: '"refused"' in node.log(), "a wrong configuration is refused")
    node.config.write_text(text.replace('"64MiB"', '"128MiB"') + '[log]\nlevel = "debug"\n')
    node.process.send_signal(1)
    eventually(lambda: '"needs_restart"' in node.log() and "store.size_max" in node.log(), "what needs a restart is said")
    eventually(lambda: '"reloaded"' in node.log(), "the rest was taken")
    node.get("/health")
    eventually(lambda: '"level":"DEBUG"' in node.log(), "the new level is in use")


def test_log_lines_are_json_with_the_fields_of_the_specification(node):
    """Each line on standard error is one JSON object with time, level, component, event, details and trace."""
    lines = [json.loads(line) for line in node.log().splitlines() if not line.startswith("---")]
    assert lines
    for line in lines:
        assert {"timestamp", "level", "component", "event", "details", "trace_id"} <= set(line), line


def test_the_version_is_printed():
    """`posto --version` prints it."""
    done = subprocess.run([binary(), "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and re.match(r"^\d+\.\d+\.\d+", done.stdout)


# Many at once


@pytest.mark.parametrize("count", [127, 128, 129, 256, 1000])
def test_a_burst_of_connections_in_lock_step_is_answered(standing, count):
    """So many callers connect together, then all ask together: each gets its whole answer."""
    connections = [socket.create_connection(("127.0.0.1", standing.port), timeout=60) for _ in range(count)]
    for connection in connections:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answers = []
    for connection in connections:
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
        connection.close()
        answers.append(received)
    assert [a[9:12] for a in answers] == [b"200"] * count
    assert all(a.endswith(b'{"status":"live"}') for a in answers)


def test_watchers_that_left_are_noticed(standing):
    """The connection of a long poll or a stream that was closed by the client is given back at once, not when its time is over."""
    def watchers():
        return int(re.search(rb"^posto_watchers (\d+)$", standing.get("/metrics").body, re.M)[1])

    before = watchers()
    revision = standing.revision
    polls = [socket.create_connection(("127.0.0.1", standing.port)) for _ in range(40)]
    for i, poll in enumerate(polls):
        accept = b"Accept: text/event-stream\r\n" if i % 2 else b""
        poll.sendall(b"GET /api/v1/changes?since=%d&wait=300s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (revision, accept))
    eventually(lambda: watchers() == before + 40, "all wait")
    for poll in polls[:20]:
        poll.close()
    for poll in polls[20:]:
        poll.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        poll.close()
    eventually(lambda: watchers() == before, "all are gone", patience=25)


def test_requests_on_one_connection_are_answered_in_order(standing):
    """Requests sent together on one connection, durable ones among them, are answered one after the other."""
    requests, expected = b"", []
    for i in range(60):
        if i % 3 == 0:
            body = json.dumps(dict(VALID, service_name=f"pipelined-{i}", port=30_000 + i)).encode()
            requests += b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            expected.append(201)
        else:
            requests += b"GET /api/v1/services/pipelined-%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % (i // 3 * 3)
            expected.append(200)
    with socket.create_connection(("127.0.0.1", standing.port), timeout=60) as connection:
        connection.sendall(requests)
        file = connection.makefile("rb")
        statuses = []
        for _ in expected:
            statuses.append(int(file.readline().split()[1]))
            length = 0
            while (line := file.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            file.read(length)
    assert statuses == expected


# What is no longer kept


def test_old_changes_are_dropped_and_answer_410_and_the_audit_chain_goes_on(nodes):
    """When the stream is over its size the oldest changes go: asking for them answers 410; what is kept is whole, the audit chain too."""
    node = nodes(size_max="16MiB", config='[log]\nlevel = "warning"\n').start()
    filling = json.dumps(dict(VALID, service_name="filling", metadata={f"k{i}": "v" * 500 for i in range(60)}, weight=1)).encode()
    body = [filling, filling.replace(b'"weight": 1', b'"weight": 2')]
    assert body[0] != body[1]
    connection = node.connection()
    taken = 0

    def first_kept():
        return {s["name"]: s["first_seq"] for s in node.get("/api/v1/streams").json["streams"]}["state"]

    def register():
        connection.request("POST", "/api/v1/register", body[taken % 2])
        answer = connection.getresponse()
        assert answer.read() and answer.status in (200, 201, 507), answer.status
        return answer.status != 507

    # Faster than a small store can forget: then it is full for a moment, and goes on by itself.
    while taken < 1_500 and first_kept() <= 1:
        for _ in range(50):
            eventually(register, "there is room again", patience=90, pause=0.2)
            taken += 1
    eventually(lambda: first_kept() > 1, "the oldest changes are dropped", patience=90, pause=0.2)
    problem = is_problem(node.get("/api/v1/changes?since=0"), 410, "revision_gone")
    assert "GET /api/v1/services" in problem["hint"]
    kept = first_kept() + (node.revision - first_kept()) // 2
    changes = node.changes(kept)
    assert [c["revision"] for c in changes] == list(range(kept + 1, node.revision + 1)) and changes
    node.restart()
    is_problem(node.get("/api/v1/changes?since=0"), 410, "revision_gone")
    assert node.instance("filling")
