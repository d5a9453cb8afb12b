"""The programs that make load and measure: wrk, and what is compiled here."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
# The servers have the first core, who loads them the second.
SERVER, CLIENT = 0, 1
CONNECTIONS = 64


def tried(arguments, row, measure, *words):
    """Measures a row. If that fails the others are measured all the same, and the run ends badly."""
    try:
        measure(*words)
    except (RuntimeError, OSError) as error:
        print(f"{row}: {error}", file=sys.stderr)
        arguments.failed.append(row)


def compiled(name, folder):
    """A program of one C file."""
    program = folder / name
    subprocess.run(["cc", "-O2", "-o", program, HERE / f"{name}.c"], check=True)
    return program


def wrk(port, path, seconds, *, pages=None, cores=CLIENT):
    """Requests, seconds and latencies in ms of one load; all answers have to be good."""
    words = ["taskset", "-c", cores, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    words += ["--latency", "--timeout", "20s"]
    if pages is not None:
        words += ["-s", HERE / "pages.lua"]
    words.append(f"http://127.0.0.1:{port}{path}")
    if pages is not None:
        words += ["--", path, pages]
    said = subprocess.run([str(word) for word in words], capture_output=True, text=True).stdout
    found = re.search(r"(\d+) requests in ([\d.]+)(m?s|m)", said)
    if not found or found.group(1) == "0" or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{path} at port {port}: {said}")
    # wrk rounds the time to hundredths; that is enough.
    took = float(found.group(2)) * {"s": 1, "ms": 1e-3, "m": 60}[found.group(3)]
    return {"requests": int(found.group(1)), "seconds": took, **latencies(said)}


def wrk_each(servers, path, seconds, cores):
    """One wrk for each of these servers, at the same time."""
    with ThreadPoolExecutor() as pool:
        loads = [
            pool.submit(wrk, server.port, path, seconds, pages=1000, cores=cores)
            for server in servers
        ]
        return [one.result() for one in loads]


def ratios(these, those):
    return [one / other for one, other in zip(these, those)]


def latencies(said):
    units = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}
    found = re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)$", said, re.M)
    return {f"p{which}": float(value) * units[unit] for which, value, unit in found}


def load(
    program, port, path, count, *, rate=0, pages=0, field=(), connections=CONNECTIONS, core=CLIENT
):
    """What load.c tells of so many requests; all answers have to be good."""
    words = ["taskset", "-c", core, program, port, connections, rate, count, pages, path, *field]
    said = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if said.returncode:
        raise RuntimeError(f"{path} at port {port}: {said.stderr}")
    told = json.loads(said.stdout)
    if told["bad"]:
        raise RuntimeError(f"{path} at port {port}: {told['bad']} bad answers")
    return told
