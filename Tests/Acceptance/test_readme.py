"""Runs the README's walk against the demonstration, as `make run` starts it, and compares the answers with what the README shows."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf8")


def walk():
    """The commands of the README's console blocks in order, each with the output that is shown for it."""
    steps = []
    for block in re.findall(r"```console\n(.*?)```", README, flags=re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in steps]


def matches(shown, output):
    """Whether `output` is what is shown: "…" stands for anything, white space for nothing."""
    pieces = [re.escape(re.sub(r"\s", "", piece)) for piece in shown.split("…")]
    return re.fullmatch(".*".join(pieces), re.sub(r"\s", "", output), flags=re.S) is not None


class Demonstration:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="posto-readme-"))
        # From the repository's folder, as `make run` names it.
        self.demo = os.path.relpath(self.folder, ROOT)
        self.output = open(self.folder / "output", "w+", encoding="utf8")
        self.process = subprocess.Popen(
            [ROOT / "Packaging/demo/run"], cwd=ROOT, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "POSTO_DEMO": self.demo, "POSTO_DEMO_LISTEN": "127.0.0.1:0"})
        deadline = time.monotonic() + 60
        while "Ctrl-C" not in self.text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.text()
            time.sleep(0.02)
        self.url = re.search(r"http://127\.0\.0\.1:\d+", self.text())[0]

    def text(self):
        return (self.folder / "output").read_text(encoding="utf8")

    def run(self, command):
        command = command.replace("http://127.0.0.1:8500", self.url).replace(".build/demo", self.demo)
        return subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGINT)
            assert self.process.wait(timeout=30) == 0, self.text()
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.output.close()
            shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def demonstration():
    running = Demonstration()
    yield running
    running.close()


def test_the_readme_has_a_walk():
    assert len(walk()) >= 10


def test_what_is_shown_is_compared():
    assert matches('{"a":…,\n "b":1}', '{"a":17,"b":1}')
    assert not matches('{"a":…,"b":1}', '{"a":17,"b":2}')
    assert not matches("", "something")


def test_every_step_of_the_readme_answers_what_it_shows(demonstration):
    for command, shown in walk():
        done = demonstration.run(command)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        assert matches(shown, done.stdout), f"$ {command}\nshown:  {shown}\nanswer: {done.stdout}"


def test_what_the_demonstration_invites_to_works(demonstration):
    commands = [line.strip() for line in demonstration.text().splitlines() if re.match(r"  (curl|kill) ", line)]
    assert len(commands) == 5
    for command in commands:
        done = demonstration.run(command.split("  #")[0])
        assert done.returncode == 0 and "error" not in done.stdout, f"$ {command}\n{done.stdout}{done.stderr}"
    again = demonstration.run("curl -s --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1:8500/services/shop-api")
    assert '"source":"live"' in again.stdout, again.stdout + demonstration.text()


def test_the_two_commands_of_the_quick_start_are_there():
    made = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in re.findall(r"^make (\w+)", README, flags=re.M):
        assert f"make {command} " in made
