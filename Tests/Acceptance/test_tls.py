"""TLS: the listener, its certificate through its life, the client commands, and the uplink towards those who lie."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from authority import Authority, openssl
from fake_receiver import FakeReceiver
from node import Node, binary, eventually
from receiver import Receiver
from test_uplink import config as uplink_config
from test_uplink import drained, post_lines, probe, sink


@pytest.fixture(scope="module")
def authority():
    with Authority() as authority:
        yield authority


@pytest.fixture(scope="module")
def stranger():
    with Authority() as authority:
        yield authority


def lan_address():
    """An address of this host that is not loopback, or None. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") or address == "0.0.0.0" else address


def tls(certificate, key):
    return f'[listen]\ntls_certificate = "{certificate}"\ntls_key = "{key}"\n'


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "60", *map(str, arguments)], capture_output=True, text=True)


def https(node, authority, **options):
    context = ssl.create_default_context(cafile=authority.certificate)
    return http.client.HTTPSConnection("localhost", node.port, timeout=60, context=context, **options)


@pytest.fixture
def secure(nodes, authority):
    """A node with a certificate, whose files are its own, so that they can be exchanged."""
    node = nodes()
    pair = [shutil.copy(path, node.folder / name) for path, name in zip(authority.issue("localhost"), ("cert.pem", "key.pem"))]
    node.write_config(tls(*pair))
    return node.start()


def exchange(node, pair):
    """Puts other files in place and sends SIGHUP."""
    for path, name in zip(pair, ("cert.pem", "key.pem")):
        shutil.copy(path, node.folder / name)
    node.process.send_signal(signal.SIGHUP)


def subject(node):
    text = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{node.port}"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    return next((line for line in text.splitlines() if line.startswith("subject=")), "")


# The listener


def test_curl_reads_health_over_tls_and_without_on_a_loopback_address(secure, authority):
    answer = curl("--cacert", authority.certificate, "-w", "\n%{http_version} %{http_code}", f"https://localhost:{secure.port}/health")
    assert answer.returncode == 0, answer.stderr
    body, status = answer.stdout.rsplit("\n", 1)
    assert status == "1.1 200" and json.loads(body)["status"] == "healthy"
    assert secure.get("/health").status == 200
    node = secure.get("/api/v1/node").json
    assert node["listeners"][0] == {"address": f"127.0.0.1:{secure.port}", "tls": "accepted"}
    assert node["certificate"]["names"] == ["localhost", "127.0.0.1"]
    assert "tls=" not in secure.ready_line, "no address takes TLS only"


def test_an_address_that_is_not_loopback_speaks_tls_only_and_the_ready_line_says_so(nodes, authority):
    address = lan_address()
    if address is None:
        pytest.skip("this host has no address but loopback")
    pair = authority.issue("lan", names=f"DNS:till-7.branch.example,IP:{address}")
    node = nodes(dev=False, config=tls(*pair), listen=("127.0.0.1:0", f"{address}:0")).start()
    words = dict(word.split("=", 1) for word in node.ready_line.split() if "=" in word)
    secure = words["tls"]
    assert words["http"].split(",")[1] == secure
    url = f"https://{secure}/health/live"
    assert curl("--cacert", authority.certificate, url).stdout == '{"status":"live"}'
    port = secure.rsplit(":", 1)[1]
    named = curl("--cacert", authority.certificate, "--resolve", f"till-7.branch.example:{port}:{address}",
                 f"https://till-7.branch.example:{port}/health/live")
    assert named.stdout == '{"status":"live"}', "a name in the certificate is a name of ours"
    plain = curl(f"http://{secure}/health/live")
    assert json.loads(plain.stdout)["code"] == "tls_required"
    assert curl(f"http://127.0.0.1:{node.port}/health/live").stdout == '{"status":"live"}'
    listeners = {entry["address"]: entry["tls"] for entry in node.get("/api/v1/node").json["listeners"]}
    assert listeners[secure] == "required"


def test_registering_over_tls_is_durable_and_a_stream_and_a_long_poll_are_served(secure, authority):
    connection = https(secure, authority)
    body = json.dumps({"service_name": "shop", "host": "127.0.0.1", "port": 9000, "health_endpoint": "/health"})
    for _ in range(3):
        connection.request("POST", "/api/v1/register", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status in (200, 201) and json.loads(answer.read())["durable"]
    revision = secure.revision
    poll = https(secure, authority)
    poll.request("GET", f"/api/v1/changes?since={revision}&wait=60s")
    stream = https(secure, authority)
    stream.request("GET", f"/api/v1/changes?since={revision}", headers={"Accept": "text/event-stream"})
    events = stream.getresponse()
    secure.registered("till", port=9001)
    assert json.loads(poll.getresponse().read())["changes"][0]["service_name"] == "till"
    lines = [events.readline() for _ in range(3)]
    assert any(b"registered" in line for line in lines), lines


def test_what_is_under_way_over_tls_is_answered_when_the_daemon_stops(secure, authority):
    poll = https(secure, authority)
    poll.request("GET", f"/api/v1/changes?since={secure.revision}&wait=60s")
    eventually(lambda: "posto_watchers 1" in secure.get("/metrics").body.decode(), "the poll waits")
    assert secure.stop() == 0
    assert json.loads(poll.getresponse().read())["changes"] == []


def test_a_crowd_that_stops_in_the_middle_of_its_handshake_keeps_nobody_waiting(secure, authority):
    def metric(name):
        text = secure.get("/metrics").body.decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))

    crowd = []
    for number in range(500):
        client = socket.create_connection(("127.0.0.1", secure.port))
        # A record that is longer than what follows.
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(number % 64))
        crowd.append(client)
    eventually(lambda: metric("posto_tls_handshaking") == 500 or metric("posto_tls_handshaking") > 400, "the crowd is there")
    for _ in range(100):
        assert secure.get("/health/live").status == 200
    assert curl("--cacert", authority.certificate, f"https://localhost:{secure.port}/health/live").returncode == 0
    for client in crowd:
        client.close()
    eventually(lambda: metric("posto_tls_handshaking") == 0, "the crowd is gone")


# The certificate


def faulty(authority, stranger, kind):
    certificate, key = authority.issue(f"pair-{kind}")
    if kind == "missing":
        return certificate.with_name("nothing.pem"), key
    if kind == "missing key":
        return certificate, key.with_name("nothing.key")
    if kind == "a folder":
        return authority.folder, key
    if kind == "exchanged":
        return key, certificate
    if kind == "mismatch":
        return certificate, stranger.issue("other")[1]
    if kind == "encrypted":
        locked = key.with_name("locked.key")
        openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked)
        return certificate, locked
    if kind == "order":
        both = certificate.with_name("both.pem")
        both.write_text(authority.certificate.read_text() + certificate.read_text())
        return both, key
    if kind == "unrelated":
        both = certificate.with_name("unrelated.pem")
        both.write_text(certificate.read_text() + stranger.certificate.read_text())
        return both, key
    if kind == "cut off":
        cut = certificate.with_name("cut.pem")
        cut.write_text(certificate.read_text()[:300])
        return cut, key
    if kind == "for clients":
        return authority.issue("client", usage="extendedKeyUsage=clientAuth")
    raise AssertionError(kind)


@pytest.mark.parametrize("kind, key, words", [
    ("missing", "tls_certificate", "there is no file"), ("missing key", "tls_key", "there is no file"),
    ("a folder", "tls_certificate", "it is not a file"), ("exchanged", "tls_certificate", "a key and no certificate"),
    ("mismatch", "tls_key", "does not belong to the certificate"), ("encrypted", "tls_key", "needs a password"),
    ("order", "tls_certificate", "the node's own must be the first"), ("unrelated", "tls_certificate", "did not sign certificate 1"),
    ("cut off", "tls_certificate", "cannot be read"), ("for clients", "tls_certificate", "is not for servers"),
])
def test_a_pair_that_cannot_serve_is_refused_at_the_start_and_by_check(nodes, authority, stranger, kind, key, words):
    node = nodes()
    node.write_config(tls(*faulty(authority, stranger, kind)))
    code, said = node.refuses_to_start()
    assert code == 78 and words in said and f"{key}: " in said and "hint: " in said and "posto.toml:" in said, said
    check = subprocess.run(node.command("--check"), capture_output=True, text=True, env=node.environ())
    assert check.returncode == 78 and words in check.stderr, check.stderr


def test_one_file_without_the_other_is_refused(nodes, authority):
    certificate, _ = authority.issue("alone")
    node = nodes()
    node.write_config(f'[listen]\ntls_certificate = "{certificate}"\n')
    code, said = node.refuses_to_start()
    assert code == 78 and "tls_key is not" in said


def test_check_shows_the_certificate_and_warns_of_its_end_and_of_a_key_that_others_may_read(nodes, authority):
    certificate, key = authority.issue("ended", days=-1)
    key.chmod(0o644)
    node = nodes(config=tls(certificate, key))
    check = subprocess.run(node.command("--check"), capture_output=True, text=True, env=node.environ())
    assert check.returncode == 0, check.stderr
    assert "# The certificate: CN=ended, for localhost, 127.0.0.1," in check.stdout
    assert "clients refuse it" in check.stdout and "every user of this host may use the key" in check.stdout
    node.start()
    assert node.alert("certificate_expired")["level"] == "degraded"
    eventually(lambda: "posto_tls_certificate_not_after_seconds" in node.get("/metrics").body.decode(), "metrics tell its end")


def test_a_reload_takes_the_new_certificate_and_loses_no_connection(secure, authority):
    old = https(secure, authority)
    old.request("GET", "/health/live")
    assert old.getresponse().read() == b'{"status":"live"}'
    waiting = https(secure, authority)
    waiting.request("GET", f"/api/v1/changes?since={secure.revision}&wait=60s")
    exchange(secure, authority.issue("renewed", names="DNS:localhost,DNS:renewed.example,IP:127.0.0.1"))
    eventually(lambda: "renewed" in subject(secure), "new handshakes get the new certificate")
    old.request("GET", "/health/live")
    assert old.getresponse().status == 200
    secure.registered("till")
    assert json.loads(waiting.getresponse().read())["changes"]
    eventually(lambda: "renewed.example" in secure.get("/api/v1/node").json["certificate"]["names"], "the node tells of it")


def test_a_new_pair_that_cannot_serve_leaves_the_old_one_and_is_told_everywhere(secure, authority, stranger):
    certificate, key = authority.issue("half")
    exchange(secure, (certificate, stranger.issue("other")[1]))
    eventually(lambda: secure.alert("certificate_not_reloaded"), "health tells")
    assert "does not belong to the certificate" in secure.alert("certificate_not_reloaded")["message"]
    assert "certificate_refused" in secure.log()
    assert "posto_tls_certificate_reload_failed 1" in secure.get("/metrics").body.decode()
    assert "CN = localhost" in subject(secure)
    exchange(secure, (certificate, key))
    eventually(lambda: "CN = half" in subject(secure), "once it is right it is taken")
    eventually(lambda: secure.alert("certificate_not_reloaded") is None, "and health is well again")


# The commands


def run(*arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POSTO_") or name == "POSTO_BINARY"}
    return subprocess.run(
        [binary(), *map(str, arguments)], capture_output=True, text=True, env={**clean, **environment}, timeout=120)


def test_the_commands_speak_tls_to_a_daemon_whose_authority_they_know(secure, authority):
    server = f"https://localhost:{secure.port}"
    answer = run("status", "--server", server, "--ca-file", authority.certificate)
    assert answer.returncode == 0, answer.stderr
    secure.registered("till")
    answer = run("services", "--json", POSTO_SERVER=server, POSTO_CA_FILE=str(authority.certificate))
    assert answer.returncode == 0 and "till" in answer.stdout, answer.stderr


def test_the_commands_say_why_they_do_not_trust_a_server(nodes, authority, stranger):
    node = nodes(config=tls(*authority.issue("name", names="DNS:localhost"))).start()
    server = f"https://localhost:{node.port}"

    def refused(words, hint, *arguments):
        answer = run("status", *arguments)
        assert answer.returncode == 69 and words in answer.stderr and hint in answer.stderr, answer.stderr
        assert "insecure" not in answer.stderr

    refused("no trusted authority has signed", "--ca-file", "--server", server)
    refused("no trusted authority has signed", "--ca-file", "--server", server, "--ca-file", stranger.certificate)
    refused("for another name", "subjectAltName", "--server", f"https://127.0.0.1:{node.port}", "--ca-file", authority.certificate)
    refused("cannot be read", "BEGIN CERTIFICATE", "--server", server, "--ca-file", "/nonexistent/ca.pem")
    late = nodes(config=tls(*authority.issue("late", days=-1))).start()
    refused("has ended", "renew", "--server", f"https://localhost:{late.port}", "--ca-file", authority.certificate)
    plain = nodes().start()
    refused("does not speak TLS", "http://", "--server", f"https://localhost:{plain.port}", "--ca-file", authority.certificate)
    assert "--ca-file" in run("status", "--help").stdout and "insecure" not in run("status", "--help").stdout


# The uplink


class SecureReceiver(Receiver):
    """The reference receiver over TLS."""

    def __init__(self, pair, port=0):
        super().__init__()
        self.pair = pair
        self.port = port

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def start(self):
        real = subprocess.Popen
        more = ["--tls-certificate", str(self.pair[0]), "--tls-key", str(self.pair[1])]
        subprocess.Popen = lambda line, **options: real(line + more, **options)
        try:
            return super().start()
        finally:
            subprocess.Popen = real


class Cutter:
    """Accepts, reads what comes, answers with `words`, and closes."""

    def __init__(self, words=b""):
        self.words = words
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                self.heard.append(client.recv(65536))
                client.sendall(self.words)

    def close(self):
        self.listener.close()


def trusting(url, authority):
    return uplink_config(url, uplink=f'ca_file = "{authority.certificate}"')


def test_events_reach_a_receiver_over_tls(nodes, authority):
    with SecureReceiver(authority.issue("receiver")) as receiver:
        receiver.start()
        node = nodes(config=trusting(receiver.url, authority)).start()
        post_lines(node, "sales", [{"n": n} for n in range(2000)])
        eventually(lambda: drained(node), "everything is with the receiver")
        plain = curl("--cacert", authority.certificate, f"{receiver.url}/v1/uplink/{node.get('/api/v1/node').json['id']}")
        assert {entry["stream"]: entry["records"] for entry in json.loads(plain.stdout)["streams"]}["sales"] == 2000


@pytest.mark.parametrize("kind, words", [
    ("unknown authority", "no trusted authority has signed"), ("wrong name", "for another name"), ("ended", "has ended"),
])
def test_a_receiver_that_cannot_prove_who_it_is_gets_nothing_and_the_node_says_why(nodes, authority, stranger, kind, words):
    pair = {"unknown authority": lambda: stranger.issue("receiver"),
            "wrong name": lambda: authority.issue("misnamed", names="DNS:central.example"),
            "ended": lambda: authority.issue("overdue", days=-1)}[kind]()
    with SecureReceiver(pair) as receiver:
        receiver.start()
        node = nodes(config=trusting(receiver.url, authority)).start()
        post_lines(node, "sales", [{"n": n} for n in range(10)])
        eventually(lambda: words in (sink(node)["last_failure"] or ""), f"the node says: {words}")
        assert sink(node)["last_ack_at"] is None and sink(node)["lag_records"] >= 10
        assert all(stream["acked_to"] == 0 for stream in sink(node)["streams"])
        port = receiver.port
        receiver.stop()
        receiver.pair, receiver.port = authority.issue("honest"), port
        receiver.start()
        eventually(lambda: probe(node).json["reachable"], "an honest one in its place is trusted")
        eventually(lambda: drained(node), "and gets everything")


@pytest.mark.parametrize("words", [
    b"", b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", b"\x15\x03\x03\x00\x02\x02\x28",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\nContent-Length: 0\r\n\r\n",
], ids=["silence", "half a ServerHello", "an alert", "plain HTTP", "a captive portal"])
def test_who_does_not_end_the_handshake_hears_nothing_and_acknowledges_nothing(nodes, authority, words):
    cutter = Cutter(words)
    node = nodes(config=trusting(f"https://localhost:{cutter.port}", authority)).start()
    post_lines(node, "sales", [{"secret": "4711-0815"} for n in range(10)])
    eventually(lambda: "does not speak TLS, or broke off the handshake" in (sink(node)["last_failure"] or ""), "the node says why")
    assert sink(node)["last_ack_at"] is None and sink(node)["lag_records"] >= 10
    assert cutter.heard and not any(b"4711" in heard or b"uplink" in heard for heard in cutter.heard)
    cutter.close()


def test_a_file_of_authorities_that_is_not_there_is_refused_at_the_start(nodes):
    node = nodes(config=uplink_config("https://localhost:1", uplink='ca_file = "/nonexistent/ca.pem"'))
    code, said = node.refuses_to_start()
    assert code == 78 and "uplink.ca_file: there is no file /nonexistent/ca.pem" in said


def test_the_receiver_takes_a_new_certificate_at_sighup(authority):
    with SecureReceiver(authority.issue("first")) as receiver:
        folder = receiver.folder
        receiver.pair = [shutil.copy(path, folder / name) for path, name in zip(receiver.pair, ("cert.pem", "key.pem"))]
        receiver.start()
        assert "first" in subject(receiver)
        for path, name in zip(authority.issue("second"), ("cert.pem", "key.pem")):
            shutil.copy(path, folder / name)
        receiver.process.send_signal(signal.SIGHUP)
        eventually(lambda: "second" in subject(receiver), "new handshakes get the new certificate")
        assert receiver.stop() == 0
