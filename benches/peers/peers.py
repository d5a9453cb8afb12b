#!/usr/bin/env python3
"""nginx, Varnish and larder side by side: one machine, one origin, one load.

Needs nothing but Python's standard library, and of the programs those that are
on PATH. Prints the figures as Markdown. README.md says how to run it.
"""

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NGINX = """
daemon off; master_process on; worker_processes auto; pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn; user root;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  proxy_cache_path {folder}/cache keys_zone=all:16m max_size=256m;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 256; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache all; proxy_cache_lock on; proxy_cache_lock_timeout 30s;
      proxy_cache_lock_age 30s;
    }}
  }}
}}
"""


# --- the origin -------------------------------------------------------------


async def serve_one(reader, writer, counts):
    """/NAME/MILLIS/store, /NAME/MILLIS/pass, /NAME/MILLIS/stream; /count/PATH."""
    try:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                pass
            path = line.split()[1].decode()
            if path.startswith("/count/"):
                body, control = str(counts.get(path[6:], 0)).encode(), "no-store"
            else:
                counts[path] = counts.get(path, 0) + 1
                _, _, millis, kind = path.split("/")
                if kind == "stream":
                    await stream(writer, int(millis) / 1000)
                    continue
                await asyncio.sleep(int(millis) / 1000)
                body, control = b"x" * 1024, "max-age=2" if kind == "store" else "no-store"
            head = f"HTTP/1.1 200 OK\r\nCache-Control: {control}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
    except (ConnectionError, ValueError, IndexError):
        pass
    finally:
        writer.close()


async def stream(writer, seconds):
    """Half of a body at once, the other half later."""
    half = b"x" * 8192
    head = f"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {2 * len(half)}\r\n\r\n"
    writer.write(head.encode() + half)
    await writer.drain()
    await asyncio.sleep(seconds)
    writer.write(half)
    await writer.drain()


async def origin(port):
    counts = {}
    server = await asyncio.start_server(
        lambda r, w: serve_one(r, w, counts), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


# --- the clients ------------------------------------------------------------


async def ask(port, path):
    """Seconds to the first byte of the body, and to its last."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(f"{path}: {head.splitlines()[0]!r}")
    await reader.readexactly(1)
    first = time.perf_counter() - began
    await reader.read(-1)
    writer.close()
    return first, time.perf_counter() - began


async def crowd(port, path, many):
    return await asyncio.gather(*(ask(port, path) for _ in range(many)))


async def count(path, of):
    reader, writer = await asyncio.open_connection("127.0.0.1", of)
    writer.write(f"GET /count{path} HTTP/1.1\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    answer = await reader.read(32)
    writer.close()
    return int(answer)


def ms(seconds):
    return f"{seconds * 1000:,.0f} ms"


async def measure(name, port, origin_port, times):
    """All figures of one proxy, by row. Each has pages of its own."""
    rows = {}

    async def cold(row, many, kind, millis, what):
        figures, asked = [], []
        for number in range(times):
            path = f"/{name}-{row}{number}/{millis}/{kind}"
            answers = await crowd(port, path, many)
            figures.append(what([whole for _, whole in answers]))
            asked.append(await count(path, origin_port))
        return statistics.median(figures), max(asked)

    middle, asked = await cold("a", 40, "store", 100, statistics.median)
    rows["40 clients, cold, 100 ms, storable: median answer"] = ms(middle)
    rows["the same: requests to the origin"] = str(asked)
    middle, _ = await cold("b", 40, "pass", 100, statistics.median)
    rows["40 clients, cold, 100 ms, uncacheable: median answer"] = ms(middle)
    slowest, asked = await cold("c", 200, "store", 500, max)
    rows["200 clients, cold, 500 ms: slowest, requests"] = f"{ms(slowest)}, {asked}"
    path = f"/{name}-d/500/store"
    await ask(port, path)
    # Longer than the lifetime, for who counts in whole seconds too.
    await asyncio.sleep(3.2)
    before = await count(path, origin_port)
    answers = await crowd(port, path, 200)
    asked = await count(path, origin_port) - before
    slowest = max(whole for _, whole in answers)
    rows["200 clients, just expired, 500 ms: slowest, requests"] = f"{ms(slowest)}, {asked}"
    for row in ("first", "remembered"):
        answers = await crowd(port, f"/{name}-e/200/pass", 50)
        slowest = max(whole for _, whole in answers)
        rows[f"50 clients, uncacheable, 200 ms, {row}: slowest"] = ms(slowest)
    late = []
    for number in range(times):
        path = f"/{name}-f{number}/500/stream"
        leader = asyncio.create_task(ask(port, path))
        await asyncio.sleep(0.1)
        late.append((await ask(port, path))[0])
        await leader
    rows["a follower's first byte, when the leader's has come"] = ms(statistics.median(late))
    return rows


# --- the proxies ------------------------------------------------------------


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def wait_for(port, process):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}")
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"{process.args[0]} does not listen")


def command(name, program, port, origin_port, folder):
    if name == "nginx":
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port, origin=origin_port))
        return [program, "-c", str(config), "-e", str(folder / "nginx.log")]
    if name == "varnish":
        where = ["-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{origin_port}"]
        return [program, "-F", *where, "-n", str(folder / "varnish"), "-s", "malloc,256m"]
    config = folder / "larder.toml"
    config.write_text(
        f'listen = "127.0.0.1:{port}"\n[origin]\nto = "http://127.0.0.1:{origin_port}"\n'
        f'[admin]\nlisten = "127.0.0.1:{free_port()}"\n[log]\naccess = "off"\n'
    )
    return [program, "run", "--config", str(config)]


def version(program, name):
    flag = {"nginx": "-v", "varnish": "-V", "larder": "--version"}[name]
    said = subprocess.run([program, flag], capture_output=True, text=True)
    return (said.stdout + said.stderr).splitlines()[0]


def programs(larder):
    path = os.environ["PATH"] + ":/usr/sbin"
    found = {
        "nginx": shutil.which("nginx", path=path),
        "varnish": shutil.which("varnishd", path=path),
        "larder": shutil.which(larder, path=path),
    }
    for name, program in found.items():
        if not program:
            how = "build it: cargo build --release" if name == "larder" else f"apt-get install {name}"
            print(f"{name} is missing: {how}", file=sys.stderr)
    return {name: program for name, program in found.items() if program}


def run(arguments, folder):
    origin_port = free_port()
    running = [subprocess.Popen([sys.executable, __file__, "--origin", str(origin_port)])]
    table = {}
    try:
        wait_for(origin_port, running[0])
        found = programs(arguments.larder)
        for name, program in found.items():
            print(f"- {version(program, name)}")
            port = free_port()
            with open(folder / f"{name}.out", "w") as out:
                words = command(name, program, port, origin_port, folder)
                process = subprocess.Popen(words, stdout=out, stderr=out)
            running.append(process)
            wait_for(port, process)
            table[name] = asyncio.run(measure(name, port, origin_port, arguments.times))
            process.terminate()
            process.wait(30)
    finally:
        for process in running:
            process.terminate()
    print(f"- {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n")
    print("| | " + " | ".join(table) + " |\n|---|" + "--:|" * len(table))
    for row in next(iter(table.values()), {}):
        print(f"| {row} | " + " | ".join(rows[row] for rows in table.values()) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built = Path(__file__).parents[2] / "target/release/larder"
    parser.add_argument("--larder", default=str(built), help="the program; a release build")
    parser.add_argument("--times", type=int, default=3, help="how often each is measured")
    parser.add_argument("--origin", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.origin:
        asyncio.run(origin(arguments.origin))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        run(arguments, Path(folder))


if __name__ == "__main__":
    main()
