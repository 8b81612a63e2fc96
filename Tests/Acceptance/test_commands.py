"""The command line against a running daemon, and against stores that nobody has open: what people and scripts see of it."""

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def binary():
    named = os.environ.get("POSTO_BINARY")
    if named:
        return named
    for kind in ("release", "debug"):
        path = f"{ROOT}/.build/{kind}/posto"
        if os.path.exists(path):
            return path
    pytest.skip("posto is not built")


class Running:
    """A command that runs on; its lines are read as they come."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True)
        self.out, self.err = queue.Queue(), queue.Queue()
        self.threads = [
            threading.Thread(target=self.read, args=pair)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.put(line)

    def end(self, number=signal.SIGKILL):
        """Its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            for thread in self.threads:
                thread.join()
            self.process.stdout.close()
            self.process.stderr.close()


class Node:
    """A daemon with a folder of its own, which can be stopped, killed and started again."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="posto-commands-")
        self.state = f"{self.folder}/state"
        os.mkdir(f"{self.folder}/run")
        self.process = None
        self.port = 0
        self.start()

    def start(self, *extra):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("POSTO_")}
        environment["RUNTIME_DIRECTORY"] = f"{self.folder}/run"
        self.log = open(f"{self.folder}/log", "ab")
        self.process = subprocess.Popen(
            [binary(), "serve", "--dev", "--state", self.state, "--listen", f"127.0.0.1:{self.port}", *extra],
            stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("posto ready "), open(f"{self.folder}/log").read()
        # The same port after a restart, as a configured daemon has.
        self.port = int(re.search(r"http=127\.0\.0\.1:(\d+)", line).group(1))
        self.http = f"http://127.0.0.1:{self.port}"
        self.unix = f"unix:{self.state}/posto.sock"

    def stop(self, number=signal.SIGTERM):
        if self.process:
            self.process.send_signal(number)
            self.process.wait(20)
            self.process.stdout.close()
            self.log.close()
            self.process = None

    def environment(self, server=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("POSTO_")}
        environment["POSTO_SERVER"] = server or self.unix
        return environment

    def run(self, *arguments, server=None, stdin=None):
        return subprocess.run(
            [binary(), *arguments], capture_output=True, text=True, env=self.environment(server), input=stdin, timeout=60)

    def json(self, *arguments, server=None):
        answer = self.run(*arguments, "--json", server=server)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def begin(self, *arguments):
        return Running([binary(), *arguments], self.environment())

    def register(self, name, *more, port=9001):
        answer = self.run(
            "register", "--name", name, "--host", "10.20.0.1", "--port", str(port), "--health-endpoint", "/health", *more, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)


@pytest.fixture
def node():
    node = Node()
    yield node
    node.stop()
    shutil.rmtree(node.folder, ignore_errors=True)


def eventually(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come true in time")


def refused(answer, code):
    """One sentence, then a hint, on standard error; nothing on standard output."""
    assert answer.returncode == code, (answer.returncode, answer.stderr)
    lines = answer.stderr.splitlines()
    assert lines[0].startswith("posto: ") and len(lines) <= 2, answer.stderr
    if len(lines) == 2:
        assert lines[1].startswith("hint: "), answer.stderr
    assert answer.stdout == ""
    return answer.stderr


COMMANDS = [
    [], ["serve"], ["status"], ["services"], ["register"], ["deregister"], ["watch"], ["queue"], ["queue", "ls"], ["queue", "peek"],
    ["queue", "stat"], ["queue", "verify"], ["audit"], ["audit", "show"], ["audit", "verify"], ["backup"], ["restore"], ["preflight"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command):
    answer = subprocess.run([binary(), *command, "--help"], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0 and answer.stderr == ""
    if command != ["serve"]:
        assert "Example: posto" in answer.stdout


@pytest.mark.parametrize("arguments", [["services", "--bogus"], ["nonsense"], ["deregister"], ["watch", "--since", "x"], ["register"],
                                       ["services", "name", "--tag", "x"], ["queue", "peek", "state", "--limit", "0"]])
def test_a_wrong_command_line_is_exit_2(arguments):
    answer = subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=60)
    assert "hint: " in refused(answer, 2)


def test_completion_scripts(tmp_path):
    for shell in ("bash", "zsh", "fish"):
        answer = subprocess.run([binary(), "--generate-completion-script", shell], capture_output=True, text=True, timeout=60)
        assert answer.returncode == 0 and "preflight" in answer.stdout
        if shell == "bash":
            script = tmp_path / "posto"
            script.write_text(answer.stdout)
            subprocess.run(["bash", "-n", str(script)], check=True)


def test_no_daemon_is_exit_69_and_a_daemon_for_trying_out_is_named(node):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("POSTO_")}
    if not os.path.exists("/run/posto/posto.sock"):
        answer = subprocess.run([binary(), "status"], capture_output=True, text=True, env=environment, timeout=60)
        assert "--server unix:" in refused(answer, 69)
    refused(node.run("status", server="http://127.0.0.1:1"), 69)
    refused(node.run("status", "--server", f"unix:{node.folder}/none.sock"), 69)
    refused(node.run("status", "--server", "ftp://x"), 2)


def test_both_doors_give_the_same(node):
    node.register("teller-api")
    for server in (node.unix, node.http):
        listed = node.json("services", server=server)
        assert [s["service_name"] for s in listed["services"]] == ["teller-api"]
        one = node.json("services", "teller-api", server=server)
        assert one["instances"][0]["port"] == 9001
        assert node.json("status", server=server)["health"]["active_services"] == 1
        assert node.json("queue", "verify", server=server)["intact"]


def test_status_opens_with_a_sentence(node):
    # On a busy disk commits are slow, which the node says of itself.
    answer = node.run("status")
    assert answer.returncode == 0
    assert re.match(r"The node is (healthy; no service is registered yet\.|degraded: .+)\nNext: .+\n", answer.stdout), answer.stdout
    node.register("teller-api")
    text = node.run("status").stdout
    assert re.match(r"The node is (healthy: 1 service with 1 instance\.\n|degraded: .+\nNext: .+\n)", text), text
    assert "1 service, 1 instance, revision 1\n" in text


def test_services_are_aligned_and_not_coloured_without_a_terminal(node):
    node.register("teller-api", "--tag", "prod", "--service-version", "1.2.3")
    node.register("a-much-longer-name", port=9002)
    lines = node.run("services").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["SERVICE", "a-much-longer-name", "teller-api"]
    assert len({line.index(word) for line, word in zip(lines, ["ID", "a-much-longer-name-", "teller-api-"])}) == 1
    assert "\x1b" not in "".join(lines) and lines[2].endswith("1.2.3    prod")
    assert len(node.json("services", "--tag", "prod")["services"]) == 1
    assert node.run("services", "--tag", "none").returncode == 0
    assert "unknown" not in refused(node.run("services", "teler-api"), 1)
    refused(node.run("services", "--health", "well"), 2)


def test_a_file_of_registrations(node, tmp_path):
    file = tmp_path / "services.jsonl"
    lines = [json.dumps({"service_name": f"svc-{i:03}", "host": "10.0.0.1", "port": 2000 + i, "health_endpoint": "/h"}) for i in range(107)]
    file.write_text("\n".join(lines) + "\n")
    answer = node.run("register", str(file))
    assert answer.returncode == 0 and len(answer.stdout.splitlines()) == 107
    assert len(node.json("services")["services"]) == 107
    # One object over several lines, from standard input.
    one = json.dumps({"service_name": "pretty", "host": "10.0.0.2", "port": 3000, "health_endpoint": "/h"}, indent=2)
    assert node.run("register", "-", stdin=one).returncode == 0
    # A list with a wrong one names it.
    bad = [json.loads(lines[0]), {"service_name": "No!", "host": "10.0.0.1", "port": 1, "health_endpoint": "h"}]
    answer = node.run("register", "-", stdin=json.dumps(bad, indent=1))
    assert answer.returncode == 2
    assert "standard input:8: " in answer.stderr and "Service name must match" in answer.stderr and "port must be" in answer.stderr
    refused(node.run("register", "-", stdin="{"), 2)
    refused(node.run("register", "-", stdin=""), 2)
    refused(node.run("register", str(tmp_path / "none")), 74)


def test_deregister(node):
    id = node.register("teller-api")["id"]
    node.register("teller-api", port=9002)
    assert "several" in refused(node.run("deregister", "teller-api"), 1)
    assert node.run("deregister", "teller-api", id).returncode == 0
    assert node.run("deregister", "teller-api").stdout == "Removed teller-api.\n"
    refused(node.run("deregister", "teller-api"), 1)


HOLD = ["register", "--name", "held", "--host", "10.0.0.1", "--port", "8080", "--health-endpoint", "/h", "--ttl", "10", "--hold"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_hold_keeps_the_lease_and_gives_it_back(node, number):
    holder = node.begin(*HOLD)
    try:
        assert holder.out.get(timeout=60).startswith("Registered held as held-")
        first = node.json("services", "held")["instances"][0]["expires_at"]
        # Renewed in half of its time.
        eventually(lambda: node.json("services", "held")["instances"][0]["expires_at"] > first)
    finally:
        assert holder.end(number) == 0
    refused(node.run("services", "held"), 1)


def test_hold_outlives_the_daemon_and_registers_again(node):
    holder = node.begin(*HOLD)
    try:
        holder.out.get(timeout=60)
        node.stop(signal.SIGKILL)
        assert "away" in holder.err.get(timeout=60)
        shutil.rmtree(node.state)
        node.start()
        # The daemon has a new store and has never heard of it.
        eventually(lambda: node.run("services", "held").returncode == 0)
        assert "registered again" in holder.err.get(timeout=60)
    finally:
        assert holder.end(signal.SIGTERM) == 0
    refused(node.run("services", "held"), 1)


def test_watch_misses_nothing_over_a_restart(node):
    node.register("before")
    people = node.begin("watch", "--since", "0", "--count", "1")
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z  1  registered  before before-\w+ at 10\.20\.0\.1:9001\n", people.out.get(timeout=60))
    assert people.wait() == 0
    watch = node.begin("watch", "--json")
    try:
        # It begins with now, and does not say when that is: changes are made until one is seen.
        ports = iter(range(10_000, 20_000))

        def change():
            node.register("probe", port=next(ports))
            return not watch.out.empty()

        eventually(change)
        last = json.loads(watch.out.get())["revision"]
        node.stop(signal.SIGKILL)
        assert "away" in watch.err.get(timeout=60)
        node.start()
        for i in range(20):
            node.register(f"after-{i:02}", port=20_000 + i)
        names = []
        while len(names) < 20:
            change = json.loads(watch.out.get(timeout=60))
            assert change["revision"] == last + 1
            last = change["revision"]
            if change["kind"] == "registered" and change["service_name"].startswith("after-"):
                names.append(change["service_name"])
        assert names == [f"after-{i:02}" for i in range(20)]
    finally:
        watch.end()


def test_watch_from_where_nobody_was(node):
    refused(node.run("watch", "--since", "4711", "--count", "1"), 1)


def test_a_reader_that_leaves_is_quiet(node, tmp_path):
    file = tmp_path / "services.jsonl"
    file.write_text("\n".join(
        json.dumps({"service_name": f"svc-{i:03}", "host": "10.0.0.1", "port": 2000 + i, "health_endpoint": "/h",
                    "metadata": {"note": "x" * 500}}) for i in range(300)))
    assert node.run("register", str(file)).returncode == 0
    for command in ("services --json", "services", "queue peek state --limit 300 --json", "watch --since 0"):
        answer = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {binary()} {command} | head -c 10"], capture_output=True, env=node.environment(), timeout=30)
        assert answer.returncode == 0 and answer.stderr == b"", command
    # Who reads one line and goes while the command waits for the next change: it must not wait for a change to learn of it.
    answer = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {binary()} watch --since 299 | head -n 1"], capture_output=True,
        env=node.environment(), timeout=60)
    assert answer.returncode == 0 and answer.stdout.count(b"\n") == 1 and answer.stderr == b""


def test_the_journal_with_and_without_the_daemon(node):
    for i in range(30):
        node.register(f"svc-{i:02}", port=2000 + i)
    node.run("deregister", "svc-00")
    asked = node.json("queue", "ls")
    assert {s["name"]: s["last_seq"] for s in asked["streams"]} == {"state": 31, "audit": 31}
    # Beside the running daemon, by --state.
    assert node.json("queue", "ls", "--state", node.state) == asked
    for more in ([], ["--state", node.state]):
        peeked = node.run("queue", "peek", "state", "--json", "--limit", "3", *more)
        assert [json.loads(line)["postoseq"] for line in peeked.stdout.splitlines()] == ["29", "30", "31"]
        assert len(node.run("queue", "peek", "state", *more).stdout.splitlines()) == 21
        assert len(node.run("queue", "peek", "state", "--since", "0", "--limit", "31", *more).stdout.splitlines()) == 32
        stat = json.loads(node.run("queue", "stat", "audit", "--json", *more).stdout)
        assert stat["chained"] and stat["first_seq"] == 1
        assert "oldest" in node.run("queue", "stat", "audit", *more).stdout
        shown = node.run("audit", "show", "--limit", "1", *more).stdout
        assert "deregister" in shown and "svc-00/" in shown and "removed" in shown
        for command in (["queue", "verify"], ["queue", "verify", "state"], ["audit", "verify"]):
            answer = node.run(*command, *more)
            assert answer.returncode == 0 and "intact, 31 records from 1 to 31" in answer.stdout
        refused(node.run("queue", "stat", "nothing", *more), 1)
    # And with the daemon stopped; reading leaves the next start as it was.
    node.stop()
    assert node.json("queue", "ls", "--state", node.state) == asked
    assert node.json("audit", "verify", "--state", node.state)["intact"]
    node.start()
    assert len(node.json("services")["services"]) == 29
    refused(node.run("queue", "ls", "--state", f"{node.folder}/none"), 74)


def change_record(node, needle):
    """Changes a byte of an audit record in the file, as a failing disk or a bad hand would. The CRC of the record finds it."""
    path = f"{node.state}/store/state.mdb"
    with open(path, "r+b") as file:
        data = file.read()
        at = data.find(needle)
        count = 0
        while at >= 0:
            file.seek(at)
            file.write(bytes([needle[0] ^ 1]))
            count += 1
            at = data.find(needle, at + 1)
        assert count > 0


# The check before a store is opened reads the ends of each stream: it finds the first of these, and verifying must still name it.
@pytest.mark.parametrize("number", [6, 101])
def test_a_changed_record_is_found_and_named(node, number):
    file = "\n".join(
        json.dumps({"service_name": "bulk", "id": f"i-{i:04}", "host": "10.1.0.1", "port": 2000 + i, "health_endpoint": "/h"})
        for i in range(1, 1_201))
    assert node.run("register", "-", stdin=file).returncode == 0
    change_record(node, f'"type":"posto.audit.register","subject":"bulk/i-{number:04}'.encode())

    def verify(*more):
        answer = node.run("audit", "verify", *more)
        assert answer.returncode == 1, answer.stderr
        assert answer.stdout.startswith(f"audit: BROKEN at record {number}: "), answer.stdout
        assert f"{number - 1} records before it are right" in answer.stdout
        found = node.run("queue", "verify", "--json", *more)
        assert found.returncode == 1
        streams = {s["name"]: s for s in json.loads(found.stdout)["streams"]}
        assert streams["audit"]["broken_seq"] == number and streams["state"]["intact"]

    verify()
    verify("--state", node.state)
    node.stop()
    verify("--state", node.state)


@pytest.mark.parametrize("damage", ["cut", "zeros", "noise"])
def test_a_damaged_store_is_a_sentence(node, damage):
    for i in range(50):
        node.register(f"svc-{i:02}", port=2000 + i)
    node.stop()
    path = f"{node.state}/store/state.mdb"
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        if damage == "cut":
            file.truncate(size // 3 // 4096 * 4096)
        else:
            file.seek(8192)
            file.write(b"\0" * (size - 8192) if damage == "zeros" else os.urandom(size - 8192))
    for command in (["queue", "ls"], ["audit", "show"], ["backup", f"{node.folder}/b"]):
        assert "damaged" in refused(node.run(*command, "--state", node.state), 74)
    answer = node.run("queue", "verify", "--state", node.state)
    assert answer.returncode in (1, 74) and "damaged" in answer.stderr
    assert not os.path.exists(f"{node.folder}/b")


def test_backup_and_restore(node):
    for i in range(20):
        node.register(f"svc-{i:02}", port=2000 + i)
    asked = f"{node.folder}/asked.backup"
    read = f"{node.folder}/read.backup"
    assert "read back and right" in node.run("backup", asked).stdout
    assert node.json("backup", read, "--state", node.state)["revision"] == 20
    assert sorted(f for f in os.listdir(node.folder) if "backup" in f) == ["asked.backup", "read.backup"]
    assert os.stat(asked).st_mode & 0o777 == 0o600
    node.register("later", port=9999)
    assert "systemctl stop" in refused(node.run("restore", asked, "--state", node.state, "--yes"), 75)
    node.stop()
    # Nobody to ask: nothing happens.
    answer = node.run("restore", asked, "--state", node.state)
    assert answer.returncode == 2 and "nothing was changed" in answer.stderr and "revision 20" in answer.stderr
    answer = node.run("restore", asked, "--state", node.state, "--yes")
    assert answer.returncode == 0, answer.stderr
    assert len(os.listdir(f"{node.state}/evidence")) == 2
    node.start()
    names = [s["service_name"] for s in node.json("services")["services"]]
    assert len(names) == 20 and "later" not in names
    assert node.json("status")["node"]["epoch"] == 2
    assert node.json("queue", "verify")["intact"]


def test_a_backup_that_is_not_whole_is_not_restored(node):
    node.register("svc")
    backup = f"{node.folder}/b.backup"
    assert node.run("backup", backup).returncode == 0
    node.stop()
    other = Node()
    try:
        other.stop()
        assert "--any-store" in refused(other.run("restore", backup, "--state", other.state, "--yes"), 74)
        assert other.run("restore", backup, "--state", other.state, "--yes", "--any-store").returncode == 0
        with open(backup, "r+b") as file:
            file.seek(400)
            file.write(b"\xff")
        before = open(f"{node.state}/store/state.mdb", "rb").read()
        refused(node.run("restore", backup, "--state", node.state, "--yes"), 74)
        assert open(f"{node.state}/store/state.mdb", "rb").read() == before
    finally:
        other.stop()
        shutil.rmtree(other.folder, ignore_errors=True)


def test_a_backup_keeps_what_stood_there_when_it_fails(node):
    file = f"{node.folder}/b.backup"
    with open(file, "w") as previous:
        previous.write("previous")
    refused(node.run("backup", file, server="http://127.0.0.1:1"), 69)
    assert open(file).read() == "previous"
    refused(node.run("backup", f"{node.folder}/no/such/b"), 74)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_not_permitted_is_exit_77():
    node = Node()
    try:
        node.stop()
        # Without --dev loopback callers are services, not administrators.
        environment = dict(node.environment(), RUNTIME_DIRECTORY=f"{node.folder}/run")
        process = subprocess.Popen(
            [binary(), "serve", "--state", node.state, "--listen", "127.0.0.1:0", "--socket", f"{node.folder}/s"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
        try:
            http = re.search(r"http=(\S+)", process.stdout.readline()).group(1)
            for command in (["backup", f"{node.folder}/b"], ["queue", "ls"], ["audit", "verify"]):
                refused(node.run(*command, server=f"http://{http}"), 77)
            # What a service may not see, a status leaves out.
            assert node.run("status", server=f"http://{http}").returncode == 0
            assert node.run("backup", f"{node.folder}/b", server=f"unix:{node.folder}/s").returncode == 0
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()
    finally:
        shutil.rmtree(node.folder, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_what_root_does_to_a_store_leaves_it_to_its_owner(node):
    node.register("svc")
    backup = f"{node.folder}/b.backup"
    assert node.run("backup", backup).returncode == 0
    node.stop()
    owner = 65_534
    for folder, folders, files in os.walk(node.state):
        for name in [".", *folders, *files]:
            os.chown(f"{folder}/{name}", owner, owner)

    def owners():
        return {os.lstat(f"{folder}/{name}").st_uid for folder, folders, files in os.walk(node.state) for name in [".", *folders, *files]}

    # A reader makes the lock file that is missing, a restore makes everything anew.
    os.unlink(f"{node.state}/store/state.mdb-lock")
    assert node.run("queue", "ls", "--state", node.state).returncode == 0
    assert os.path.exists(f"{node.state}/store/state.mdb-lock") and owners() == {owner}
    assert node.run("restore", backup, "--state", node.state, "--yes").returncode == 0
    assert len(os.listdir(f"{node.state}/evidence")) == 2 and owners() == {owner}


def test_tokens_are_read_from_files_only(node):
    token = f"{node.folder}/token"
    with open(token, "w") as file:
        file.write("abc.def\n")
    assert node.run("status", "--token-file", token).returncode == 0
    refused(node.run("status", "--token-file", f"{node.folder}/none"), 74)
    with open(token, "w") as file:
        file.write("two\nlines\n")
    refused(node.run("status", "--token-file", token), 78)


def test_preflight(node):
    fresh = f"{node.folder}/fresh/state"
    sockets = ["--socket", f"{node.folder}/p.sock"]
    answer = node.run("preflight", "--state", fresh, "--listen", "127.0.0.1:0", *sockets)
    assert answer.returncode == 0, answer.stdout
    assert "Ready to start" in answer.stdout and not os.path.exists(f"{node.folder}/fresh")
    taken = node.run("preflight", "--state", node.state, "--listen", f"127.0.0.1:{node.port}", *sockets, "--json")
    assert taken.returncode == 1
    found = json.loads(taken.stdout)
    failed = {check["subject"] for check in found["checks"] if check["level"] == "fail"}
    assert not found["ready"] and {"lock", "address"} <= failed
    assert all("hint" in check for check in found["checks"] if check["level"] != "ok")
    answer = node.run("preflight", "--state", fresh, "--config", f"{node.folder}/none.toml")
    assert answer.returncode == 1 and "fail  configuration" in answer.stdout
