"""nginx, Varnish and larder: how they are configured and started, and what they
take of the machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

NGINX = """
daemon off; master_process on; worker_processes {workers}; pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit; user root; worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  {http}
}}
"""

CACHE = """
  proxy_cache_path {folder}/cache keys_zone=all:16m max_size=256m;
  upstream origin {{
    server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache all; proxy_cache_lock on; proxy_cache_lock_timeout 30s;
      proxy_cache_lock_age 30s; proxy_cache_use_stale error timeout;
    }}
    # For CPU: proxy_pass alone, as the cache's lock lets one through at a time.
    location = /pass {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
"""

# An origin that costs little, for what is measured in CPU.
STATIC = """
  server {{
    listen 127.0.0.1:{port} backlog=4096; default_type text/plain;
    location /pass {{ add_header Cache-Control no-store; return 200 {body}; }}
    location /hit {{ add_header Cache-Control max-age=3600; return 200 {body}; }}
  }}
"""


# Files that are no answers put on disk.
LOGS = {"out", "nginx.log"}


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def find(larder):
    """The programs that there are, by name."""
    path = os.environ["PATH"] + ":/usr/sbin"
    names = {"nginx": "nginx", "varnish": "varnishd", "larder": larder}
    found = {name: shutil.which(program, path=path) for name, program in names.items()}
    for name, program in found.items():
        if not program:
            how = "build it: cargo build --release" if name == "larder" else f"apt-get install {name}"
            print(f"{name} is missing: {how}", file=sys.stderr)
    return {name: program for name, program in found.items() if program}


def version(name, program):
    flag = {"nginx": "-v", "varnish": "-V", "larder": "--version"}[name]
    said = subprocess.run([program, flag], capture_output=True, text=True)
    return (said.stdout + said.stderr).splitlines()[0]


class Running:
    """A program that listens; ended by `end`."""

    def __init__(self, words, port, folder, core=None):
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        self.port, self.folder = port, folder
        with open(folder / "out", "w") as out:
            self.process = subprocess.Popen([*pinned, *words], stdout=out, stderr=out)
        for _ in range(400):
            if self.process.poll() is not None:
                sys.exit(f"{words[0]} ended with {self.process.returncode}: {folder / 'out'}")
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        sys.exit(f"{words[0]} does not listen")

    def end(self):
        self.process.terminate()
        self.process.wait(30)

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


def start(name, program, origin_port, folder, core=None):
    """A proxy in front of this origin; on one core if that is said."""
    folder.mkdir()
    port, one = free_port(), core is not None
    if name == "nginx":
        http = CACHE.format(folder=folder, port=port, origin=origin_port)
        return Running(nginx(program, folder, http, 1 if one else "auto"), port, folder, core)
    if name == "varnish":
        where = ["-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{origin_port}"]
        words = [program, "-F", *where, "-n", str(folder / "varnish"), "-s", "malloc,256m"]
        return Running(words, port, folder, core)
    config = folder / "larder.toml"
    config.write_text(
        f'listen = "127.0.0.1:{port}"\nthreads = {1 if one else 0}\n'
        f'[origin]\nto = "http://127.0.0.1:{origin_port}"\n'
        f'[admin]\nlisten = "127.0.0.1:{free_port()}"\n[log]\naccess = "off"\n'
        "[limits]\nconnections = 16384\n"
    )
    return Running([program, "run", "--config", str(config)], port, folder, core)


def nginx(program, folder, http, workers):
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, workers=workers, http=http))
    return [program, "-c", str(config), "-e", str(folder / "nginx.log")]


def static_origin(program, folder, core):
    """nginx as an origin that answers from memory."""
    folder.mkdir()
    port = free_port()
    http = STATIC.format(port=port, body="x" * 1024)
    return Running(nginx(program, folder, http, 1), port, folder, core)
