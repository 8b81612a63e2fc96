"""What is no longer kept is gone before its room is missed, however fast records come and however short the daemon lives."""

import threading

from node import eventually

MEBIBYTE = 1 << 20


def register_many(node, lane, count, statuses, keys=False):
    """Changes one registration again and again, each time with 8 KB that must be kept."""
    for number in range(count):
        answer = node.register(
            f"lane-{lane}", port=9000 + lane, ttl_seconds=3600, metadata={f"m{i}": str(number).rjust(500, "x") for i in range(16)},
            headers={"Idempotency-Key": f"{lane}-{number}"} if keys else {})
        statuses[answer.status] = statuses.get(answer.status, 0) + 1


def used_percent(node):
    return node.get("/health").json["components"]["store"]["used_percent"]


def test_a_load_of_several_budgets_is_never_refused(nodes):
    """With 16 MiB for state, 64 MiB of changes are written as fast as four clients can, and not one is refused."""
    node = nodes(size_max="64MiB", config='[log]\nlevel = "error"\n').start()
    results = [{} for _ in range(4)]
    threads = [threading.Thread(target=register_many, args=(node, lane, 2_000, results[lane], lane == 0)) for lane in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = {}
    for result in results:
        for status, count in result.items():
            statuses[status] = statuses.get(status, 0) + count
    assert statuses == {201: 4, 200: 4 * 2_000 - 4}, statuses
    eventually(lambda: used_percent(node) < 80, "room is made beforehand")
    assert node.get("/api/v1/changes?since=0").status == 410, "the oldest changes are gone, and the feed says so"
    assert node.get(f"/api/v1/changes?since={node.revision - 100}").status == 200
    assert len(node.services()) == 4
    node.restart()
    assert len(node.services()) == 4 and node.register("after", port=9100).status == 201


def test_a_daemon_that_lives_for_moments_makes_room_too(nodes):
    """Killed again and again long before housekeeping's first quarter of a minute, a node writes three budgets and refuses nothing."""
    node = nodes(size_max="64MiB", config='[log]\nlevel = "error"\n')
    statuses = {}
    for _ in range(20):
        node.start()
        register_many(node, 0, 300, statuses)
        node.kill()
    node.start()
    assert sum(count for status, count in statuses.items() if status not in (200, 201)) == 0, statuses
    assert used_percent(node) < 90
