"""Store and forward: what services hand over reaches the receiver once, whatever happens to link, node or receiver."""

import json
import os
import random
import threading
import time

import pytest

from fake_receiver import FakeReceiver
from node import Node, eventually
from receiver import Receiver

STREAMS = '[[streams]]\nname = "sales"\n[[streams]]\nname = "metrics"\npriority = 4\n'


def config(url, more="", uplink=""):
    return f'[uplink]\nurl = "{url}"\nlinger_milliseconds = 0\n{uplink}\n{STREAMS}{more}'


def sink(node):
    return node.get("/api/v1/uplink").json["sinks"][0]


def probe(node):
    return node.post("/api/v1/uplink/central/probe")


def drained(node):
    found = sink(node)
    return found if found["lag_records"] == 0 and found["state"] == "connected" else None


def post_lines(node, stream, events):
    body = "".join(json.dumps(event) + "\n" for event in events)
    answer = node.post(f"/api/v1/events/{stream}", body, {"Content-Type": "application/x-ndjson"})
    assert answer.status == 201, answer
    return answer.json


def stored(node, stream):
    """Every record of a stream in the node's journal, oldest first."""
    found = []
    since = 0
    while True:
        answer = node.get(f"/api/v1/streams/{stream}?since={since}&limit=1000", unix=True)
        lines = [json.loads(line) for line in answer.body.splitlines()]
        if not lines:
            return found
        found += lines
        since = int(lines[-1]["postoseq"])


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver.start()


def test_events_and_changes_flow_the_link_is_cut_and_comes_back_and_the_counts_are_equal(nodes, receiver):
    node = nodes(config=config(receiver.url)).start()
    name = node.get("/api/v1/node").json["id"]
    node.registered("shop-api")
    post_lines(node, "sales", [{"n": n} for n in range(100)])
    post_lines(node, "metrics", [{"n": n} for n in range(50)])
    eventually(lambda: drained(node), "everything is with the receiver")
    assert receiver.series(name)[("sales", 1)]["records"] == 100
    receiver.stop()
    for n in range(100, 160):
        assert node.post("/api/v1/events/sales", {"n": n}).status == 201
    node.registered("till", port=9001)
    eventually(lambda: sink(node)["state"] == "waiting", "the node sees that the link is down")
    assert sink(node)["lag_records"] > 0
    assert node.get("/health").status == 200, "a link that is down is no illness of the node"
    receiver.start()
    assert probe(node).json["reachable"]
    eventually(lambda: drained(node), "what waited is with the receiver")
    for stream in ("sales", "metrics", "state", "audit"):
        there = receiver.lines(name, stream, 1)
        here = stored(node, stream)
        assert there == here, stream
        assert [int(event["postoseq"]) for event in there] == list(range(1, len(there) + 1)), stream
    assert [event["data"]["n"] for event in receiver.lines(name, "sales", 1)] == list(range(160))


def test_a_node_that_was_killed_goes_on_where_the_receiver_stands(nodes, receiver):
    node = nodes(config=config(receiver.url)).start()
    name = node.get("/api/v1/node").json["id"]
    total = 0
    for _ in range(5):
        post_lines(node, "sales", [{"n": total + n} for n in range(500)])
        total += 500
        node.restart(kill=True)
    eventually(lambda: drained(node), "everything is with the receiver")
    assert [event["data"]["n"] for event in receiver.lines(name, "sales", 1)] == list(range(total))


def test_an_answer_that_is_no_ack_counts_as_a_failure_and_loses_nothing(nodes):
    portal = (200, {"Content-Type": "text/html"}, b"<html>Please accept the terms of this hotel.</html>")
    lies = [portal, (200, {}, {"epoch": 1, "acked_to": 999, "missing": [], "digest": "sha-256=:AAAA:"}), (204, {}, b"")]
    truth = threading.Event()

    def behave(batch):
        return None if truth.is_set() else random.choice(lies)

    with FakeReceiver(behave) as fake:
        node = nodes(config=config(fake.url)).start()
        post_lines(node, "sales", [{"n": n} for n in range(10)])
        eventually(lambda: sink(node)["last_failure"], "the lie is seen")
        assert sink(node)["lag_records"] >= 10
        truth.set()
        probe(node)
        eventually(lambda: drained(node), "everything is with the receiver")
        assert fake.seen[("sales", 1)] == set(range(1, 11))


def test_a_captive_portal_on_the_first_question_is_no_receiver(nodes):
    with FakeReceiver(resume=lambda node: (200, {}, b"<html>hello</html>")) as fake:
        node = nodes(config=config(fake.url)).start()
        assert node.post("/api/v1/events/sales", {"n": 1}).status == 201
        eventually(lambda: sink(node)["last_failure"], "the portal is seen for what it is")
        assert fake.batches == []
        assert probe(node).json["reachable"] is False


def test_the_breaker_opens_after_three_failures_and_stays_open_over_a_restart(nodes):
    with FakeReceiver(resume=lambda node: (503, {"Retry-After": "0"}, b"")) as fake:
        node = nodes(config=config(fake.url)).start()
        assert node.post("/api/v1/events/sales", {"n": 1}).status == 201
        eventually(lambda: sink(node)["breaker"] == "open", "three failures open the breaker")
        eventually(lambda: "unreachable" in [alert["code"] for alert in node.get("/health").json["alerts"]], "health says so")
        assert node.get("/health").status == 200
        node.stop()
        node.start()
        eventually(lambda: sink(node)["breaker"] == "open", "the restart has not forgotten it")


def test_a_record_that_is_refused_three_times_is_a_dead_letter_and_is_sent_again_once(nodes):
    stubborn = {2}

    with FakeReceiver() as fake:
        fake.behave = lambda batch: (200, {}, fake.ack(batch, [seq for seq in stubborn if batch["stream"] == "sales" and any(
            int(line["postoseq"]) == seq for line in batch["lines"])]))
        node = nodes(config=config(fake.url)).start()
        post_lines(node, "sales", [{"n": n} for n in range(1, 6)])
        eventually(lambda: node.get("/api/v1/deadletters").json["total"] == 1, "the record is given up")
        letter = node.get("/api/v1/deadletters").json["deadletters"][0]
        assert (letter["stream"], letter["seq"], letter["code"], letter["redriven_at"]) == ("sales", 2, "schema", None)
        assert sum(2 in [int(line["postoseq"]) for line in batch["lines"]] for batch in fake.batches if batch["stream"] == "sales") == 3
        eventually(lambda: drained(node), "the line behind it is free")
        assert "dead_letters" in [alert["code"] for alert in node.get("/health").json["alerts"]]
        # Refused once more, it stays; and it cannot be sent a second time.
        assert node.post(f"/api/v1/deadletters/{letter['id']}/redrive").status == 202
        eventually(lambda: sum(2 in [int(line["postoseq"]) for line in batch["lines"]] for batch in fake.batches
                               if batch["stream"] == "sales") == 4, "it is sent again")
        eventually(lambda: drained(node), "it is back among the dead letters")
        again = node.post(f"/api/v1/deadletters/{letter['id']}/redrive")
        assert (again.status, again.code) == (409, "redriven_before")
        assert node.post("/api/v1/deadletters/77/redrive").code == "unknown_dead_letter"
        assert "posto.audit.deadletter" in [record["event"]["type"] for record in node.audit()]


def test_a_dead_letter_that_is_taken_after_all_is_gone(nodes):
    stubborn = {1}
    with FakeReceiver() as fake:
        fake.behave = lambda batch: (200, {}, fake.ack(batch, [seq for seq in stubborn if batch["stream"] == "sales" and any(
            int(line["postoseq"]) == seq for line in batch["lines"])]))
        node = nodes(config=config(fake.url)).start()
        post_lines(node, "sales", [{"n": 1}])
        eventually(lambda: node.get("/api/v1/deadletters").json["total"] == 1, "the record is given up")
        stubborn.clear()
        letter = node.get("/api/v1/deadletters").json["deadletters"][0]["id"]
        assert node.post(f"/api/v1/deadletters/{letter}/redrive").status == 202
        eventually(lambda: node.get("/api/v1/deadletters").json["total"] == 0, "it was taken")
        assert fake.seen[("sales", 1)] == {1}


def test_a_batch_that_is_too_large_is_halved(nodes):
    with FakeReceiver() as fake:
        fake.behave = lambda batch: (413, {}, b"") if len(batch["lines"]) > 10 else None
        node = nodes(config=config(fake.url)).start()
        post_lines(node, "sales", [{"n": n} for n in range(200)])
        eventually(lambda: drained(node), "everything is with the receiver")
        assert fake.seen[("sales", 1)] == set(range(1, 201))


def test_an_encoding_that_is_not_taken_is_not_used_again(nodes):
    with FakeReceiver() as fake:
        fake.behave = lambda batch: (415, {}, b"") if "Content-Encoding" in batch["headers"] else None
        node = nodes(config=config(fake.url)).start()
        post_lines(node, "sales", [{"n": n} for n in range(20)])
        eventually(lambda: drained(node), "everything is with the receiver")
        assert "Content-Encoding" not in fake.batches[-1]["headers"]


def test_what_a_receiver_lost_with_its_backup_is_sent_again(nodes):
    with FakeReceiver() as fake:
        node = nodes(config=config(fake.url)).start()
        post_lines(node, "sales", [{"n": n} for n in range(100)])
        eventually(lambda: drained(node), "everything is with the receiver")
        with fake.lock:
            fake.seen[("sales", 1)] = set(range(1, 31)) | {50}
        probe(node)
        eventually(lambda: fake.seen[("sales", 1)] == set(range(1, 101)), "what was lost is there again")


def test_a_node_whose_epoch_is_old_begins_a_new_one(nodes, receiver):
    node = nodes(config=config(receiver.url)).start()
    name = node.get("/api/v1/node").json["id"]
    post_lines(node, "sales", [{"n": n} for n in range(10)])
    eventually(lambda: drained(node), "everything is with the receiver")
    # Somebody with this node's name has sent in epoch 5.
    line = json.dumps({"specversion": "1.0", "id": "5-1", "source": f"/node/{name}/other", "type": "x", "postoseq": "1",
                       "postoepoch": "5"}).encode() + b"\n"
    status, body = receiver.request("POST", f"/v1/uplink/{name}/other", line, {
        "Uplink-Epoch": "5", "Uplink-First": "1", "Uplink-Last": "1", "Content-Digest": FakeReceiver.digest(line)})
    assert status == 200, body
    post_lines(node, "sales", [{"n": n} for n in range(10, 20)])
    eventually(lambda: node.get("/api/v1/node").json["epoch"] == 6, "a new epoch began")
    eventually(lambda: drained(node), "everything is with the receiver")
    events = receiver.lines(name, "sales", 1) + receiver.lines(name, "sales", 6)
    assert sorted(event["data"]["n"] for event in events) == list(range(20))


def test_the_token_is_shown_and_a_wrong_one_keeps_the_data(nodes, tmp_path):
    token = tmp_path / "token"
    token.write_text("wrong\n")
    with Receiver(tokens=["right"]) as receiver:
        receiver.start()
        assert receiver.request("GET", "/v1/uplink/n1")[0] == 401
        node = nodes(config=config(receiver.url, uplink=f'token_file = "{token}"')).start()
        post_lines(node, "sales", [{"n": 1}])
        eventually(lambda: "401" in (sink(node)["last_failure"] or ""), "the token is refused")
        node.stop()
        token.write_text("right\n")
        node.start()
        probe(node)
        eventually(lambda: drained(node), "everything is with the receiver")


@pytest.mark.parametrize("when_full, expected", [("block", 429), ("reject-new", 429), ("drop-oldest", 201)])
def test_a_full_stream_does_as_it_declares(nodes, when_full, expected):
    more = f'[[streams]]\nname = "small"\nbytes_max = "1MiB"\nwhen_full = "{when_full}"\n'
    node = nodes(config=config("http://127.0.0.1:9", more)).start()
    answer = None
    for _ in range(30):
        answer = node.post("/api/v1/events/small", ('{"pad":"' + "x" * 1000 + '"}\n') * 100, {"Content-Type": "application/x-ndjson"})
        if answer.status != 201:
            break
    assert answer.status == expected, answer
    if expected == 429:
        assert answer.code == "stream_full" and int(answer["retry-after"]) > 0
    else:
        eventually(lambda: any(stream["dropped_records"] for stream in sink(node)["streams"] if stream["stream"] == "small"),
                   "the oldest go, and are counted", patience=90)
        eventually(lambda: "posto.audit.dropped" in [record["event"]["type"] for record in node.audit()], "the audit trail says so",
                   patience=90)


def test_events_are_refused_in_words(nodes):
    node = nodes(config=STREAMS).start()
    assert node.post("/api/v1/events/nothing", {"a": 1}).code == "unknown_stream"
    assert node.post("/api/v1/events/audit", {"a": 1}).code == "unknown_stream"
    assert node.post("/api/v1/events/sales", "[1]").code == "validation_error"
    assert node.post("/api/v1/events/sales", "{").code == "malformed_json"
    assert node.post("/api/v1/events/sales", "a=1", {"Content-Type": "text/plain"}).code == "unsupported_media_type"
    bad = node.post("/api/v1/events/sales", '{"a":1}\n{"a":\n', {"Content-Type": "application/x-ndjson"})
    assert bad.code == "malformed_json" and "Line 2" in bad.json["detail"]
    assert stored(node, "sales") == [], "all of them or none"
    first = node.post("/api/v1/events/sales", {"a": 1}, {"Idempotency-Key": "k"})
    assert node.post("/api/v1/events/sales", {"a": 1}, {"Idempotency-Key": "k"}).json == first.json
    assert node.post("/api/v1/events/sales", {"a": 2}, {"Idempotency-Key": "k"}).status == 422
    relaxed = node.post("/api/v1/events/sales", '{"a":\n 3}', {"Prefer": "respond-async"})
    assert (relaxed.status, relaxed.json["durable"]) == (202, False)
    eventually(lambda: len(stored(node, "sales")) == 2, "a relaxed event is stored too")
    typed = node.post("/api/v1/events/sales", {"a": 4}, {"ce-type": "bank.sale", "ce-subject": "till/4"})
    assert typed.status == 201
    assert {"type": "bank.sale", "subject": "till/4"}.items() <= stored(node, "sales")[-1].items()
    assert node.get("/api/v1/uplink").json == {"epoch": 1, "sinks": []}
    assert node.post("/api/v1/uplink/central/probe").code == "unknown_sink"


def test_plain_http_to_another_host_is_refused(nodes):
    code, said = nodes(config=config("http://10.1.2.3:80")).refuses_to_start()
    assert code == 78 and "without TLS" in said


ROUNDS = int(os.environ.get("POSTO_UPLINK_ROUNDS", "60"))


def test_node_and_receiver_are_killed_in_turn_and_every_acknowledged_event_arrives_once(nodes, receiver):
    seed = int(os.environ.get("POSTO_SEED", random.randrange(1 << 32)))
    print("seed", seed)
    chance = random.Random(seed)
    node = nodes(config=config(receiver.url)).start()
    name = node.get("/api/v1/node").json["id"]
    promised = []
    number = 0
    for round_ in range(ROUNDS):
        sent = []
        stop = threading.Event()

        def send(first):
            n = first
            while not stop.is_set():
                try:
                    answer = node.post("/api/v1/events/sales", {"n": n})
                except OSError:
                    return
                except Exception:
                    return
                if answer.status == 201:
                    sent.append(n)
                n += 1

        sender = threading.Thread(target=send, args=(number,))
        sender.start()
        time.sleep(chance.random() * 0.08)
        if round_ % 2:
            receiver.kill()
            receiver.start()
            stop.set()
            sender.join()
            threading.Thread(target=lambda: _quietly(lambda: probe(node)), daemon=True).start()
        else:
            node.kill()
            stop.set()
            sender.join()
            node.start()
        promised += sent
        number += 1_000_000
    probe(node)
    eventually(lambda: drained(node) or (probe(node) and None), "everything is with the receiver", patience=120, pause=0.2)
    events = receiver.lines(name, "sales", 1)
    arrived = [event["data"]["n"] for event in events]
    assert len(arrived) == len(set(arrived)), "nothing arrives twice"
    assert set(promised) <= set(arrived), "nothing that was acknowledged is lost"
    assert arrived == sorted(arrived), "in order"
    assert events == stored(node, "sales")
    assert len(promised) > ROUNDS


def _quietly(body):
    try:
        body()
    except Exception:
        pass
