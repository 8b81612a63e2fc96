"""A branch: a real daemon, 107 services that register with it, and what answers its probes."""

import http.server
import pathlib
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Tests" / "Acceptance"))

from node import Node, eventually  # noqa: E402  (the path is set one line above)

#: A service of this branch: what is probed lies on 127.0.1.N, where `Probed` answers.
KINDS = ["atm", "boleto", "camera", "card", "cash-recycler", "counter", "door", "ledger", "pix", "printer", "queue", "signature", "teller", "till"]
FAILING = "till-03"
SILENT = "camera-02"


class Probed:
    """Answers the probes of the node: 200, and 500 below /bad."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802 (the library's name)
                self.send_response(500 if self.path.startswith("/bad") else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            # The whole branch is probed at once.
            request_queue_size = 256

            def handle_error(self, *_):
                """A prober that leaves early is no news."""

        self.server = Server(("0.0.0.0", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Branch:
    """The node under the pages, and what the interface says of it."""

    def __init__(self):
        self.probed = Probed()
        config = ('interval_seconds = 2\ntimeout_seconds = 2\nfailures = 2\nsuccesses = 1\n'
                  '[node]\nsite = "Agência Lisboa"\n')
        self.node = Node(dev=False, checks=True, grace=600, config=config)
        (self.node.statics / "price-list.json").write_text(
            '{"service_name": "price-list", "host": "10.20.0.9", "port": 8099, "health_endpoint": "/health"}')
        self.node.start()
        names = [f"{kind}-{number:02}" for kind in KINDS for number in range(1, 9)][:107]
        for index, name in enumerate(names):
            self.register(name, index, health_endpoint="/bad" if name == FAILING else "/health",
                          ttl_seconds=10 if name == SILENT else 3600, version="2.4.1", tags=["branch"])
        eventually(lambda: self.count("critical") == 1 and self.count("unknown") == 0, "every service is probed")
        eventually(lambda: self.node.instance(SILENT)["freshness"] == "expired", "one is silent")

    def register(self, name, index, **fields):
        answer = self.node.post("/api/v1/register", {
            "service_name": name, "host": f"127.0.{1 + index // 250}.{1 + index % 250}", "port": self.probed.port,
            "health_endpoint": "/health", "ttl_seconds": 3600, **fields})
        assert answer.status == 201, answer

    def count(self, health):
        return sum(1 for instance in self.node.services() if instance["health"] == health and instance["source"] == "live")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.node.port}"

    def close(self):
        self.node.close()
        self.probed.close()
