"""Crowds at the door: ten thousand watchers, no descriptors left."""

import json
import os
import resource
import select
import socket
import time

import pytest

from node import eventually

WATCHERS = 10_000


def anonymous_kib(pid):
    """Memory of the process that is its own (Pss_Anon), in KiB."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss_Anon:"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gauge(node, name):
    text = node.get("/metrics").body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


def test_ten_thousand_watchers_are_woken_by_one_change_and_one_more_is_told_to_wait(node):
    """10,000 long polls from several addresses sleep on one daemon; look-ups go on, one change wakes all, and the next gets 429."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < WATCHERS + 1_000:
        pytest.skip(f"this machine allows {hard} open files in a process; {WATCHERS + 1_000} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    node.registered("before")
    since = node.revision
    poll = f"GET /api/v1/changes?since={since}&wait=5m HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    alone = anonymous_kib(node.process.pid)
    watchers = []
    try:
        began = time.monotonic()
        for number in range(WATCHERS):
            watcher = socket.socket()
            watcher.bind((f"127.0.0.{2 + number % 8}", 0))
            watcher.connect(("127.0.0.1", node.port))
            watcher.sendall(poll)
            watchers.append(watcher)
        eventually(lambda: gauge(node, "posto_watchers") >= WATCHERS, "all watchers sleep")
        asleep = time.monotonic() - began
        each = (anonymous_kib(node.process.pid) - alone) / WATCHERS
        assert each < 12, f"{each:.1f} KiB a sleeping watcher"

        late = node.get(f"/api/v1/changes?since={since}&wait=5m")
        assert late.status == 429 and late.code == "too_many_watchers" and int(late["retry-after"]) > 0, late
        began = time.monotonic()
        for _ in range(200):
            assert node.instance("before")
        lookup = (time.monotonic() - began) / 200
        used = cpu_seconds(node.process.pid)
        time.sleep(1)
        idle = cpu_seconds(node.process.pid) - used
        assert idle < 0.2, f"{idle:.2f} s of processor in a second of sleep"

        waiting = select.epoll()
        for watcher in watchers:
            waiting.register(watcher, select.EPOLLIN)
        began = time.monotonic()
        revision = node.registered("news", port=9001)["revision"]
        acknowledged = time.monotonic() - began
        left = {watcher.fileno(): watcher for watcher in watchers}
        while left:
            found = waiting.poll(30, 4_096)
            assert found, f"{len(left)} watchers were not woken within 30 s"
            for descriptor, _ in found:
                body = left.pop(descriptor).recv(4_096).split(b"\r\n\r\n", 1)[1]
                waiting.unregister(descriptor)
                changes = json.loads(body)["changes"]
                assert [(c["revision"], c["service_name"]) for c in changes] == [(revision, "news")]
        woken = time.monotonic() - began
        print(
            f"{WATCHERS} watchers: asleep after {asleep:.1f} s, {each:.1f} KiB each, a look-up beside them {lookup * 1e6:.0f} µs, "
            f"{idle * 100:.0f} % of a processor while they sleep, the change acknowledged after {acknowledged * 1e3:.0f} ms, "
            f"the last one woken after {woken * 1e3:.0f} ms")
    finally:
        for watcher in watchers:
            watcher.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    eventually(lambda: gauge(node, "posto_watchers") == 0, "the departed are noticed")
    assert node.get(f"/api/v1/changes?since={since}").status == 200


def test_without_descriptors_open_connections_are_served_and_new_ones_wait(node):
    """When the process has no descriptor left, who is connected is served, the loop does not spin, and who waits is served later."""
    pid = node.process.pid
    node.registered("before")
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    open_now = len(os.listdir(f"/proc/{pid}/fd"))
    # Descriptors are given out from below, so this leaves none.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (1 + max(int(name) for name in os.listdir(f"/proc/{pid}/fd")), hard))
    spare = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(open_now)]
    waiting = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(20)]
    try:
        for client in waiting:
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not select.select(waiting[-1:], [], [], 0.5)[0], "nothing could accept it"
        used = cpu_seconds(pid)
        time.sleep(1)
        assert cpu_seconds(pid) - used < 0.3, "the loop spins"
        for _ in range(10):
            assert node.instance("before")
        assert node.register("during", port=9001).status == 201
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        for client in waiting:
            client.settimeout(60)
            assert client.recv(4_096).startswith(b"HTTP/1.1 200 ")
    finally:
        for client in spare + waiting:
            client.close()
    assert node.stop() == 0
