"""A real receiver under test: the process `posto receiver`, and what it holds."""

import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

from node import PATIENCE, binary


class Receiver:
    """One reference receiver. It keeps its port over a restart, so that the node's address for it stays right."""

    def __init__(self, folder=None, tokens=None):
        self._made = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="posto-receiver-"))
        self.log_path = self.folder / "log"
        self.port = 0
        self.process = None
        self.token_file = None
        if tokens:
            self.token_file = self.folder / "tokens"
            self.token_file.write_text("\n".join(tokens) + "\n")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        line = [binary(), "receiver", "--state", str(self.folder / "state"), "--listen", f"127.0.0.1:{self.port}"]
        if self.token_file:
            line += ["--token-file", str(self.token_file)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
        text = b""
        deadline = time.monotonic() + PATIENCE
        while not text.endswith(b"\n"):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.process.stdout], [], [], left)[0], f"not ready\n{self.log()}"
            chunk = os.read(self.process.stdout.fileno(), 4096)
            assert chunk, f"it ended\n{self.log()}"
            text += chunk
        assert text.startswith(b"posto receiver ready http="), text
        self.port = int(text.decode().strip().rsplit(":", 1)[1])
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process and not self.process.stdout.closed:
            self.process.stdout.close()
        if self._made:
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def series(self, node):
        """What there is of a node: {(stream, epoch): entry}."""
        status, body = self.request("GET", f"/v1/uplink/{node}")
        assert status == 200, body
        return {(entry["stream"], entry["epoch"]): entry for entry in json.loads(body)["streams"]}

    def lines(self, node, stream, epoch):
        """Every stored event, in order."""
        found = []
        after = 0
        while True:
            status, body = self.request("GET", f"/v1/uplink/{node}/{stream}?epoch={epoch}&after={after}&limit=5000")
            if status == 404:
                return []
            assert status == 200, body
            page = [json.loads(line) for line in body.splitlines()]
            if not page:
                return found
            found += page
            after = int(page[-1]["postoseq"])
