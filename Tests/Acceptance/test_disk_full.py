"""A disk that is really full: a small file system of its own under the state folder."""

import errno
import os
import random
import shutil
import subprocess

import pytest

from interpose import Faults
from ledger import Ledger
from node import eventually

MEBIBYTE = 1 << 20


@pytest.fixture
def small(nodes):
    """A node whose state lies on a tmpfs of 96 MiB, not yet started."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    node = nodes()
    node.state.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "posto-test", str(node.state)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"this machine does not let us mount a small file system: {done.stderr.strip()}")
    try:
        yield node
    finally:
        node.close()
        subprocess.run(["umount", "-l", str(node.state)], check=False)


class Filler:
    """A file of somebody else that takes the disk's room."""

    def __init__(self, node):
        self.path = node.state / "somebody-else"

    def fill(self, leave=0):
        """Takes all of the room but `leave` bytes."""
        with open(self.path, "wb") as file:
            while True:
                room = os.statvfs(self.path.parent)
                free = room.f_bavail * room.f_frsize - leave
                if free <= 0:
                    return
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, min(free, 16 * MEBIBYTE))
                except OSError:
                    # Between what is free and what a file can have of it are the file system's own pages.
                    if free < 64 * 1024:
                        return
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, max(4096, free // 2))

    def remove(self):
        self.path.unlink(missing_ok=True)


def test_on_a_full_disk_reads_and_heartbeats_go_on_and_writes_recover_by_themselves(small):
    """507 for registrations with what to do, look-ups, heartbeats and removals as ever, refusals in the audit trail; 201 when there is room."""
    node = small.start()
    ledger = Ledger(node, instances=8)
    for i in range(6):
        assert ledger.perform("register", i) == 201
    filler = Filler(node)
    filler.fill()
    audit = len(node.audit())
    answer = eventually(lambda: (a if (a := node.register("refused", port=9100)).status == 507 else None), "the disk is noticed to be full")
    body = answer.json
    assert answer["content-type"] == "application/problem+json" and body["code"] == "insufficient_storage"
    assert "disk" in body["hint"] and int(answer["retry-after"]) > 0
    for _ in range(20):
        assert node.instances("ledger") and ledger.perform("heartbeat", 0) == 200
        assert node.register("refused", port=9100).status == 507
    refusals = [r["event"]["data"] for r in node.audit(audit) if r["event"]["data"]["what"]["service_name"] == "refused"]
    assert sum(r["result"].get("status") == 507 for r in refusals) == 21, "each refusal is in the audit trail"
    assert ledger.perform("deregister", 5) == 204, "what frees room is done"
    eventually(lambda: node.alert("disk_full"), "health says it")
    filler.remove()
    eventually(lambda: ledger.perform("register", 6) == 201, "it is taken again, without a restart")
    assert ledger.perform("register", 0) == 200
    node.delete("/api/v1/deregister/refused")
    node.kill()
    node.start()
    assert {i["id"] for i in node.instances("ledger")} == {"i0", "i1", "i2", "i3", "i4", "i6"}


def test_a_node_starts_on_a_full_disk_and_serves_what_it_knows(small):
    """Killed and started again while the disk is full: everything is there, and it is taken up again when there is room."""
    node = small.start()
    ledger = Ledger(node)
    for i in range(3):
        assert ledger.perform("register", i) == 201
    filler = Filler(node)
    filler.fill()
    node.kill()
    node.start()
    ledger.verify()
    assert ledger.perform("heartbeat", 1) == 200
    filler.remove()
    eventually(lambda: ledger.perform("register", 3) == 201, "it is taken again, without a restart")
    ledger.verify()


def test_a_disk_that_fills_and_empties_at_random_moments_loses_nothing(small):
    """Room comes and goes during load, and the daemon is killed in between: every answer was true."""
    node = small.start()
    seed = int(os.environ.get("POSTO_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    ledger = Ledger(node, instances=8)
    filler = Filler(node)
    statuses = {}
    leaves = 2 * [0, 4096, MEBIBYTE, 15 * MEBIBYTE, 17 * MEBIBYTE, 40 * MEBIBYTE]
    chance.shuffle(leaves)
    for leave in leaves:
        filler.fill(leave=leave)
        if leave == 0:
            # What the store has of the disk already must be used up before it is refused.
            eventually(lambda: ledger.perform("register", chance.randrange(8)) == 507, "a full disk is noticed", pause=0)
            statuses[507] = statuses.get(507, 0) + 1
        for _ in range(chance.randrange(20, 80)):
            kind = chance.choice(("register", "register", "register", "heartbeat", "deregister"))
            status = ledger.perform(kind, chance.randrange(8))
            assert status in (200, 201, 204, 404, 507), status
            statuses[status] = statuses.get(status, 0) + 1
        if chance.random() < 0.5:
            node.kill()
            filler.remove() if chance.random() < 0.5 else None
            node.start()
        ledger.verify()
        filler.remove()
    assert statuses.get(507) and statuses.get(201), statuses


def test_where_the_file_system_cannot_preallocate_a_ballast_file_is_kept_and_given_up(small):
    """`store.ballast` is on the disk; a full disk takes it for the audit trail, health says so, and it grows again when there is room."""
    node = small
    faults = Faults(node)
    faults.arm(errno.EOPNOTSUPP, times=1 << 30, calls=Faults.ALLOCATE, pattern="/store/state.mdb")
    node.start()
    ballast = node.state / "store" / "state.mdb.ballast"
    assert ballast.stat().st_size == 4 * MEBIBYTE, "a step at once, the rest by the minute"
    assert eventually(lambda: node.alert("reserve"), "health says that it is not whole")["hint"]
    assert node.register("before", port=9000).status == 201
    filler = Filler(node)
    filler.fill()
    refused = 0
    while ballast.exists():
        assert node.register("refused", port=9001).status == 507
        refused += 1
        assert refused < 20_000
    for _ in range(20):
        assert node.register("refused", port=9001).status == 507
    outcomes = [r["event"]["data"]["result"].get("status") for r in node.audit()]
    assert outcomes.count(507) == refused + 20, "each refusal is in the audit trail"
    filler.remove()
    eventually(lambda: node.register("after", port=9002).status in (200, 201), "it is taken again, without a restart")
    node.restart()
    assert ballast.stat().st_size == 4 * MEBIBYTE and node.instance("before") and node.instance("after")
