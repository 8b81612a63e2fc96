"""What a daemon that is killed at any moment must still know: a model of every operation that was answered.

Each connection (`Lane`) owns the services that it changes, so that their order is the order of the lane's requests. An operation is
answered, in flight (sent, not answered), or never sent. After a kill the change feed must hold the effect of every answered operation of a
lane in order, then those of a prefix of what was in flight, and nothing else.
"""

import json
from collections import deque

#: Seconds by which two readings of a clock in the daemon may differ through rounding.
ROUNDING = 0.005


class Broken(AssertionError):
    """The daemon did not keep a promise."""


class Instance:
    """One instance as the model knows it."""

    __slots__ = ("service", "id", "port", "ttl", "marker", "revision", "expired", "promises")

    def __init__(self, service, id, port, ttl):
        self.service = service
        self.id = id
        self.port = port
        self.ttl = ttl
        self.marker = None  # of the last registration; None: not registered
        self.revision = 0
        self.expired = False
        self.promises = deque(maxlen=32)  # (when it was answered, until when it holds), wall clock

    @property
    def promised(self):
        return max((until for _, until in self.promises), default=0)


class Operation:
    """One request and what becomes of it."""

    __slots__ = ("kind", "instance", "marker", "request", "key", "answer", "sent")

    def __init__(self, kind, instance, request, marker=None, key=None):
        self.kind = kind  # register, same, heartbeat, deregister, replay
        self.instance = instance
        self.marker = marker
        self.request = request
        self.key = key
        self.answer = None
        self.sent = 0.0


class Lane:
    """The operations of one connection, oldest first: those answered and not yet found in the feed, then those in flight."""

    def __init__(self, number, instances):
        self.number = number
        self.instances = instances
        self.unverified = deque()


class Model:
    def __init__(self, lanes):
        self.lanes = lanes
        self.by_id = {(i.service, i.id): (lane, i) for lane in lanes for i in lane.instances}
        self.revision = 0
        self.changes = 0
        self.operations = 0
        self.unanswered_applied = 0
        self.unanswered_not_applied = 0

    # The feed

    def take_changes(self, changes, grace):
        """Holds every change of the feed against the operations; to be called when all that were answered must be in it."""
        for change in changes:
            if change["revision"] != self.revision + 1:
                raise Broken(f"after revision {self.revision} comes {change['revision']}")
            self.revision += 1
            self.changes += 1
            place = self.by_id.get((change["service_name"], change["id"]))
            if place is None:
                raise Broken(f"nobody registered this: {change}")
            self._take(change, *place, grace)

    def _take(self, change, lane, instance, grace):
        if change["kind"] == "expired" or change.get("reason") == "expired":
            return self._take_end(change, lane, instance, grace)
        while lane.unverified:
            operation = lane.unverified.popleft()
            expected = self._effect(operation)
            if operation.answer is None:
                if expected is None:
                    continue
                self.unanswered_applied += 1
            if expected is None:
                continue
            self._compare(change, operation, instance, expected)
            return
        raise Broken(f"nobody asked for this: {change}")

    def _take_end(self, change, lane, instance, grace):
        moment = seconds(change["time"])
        until = max((until for answered, until in instance.promises if answered < moment), default=0)
        # A new lease whose registration was not answered may have been killed between disk and board; then nothing was promised.
        if change["kind"] == "expired":
            if moment < until - ROUNDING:
                raise Broken(f"expired {until - moment:.3f} s early: {change}")
            self._settle_new(lane, instance)
            instance.expired = True
        else:
            if moment < until + grace - ROUNDING:
                raise Broken(f"removed {until + grace - moment:.3f} s early: {change}")
            instance.marker, instance.expired = None, False
            instance.promises.clear()
        instance.revision = change["revision"]

    def _settle_new(self, lane, instance):
        if instance.marker is None:
            raise Broken(f"{instance.id} expired but was not there")

    def _effect(self, operation):
        """The kind of change that the operation makes in the state as it is now; None if it makes none."""
        instance = operation.instance
        there = instance.marker is not None
        if operation.kind in ("register", "same"):
            if there and not instance.expired and instance.marker == operation.marker:
                return None
            return "updated" if there else "registered"
        if operation.kind == "heartbeat":
            return "updated" if there and instance.expired else None
        if operation.kind == "deregister":
            return "removed" if there else None
        return None

    def _compare(self, change, operation, instance, expected):
        if operation.instance is not instance or change["kind"] != expected:
            raise Broken(f"expected {expected} of {operation.instance.id} by {operation.kind}, the feed says {change}")
        given = operation.answer
        if given and given.revision is not None and operation.kind != "heartbeat" and given.revision != change["revision"]:
            raise Broken(f"answered revision {given.revision}, the feed says {change}")
        if expected == "removed":
            instance.marker, instance.expired = None, False
            instance.promises.clear()
        else:
            if operation.kind != "heartbeat":
                instance.marker = operation.marker
            instance.expired = False
            found = change["instance"]["metadata"]["n"]
            if found != instance.marker:
                raise Broken(f"expected the registration {instance.marker}, the feed says {found}: {change}")
        instance.revision = change["revision"]

    def settle(self):
        """The feed is at its end: whatever was answered must have been in it; what was in flight was not done."""
        for lane in self.lanes:
            while lane.unverified:
                operation = lane.unverified.popleft()
                expected = self._effect(operation)
                if expected is None:
                    continue
                if operation.answer is not None:
                    raise Broken(
                        f"LOST: {operation.kind} of {operation.instance.id} was answered {operation.answer.status} "
                        f"{operation.answer.body!r}, and the feed ends at {self.revision}")
                self.unanswered_not_applied += 1
                # The rest of the lane was sent later on the same connection.
                lane.unverified.clear()

    # The list

    def check_list(self, listed, now):
        """The list must be the model: the same instances, registrations and revisions, and no lease shorter than was promised."""
        expected = {place: instance for place, (_, instance) in self.by_id.items() if instance.marker is not None}
        found = {(i["service_name"], i["id"]): i for i in listed}
        if found.keys() != expected.keys():
            raise Broken(
                f"listed but not registered: {sorted(found.keys() - expected.keys())}; "
                f"registered but not listed: {sorted(expected.keys() - found.keys())}")
        for place, instance in expected.items():
            shown = found[place]
            if shown["metadata"]["n"] != instance.marker or shown["revision"] != instance.revision:
                raise Broken(f"expected {instance.marker} at revision {instance.revision}, listed {shown}")
            if instance.expired != (shown["freshness"] == "expired") and now < instance.promised:
                raise Broken(f"freshness of a lease that holds until {instance.promised}: {shown}")
            if not instance.expired and seconds(shown["expires_at"]) < instance.promised - ROUNDING:
                raise Broken(f"a lease lost {instance.promised - seconds(shown['expires_at']):.3f} s: {shown}")

    # Answers

    def answered(self, operation, answer, now):
        """Checks an answer by itself and notes what it promised."""
        self.operations += 1
        operation.answer = answer
        instance = operation.instance
        if operation.kind == "replay":
            if not answer.replayed or answer.body != operation.marker:
                raise Broken(f"an idempotency key was forgotten or answered otherwise: {answer.status} {answer.body!r}")
            return
        if answer.status in (200, 201) and operation.kind != "deregister":
            body = json.loads(answer.body)
            until = body["expires_at"] if "expires_at" in body else body["lease"]["expires_at"]
            instance.promises.append((now, seconds(until)))
        allowed = {"register": (200, 201), "same": (200, 201), "heartbeat": (200, 404), "deregister": (204, 404)}[operation.kind]
        if answer.status not in allowed:
            raise Broken(f"{operation.kind} of {instance.id} answered {answer.status} {answer.body!r}")


def seconds(text):
    """Seconds since 1970 of a time as the interface writes it."""
    from datetime import datetime
    return datetime.fromisoformat(text[:-1] + "+00:00").timestamp()
