"""Failures of the disk, call by call: whatever fails, nothing is acknowledged that is not there after a clean start.

A library between the daemon and the system makes the n-th call fail, for every n up to the end of a scenario.
"""

import errno
import http.client
import json
import time

import pytest

from interpose import Clock, Faults
from ledger import TTL, Ledger
from node import NotReady, eventually

SCENARIO = (("register", 0), ("register", 0), ("register", 1), ("heartbeat", 0), ("deregister", 1), ("register", 2))


def play(ledger):
    """Registrations, an update, a heartbeat, a removal; the answers' statuses. Ends early with the daemon."""
    statuses = []
    for kind, number in SCENARIO:
        statuses.append(ledger.perform(kind, number))
        if not ledger.node.is_running:
            break
    return statuses


def test_the_library_that_makes_calls_fail_is_seen_by_the_daemon(nodes):
    """Counting alone: a registration writes and syncs the store."""
    node = nodes()
    faults = Faults(node)
    node.start()
    faults.arm(errno.EIO, first=1 << 31, calls=Faults.PWRITE | Faults.WRITEV | Faults.SYNC, pattern="/store/state.mdb")
    node.registered("counted")
    assert faults.counted >= 2 and faults.failed == 0


COMMIT = Faults.DATA | Faults.META


@pytest.mark.parametrize("how,times,calls", [
    (errno.EIO, 1, COMMIT), (errno.EIO, 1 << 30, COMMIT), (errno.ENOSPC, 1, Faults.DATA), (errno.ENOSPC, 1 << 30, Faults.DATA),
    (errno.ENOSPC, 1, Faults.META), (Faults.SHORT, 1, COMMIT), (errno.EINTR, 1, COMMIT)],
    ids=["EIO once", "EIO for good", "ENOSPC once", "ENOSPC for good", "ENOSPC on a meta page", "short write", "EINTR"])
def test_whatever_write_fails_nothing_is_acknowledged_falsely(nodes, how, times, calls):
    """Every write and sync of the store fails once, in turn, during registrations, updates and removals; then the promises are counted."""
    node = nodes()
    faults = Faults(node)
    node.start()
    ledger = Ledger(node)
    play(ledger)
    ended, refused, n = 0, 0, 0
    while True:
        n += 1
        faults.arm(how, first=n, times=times, calls=calls, pattern="/store/state.mdb")
        statuses = play(ledger)
        is_end = faults.counted < n
        faults.disarm()
        refused += statuses.count(507)
        if node.is_running and None not in statuses and 503 not in statuses:
            # It goes on without a restart.
            assert eventually(lambda: ledger.perform("register", 1) in (200, 201), "it writes again", patience=5)
            node.kill()
        else:
            assert node.wait() == 75, f"call {n}: exit code {node.process.returncode}, answers {statuses}"
            ended += 1
        node.start()
        ledger.verify()
        if is_end:
            break
    assert n > (5 if calls == Faults.META else 10), "the sweep reached too few calls"
    if how == errno.ENOSPC and calls == Faults.DATA:
        assert refused and not ended, (refused, ended)
    if how == errno.EIO:
        assert ended >= n - 2 and not refused, "a disk that fails is not a disk that is full"
    assert not list((node.state / "evidence").iterdir()), "nothing was taken for damage"


@pytest.mark.parametrize(
    "how", [errno.EIO, errno.ENOSPC, Faults.SHORT, errno.EINTR], ids=["EIO", "ENOSPC", "short write", "EINTR"])
def test_whatever_fails_during_a_start_no_promise_is_lost(nodes, how):
    """Every call that a start makes on its state fails once, in turn: it starts or it says why not, and the next start has everything."""
    node = nodes()
    faults = Faults(node)
    node.start()
    ledger = Ledger(node)
    play(ledger)
    node.kill()
    n = 0
    outcomes = {}
    while True:
        n += 1
        faults.arm(how, first=n, pattern=str(node.state))
        try:
            node.spawn().wait_ready()
            outcome = "started"
        except NotReady:
            outcome = node.process.returncode
            assert outcome in (74, 75, 77), f"call {n}: exit code {outcome}\n{node.log()[-2000:]}"
            assert "hint:" in node.log().rsplit("--- start", 1)[1], f"call {n}: it says nothing"
        is_end = faults.counted < n
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        faults.disarm()
        if outcome == "started":
            if node.is_running:
                node.kill()
        node.start()
        ledger.verify()
        # A store that cannot even be opened for EIO is salvaged page by page, without loss; nothing else is taken for damage.
        assert how == errno.EIO or not list((node.state / "evidence").iterdir()), f"call {n} was taken for damage of the store"
        node.kill()
        if is_end:
            break
    assert n > 5, outcomes


def test_a_disk_that_cannot_sync_ends_the_daemon_with_75(nodes):
    """EIO on fdatasync: nothing more is acknowledged, the exit code is 75, and all that was acknowledged is there after a restart."""
    node = nodes()
    faults = Faults(node)
    node.start()
    node.registered("before", ttl_seconds=TTL)
    faults.arm(errno.EIO, times=1 << 30, calls=Faults.SYNC, pattern="/store/state.mdb")
    try:
        answer = node.register("during", port=9001)
        assert answer.status == 503 and answer.code == "store_failed", answer
    except (ConnectionError, http.client.HTTPException):
        pass
    assert node.wait() == 75
    assert "disk_failed" in node.log()
    faults.disarm()
    node.start()
    assert node.instance("before") and node.instance("during") is None
    assert node.register("during", port=9001).status == 201


def test_a_full_disk_refuses_with_507_writes_the_audit_and_recovers(nodes):
    """ENOSPC: the registration is refused and recorded as refused; look-ups and heartbeats go on; the next one is taken without a restart."""
    node = nodes()
    faults = Faults(node)
    node.start()
    node.registered("before", ttl_seconds=TTL)
    faults.arm(errno.ENOSPC, times=1, calls=Faults.PWRITE | Faults.WRITEV | Faults.WRITE, pattern="/store/state.mdb")
    answer = node.register("refused", port=9001)
    assert answer.status == 507 and answer.code == "insufficient_storage" and answer["retry-after"], answer
    assert answer["content-type"] == "application/problem+json" and answer.json["hint"]
    record = node.audit()[-1]["event"]["data"]
    assert record["what"]["service_name"] == "refused" and record["result"] == {"outcome": "insufficient_storage", "status": 507}
    assert node.instance("refused") is None and node.instance("before")
    faults.arm(errno.ENOSPC, times=1 << 30, calls=Faults.PWRITE | Faults.WRITEV | Faults.WRITE, pattern="/store/")
    assert node.register("refused", port=9001).status == 507
    for _ in range(10):
        assert node.instance("before") and node.post("/api/v1/heartbeat/before").status == 200
    assert node.get("/health").status in (200, 503)
    faults.disarm()
    assert node.register("refused", port=9001).status == 201
    node.restart()
    assert node.instance("refused") and len(node.changes()) == 2


def test_copies_of_the_lease_board_that_fail_disturb_nobody(nodes):
    """When the copies of the board cannot be written the node goes on and says so."""
    node = nodes()
    faults = Faults(node)
    faults.arm(errno.EIO, times=1 << 30, calls=Faults.PWRITE | Faults.WRITE | Faults.SYNC, pattern="/store/lease.")
    node.start()
    node.registered("board", ttl_seconds=TTL)
    eventually(lambda: '"copy_failed"' in node.log(), "the failure is in the log")
    assert node.post("/api/v1/heartbeat/board").status == 200
    alert = eventually(lambda: node.alert("lease_copy"), "health says it")
    assert alert["message"] and alert["hint"], alert
    faults.disarm()
    node.stop()
    node.start()
    assert node.instance("board")["freshness"] == "fresh"


def test_a_log_that_cannot_be_written_stops_nothing(nodes):
    """Standard error on a full disk: requests are answered all the same."""
    node = nodes(config='[log]\nlevel = "debug"\n')
    faults = Faults(node)
    faults.arm(errno.ENOSPC, times=1 << 30, calls=Faults.WRITE | Faults.WRITEV, pattern=str(node.log_path))
    node.start()
    for i in range(20):
        assert node.register(f"unlogged-{i}", port=9000 + i).status == 201
    assert faults.failed > 0
    assert json.loads(node.get("/health").body)["status"]
    assert node.stop() == 0


def test_what_time_it_certainly_was_is_known_after_a_reboot_without_a_clock(nodes):
    """The clock lost its battery while the power was away: times go on from the last certain one, health says it, and it is saved again."""
    node = nodes()
    clock = Clock(node)
    node.start()
    node.registered("before", ttl_seconds=TTL)
    # Five days pass: the host's clock is right, or nobody disciplines it and uptime alone tells.
    clock.step_uptime(5 * 86_400)
    clock.step_wall(5 * 86_400)
    assert node.stop() == 0
    certain = "2026-11-05T23:59"
    for _ in range(2):
        clock.reboot()
        clock.step_uptime(0)
        clock.step_wall(-time.time())
        node.start()
        changed = node.registered("after", port=9001, ttl_seconds=TTL, metadata={"n": str(node.revision)})
        assert changed["lease"]["expires_at"] > certain, changed
        assert node.changes()[-1]["time"] > certain
        alert = eventually(lambda: node.alert("clock_behind"), "health says that the clock is behind")
        assert alert["hint"]
        node.kill()
