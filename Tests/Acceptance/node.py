"""A real daemon under test: its process, its folders, its log, and requests to it.

Every node has a folder of its own with the state, the runtime directory (where the lease board lies) and the log; it listens on a free
port and on a Unix socket. Nothing outlives the test that made it.
"""

import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

#: Longest time for anything that should happen soon. Generous, because the machine may be busy; no test waits it out when all is well.
PATIENCE = 60.0


def binary():
    """The program under test: $POSTO_BINARY, or the debug build."""
    return os.environ.get("POSTO_BINARY") or str(REPOSITORY / ".build" / "debug" / "posto")


def shared_file(*parts):
    """A file of the folder that is shared with neighbouring projects, or None where it is not there."""
    root = pathlib.Path(os.environ.get("POSTO_SHARED") or REPOSITORY.parent / "shared")
    path = root.joinpath(*parts)
    return path if path.exists() else None


def eventually(condition, what, patience=PATIENCE, pause=0.01):
    """Asks until `condition` is true, and returns what it returned; fails with the sentence `what` when patience is over."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}"
        time.sleep(pause)


def boottime():
    """Seconds of the clock that leases are measured with."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Answer:
    """One HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def __getitem__(self, header):
        return self.headers.get(header.lower())

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of a problem."""
        return self.json.get("code")

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class NotReady(AssertionError):
    """The daemon ended before it was ready."""


class Node:
    """One daemon. `config` is the text of its configuration, after the lines that keep it inside its folder."""

    def __init__(self, folder=None, *, dev=True, config="", arguments=(), environment=None, listen=("127.0.0.1:0",),
                 size_max="64MiB", grace=15, checks=False, state=None):
        self._made = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="posto-acceptance-"))
        self.state = pathlib.Path(state) if state else self.folder / "state"
        self.runtime = self.folder / "run"
        self.statics = self.folder / "services.d"
        self.config = self.folder / "posto.toml"
        for path in (self.folder, self.runtime, self.statics):
            path.mkdir(parents=True, exist_ok=True)
        self.socket = str(self.folder / "posto.sock")
        self.log_path = self.folder / "log"
        self.dev = dev
        self.arguments = list(arguments)
        self.environment = dict(environment or {})
        self.listen = listen
        self.process = None
        self.port = None
        self.ready_line = None
        self.ready_seconds = None
        self._local = threading.local()
        self._generation = 0
        self.write_config(config, size_max=size_max, grace=grace, checks=checks)

    def write_config(self, config="", *, size_max="64MiB", grace=15, checks=False):
        self.config.write_text(
            f'[store]\nsize_max = "{size_max}"\nballast = "8MiB"\n'
            f'[registry]\nstatic = "{self.statics}"\ngrace_seconds = {grace}\n'
            f'[checks]\nenabled = {"true" if checks else "false"}\n' + config)

    # Life

    def command(self, *more):
        line = [binary(), "serve", "--config", str(self.config), "--state", str(self.state), "--socket", self.socket]
        for address in self.listen:
            line += ["--listen", address]
        return line + (["--dev"] if self.dev else []) + self.arguments + list(more)

    def environ(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
        return {**kept, "RUNTIME_DIRECTORY": str(self.runtime), "SWIFT_BACKTRACE": "enable=no", **self.environment}

    def spawn(self, **options):
        """Starts the process and does not wait until it is ready."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        self._generation += 1
        with open(self.log_path, "ab") as log:
            log.write(f"--- start {self._generation}\n".encode())
            self.process = subprocess.Popen(
                options.pop("command", None) or self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=self.environ(), **options)
        self._began = time.monotonic()
        return self

    def wait_ready(self, patience=PATIENCE):
        """Waits for the line that says where it listens."""
        line = b""
        deadline = self._began + patience
        output = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            readable = left > 0 and select.select([output], [], [], left)[0]
            assert readable, f"not ready after {patience:.0f} s\n{self.log()[-4000:]}"
            chunk = os.read(output, 4096)
            if not chunk:
                self.process.wait()
                raise NotReady(f"ended with {self.process.returncode} before it was ready\n{self.log()[-4000:]}")
            line += chunk
        self.ready_seconds = time.monotonic() - self._began
        self.ready_line = line.decode().strip()
        for part in self.ready_line.split():
            if part.startswith("http="):
                self.port = int(part.split(",")[0].rsplit(":", 1)[1])
        return self

    def start(self, **options):
        return self.spawn(**options).wait_ready()

    def kill(self):
        """SIGKILL: no warning, no last words."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close_output()

    def stop(self, patience=PATIENCE):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(patience)

    def wait(self, patience=PATIENCE):
        """Waits for the end; returns the exit code."""
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {patience:.0f} s\n{self.log()[-4000:]}") from None
        self._close_output()
        return code

    def restart(self, kill=True):
        self.kill() if kill else self.stop()
        return self.start()

    def refuses_to_start(self, patience=PATIENCE):
        """Starts it, expecting an end; returns the exit code and what it said since on standard error."""
        before = len(self.log())
        self.spawn()
        try:
            self.wait_ready(patience)
        except NotReady:
            self._close_output()
            return self.process.returncode, self.log()[before:]
        raise AssertionError("it started")

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        """Ends it whatever it does; removes the folder if this node made it."""
        if self.is_running:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self._close_output()
        if self._made:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _close_output(self):
        if self.process and self.process.stdout:
            self.process.stdout.close()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Requests

    def connection(self, unix=False, timeout=PATIENCE):
        """A connection of its own, not yet connected."""
        if unix:
            return UnixConnection(self.socket, timeout)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, unix=False):
        """One request over this thread's connection; a dictionary or a list is sent as JSON."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        elif isinstance(body, str):
            body = body.encode()
        kept = self._local.__dict__
        place = (self._generation, unix)
        connection = kept.get("connections", {}).get(place)
        if connection is None:
            connection = self.connection(unix)
            kept.setdefault("connections", {})[place] = connection
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except BaseException:
            connection.close()
            kept["connections"].pop(place, None)
            raise

    def get(self, path, headers=None, unix=False):
        return self.request("GET", path, headers=headers, unix=unix)

    def post(self, path, body=None, headers=None, unix=False):
        return self.request("POST", path, body, headers, unix)

    def delete(self, path, headers=None, unix=False):
        return self.request("DELETE", path, headers=headers, unix=unix)

    def register(self, name, *, host="10.0.0.1", port=9000, headers=None, unix=False, **fields):
        """Registers, and returns the answer whatever it is."""
        body = {"service_name": name, "host": host, "port": port, "health_endpoint": "/health", **fields}
        return self.post("/api/v1/register", body, headers, unix)

    def registered(self, name, **fields):
        """Registers, and returns the body of the answer, which must be 200 or 201."""
        answer = self.register(name, **fields)
        assert answer.status in (200, 201), answer
        return answer.json

    def instances(self, name):
        """The instances of a service, or [] if it is unknown."""
        answer = self.get(f"/api/v1/services/{name}")
        if answer.status == 404:
            return []
        assert answer.status == 200, answer
        return answer.json["instances"]

    def instance(self, name):
        """The only instance of a service, or None."""
        found = self.instances(name)
        assert len(found) <= 1, found
        return found[0] if found else None

    def services(self, query=""):
        """Every instance that is listed, all pages."""
        found = []
        cursor = ""
        while True:
            answer = self.get(f"/api/v1/services?limit=1000{query}{cursor}")
            assert answer.status == 200, answer
            page = answer.json
            found += page["services"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    def changes(self, since=0):
        """Every change after a revision."""
        found = []
        while True:
            answer = self.get(f"/api/v1/changes?since={since}&limit=1000")
            assert answer.status == 200, answer
            page = answer.json
            if not page["changes"]:
                return found
            found += page["changes"]
            since = page["changes"][-1]["revision"]

    def audit(self, since=0):
        """Every record of the audit trail after a sequence number."""
        found = []
        while True:
            answer = self.get(f"/api/v1/audit?since={since}&limit=1000", unix=True)
            assert answer.status == 200, answer
            page = answer.json
            if not page["records"]:
                return found
            found += page["records"]
            since = page["records"][-1]["seq"]

    def alert(self, code):
        """The alert of health with this code, or None; others may stand beside it."""
        return next((alert for alert in self.get("/health").json["alerts"] if alert["code"] == code), None)

    @property
    def revision(self):
        return self.get("/api/v1/node").json["revision"]

    def raw(self, data, patience=5.0, unix=False):
        """Sends bytes as they are, over a connection of its own; returns all that came back until the other side closed or fell silent."""
        if unix:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(self.socket)
        else:
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=patience)
        with connection:
            connection.settimeout(patience)
            received = b""
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass
            try:
                while True:
                    chunk = connection.recv(65536)
                    if not chunk:
                        return received
                    received += chunk
                    head, _, rest = received.partition(b"\r\n\r\n")
                    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                    if rest and length and len(rest) >= int(length[0].split(b":")[1]):
                        return received
            except (socket.timeout, ConnectionResetError):
                return received
