"""Libraries that stand between the daemon and the system (LD_PRELOAD): built by the tests, controlled through mapped files."""

import functools
import mmap
import pathlib
import shutil
import struct
import subprocess
import tempfile

import pytest

SOURCES = pathlib.Path(__file__).parent / "preload"


@functools.cache
def library(name):
    """Builds preload/NAME.c and returns the path of the library."""
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
        node.environment.update(
            LD_PRELOAD=library("clock"), POSTO_TEST_CLOCK=str(path), POSTO_TEST_BOOT_ID=str(self._boot))
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
        node.environment.update(LD_PRELOAD=library("faults"), POSTO_TEST_FAULTS=str(path))

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
