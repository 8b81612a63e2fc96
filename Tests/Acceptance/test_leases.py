"""The life of leases in real time, over kills, reboots, stops and steps of the clock.

A lease lasts ten seconds at least, so the stories run side by side: the first test that asks for one starts all, and each test waits for
its own. Every story has nodes of its own.
"""

import concurrent.futures
import signal
import time

import pytest

from crash_model import seconds
from interpose import Clock
from node import Node, boottime, eventually

TTL = 10
GRACE = 3
#: How late a lease may be announced or removed: the promise is a second.
LATE = 1.0
#: By how much two renderings of one deadline may differ: each is made from two clocks, read one after the other on a busy machine.
SAME = 0.05

_stories = {}


def story(function):
    """Registers a story; the returned test waits for it."""
    _stories[function.__name__] = function

    def test(stories):
        stories[function.__name__].result()

    test.__doc__ = function.__doc__
    test.__name__ = function.__name__
    return test


@pytest.fixture(scope="module")
def stories(request):
    wanted = {item.name for item in request.session.items} & _stories.keys()
    with concurrent.futures.ThreadPoolExecutor(len(_stories)) as pool:
        yield {name: pool.submit(_run, _stories[name]) for name in sorted(wanted)}


def _run(function):
    nodes = []

    def make(**options):
        nodes.append(Node(grace=GRACE, **options))
        return nodes[-1]

    try:
        return function(make)
    except Exception as failure:
        raise AssertionError("\n".join([repr(failure)] + [node.log()[-3000:] for node in nodes])) from failure
    finally:
        for node in nodes:
            node.close()


class Feed:
    """What a watcher of the change feed has seen, with the time at which it came."""

    def __init__(self, node, since=0):
        self.node = node
        self.since = since
        self.seen = []

    def wait_for(self, kind, service, patience=2 * (TTL + GRACE) + 60):
        """The first change of this kind for a service, with the boot time at which it arrived."""
        deadline = boottime() + patience
        while True:
            for arrived, change in self.seen:
                if change["kind"] == kind and change["service_name"] == service:
                    self.seen.remove((arrived, change))
                    return arrived, change
            assert boottime() < deadline, f"no `{kind}` of {service} within {patience} s, but {self.kinds()}"
            page = self.node.get(f"/api/v1/changes?since={self.since}&wait=1s").json
            self.seen += [(boottime(), change) for change in page["changes"]]
            self.since = page["revision"]

    def kinds(self):
        return [(change["kind"], change["service_name"]) for _, change in self.seen]


def sleep_until(moment):
    """Waits for a moment of CLOCK_BOOTTIME: what these tests are about is the passing of time."""
    while (left := moment - boottime()) > 0:
        time.sleep(min(left, 0.5))


@story
def test_a_lease_that_nobody_renews_expires_at_its_ttl_and_is_gone_after_its_grace(make):
    """Announced as expired at the TTL, listed and flagged through the grace, removed at TTL plus grace, each within a second."""
    node = make().start()
    began = boottime()
    node.registered("lapses", ttl_seconds=TTL)
    answered = boottime()
    node.registered("twenty", port=9001, ttl_seconds=20)
    feed = Feed(node)
    at, change = feed.wait_for("expired", "lapses")
    assert began + TTL <= at <= answered + TTL + LATE, at - answered
    assert change["instance"]["freshness"] == "expired"
    instance = node.instance("lapses")
    assert instance["freshness"] == "expired" and instance["age_seconds"] >= TTL
    at, change = feed.wait_for("removed", "lapses")
    assert began + TTL + GRACE <= at <= answered + TTL + GRACE + LATE, at - answered
    assert change["reason"] == "expired" and change["instance"] is None
    assert node.instance("lapses") is None
    assert node.post("/api/v1/heartbeat/lapses").code == "unknown_lease"
    assert [r["event"]["data"]["result"]["outcome"] for r in node.audit() if "expire" in r["event"]["type"]] == ["removed"]
    assert node.instance("twenty")["freshness"] == "stale", "another TTL is another deadline"
    assert "expired_services_total 1" in node.get("/metrics").body.decode()


@story
def test_freshness_goes_from_fresh_to_stale_to_expired(make):
    """Below half of the TTL a lease is fresh, then stale, then expired; a renewal makes it fresh again. Age counts whole seconds."""
    node = make().start()
    node.registered("ages", ttl_seconds=TTL)
    began = boottime()
    assert node.instance("ages")["freshness"] == "fresh"
    sleep_until(began + TTL / 2 + 0.2)
    instance = node.instance("ages")
    assert instance["freshness"] == "stale" and instance["age_seconds"] == 5
    assert node.post("/api/v1/heartbeat/ages").status == 200
    assert node.instance("ages")["freshness"] == "fresh" and node.instance("ages")["age_seconds"] == 0
    eventually(lambda: node.instance("ages")["freshness"] == "expired", "it expires", patience=TTL + 2)


@story
def test_renewals_keep_a_lease_and_write_nothing(make):
    """A lease that is renewed lives beyond its TTL plus grace; renewals are no changes and no records."""
    node = make().start()
    node.registered("renewed", ttl_seconds=TTL)
    began = boottime()
    while boottime() < began + TTL + GRACE + 4:
        assert node.post("/api/v1/heartbeat/renewed").status == 200
        sleep_until(boottime() + 4)
    assert [c["kind"] for c in node.changes()] == ["registered"]
    assert len(node.audit()) == 1
    assert node.instance("renewed")["freshness"] == "fresh"


@story
def test_a_renewal_brings_an_expired_lease_back(make):
    """Within its grace an expired lease comes back with one heartbeat, for a whole TTL; the feed tells both."""
    node = make().start()
    node.registered("returns", ttl_seconds=TTL)
    feed = Feed(node)
    feed.wait_for("expired", "returns")
    renewed = boottime()
    assert node.post("/api/v1/heartbeat/returns").status == 200
    assert node.instance("returns")["freshness"] == "fresh"
    _, change = feed.wait_for("updated", "returns")
    assert change["instance"]["freshness"] == "fresh"
    at, _ = feed.wait_for("expired", "returns")
    assert renewed + TTL <= at <= renewed + TTL + LATE + 0.5


@story
def test_after_a_kill_a_lease_keeps_exactly_the_time_it_had(make):
    """Restarted in the same boot, every lease ends at the very moment that was promised: renewals since the registration included."""
    node = make().start()
    node.registered("steady", ttl_seconds=TTL)
    node.registered("long", port=9001, ttl_seconds=3600)
    node.registered("renewed", port=9002, ttl_seconds=60)
    renewal = node.post("/api/v1/heartbeat/renewed").json["expires_at"]
    assert abs(seconds(renewal) - seconds(node.instance("renewed")["expires_at"])) <= SAME
    for kill in (True, False, True):
        before = {s["service_name"]: seconds(s["expires_at"]) for s in node.services()}
        node.restart(kill)
        for instance in node.services():
            drift = seconds(instance["expires_at"]) - before[instance["service_name"]]
            assert abs(drift) <= SAME, (instance, drift)
            assert instance["freshness"] == "fresh"
    deadline = boottime() + seconds(node.instance("steady")["expires_at"]) - time.time()
    at, _ = Feed(node).wait_for("expired", "steady")
    assert deadline - 0.01 <= at <= deadline + LATE


@story
def test_a_lease_that_ran_out_while_the_daemon_was_down_is_expired_at_once_and_kept(make):
    """Expired from the first answer on, but removed no earlier than one TTL plus grace after ready: its holder could not renew."""
    node = make().start()
    node.registered("absent", ttl_seconds=TTL)
    node.registered("comes-back", port=9001, ttl_seconds=TTL)
    node.registered("untouched", port=9002, ttl_seconds=3600)
    down = boottime()
    node.kill()
    sleep_until(down + TTL + GRACE + 1)
    node.start()
    ready = boottime()
    assert {s["service_name"]: s["freshness"] for s in node.services()} == {
        "absent": "expired", "comes-back": "expired", "untouched": "fresh"}
    assert node.post("/api/v1/heartbeat/comes-back").status == 200
    assert node.instance("comes-back")["freshness"] == "fresh"
    feed = Feed(node)
    feed.wait_for("expired", "absent")
    at, _ = feed.wait_for("removed", "absent")
    assert ready - node.ready_seconds + TTL + GRACE <= at <= ready + TTL + GRACE + LATE, at - ready


@story
def test_without_its_board_a_node_takes_the_deadlines_of_the_copy_and_ends_no_lease_early(make):
    """When the board is lost but the boot is the same, the copy on the disk is used, with room for the renewals it has not seen."""
    node = make().start()
    node.registered("copied", ttl_seconds=TTL)
    node.post("/api/v1/heartbeat/copied")
    promised = seconds(node.instance("copied")["expires_at"])
    node.stop()
    boards = list(node.runtime.glob("lease-*.board"))
    assert len(boards) == 1
    boards[0].unlink()
    node.start()
    instance = node.instance("copied")
    assert instance["freshness"] != "expired" and promised - 0.01 <= seconds(instance["expires_at"]) <= time.time() + TTL + 20
    assert "fromCopy" in node.log()
    _, change = Feed(node).wait_for("expired", "copied")
    assert seconds(change["time"]) >= promised


@story
def test_without_board_and_copy_every_lease_begins_as_expired_and_is_kept(make):
    """When nothing is known of the deadlines, every lease is expired, comes back with a heartbeat, and is not removed before its time."""
    node = make().start()
    node.registered("lost", ttl_seconds=TTL)
    node.registered("returns", port=9001, ttl_seconds=TTL)
    node.kill()
    for path in [*node.runtime.glob("lease-*.board"), *node.state.glob("store/lease.*")]:
        path.unlink()
    node.start()
    ready = boottime()
    assert {s["freshness"] for s in node.services()} == {"expired"}
    assert node.post("/api/v1/heartbeat/returns").status == 200 and node.instance("returns")["freshness"] == "fresh"
    at, _ = Feed(node).wait_for("removed", "lost")
    assert ready - node.ready_seconds + TTL + GRACE <= at <= ready + TTL + GRACE + LATE, at - ready


@story
def test_after_a_reboot_every_lease_is_expired_and_kept(make):
    """Another boot, another uptime: no old deadline means anything, so every lease is expired and waits one TTL plus grace for its holder."""
    node = make()
    clock = Clock(node)
    node.start()
    node.registered("rebooted", ttl_seconds=TTL)
    node.registered("long", port=9001, ttl_seconds=3600)
    node.kill()
    clock.reboot()
    clock.step_uptime(-boottime() + 30)
    node.start()
    ready = boottime()
    assert {s["service_name"]: s["freshness"] for s in node.services()} == {"rebooted": "expired", "long": "expired"}
    assert node.post("/api/v1/heartbeat/long").status == 200 and node.instance("long")["freshness"] == "fresh"
    at, _ = Feed(node).wait_for("removed", "rebooted")
    assert ready - node.ready_seconds + TTL + GRACE <= at <= ready + TTL + GRACE + LATE, at - ready
    assert node.instance("long")


@story
def test_a_daemon_that_was_stopped_for_long_removes_nobody_at_once(make):
    """Stopped (SIGSTOP) beyond every deadline and continued: leases are announced as expired, but kept one TTL plus grace."""
    node = make().start()
    names = [f"stopped-{i}" for i in range(20)]
    for i, name in enumerate(names):
        node.registered(name, port=9000 + i, ttl_seconds=TTL)
    stopped = boottime()
    node.process.send_signal(signal.SIGSTOP)
    sleep_until(stopped + TTL + GRACE + 2)
    node.process.send_signal(signal.SIGCONT)
    resumed = boottime()
    assert len(node.services()) == len(names), "nobody is gone"
    assert node.post("/api/v1/heartbeat/stopped-7").status == 200
    feed = Feed(node)
    at, _ = feed.wait_for("removed", "stopped-0")
    assert resumed + TTL + GRACE <= at <= resumed + TTL + GRACE + LATE + 1, at - resumed
    removed = [c["service_name"] for c in node.changes() if c["kind"] == "removed"]
    assert "stopped-7" not in removed or boottime() >= resumed + TTL + GRACE


def steps_of_the_clock(make, shift):
    node = make()
    clock = Clock(node)
    node.start()
    asked = boottime()
    node.registered("walled", ttl_seconds=TTL)
    node.registered("renewed", port=9001, ttl_seconds=TTL)
    node.registered("long", port=9002, ttl_seconds=3600)
    began = boottime()
    clock.step_wall(shift)
    assert {s["freshness"] for s in node.services()} == {"fresh"}
    sleep_until(began + 5)
    renewing = boottime()
    assert node.post("/api/v1/heartbeat/renewed").status == 200
    renewed = boottime()
    clock.step_wall(0)
    clock.step_wall(shift)
    assert len(node.services()) == 3
    feed = Feed(node)
    at, _ = feed.wait_for("expired", "walled")
    assert asked + TTL <= at <= began + TTL + LATE, at - began
    node.kill()
    clock.step_wall(-shift / 2)
    node.start()
    assert node.instance("long")["freshness"] == "fresh" and node.instance("renewed")["freshness"] != "expired"
    at, _ = Feed(node).wait_for("expired", "renewed")
    assert renewing + TTL <= at <= renewed + TTL + LATE, at - renewed


@story
def test_a_wall_clock_ten_years_ahead_ends_no_lease(make):
    """A step of ten years forward, and other steps after it and over a restart, move no deadline."""
    steps_of_the_clock(make, 10 * Clock.YEAR)


@story
def test_a_wall_clock_ten_years_back_ends_no_lease(make):
    """A step of ten years back moves no deadline."""
    steps_of_the_clock(make, -10 * Clock.YEAR)


@story
def test_a_wall_clock_at_1970_ends_no_lease(make):
    """A clock that lost its battery moves no deadline, and no time that is shown is before the software's own."""
    steps_of_the_clock(make, -time.time())
    node = make()
    clock = Clock(node)
    clock.step_wall(-time.time())
    node.start()
    assert node.registered("early")["lease"]["expires_at"] >= "2026"


@story
def test_probes_see_a_failure_within_ten_seconds_and_a_recovery(make):
    """An instance in the probed networks is passing while it answers 200, critical soon after it stops, and passing again when it is back."""
    import http.server
    import threading

    class Health(http.server.BaseHTTPRequestHandler):
        status = 200

        def do_GET(self):
            self.send_response(Health.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        node = make(checks=True).start()
        node.registered("probed", host="127.0.0.1", port=server.server_port, ttl_seconds=60)
        node.registered("elsewhere", host="203.0.113.9", port=9001, ttl_seconds=60)
        eventually(lambda: node.instance("probed")["health"] == "passing", "it is passing", patience=12)
        Health.status = 500
        failed = boottime()
        eventually(lambda: node.instance("probed")["health"] == "critical", "the failure is seen", patience=10)
        assert boottime() - failed < 10
        assert [s["service_name"] for s in node.services("&health=critical")] == ["probed"]
        Health.status = 200
        eventually(lambda: node.instance("probed")["health"] == "passing", "the recovery is seen", patience=12)
        assert node.instance("elsewhere")["health"] == "unknown", "nobody is asked outside of the probed networks"
        assert {"health"} <= {c["kind"] for c in node.changes()}
    finally:
        server.shutdown()
        server.server_close()
