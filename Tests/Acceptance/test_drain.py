"""Ends and beginnings under load: SIGTERM, sockets that systemd keeps, and what systemd is told."""

import json
import os
import select
import signal
import socket
import threading
import time

import pytest

from node import eventually


def request_bytes(name, port):
    body = json.dumps({"service_name": name, "host": "10.0.0.1", "port": port, "health_endpoint": "/", "ttl_seconds": 3600}).encode()
    return b"POST /api/v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def whole_answer(connection, patience=60):
    """Reads one answer; None if the other side closed without a byte; fails on half of one."""
    connection.settimeout(patience)
    received = b""
    while True:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            assert not received, f"half an answer: {received!r}"
            return None
        received += chunk
        head, found, rest = received.partition(b"\r\n\r\n")
        if found:
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if not lengths or len(rest) >= int(lengths[0].split(b":")[1]):
                return int(head[9:12]), rest


def test_sigterm_answers_every_request_that_was_sent(node):
    """Whoever had sent a whole request when SIGTERM came gets its answer, on old connections and on new ones; the exit code is 0."""
    connections = []
    for i in range(40):
        connection = socket.create_connection(("127.0.0.1", node.port))
        if i % 2:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert whole_answer(connection)[0] == 200
        connections.append(connection)
    for i, connection in enumerate(connections):
        connection.sendall(request_bytes(f"drained-{i:02}", 9000 + i))
    node.process.send_signal(signal.SIGTERM)
    answers = [whole_answer(connection) for connection in connections]
    assert node.wait() == 0
    assert [a and a[0] for a in answers] == [201] * 40
    node.start()
    assert len(node.services()) == 40


def test_sigterm_under_load_loses_nothing_that_was_answered(node):
    """Clients that send one request after another: no half answers, and all that was acknowledged is there after the restart."""
    acknowledged = []
    stop = threading.Event()
    faults = []

    def client(number):
        i = 0
        while not stop.is_set():
            try:
                connection = socket.create_connection(("127.0.0.1", node.port), timeout=60)
            except ConnectionRefusedError:
                return
            except OSError:
                return
            with connection:
                while True:
                    i += 1
                    name = f"load-{number}-{i}"
                    try:
                        connection.sendall(request_bytes(name, 10_000 + number * 5_000 + i))
                    except OSError:
                        break
                    try:
                        answer = whole_answer(connection)
                    except AssertionError as fault:
                        faults.append(fault)
                        return
                    if answer is None:
                        break
                    if answer[0] == 201:
                        acknowledged.append(name)
                    elif answer[0] != 503:
                        faults.append(AssertionError(answer))

    threads = [threading.Thread(target=client, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(acknowledged) > 200, "the load is on")
    node.process.send_signal(signal.SIGTERM)
    code = node.wait()
    stop.set()
    for thread in threads:
        thread.join(30)
    assert code == 0 and not faults, faults
    node.start()
    assert {s["service_name"] for s in node.services()} >= set(acknowledged)


def test_sigterm_answers_long_polls_and_ends_streams(node):
    """A long poll is answered with what there is; a stream of events ends as HTTP says; the exit does not wait for the poll's time."""
    node.registered("polled")
    poll = socket.create_connection(("127.0.0.1", node.port))
    poll.sendall(b"GET /api/v1/changes?since=1&wait=300s HTTP/1.1\r\nHost: localhost\r\n\r\n")
    stream = socket.create_connection(("127.0.0.1", node.port))
    stream.sendall(b"GET /api/v1/changes?since=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    stream.settimeout(60)
    begun = b""
    while b"event: registered" not in begun:
        begun += stream.recv(65536)
    eventually(lambda: b"posto_watchers 2" in node.get("/metrics").body, "both wait")
    began = time.monotonic()
    node.process.send_signal(signal.SIGTERM)
    status, body = whole_answer(poll)
    assert status == 200 and json.loads(body) == {"revision": 1, "changes": []}
    rest = b""
    while chunk := stream.recv(65536):
        rest += chunk
    assert (begun + rest).endswith(b"0\r\n\r\n") or b"chunked" not in begun.lower()
    assert node.wait() == 0
    assert time.monotonic() - began < 9


def test_a_request_that_never_ends_does_not_hold_the_exit_for_ever(node):
    """A client that sends half a request and waits cannot keep the daemon from ending."""
    half = socket.create_connection(("127.0.0.1", node.port))
    half.sendall(request_bytes("half", 9000)[:-5])
    began = time.monotonic()
    assert node.stop() == 0
    assert time.monotonic() - began < 15
    half.close()


# Activation


def activated(node, sockets):
    """The command that starts the node with these sockets as systemd hands them over."""
    script = (
        "import fcntl,os,sys\n"
        "high=[fcntl.fcntl(int(n),fcntl.F_DUPFD,100) for n in sys.argv[1].split(',')]\n"
        "for place,fd in enumerate(high,3): os.dup2(fd,place); os.close(fd)\n"
        "os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS=str(len(high)),LISTEN_FDNAMES=':'.join(['http','unix'][:len(high)]))\n"
        "os.execv(sys.argv[2],sys.argv[2:])\n")
    numbers = ",".join(str(s.fileno()) for s in sockets)
    return ["/usr/bin/python3", "-c", script, numbers, *node.command()], tuple(s.fileno() for s in sockets)


def test_sockets_of_systemd_survive_restarts_without_a_refused_connection(nodes):
    """With sockets from activation two restarts under load refuse no connection and lose no request."""
    node = nodes()
    tcp = socket.create_server(("127.0.0.1", 0), backlog=512)
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(node.socket)
    unix.listen(64)
    port = tcp.getsockname()[1]
    command, passed = activated(node, [tcp, unix])
    node.start(command=command, pass_fds=passed)
    assert node.port == port and node.socket in node.ready_line
    assert node.get("/health/live", unix=True).status == 200
    stop, counts, faults = threading.Event(), [0], []

    def client():
        while not stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                    connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    answer = whole_answer(connection, 30)
                    if answer is None or answer[0] != 200:
                        faults.append(answer)
                    counts[0] += 1
            except Exception as fault:
                faults.append(fault)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        before = counts[0]
        eventually(lambda: counts[0] > before + 50, "requests are answered")
        assert node.stop() == 0
        node.start(command=command, pass_fds=passed)
    before = counts[0]
    eventually(lambda: counts[0] > before + 50, "requests are answered")
    stop.set()
    for thread in threads:
        thread.join(40)
    assert not faults, faults[:5]
    assert os.path.exists(node.socket), "a socket of systemd is not removed"
    tcp.close()
    unix.close()


# Telling systemd


class Notifications:
    """The socket that systemd listens on, and what came."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.fields = []

    def wait_for(self, name, patience=60):
        """The value of the next field of this name, and all fields of its message."""
        deadline = time.monotonic() + patience
        while True:
            for at, message in enumerate(self.fields):
                if name in message:
                    self.fields = self.fields[at + 1:]
                    return message[name], message
            assert select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0], f"no {name} in {patience} s"
            text = self.socket.recv(65536).decode()
            self.fields.append(dict(line.split("=", 1) for line in text.split("\n") if "=" in line))


def test_systemd_is_told_ready_reloading_stopping_and_is_fed(nodes):
    """READY with the status and the process, RELOADING with the time and READY again, WATCHDOG in time, STOPPING at the end."""
    node = nodes()
    path = str(node.folder / "notify")
    systemd = Notifications(path)
    node.environment.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="1500000")
    node.start()
    ready, message = systemd.wait_for("READY")
    assert ready == "1" and message["MAINPID"] == str(node.process.pid) and "0 services" in message["STATUS"]
    node.registered("told")
    assert [systemd.wait_for("WATCHDOG")[0] for _ in range(3)] == ["1"] * 3
    began = time.clock_gettime(time.CLOCK_MONOTONIC)
    node.process.send_signal(signal.SIGHUP)
    _, message = systemd.wait_for("RELOADING")
    assert began * 1e6 <= int(message["MONOTONIC_USEC"]) <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    ready, message = systemd.wait_for("READY")
    assert message["STATUS"].startswith("1 service")
    node.process.send_signal(signal.SIGTERM)
    stopping, message = systemd.wait_for("STOPPING")
    assert stopping == "1" and message["STATUS"]
    assert node.wait() == 0


def test_the_watchdog_is_not_fed_for_another_process(nodes):
    """With WATCHDOG_PID of somebody else nothing is sent."""
    node = nodes()
    path = str(node.folder / "notify")
    systemd = Notifications(path)
    node.environment.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="300000", WATCHDOG_PID="1")
    node.start()
    systemd.wait_for("READY")
    with pytest.raises(AssertionError):
        systemd.wait_for("WATCHDOG", patience=1)
