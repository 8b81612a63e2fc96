"""Stores that are not as they were left: damaged, of a newer format, restored."""

import hashlib
import json
import os
import random
import shutil
import struct
import subprocess

import pytest

from node import binary, eventually

PAGE = 4096


def filled(nodes, count=120):
    """A node with registrations and some history, stopped."""
    node = nodes().start()
    for i in range(count):
        node.registered(f"kept-{i:03}", port=9000 + i, ttl_seconds=3600, metadata={"n": str(i)})
    for i in range(0, count, 3):
        node.registered(f"kept-{i:03}", port=9000 + i, ttl_seconds=3600, metadata={"n": f"{i}-b"})
    revision = node.revision
    node.stop()
    return node, revision, {f"kept-{i:03}": f"{i}-b" if i % 3 == 0 else str(i) for i in range(count)}


def store(node):
    return node.state / "store" / "state.mdb"


def evidence(node):
    return sorted((node.state / "evidence").iterdir())


def zero_metas(path):
    with open(path, "r+b") as file:
        file.write(bytes(2 * PAGE))


def smash_pages(path, seed, share):
    chance = random.Random(seed)
    with open(path, "r+b") as file:
        pages = os.path.getsize(path) // PAGE
        for page in range(2, pages):
            if chance.random() < share:
                file.seek(page * PAGE)
                file.write(chance.randbytes(PAGE))


def cut_off(path):
    os.truncate(path, os.path.getsize(path) // PAGE // 2 * PAGE)


@pytest.mark.parametrize("name,damage,kept_min", [
    ("both meta pages zero", zero_metas, 1.0),
    ("a tenth of the pages smashed", lambda path: (smash_pages(path, 1, 0.1), zero_metas(path)), 0.5),
    ("half of the pages smashed", lambda path: (smash_pages(path, 2, 0.5), zero_metas(path)), 0.1),
    ("cut in the middle", cut_off, 0)], ids=lambda value: value if isinstance(value, str) else "")
def test_a_damaged_store_is_salvaged_and_kept_as_evidence(nodes, name, damage, kept_min):
    """The node starts with what could be read, says so in health, keeps the damaged file, and goes on with later revisions."""
    node, revision, registered = filled(nodes)
    damaged = store(node)
    damage(damaged)
    digest = hashlib.sha256(damaged.read_bytes()).hexdigest()
    node.start()
    listed = {s["service_name"]: s["metadata"]["n"] for s in node.services()}
    assert listed.items() <= {(k, v) for k, v in registered.items()} | {(k, k[5:].lstrip("0") or "0") for k in registered}, "nothing is invented"
    assert len(listed) >= kept_min * len(registered), f"{len(listed)} of {len(registered)}"
    if kept_min == 1.0:
        assert listed == registered
    sets = evidence(node)
    assert len(sets) == 1
    assert hashlib.sha256((sets[0] / "state.mdb").read_bytes()).hexdigest() == digest, "the evidence is as it was"
    assert json.loads((sets[0] / "report.json").read_text())
    # Other alerts may stand beside it: the machine may be busy.
    assert node.get("/health").json["status"] != "healthy"
    alert = node.alert("salvaged")
    assert alert["message"] and alert["hint"], alert
    after = node.register("after-damage", port=9990)
    assert after.status == 201 and (kept_min < 1 or after.json["revision"] > revision), after
    # A feed with a hole says so with 410; it never passes over what was lost.
    since = 0
    while (feed := node.get(f"/api/v1/changes?since={since}&limit=1000")).status == 200 and feed.json["changes"]:
        assert [c["revision"] for c in feed.json["changes"]] == list(range(since + 1, feed.json["revision"] + 1))
        since = feed.json["revision"]
    assert feed.status == 200 and since == after.json["revision"] or feed.status == 410 and feed.code == "revision_gone", feed
    node.restart()
    assert node.instance("after-damage") and len(evidence(node)) == 1
    assert {s["service_name"] for s in node.services()} == set(listed) | {"after-damage"}


def state_records(node):
    """Every record of the stream `state` that is left, whatever is missing between them."""
    found = []
    while True:
        since = found[-1]["postoseq"] if found else 0
        lines = node.get(f"/api/v1/streams/state?since={since}&limit=1000").body.splitlines()
        if not lines:
            return found
        found += [json.loads(line) for line in lines]


@pytest.mark.parametrize("seed", range(4))
def test_of_a_store_that_was_cut_off_every_registration_whose_record_is_left_comes_back(nodes, seed):
    """Rows and the records of their changes lie on different pages: what either tells is there again, and what was removed stays away."""
    chance = random.Random(seed)
    print(f"seed {seed}")
    node, _, registered = filled(nodes)
    node.start()
    for i in range(5, 120, 10):
        assert node.delete(f"/api/v1/deregister/kept-{i:03}").status == 204
        del registered[f"kept-{i:03}"]
    # Rows of other services change until the records of these lie on other pages than their rows.
    for i in range(chance.randrange(400)):
        node.registered("busy", port=9999, ttl_seconds=3600, metadata={"n": str(i)})
    node.stop()
    os.truncate(store(node), int(os.path.getsize(store(node)) * chance.uniform(0.2, 0.95)) // PAGE * PAGE)
    node.start()
    newest = {}
    for record in state_records(node):
        change = record["data"]
        # What the start itself announces is no record of before.
        if change.get("reason") != "restart":
            newest[change["service_name"]] = change
    listed = {s["service_name"]: s for s in node.services()}
    for name, change in newest.items():
        if change["kind"] == "removed":
            assert name not in listed, f"{name} was removed: {change}"
            continue
        assert name in listed, f"{name} is not there: {change}"
        # A row may be newer than the newest of its records that is left.
        assert listed[name]["revision"] >= change["revision"], (listed[name], change)
        if listed[name]["revision"] == change["revision"]:
            assert listed[name]["metadata"] == change["instance"]["metadata"], (listed[name], change)
    listed = {name: shown["metadata"]["n"] for name, shown in listed.items()}
    for name in listed:
        if name in registered:
            assert node.post(f"/api/v1/heartbeat/{name}").status == 200, "its holder comes back"
    before = listed
    node.restart()
    assert {s["service_name"]: s["metadata"]["n"] for s in node.services()} == before
    print(f"{len(listed)} of {len(registered) + 1} came back; {node.log().count('instances_replayed')} replay")


@pytest.mark.parametrize("name,content", [
    ("noise", lambda size: random.Random(3).randbytes(size)), ("zeros", lambda size: bytes(size)),
    ("text", lambda size: b"this is no store\n" * 1000)], ids=lambda value: value if isinstance(value, str) else "")
def test_when_nothing_can_be_salvaged_the_node_starts_all_the_same(nodes, name, content):
    """Nothing is left: the node begins from its last good copy or empty, health says which, and the file is kept."""
    node, _, registered = filled(nodes, count=10)
    for copy in store(node).parent.glob("*.backup"):
        copy.unlink()
    damaged = content(os.path.getsize(store(node)))
    store(node).write_bytes(damaged)
    node.start()
    assert node.services() == []
    sets = evidence(node)
    assert sets and (sets[0] / "state.mdb").read_bytes() == damaged
    alert = node.alert("began_empty")
    assert alert["message"] and alert["hint"]
    assert node.register("new-begin").status == 201


def test_an_empty_file_is_a_new_store(nodes):
    """A file of no bytes, as a kill in the very first moment leaves it, is no damage."""
    node = nodes()
    store(node).parent.mkdir(parents=True)
    store(node).touch()
    node.start()
    assert node.register("first").status == 201 and evidence(node) == []


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def raise_format(path, version):
    """Gives the store another format version: row `meta`/1, in every page that has it."""
    key = b"\x01\x01"
    data = bytearray(path.read_bytes())
    at, found = -1, 0
    while (at := data.find(key + b"\xa7\x01", at + 1)) >= 0:
        row = at + len(key)
        if struct.unpack_from("<I", data, row + 4)[0] != 4:
            continue
        stored = struct.unpack_from("<I", data, row + 8)[0]
        record = bytearray(data[row:row + 28])
        record[8:12] = bytes(4)
        if crc32c(key + bytes(record)) != stored:
            continue
        struct.pack_into("<I", record, 24, version)
        struct.pack_into("<I", record, 8, crc32c(key + bytes(record)))
        data[row:row + 28] = record
        found += 1
    assert found, "the row was not found"
    path.write_bytes(data)


def test_a_store_of_a_newer_format_is_refused_and_left_untouched(nodes):
    """Exit code 78 with a hint; not one byte and not one file of the store is changed."""
    node, _, registered = filled(nodes, count=5)
    original = store(node).read_bytes()
    raise_format(store(node), 2)

    def picture():
        return {
            str(p.relative_to(node.state)): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
            for p in node.state.rglob("*") if p.is_file() and p.name != "lock"}

    before = picture()
    code, said = node.refuses_to_start()
    assert code == 78, said
    assert "newer" in said and "hint:" in said
    assert picture() == before
    store(node).write_bytes(original)
    node.start()
    assert {s["service_name"] for s in node.services()} == set(registered)


def has_command(name):
    done = subprocess.run([binary(), "--help"], capture_output=True, text=True, timeout=60)
    return f"\n  {name}" in done.stdout


def test_a_backup_is_taken_while_the_node_works_and_restores_it(nodes, tmp_path):
    """`GET /api/v1/backup` gives a whole store of one moment; `posto restore` makes a node of it that knows everything of then."""
    node = nodes().start()
    for i in range(50):
        node.registered(f"saved-{i:02}", port=9000 + i, ttl_seconds=3600)
    answer = node.get("/api/v1/backup")
    assert answer.status == 200 and answer["content-type"] == "application/octet-stream" and len(answer.body) > 4096
    assert int(answer["content-length"]) == len(answer.body)
    node.registered("after-the-backup", port=9990)
    assert list((node.state / "store").glob("download*")) == [], "nothing is left behind"
    if not has_command("restore"):
        pytest.skip("this binary has no `restore` yet; the backup itself was taken")
    file = tmp_path / "posto.backup"
    file.write_bytes(answer.body)
    node.stop()
    shutil.rmtree(node.state)
    done = subprocess.run(
        [binary(), "restore", "--yes", "--state", str(node.state), str(file)], capture_output=True, text=True, env=node.environ(), timeout=60)
    assert done.returncode == 0, done
    node.start()
    assert len(node.services()) == 50 and node.instance("after-the-backup") is None
    assert node.register("goes-on", port=9991).json["revision"] > 50
    node.stop()
    broken = bytearray(answer.body)
    broken[len(broken) // 2] ^= 1
    file.write_bytes(broken)
    done = subprocess.run(
        [binary(), "restore", "--yes", "--state", str(tmp_path / "other"), str(file)], capture_output=True, text=True, env=node.environ(), timeout=60)
    assert done.returncode not in (0, 70) and "hint:" in done.stderr, done


def test_a_backup_holds_bulk_too_and_a_restore_puts_both_back_in_a_new_epoch(nodes, tmp_path):
    """`bulk.mdb` with its streams is in the backup, whether the daemon is asked or the folder is read; both old files become evidence."""
    streams = '[[streams]]\nname = "readings"\npriority = 5\n'
    node = nodes(config=streams).start()
    node.registered("saved", port=9000, ttl_seconds=3600)
    asked, read = tmp_path / "asked", tmp_path / "read"
    asked.write_bytes(node.get("/api/v1/backup").body)
    node.stop()

    def run(*words):
        return subprocess.run([binary(), *map(str, words)], capture_output=True, text=True, env=node.environ(), timeout=60)

    done = run("backup", "--json", "--state", node.state, read)
    assert done.returncode == 0 and json.loads(done.stdout)["bulk"] is True, done
    for file in (asked, read):
        assert b"bulk.mdb" in file.read_bytes() and b"stream-readings" in file.read_bytes()
        node.start()
        epoch = node.get("/api/v1/node").json["epoch"]
        sets = len(evidence(node))
        node.stop()
        # As if bulk had been lost.
        if file is read:
            (node.state / "store" / "bulk.mdb").unlink()
        done = run("restore", "--yes", "--state", node.state, file)
        assert done.returncode == 0, done
        node.start()
        assert node.instance("saved") and node.get("/api/v1/node").json["epoch"] > epoch
        assert {s["name"] for s in node.get("/api/v1/streams").json["streams"]} == {"state", "audit", "readings"}
        assert len(evidence(node)) == sets + (1 if file is read else 2)
        assert node.alert("salvaged") is None
        node.stop()


def test_damage_of_the_bulk_store_does_not_touch_the_registry(nodes):
    """`bulk.mdb` is set aside by itself; registrations are not concerned."""
    node, _, registered = filled(nodes, count=10)
    bulk = node.state / "store" / "bulk.mdb"
    zero_metas(bulk)
    node.start()
    assert {s["service_name"]: s["metadata"]["n"] for s in node.services()} == registered
    assert len(evidence(node)) == 1
    eventually(lambda: node.register("goes-on", port=9990).status in (200, 201), "it goes on")
