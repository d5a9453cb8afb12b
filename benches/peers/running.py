"""A program that listens, and what it takes of the machine."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

# Files that are no answers put on disk.
LOGS = {"out", "nginx.log", "access.log", "buffered.log"}


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def listens(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


class Running:
    """Ended by `end`; pinned to a core if one is said."""

    def __init__(self, words, port, folder, core=None, environment=None):
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        self.port, self.folder = port, folder
        with open(folder / "out", "w") as out:
            self.process = subprocess.Popen(
                [*pinned, *map(str, words)], stdout=out, stderr=out, env=environment
            )
        for _ in range(600):
            if self.process.poll() is not None:
                said = (folder / "out").read_text()
                sys.exit(f"{words[0]} ended with {self.process.returncode}: {said}")
            if listens(port):
                return
            time.sleep(0.05)
        self.kill()
        sys.exit(f"{words[0]} does not listen")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.process.terminate()
        self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def processes(self):
        """It and its children."""
        all_of_it, new = [], [self.process.pid]
        while new:
            all_of_it += new
            listed = [Path(f"/proc/{pid}/task/{pid}/children") for pid in new]
            new = [int(pid) for path in listed for pid in path.read_text().split()]
        return all_of_it

    def cpu(self):
        """Seconds of CPU so far, of all threads, user and system."""
        tasks = [t for pid in self.processes() for t in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def resident(self):
        """Bytes of memory."""
        pages = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in self.processes()]
        return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE")

    def anonymous(self):
        """Bytes of memory that are no file's: without programs and logs in shared memory."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self.processes()]
        return sum(int(re.search(r"RssAnon:\s*(\d+) kB", text).group(1)) for text in texts) << 10

    def descriptors(self):
        """Files and connections that are open."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.processes())

    def spooled(self):
        """Bytes of open files in its folder: what it put on disk."""
        total = 0
        for pid in self.processes():
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    where = os.readlink(descriptor)
                    if where.startswith(str(self.folder)) and Path(where).name not in LOGS:
                        total += descriptor.stat().st_size
                except OSError:
                    pass
        return total
