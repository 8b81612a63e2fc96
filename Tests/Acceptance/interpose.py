"""Libraries that stand between the daemon and the system (LD_PRELOAD): built by the tests, controlled through mapped files."""

import functools
import mmap
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import threading

import pytest

SOURCES = pathlib.Path(__file__).parent / "preload"


_building = threading.Lock()


def library(name):
    """Builds preload/NAME.c, once, and returns the path of the library. Any thread."""
    with _building:
        return _built(name)


@functools.cache
def _built(name):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to build the preload library with")
    target = pathlib.Path(_folder().name) / f"{name}.so"
    subprocess.run(
        [compiler, "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(target), str(SOURCES / f"{name}.c")],
        check=True)
    return str(target)


@functools.cache
def _folder():
    """Where the libraries of this run lie; removed at its end."""
    return tempfile.TemporaryDirectory(prefix="posto-acceptance-preload-")


def preload(node, name):
    """Puts a library before those that the node has already; of two that know the same call the last one put there has it."""
    node.environment["LD_PRELOAD"] = " ".join([library(name), *node.environment.get("LD_PRELOAD", "").split()])


class Clock:
    """The clocks of one node, to be stepped while it runs, and its boot."""

    YEAR = 365.25 * 86_400

    def __init__(self, node):
        path = node.folder / "clock"
        path.write_bytes(bytes(16))
        self._file = open(path, "r+b")
        self._map = mmap.mmap(self._file.fileno(), 16)
        self._boot = node.folder / "boot-id"
        self._boots = 0
        preload(node, "clock")
        node.environment.update(POSTO_TEST_CLOCK=str(path), POSTO_TEST_BOOT_ID=str(self._boot))
        self.reboot()

    def reboot(self):
        """From the next start on it is another boot of the host."""
        self._boots += 1
        self._boot.write_text(f"00000000-0000-4000-8000-{self._boots:012x}\n")

    def step_wall(self, seconds):
        """Shifts the wall clock, by so much against the true time."""
        self._map[0:8] = struct.pack("=q", int(seconds * 1e9))

    def step_uptime(self, seconds):
        """Shifts the clock that counts since boot."""
        self._map[8:16] = struct.pack("=q", int(seconds * 1e9))


class Faults:
    """Failures of the system's calls in one node, armed while it runs."""

    WRITE, PWRITE, WRITEV, SYNC, TRUNCATE, OPEN, ALLOCATE, META = 1, 2, 4, 8, 16, 32, 64, 128
    EVERY = 255
    #: What a commit does before the write that makes it valid.
    DATA = WRITE | PWRITE | WRITEV | SYNC
    #: A write that writes half of its bytes.
    SHORT = -1
    #: A disk that says that it has written, and has not.
    LIE = -2

    def __init__(self, node):
        path = node.folder / "faults"
        path.write_bytes(bytes(256))
        self._file = open(path, "r+b")
        self._map = mmap.mmap(self._file.fileno(), 256)
        preload(node, "faults")
        node.environment.update(POSTO_TEST_FAULTS=str(path))

    def arm(self, how, *, first=1, times=1, calls=EVERY, pattern="/store/"):
        """The counted calls `first` … `first + times - 1` from now on fail with the errno `how`."""
        self.disarm()
        self._map[4:256] = struct.pack("=iIIII", how, first, times, 0, 0) + pattern.encode().ljust(232, b"\0")
        self._map[0:4] = struct.pack("=I", calls)

    def disarm(self):
        self._map[0:4] = bytes(4)

    @property
    def counted(self):
        return struct.unpack("=I", self._map[16:20])[0]

    @property
    def failed(self):
        return struct.unpack("=I", self._map[20:24])[0]


class Power:
    """The power of one node's disk: cut, it takes back what was written and not synced, each sector by itself, as chance will have it."""

    SECTOR = 512
    ENTRY = struct.Struct("=IIQQQQQ")
    WRITE, WRITTEN, SYNCED, CREATED, CUT = 1, 2, 3, 4, 5

    def __init__(self, node, lies=False):
        self._log = node.folder / "power"
        preload(node, "power")
        node.environment.update(POSTO_TEST_POWER=str(self._log), POSTO_TEST_POWER_UNDER=str(node.state))
        if lies:
            node.environment["POSTO_TEST_POWER_LIES"] = "1"
        #: Sectors that were given older contents, files that lost their end, and files that never were.
        self.reverted = 0
        self.shortened = 0
        self.vanished = 0

    def cut(self, chance):
        """Call when the process is dead. The next start finds a disk that this one may have left behind."""
        files = self._unsynced()
        for path, (writes, sizes, is_created) in files.items():
            if not os.path.isfile(path):
                continue
            if is_created and chance.random() < 0.5:
                os.unlink(path)
                self.vanished += 1
                continue
            # All back, none back, or each sector as it comes.
            share = chance.choice((0, 1, 0.1, 0.5, 0.9))
            with open(path, "r+b") as file:
                self._revert(file, writes, share, chance)
                size = os.fstat(file.fileno()).st_size
                if sizes and min(sizes) < size and chance.random() < share:
                    file.truncate(min(sizes))
                    self.shortened += 1
        self._log.unlink(missing_ok=True)

    def _revert(self, file, writes, share, chance):
        versions = {}
        for offset, length, old in writes:
            for sector in range(offset // self.SECTOR, (offset + length + self.SECTOR - 1) // self.SECTOR):
                start, end = max(sector * self.SECTOR, offset), min((sector + 1) * self.SECTOR, offset + length)
                part = old[start - offset:end - offset]
                # Beyond the end of the file there was nothing.
                versions.setdefault(sector, []).append((start, part.ljust(end - start, b"\0")))
        size = os.fstat(file.fileno()).st_size
        for sector, olds in versions.items():
            if chance.random() >= share:
                continue
            # Any of the contents that it has had: what the last writes did is undone, the last one first.
            for start, part in reversed(olds[chance.randrange(len(olds)):]):
                part = part[:max(0, size - start)]
                file.seek(start)
                file.write(part)
            self.reverted += 1

    def _unsynced(self):
        """path → (writes that a cut may undo, oldest first; sizes that the file may have; whether its name is not durable)."""
        data = self._log.read_bytes() if self._log.exists() else b""
        writes, sizes, created = {}, {}, {}
        at = 0
        while at + self.ENTRY.size <= len(data):
            kind, path_bytes, number, offset, length, old_bytes, old_size = self.ENTRY.unpack_from(data, at)
            at += self.ENTRY.size
            path = data[at:at + path_bytes].decode()
            at += path_bytes
            old = data[at:at + old_bytes]
            at += old_bytes
            if at > len(data):
                break
            if kind == self.WRITE:
                writes.setdefault(path, []).append((number, offset, length, old))
                sizes.setdefault(path, []).append((number, old_size))
            elif kind == self.WRITTEN:
                # With O_DSYNC: this write and the size that it needs, nothing of the others.
                writes[path] = [w for w in writes[path] if w[0] != number]
                sizes[path] = [s for s in sizes[path] if s[0] != number]
            elif kind == self.CUT:
                sizes.setdefault(path, []).append((number, old_size))
            elif kind == self.CREATED:
                created[path] = number
            elif kind == self.SYNCED:
                writes[path] = [w for w in writes.get(path, []) if w[0] > number]
                sizes[path] = [s for s in sizes.get(path, []) if s[0] > number]
                # A folder that is synced has its names.
                for other, made in list(created.items()):
                    if os.path.dirname(other) == path and made <= number:
                        del created[other]
        return {
            path: ([w[1:] for w in writes.get(path, [])], [s[1] for s in sizes.get(path, [])], path in created)
            for path in {*writes, *created} if not path.endswith("-lock")}
