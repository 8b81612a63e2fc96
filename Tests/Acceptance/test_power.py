"""Cuts the power: what the daemon wrote and did not sync is taken back, sector by sector, at random moments under load.

POSTO_POWER_CUTS is the number of cuts (200), POSTO_CRASH_SEED the seed, which is printed. Real disks do worse only where they lie.
"""

import json
import os
import random
import shutil
import socket
import time

import pytest

from crash_model import Broken, seconds
from interpose import Clock, Power
from ledger import TTL
from node import NotReady, eventually
from test_crash import GRACE, Crasher

#: How late a lease may end when only the copies of the board are left: a copy each 5 s, and one that was slow.
LATE = 10


def lose_board(node):
    """What lies in memory is gone."""
    shutil.rmtree(node.runtime)
    node.runtime.mkdir()


def seed_of_this_run():
    return int(os.environ.get("POSTO_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))


def test_no_power_cut_loses_what_was_answered_or_ends_a_lease_early(nodes, capsys):
    """After every cut the node knows exactly what it had answered, plus at most what it had not; leases end no earlier than promised."""
    cuts = int(os.environ.get("POSTO_POWER_CUTS", "200"))
    seed = seed_of_this_run()
    node = nodes(size_max="256MiB", grace=GRACE, config='[log]\nlevel = "error"\n')
    power = Power(node)
    crasher = Crasher(node, seed)
    chance = random.Random(seed + 1)
    began = time.monotonic()
    try:
        while crasher.kills < cuts and time.monotonic() < began + 20 * max(1, cuts // 200):
            crasher.cycle()
            power.cut(chance)
            lose_board(node)
        node.start()
        crasher.verify()
        for shown in node.services():
            late = seconds(shown["expires_at"]) - (time.time() + shown["ttl_seconds"] + LATE)
            assert late <= 1, f"a lease that ends {late:.1f} s later than it may: {shown}"
    except (Broken, NotReady) as failure:
        raise AssertionError(f"seed {seed}, after {crasher.kills} cuts: {failure}") from failure
    finally:
        with capsys.disabled():
            print(
                f"\npower: seed {seed}, {crasher.kills} cuts in {time.monotonic() - began:.1f} s; {crasher.model.operations} answers; "
                f"{power.reverted} sectors went back, {power.shortened} files lost their end, {power.vanished} were never there; in flight "
                f"at a cut and done {crasher.model.unanswered_applied}, not done {crasher.model.unanswered_not_applied}")
    assert power.reverted > crasher.kills, "the cuts took nothing back"
    assert not list((node.state / "evidence").iterdir()), "a cut was taken for damage"


def test_the_model_notices_a_disk_that_never_syncs(nodes):
    """The test of the test: when syncs do nothing, what was answered is lost, and it is seen."""
    node = nodes(size_max="256MiB", grace=GRACE, config='[log]\nlevel = "error"\n')
    power = Power(node, lies=True)
    crasher = Crasher(node, 1)
    chance = random.Random(1)
    with pytest.raises((Broken, NotReady)):
        for _ in range(40):
            crasher.cycle()
            power.cut(chance)
            lose_board(node)


def kill_under_way(node, chance):
    """Kills the daemon while it writes: registrations were sent whose answers nobody has seen."""
    with socket.create_connection(("127.0.0.1", node.port)) as connection:
        for number in range(30):
            body = json.dumps({
                "service_name": "under-way", "host": "10.0.0.9", "port": 9999, "health_endpoint": "/", "ttl_seconds": TTL,
                "metadata": {"n": f"{number}", "much": "x" * 500}}).encode()
            connection.sendall(
                b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        time.sleep(chance.random() * 0.01)
        node.kill()


def test_after_a_power_cut_and_another_boot_every_lease_has_time_to_come_back(nodes):
    """A host that comes up again: everything is there and listed as expired, nothing is removed before a TTL and the grace, renewals return."""
    seed = seed_of_this_run()
    print(f"seed {seed}")
    chance = random.Random(seed)
    node = nodes(grace=GRACE)
    clock = Clock(node)
    power = Power(node)
    node.start()
    registered = {}
    for _ in range(5):
        for number in range(chance.randrange(10, 60)):
            name = f"branch-{chance.randrange(12)}"
            if name in registered and chance.random() < 0.3:
                assert node.delete(f"/api/v1/deregister/{name}").status == 204
                del registered[name]
            else:
                node.registered(name, port=9000 + int(name[7:]), ttl_seconds=TTL, metadata={"n": str(number)})
                registered[name] = str(number)
        revision = node.revision
        kill_under_way(node, chance)
        power.cut(chance)
        lose_board(node)
        clock.reboot()
        node.start()
        listed = {s["service_name"]: s["metadata"]["n"] for s in node.services()}
        # What was under way may be there or not.
        assert {name: n for name, n in listed.items() if name != "under-way"} == registered, "everything that was answered is there"
        assert {s["freshness"] for s in node.services()} <= {"expired"}
        # The start announces them, and removes none of them before their holders had the time to come back.
        announced = eventually(
            lambda: (seen := [c for c in node.changes(revision) if c["service_name"] != "under-way"]) and len(seen) >= len(registered) and seen,
            "the start announces what has lapsed")
        assert [c["kind"] for c in announced] == ["expired"] * len(registered), announced
        for name in registered:
            assert node.post(f"/api/v1/heartbeat/{name}").status == 200, name
        assert {s["freshness"] for s in node.services() if s["service_name"] != "under-way"} <= {"fresh"}
        node.delete("/api/v1/deregister/under-way")
    assert power.reverted > 0
