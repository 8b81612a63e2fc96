"""A receiver that lies, refuses or stumbles as a test wants it: a small HTTP server in this process.

`behave` is called with each batch (a dictionary) and returns (status, headers, body), or None for a truthful ack.
"""

import hashlib
import http.server
import json
import subprocess
import threading


class FakeReceiver:
    def __init__(self, behave=None, resume=None):
        self.behave = behave or (lambda batch: None)
        self.resume = resume or (lambda node: None)
        self.batches = []
        self.seen = {}
        self.lock = threading.Lock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                node = self.path.split("/")[3]
                self.answer(*(fake.resume(node) or (200, {}, fake.told(node))))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                batch = fake.read(self, body)
                self.answer(*(fake.behave(batch) or (200, {}, fake.ack(batch))))

            def answer(self, status, headers, body):
                if isinstance(body, (dict, list)):
                    body = json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self, request, body):
        plain = body
        if request.headers.get("Content-Encoding") == "zstd":
            plain = subprocess.run(["zstd", "-dc"], input=body, stdout=subprocess.PIPE, check=True).stdout
        batch = {
            "node": request.path.split("/")[3], "stream": request.path.split("/")[4], "epoch": int(request.headers["Uplink-Epoch"]),
            "first": int(request.headers["Uplink-First"]), "last": int(request.headers["Uplink-Last"]),
            "digest": request.headers["Content-Digest"], "headers": dict(request.headers), "body": body,
            "lines": [json.loads(line) for line in plain.splitlines()],
        }
        with self.lock:
            self.batches.append(batch)
        return batch

    def known(self, batch):
        return self.seen.setdefault((batch["stream"], batch["epoch"]), set())

    def ack(self, batch, refuse=()):
        """The truth: what is there after this batch, without what is refused."""
        with self.lock:
            known = self.known(batch)
            known.update(int(line["postoseq"]) for line in batch["lines"] if int(line["postoseq"]) not in refuse)
            high = max(known | set(refuse), default=0)
            missing = [[seq, seq] for seq in range(1, high) if seq not in known and seq not in refuse]
        return {"epoch": batch["epoch"], "acked_to": high, "missing": missing,
                "rejected": [{"seq": seq, "code": "schema", "retry": False} for seq in refuse],
                "digest": batch["digest"], "retry_after_ms": 0, "window": {"bytes": 524288, "inflight": 1}}

    def told(self, node):
        with self.lock:
            streams = [{"stream": stream, "epoch": epoch, "acked_to": max(known), "missing":
                        [[seq, seq] for seq in range(1, max(known)) if seq not in known], "records": len(known), "bytes": 0,
                        "last_received_at": "2026-11-25T00:00:00.000Z"} for (stream, epoch), known in self.seen.items() if known]
        return {"node": node, "streams": streams}

    @staticmethod
    def digest(body):
        import base64
        return "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
