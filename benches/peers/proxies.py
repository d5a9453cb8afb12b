"""The servers: how they are found, configured and started."""

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from running import Running, free_port

HERE = Path(__file__).parent
PROGRAMS = {"nginx": "nginx", "varnish": "varnishd", "haproxy": "haproxy", "wrk": "wrk"}
# In the order of the table's columns; the floor is no proxy, and nothing to be found.
PROXIES = ["nginx", "varnish", "haproxy", "larder"]
CONFIGURATIONS = {
    "nginx": "nginx.conf",
    "varnish": "varnish.vcl",
    "haproxy": "haproxy.cfg",
    "larder": "larder.toml",
}


def find(larder):
    """The programs that there are, by name."""
    path = os.environ["PATH"] + ":/usr/sbin"
    found = {name: shutil.which(p, path=path) for name, p in {**PROGRAMS, "larder": larder}.items()}
    for name, program in found.items():
        if not program:
            how = "cargo build --release" if name == "larder" else "scripts/setup-peers"
            print(f"{name} is missing, and what needs it left out: {how}", file=sys.stderr)
    return {name: program for name, program in found.items() if program}


def version(name, program):
    flag = {"nginx": "-v", "varnish": "-V", "haproxy": "-v", "wrk": "-v"}.get(name, "--version")
    said = subprocess.run([program, flag], capture_output=True, text=True)
    return (said.stdout + said.stderr).splitlines()[0].split(" Copyright")[0]


def fill(name, into, **values):
    """The configuration file of that name in this folder, with its @gaps@ filled in."""
    text = (HERE / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    if left := re.search(r"@\w+@", text):
        raise ValueError(f"{name}: nothing for {left.group()}")
    path = into / name
    path.write_text(text)
    return path


def start(name, program, origin, folder, core=None, **options):
    """A proxy in front of the origin at this port; on one core if that is said. See `words`."""
    if core is not None and "threads" not in options:
        options["threads"] = 1
    command, ports = words(name, program, origin, folder, **options)
    running = Running(command, ports["port"], folder, core)
    running.name, running.ports = name, ports
    return running


def words(name, program, origin, folder, threads=None, memory=256, log="off"):
    """How a proxy is started, with its configuration written to this folder, and its ports.
    Memory is what may be stored, in MiB."""
    folder.mkdir(parents=True)
    ports = {which: free_port() for which in ("port", "logged", "buffered", "admin")}
    config = fill(
        CONFIGURATIONS[name], folder, folder=folder, origin=origin, log=log, memory=memory,
        threads=threads or os.cpu_count(),
        descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        **ports,
    )
    arguments = {
        "nginx": ["-c", config, "-e", folder / "nginx.log"],
        "varnish": [
            *["-F", "-a", f"127.0.0.1:{ports['port']}", "-f", config],
            *["-n", folder / "varnish", "-s", f"malloc,{memory}m"],
            # Idle connections are kept as long as the others keep them.
            *["-p", "timeout_idle=60"],
        ],
        "haproxy": ["-db", "-f", config],
        "larder": ["run", "--config", config],
    }
    return [program, *arguments[name]], ports


def static_origin(program, folder, core):
    """nginx as an origin that answers from memory."""
    (folder / "large").mkdir(parents=True)
    for name, size in [("32k", 32 << 10), ("1m", 1 << 20)]:
        (folder / "large" / name).write_bytes(b"x" * size)
    port = free_port()
    config = fill("origin.conf", folder, folder=folder, port=port, body="x" * 1024)
    return Running([program, "-c", config, "-e", folder / "nginx.log"], port, folder, core)


def floor(program, response, pages, folder, core):
    """The floor, which answers with these bytes, and has them as often as there are pages."""
    folder.mkdir(parents=True)
    (folder / "response").write_bytes(response)
    port = free_port()
    running = Running([program, str(port), folder / "response", str(pages)], port, folder, core)
    running.name = "floor"
    return running
