"""One client, one request at a time, that writes down what it was told and holds the daemon to it."""

import http.client
import time

from crash_model import Instance, Lane, Model, Operation

TTL = 3600


class Given:
    """An answer as the model takes it."""

    def __init__(self, answer):
        self.status = answer.status
        self.body = answer.body
        revision = answer["posto-revision"]
        self.revision = int(revision) if revision else None
        self.replayed = answer["idempotency-replayed"] == "true"


class Ledger:
    def __init__(self, node, instances=4):
        self.node = node
        self.instances = [Instance("ledger", f"i{i}", 9000 + i, TTL) for i in range(instances)]
        self.model = Model([Lane(0, self.instances)])
        self.counter = 0

    def perform(self, kind, number):
        """One operation; returns the status, or None if the connection ended without an answer."""
        instance = self.instances[number]
        marker = None
        self.counter += 1
        if kind == "register":
            marker = str(self.counter)
            call = ("POST", "/api/v1/register", {
                "service_name": instance.service, "id": instance.id, "host": "10.0.0.1", "port": instance.port, "health_endpoint": "/",
                "ttl_seconds": TTL, "metadata": {"n": marker}}, {"Idempotency-Key": f"ledger-{marker}"} if self.counter % 3 == 0 else {})
        elif kind == "deregister":
            call = ("DELETE", f"/api/v1/deregister/{instance.service}/{instance.id}", None, {})
        else:
            call = ("POST", f"/api/v1/heartbeat/{instance.service}/{instance.id}", None, {})
        operation = Operation(kind, instance, b"", marker)
        lane = self.model.lanes[0]
        try:
            answer = self.node.request(*call)
        except (ConnectionError, http.client.HTTPException, OSError):
            lane.unverified.append(operation)
            return None
        if answer.status == 507:
            # Nothing of it may have been done: it does not even count as perhaps done.
            assert answer.code == "insufficient_storage" and int(answer["retry-after"]) > 0, answer
            return 507
        if answer.status == 503:
            assert answer.code in ("store_failed", "unavailable"), answer
            lane.unverified.append(operation)
            return 503
        self.model.answered(operation, Given(answer), time.time())
        lane.unverified.append(operation)
        return answer.status

    def verify(self):
        """Holds feed and list against what was told."""
        self.model.take_changes(self.node.changes(self.model.revision), 15)
        # A request that was never answered may have been followed by others on a new connection, so the lane does not end at it.
        for lane in self.model.lanes:
            for operation in list(lane.unverified):
                if operation.answer is None:
                    lane.unverified.remove(operation)
        self.model.settle()
        self.model.check_list(self.node.services(), time.time())
