"""A store and its daemon, as a test handles them: make, mount, kill, unmount, check."""
import errno
import json
import os
import shutil
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("MITHRIL_BUILD", os.path.join(HERE, "../../build/release"))


def tool():
    for path in ("mithril", "tools/mithril"):
        path = os.path.abspath(os.path.join(BUILD, path))
        if os.access(path, os.X_OK):
            return path
    raise SystemExit(f"{BUILD} has no mithril; set MITHRIL_BUILD")


class Failure(Exception):
    """What was promised and is not so."""


class Daemon:
    def __init__(self, store, mount, options, log):
        self.store, self.mount, self.options, self.log = store, mount, options, log
        self.process = None
        os.makedirs(mount, exist_ok=True)

    def run(self, *arguments, check=True, seconds=300):
        done = subprocess.run([tool(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=seconds, text=True, errors="replace")
        if check and done.returncode:
            raise Failure(f"mithril {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}")
        return done

    def init(self):
        self.run("init", self.store)

    def mounted(self):
        with open("/proc/self/mountinfo") as file:
            return any(line.split()[4] == self.mount for line in file)

    def start(self):
        """Starts the daemon without waiting for it."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [tool(), "mount", "-f", "-v", "-o", ",".join(["allow_other", *self.options]), self.store, self.mount],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def wait_ready(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failure(f"the daemon ended with {self.process.returncode} instead of mounting; see {self.log}")
            if self.mounted():
                os.stat(self.mount)
                return
            time.sleep(0.01)
        raise Failure(f"not mounted after {seconds} s")

    def up(self):
        self.start()
        self.wait_ready()

    def kill(self):
        """kill -9. The mount must then answer ENOTCONN, never show an empty directory."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.mounted():
            try:
                os.listdir(self.mount)
                raise Failure("the mount of a dead daemon lists a directory")
            except OSError as error:
                if error.errno not in (errno.ENOTCONN, errno.ECONNABORTED):
                    raise Failure(f"the mount of a dead daemon answers {error}") from None

    def detach(self):
        """Takes the mount of a dead daemon out of the tree."""
        for _ in range(5):
            if not self.mounted():
                return
            if self.run("umount", "--lazy", self.mount, check=False).returncode:
                subprocess.run(["umount", "-l", self.mount], check=False)
        if self.mounted():
            raise Failure("the mount of a dead daemon cannot be unmounted")

    def down(self, seconds=120):
        """An orderly end."""
        self.run("umount", self.mount, seconds=seconds)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"the daemon is still there {seconds} s after its unmount") from None
        if code:
            raise Failure(f"the daemon ended with {code}; see {self.log}")

    def sync(self):
        self.run("sync", self.mount)

    def stats(self):
        return json.loads(self.run("stats", "--json", self.mount).stdout)

    def fsck(self):
        done = self.run("fsck", self.store, check=False)
        if done.returncode:
            raise Failure(f"mithril fsck: exit {done.returncode}\n{done.stdout}")

    def staging(self):
        return sorted(os.listdir(os.path.join(self.store, "staging")))

    def check_staging(self, empty):
        """Every staged file belongs to a staged inode; none is left where all is encoded and nothing is open."""
        for _ in range(600):
            found, told = self.staging(), self.stats()["staged_files"]
            if len(found) == told and not (empty and found):
                return
            time.sleep(0.1)
        raise Failure(f"staging/ holds {len(found)} files ({found[:8]}), stats say {told}"
                      + (", and nothing awaits encoding" if empty else ""))

    def kept(self):
        path = os.path.join(self.store, "kept")
        return set(os.listdir(path)) if os.path.exists(path) else set()

    def check_kept(self, before):
        """Raw copies outlive the daemon, if all was synced; none is where none was asked for."""
        found, told = self.kept(), self.stats()["kept_files"]
        if not before <= found or len(found) != told:
            raise Failure(f"{len(before)} raw copies were kept, {len(found)} are there now, stats say {told}")

    def end(self):
        """Leaves nothing behind, whatever happened."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for _ in range(5):
            if not self.mounted():
                break
            subprocess.run(["umount", "-l", self.mount], check=False)

    def remove(self):
        self.end()
        shutil.rmtree(self.store, ignore_errors=True)
