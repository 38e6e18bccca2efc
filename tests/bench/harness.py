"""What the benchmarks share: a store of their own on a mount of their own that always goes away again, timing, and one way
to print: a table of figures beside the limit or the peer of the same run, or one JSON object.

The mithril that is measured: $MITHRIL, else the newest build/*/mithril of this checkout, else the one in PATH.
"""
import argparse
import atexit
import glob
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIB = 1 << 20


def program(name, variable):
    """The path of a program of this project."""
    if os.environ.get(variable):
        return os.environ[variable]
    built = glob.glob(str(ROOT / "build" / "*" / name)) + glob.glob(str(ROOT / "build" / "*" / "tests" / name))
    built = [b for b in built if os.access(b, os.X_OK) and not os.path.isdir(b)]
    found = max(built, key=os.path.getmtime) if built else shutil.which(name)
    if not found:
        sys.exit(f"{name}: not found; build it (cmake --preset release && cmake --build build/release) or set {variable}")
    return found


def size_of(text):
    """'64M' and '64MiB' by powers of 1024, '64MB' by powers of 1000, as bytes."""
    number, unit = re.fullmatch(r"([0-9.]+)([KMGT]?)(?:I?B)?", text.upper()).groups()
    thousand = 1000 if text.upper().endswith("B") and not text.upper().endswith("IB") else 1024
    return int(float(number) * thousand ** (" KMGT".index(unit) if unit else 0))


def arguments(text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--dir", help="work below this directory (default: $TMPDIR or /tmp)")
    return parser


class Work:
    """A temporary directory with everything mounted in it; leaves nothing behind, whatever ends the program."""

    def __init__(self, parent=None):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="mithril-bench-", dir=parent))
        self.stores = []
        self.mounts = []
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))

    def store(self, name="store", options=""):
        store = Store(self.path, name, options)
        self.stores.append(store)
        return store

    def bindfs(self, below, name="bindfs"):
        """bindfs, multithreaded, over directory `below`; None where it is not installed."""
        if not shutil.which("bindfs"):
            return None
        point = self.path / name
        point.mkdir()
        subprocess.run(["bindfs", "--multithreaded", str(below), str(point)], check=True)
        self.mounts.append(point)
        return point

    def close(self):
        for store in self.stores:
            store.umount(forced=True)
        for point in self.mounts:
            subprocess.run(["umount", "-l", str(point)], stderr=subprocess.DEVNULL)
        self.mounts = []
        shutil.rmtree(self.path, ignore_errors=True)


class Store:
    """One store, and its mount while it has one."""

    def __init__(self, parent, name, options):
        self.tool = program("mithril", "MITHRIL")
        self.path = parent / name
        self.mnt = parent / f"{name}.mnt"
        self.options = options
        self.mounted = False
        self.mnt.mkdir()
        self.run("init", self.path)
        self.mount()

    def run(self, *words):
        return subprocess.run([self.tool, *map(str, words)], check=True, text=True, stdout=subprocess.PIPE).stdout

    def mount(self, options=None):
        options = self.options if options is None else options
        self.run("mount", self.path, self.mnt, *(["-o", options] if options else []))
        self.mounted = True

    def umount(self, forced=False):
        if not self.mounted:
            return
        self.mounted = False
        ended = subprocess.run([self.tool, "umount", str(self.mnt)], stderr=subprocess.DEVNULL if forced else None)
        if ended.returncode and forced:
            subprocess.run(["umount", "-l", str(self.mnt)], stderr=subprocess.DEVNULL)
        elif ended.returncode:
            sys.exit(1)

    def remount(self, options=None):
        self.umount()
        self.mount(options)

    def sync(self):
        started = time.monotonic()
        self.run("sync", self.mnt)
        return time.monotonic() - started

    def settle(self, patience=120):
        """Waits until what was written is encoded by itself, as when nobody asks for it; then syncs."""
        until = time.monotonic() + patience
        while self.stats()["staged_files"] and time.monotonic() < until:
            time.sleep(0.2)
        self.sync()

    def stats(self):
        return json.loads(self.run("stats", "--json", self.mnt if self.mounted else self.path))

    def requests(self):
        """How many the kernel has sent since the mount, of all kinds; what it forgets is not counted."""
        return sum(r["count"] for name, r in self.stats()["requests"].items() if "forget" not in name)

    def stored(self):
        """Bytes on disk, everything counted."""
        return int(subprocess.run(["du", "-s", "--block-size=1", str(self.path)], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout.split()[0])

    def pid(self):
        return int((self.path / "lock").read_text().split()[1])

    def memory(self, field="VmHWM"):
        """Bytes, of the daemon."""
        for line in open(f"/proc/{self.pid()}/status"):
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        return 0

    def reset_peak(self):
        with open(f"/proc/{self.pid()}/clear_refs", "w") as f:
            f.write("5")


def drop_caches():
    """Empties the page cache; false without the right to."""
    os.sync()
    try:
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3")
        return True
    except OSError:
        return False


def files_below(path):
    return sorted(p for p in pathlib.Path(path).rglob("*") if p.is_file())


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else slow_digest(f)


def slow_digest(f):
    h = hashlib.sha256()
    while block := f.read(MIB):
        h.update(block)
    return h.hexdigest()


def small_files(program, phase, where, files, size, processes):
    """One phase of bench_smallfiles, named by its first word: operations a second."""
    ended = subprocess.run([program, phase.split()[0], str(where), str(files), str(size), str(processes)], check=True,
                           text=True, stdout=subprocess.PIPE)
    return float(ended.stdout)


def null_requests(parent, processes, requests=40000):
    """Requests a second that a FUSE daemon answers which does nothing: no daemon is faster here."""
    with tempfile.TemporaryDirectory(dir=parent) as point:
        ended = subprocess.run([program("bench_nullfs", "BENCH_NULLFS"), point, str(requests), str(processes)], check=True,
                               text=True, stdout=subprocess.PIPE)
    return float(ended.stdout)


def median(values):
    return statistics.median(values)


def seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Report:
    """Rows of (what, figure, unit, limit): `limit` is ('<=', number), ('>=', number) or None."""

    def __init__(self, name, as_json):
        self.name, self.as_json, self.rows = name, as_json, []

    def add(self, what, figure, unit="", limit=None, **more):
        if os.environ.get("BENCH_SMOKE") and limit != ("<=", 0):
            limit = None  # in small, only what must be exact means anything
        good = limit is None or (figure <= limit[1] if limit[0] == "<=" else figure >= limit[1])
        self.rows.append({"what": what, "figure": figure, "unit": unit, "good": good, **more,
                          **({"limit": f"{limit[0]} {limit[1]:g}"} if limit else {})})

    def end(self, strict=False):
        """Prints; an exit code: 1 when `strict` and a limit was missed."""
        if self.as_json:
            print(json.dumps({"bench": self.name, "rows": self.rows}, indent=2))
        else:
            width = max((len(r["what"]) for r in self.rows), default=0)
            for r in self.rows:
                figure = f"{r['figure']:,.0f}" if abs(r["figure"]) >= 1000 else f"{r['figure']:.4g}"
                verdict = "" if "limit" not in r else f"   {'meets' if r['good'] else 'MISSES'} {r['limit']}"
                print(f"{r['what']:{width}}  {figure:>14} {r['unit']:8}{verdict}".rstrip())
        return 1 if strict and not all(r["good"] for r in self.rows) else 0
