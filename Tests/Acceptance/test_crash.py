"""Kills the real daemon with SIGKILL at random moments under load, and asks each time whether every promise was kept.

POSTO_CRASHES is the number of kills (1,000), POSTO_CRASH_SEED the seed, which is printed. A cycle is: start, hold feed, list and audit trail
against the model, load for a few milliseconds, kill.
"""

import hashlib
import json
import os
import random
import re
import select
import socket
import time

import pytest

from crash_model import Broken, Instance, Lane, Model, Operation
from interpose import Clock, Faults
from node import NotReady

LANES = 5
GRACE = 1
#: Longest time from exec to the ready line that the test lets pass; what is promised (0.5 s) is reported.
READY_MAX = 2.0


class Given:
    """An answer as it came."""

    __slots__ = ("status", "body", "revision", "replayed")

    def __init__(self, status, body, revision, replayed):
        self.status = status
        self.body = body
        self.revision = revision
        self.replayed = replayed


class Pipe:
    """A connection with several requests under way; answers come in the order of the requests."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.waiting = []

    def send(self, operation):
        # Requests are small and few: they always fit into the socket's buffer.
        try:
            self.socket.send(operation.request)
        except (BrokenPipeError, ConnectionResetError):
            return False
        self.waiting.append(operation)
        return True

    def receive(self):
        """The operations that were answered since, with their answers; None when the other side is gone."""
        open_ = True
        try:
            while True:
                chunk = self.socket.recv(262144)
                if not chunk:
                    open_ = False
                    break
                self.received += chunk
        except BlockingIOError:
            pass
        except ConnectionResetError:
            open_ = False
        found = []
        while True:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                break
            head = self.received[:end].lower()
            at = head.find(b"content-length: ")
            length = int(head[at + 16:].split(b"\r", 1)[0]) if at >= 0 else 0
            if len(self.received) < end + 4 + length:
                break
            body = self.received[end + 4:end + 4 + length]
            self.received = self.received[end + 4 + length:]
            at = head.find(b"posto-revision: ")
            revision = int(head[at + 16:].split(b"\r", 1)[0]) if at >= 0 else None
            found.append((self.waiting.pop(0), Given(int(head[9:12]), body, revision, b"idempotency-replayed: true" in head)))
        return found, open_


class Crasher:
    def __init__(self, node, seed):
        self.node = node
        self.random = random.Random(seed)
        lanes = []
        for number in range(LANES):
            # The last lane has short leases, some of which nobody renews.
            ttl = 10 if number == LANES - 1 else 3600
            instances = [
                Instance(f"lane{number}-service{s}", f"i{i}", 20_000 + number * 1_000 + s * 10 + i, ttl) for s in range(4) for i in range(2)]
            lanes.append(Lane(number, instances))
        self.model = Model(lanes)
        self.counter = 0
        self.last = {}  # instance -> the operation that registered it as it is
        self.keys = []  # operations with idempotency keys that were answered
        self.unsure = []  # operations with idempotency keys that were in flight at the kill
        self.audit_seq = 0
        self.audit_hash = bytes(32)
        self.kills = 0
        self.ready = []
        self.last_wall = 0.0

    # Requests

    def request(self, method, path, body=b"", key=None):
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        if key:
            head += f"Idempotency-Key: {key}\r\n"
        if body:
            head += f"Content-Length: {len(body)}\r\n"
        return (head + "\r\n").encode() + body

    def registration(self, instance, marker):
        return (
            f'{{"service_name":"{instance.service}","id":"{instance.id}","host":"10.0.0.1","port":{instance.port},'
            f'"health_endpoint":"/","ttl_seconds":{instance.ttl},"metadata":{{"n":"{marker}"}}}}').encode()

    def next_operation(self, lane):
        chance = self.random.random()
        instance = self.random.choice(lane.instances)
        place = f"{instance.service}/{instance.id}"
        if instance.ttl == 10 and chance < 0.6 and instance.id == "i1":
            # Nobody cares for these much: they lapse now and then.
            instance = lane.instances[0]
            place = f"{instance.service}/{instance.id}"
        if chance < 0.40:
            self.counter += 1
            marker = str(self.counter)
            key = f"key-{marker}" if chance < 0.12 else None
            return Operation("register", instance, self.request("POST", "/api/v1/register", self.registration(instance, marker), key), marker, key)
        if chance < 0.50 and (last := self.last.get(instance)) is not None:
            return Operation("same", instance, self.request("POST", "/api/v1/register", self.registration(instance, last)), last)
        if chance < 0.56 and self.keys:
            old = self.random.choice(self.keys)
            return Operation("replay", old.instance, old.request, old.answer.body)
        if chance < 0.70 and instance.ttl != 10:
            return Operation("deregister", instance, self.request("DELETE", f"/api/v1/deregister/{place}"))
        return Operation("heartbeat", instance, self.request("POST", f"/api/v1/heartbeat/{place}"))

    def take(self, pipe):
        found, is_open = pipe.receive()
        now = time.time()
        for operation, answer in found:
            self.model.answered(operation, answer, now)
            if operation.kind == "register" and operation.key:
                self.keys.append(operation)
                if len(self.keys) > 200:
                    self.keys.pop(self.random.randrange(100))
        return is_open

    # A cycle

    def load(self, duration):
        """Loads all lanes until it kills the daemon."""
        pipes = [Pipe(self.node.port) for _ in self.model.lanes]
        depths = [self.random.choice((1, 1, 2, 4)) for _ in pipes]
        depths[-1] = 1
        poll = select.epoll()
        by_descriptor = {}
        for pipe, lane in zip(pipes, self.model.lanes):
            poll.register(pipe.socket, select.EPOLLIN)
            by_descriptor[pipe.socket.fileno()] = (pipe, lane)
        end = time.monotonic() + duration
        for pipe, lane, depth in zip(pipes, self.model.lanes, depths):
            for _ in range(depth):
                self.send(pipe, lane)
        while (left := end - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left):
                pipe, lane = by_descriptor[descriptor]
                before = len(pipe.waiting)
                if not self.take(pipe):
                    raise Broken("the daemon closed a connection")
                for _ in range(before - len(pipe.waiting)):
                    self.send(pipe, lane)
        self.node.kill()
        self.kills += 1
        for pipe, lane in zip(pipes, self.model.lanes):
            self.take(pipe)
            self.unsure += [operation for operation in pipe.waiting if operation.key and operation.kind == "register"]
            pipe.socket.close()
        poll.close()

    def send(self, pipe, lane):
        operation = self.next_operation(lane)
        if operation.kind in ("register", "same"):
            self.last[operation.instance] = operation.marker
        operation.sent = time.time()
        if pipe.send(operation) and operation.kind != "replay":
            lane.unverified.append(operation)

    def verify(self):
        """Holds feed, list and audit trail against the model."""
        connection = self.node.connection()
        revisions = {}
        self.follow(connection, revisions)
        self.model.settle()
        while True:
            listed = json.loads(self.ask(connection, "/api/v1/services?limit=1000"))["services"]
            now = time.time()
            # The daemon itself may have announced the end of a lease while it was asked.
            if not self.follow(connection, revisions):
                break
        self.model.check_list(listed, now)
        self.verify_audit(connection, revisions)
        self.retry(connection)
        connection.close()

    def follow(self, connection, revisions):
        """Takes what is new in the feed; says whether there was anything."""
        before = self.model.revision
        while changes := json.loads(self.ask(connection, f"/api/v1/changes?since={self.model.revision}&limit=1000"))["changes"]:
            self.model.take_changes(changes, GRACE)
            for change in changes:
                if change["kind"] != "expired" and change.get("reason") != "renewed":
                    revisions[change["revision"]] = change
        return self.model.revision > before

    AUDIT = re.compile(rb'\{"seq":(\d+),"time":"[^"]*","hash":"([0-9a-f]{64})","event":')

    def verify_audit(self, connection, revisions):
        """The chain goes on from where it was, and it holds a record of every change that somebody asked for."""
        while True:
            page = self.ask(connection, f"/api/v1/audit?since={self.audit_seq}&limit=1000")
            heads = list(self.AUDIT.finditer(page))
            if not heads:
                break
            ends = [head.start() - 2 for head in heads[1:]] + [page.rindex(b'}],"last_seq"')]
            for head, end in zip(heads, ends):
                event = page[head.end():end]
                if int(head[1]) != self.audit_seq + 1:
                    raise Broken(f"after audit record {self.audit_seq} comes {int(head[1])}")
                self.audit_seq += 1
                self.audit_hash = hashlib.sha256(self.audit_hash + event).digest()
                if self.audit_hash.hex().encode() != head[2]:
                    raise Broken(f"the chain breaks at audit record {self.audit_seq}")
                at = event.rfind(b'"revision":')
                if at >= 0:
                    revisions.pop(int(re.match(rb"\d+", event[at + 11:])[0]), None)
        if revisions:
            raise Broken(f"no audit record of {next(iter(revisions.values()))}")

    def retry(self, connection):
        """A client that lost an answer asks again with the same key: it is done once, and answered."""
        for operation in self.unsure[:2]:
            lane = self.model.by_id[operation.instance.service, operation.instance.id][0]
            was_done = operation.instance.marker == operation.marker
            given = self.exchange(connection, operation)
            if was_done and not given.replayed:
                raise Broken(f"done twice under one idempotency key: {operation.request!r} {given.body!r}")
            if not given.replayed:
                again = Operation("register", operation.instance, operation.request, operation.marker, operation.key)
                lane.unverified.append(again)
                self.last[operation.instance] = operation.marker
                self.model.answered(again, given, time.time())
            second = self.exchange(connection, operation)
            if not second.replayed or second.body != given.body:
                raise Broken(f"another answer for the same key: {given.body!r} {second.body!r}")
            operation.answer = given
            self.keys.append(operation)
        self.unsure = []

    def exchange(self, connection, operation):
        method, path, _ = operation.request.split(b" ", 2)
        body = operation.request.partition(b"\r\n\r\n")[2]
        connection.request(method.decode(), path.decode(), body, {"Idempotency-Key": operation.key})
        response = connection.getresponse()
        body = response.read()
        revision = response.getheader("Posto-Revision")
        return Given(response.status, body, revision and int(revision), response.getheader("Idempotency-Replayed") == "true")

    def ask(self, connection, path):
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise Broken(f"{path}: {response.status} {body[:500]!r}")
        return body

    def cycle(self):
        node = self.node
        node.spawn(close_fds=False)
        if self.random.random() < 0.05:
            # In the middle of the start.
            time.sleep(self.random.random() * 0.06)
            node.kill()
            self.kills += 1
            return
        node.wait_ready()
        self.ready.append(node.ready_seconds)
        if node.ready_seconds > READY_MAX:
            raise Broken(f"ready after {node.ready_seconds:.2f} s")
        self.verify()
        self.load(min(self.random.expovariate(1 / 0.02), 0.15))


def test_no_kill_at_any_moment_loses_or_invents_anything(nodes, capsys):
    """After every SIGKILL the daemon is ready again, and knows exactly what it had answered, plus at most what it had not answered yet."""
    kills = int(os.environ.get("POSTO_CRASHES", "1000"))
    seed = int(os.environ.get("POSTO_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
    node = nodes(size_max="256MiB", grace=GRACE, config='[log]\nlevel = "error"\n')
    crasher = Crasher(node, seed)
    began = time.monotonic()
    try:
        while crasher.kills < kills:
            crasher.cycle()
        node.start()
        crasher.verify()
        whole_audit(node)
    except (Broken, NotReady) as failure:
        raise AssertionError(f"seed {seed}, after {crasher.kills} kills: {failure}") from failure
    finally:
        elapsed = time.monotonic() - began
        ready = sorted(crasher.ready) or [0]
        model = crasher.model
        with capsys.disabled():
            print(
                f"\ncrash: seed {seed}, {crasher.kills} kills in {elapsed:.1f} s ({crasher.kills / elapsed:.1f}/s); "
                f"{model.operations} answers, {model.changes} changes, {crasher.audit_seq} audit records; in flight at a kill and done "
                f"{model.unanswered_applied}, not done {model.unanswered_not_applied}; ready p50 {1e3 * ready[len(ready) // 2]:.0f} ms, "
                f"p99 {1e3 * ready[len(ready) * 99 // 100]:.0f} ms, worst {1e3 * ready[-1]:.0f} ms, "
                f"over 500 ms: {sum(r > 0.5 for r in ready)}")


def test_the_model_notices_a_disk_that_lies(nodes):
    """The test of the test: when commits are not written although the disk says so, the model finds what was lost."""
    node = nodes(size_max="256MiB", grace=GRACE, config='[log]\nlevel = "error"\n')
    faults = Faults(node)
    crasher = Crasher(node, 1)
    for _ in range(5):
        crasher.cycle()
    # LMDB itself may notice, and stop the daemon.
    with pytest.raises((Broken, NotReady, OSError)):
        for _ in range(20):
            # The second commit from now on and those after it.
            faults.arm(Faults.LIE, first=2, times=1 << 30, calls=Faults.META, pattern="/store/state.mdb")
            crasher.cycle()
            faults.disarm()


def test_the_model_notices_leases_that_lose_time(nodes):
    """The test of the test: when uptime runs ahead over a restart, the model finds leases that are shorter than was promised."""
    node = nodes(size_max="256MiB", grace=GRACE, config='[log]\nlevel = "error"\n')
    clock = Clock(node)
    crasher = Crasher(node, 1)
    for _ in range(5):
        crasher.cycle()
    clock.step_uptime(1)
    with pytest.raises(Broken, match="lost|early"):
        for _ in range(5):
            crasher.cycle()


def whole_audit(node):
    """The audit trail from its first kept record to its last is one chain."""
    since, previous, expected = 0, None, None
    while True:
        page = node.get(f"/api/v1/audit?since={since}&limit=1000").body
        heads = list(Crasher.AUDIT.finditer(page))
        if not heads:
            return
        ends = [head.start() - 2 for head in heads[1:]] + [page.rindex(b'}],"last_seq"')]
        for head, end in zip(heads, ends):
            seq = int(head[1])
            assert expected in (None, seq), f"record {expected} is missing"
            if previous is not None:
                assert hashlib.sha256(previous + page[head.end():end]).hexdigest().encode() == head[2], f"record {seq}"
            previous, expected, since = bytes.fromhex(head[2].decode()), seq + 1, seq
