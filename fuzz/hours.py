#!/usr/bin/env python3
"""Runs fuzz targets for so much processor time each, and says how it went.

    fuzz/hours.py [--cpu SECONDS] [--jobs N] [--corpora FOLDER] TARGET ...

Takes the programs that `cargo +nightly fuzz build --sanitizer none` has made. What a target
comes by goes to FOLDER/TARGET (default: fuzz/found, which is not committed), beside
what fuzz/corpus has of it; a finding goes to FOLDER/TARGET.finding and ends that target.
A line a target: executions, edges reached, seconds of processor time, finding or none.
It ends with 1 where there was a finding.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "target/x86_64-unknown-linux-gnu/release"

# Wall time of one piece, in seconds: processor time is looked at between two.
PIECE = 300

PULSE = re.compile(r"^#(\d+)\s.* cov: (\d+) ft: (\d+)", re.MULTILINE)
DONE = re.compile(r"^Done (\d+) runs", re.MULTILINE)


def piece(target: str, folder: pathlib.Path, seconds: int) -> tuple[int, int, float, bool]:
    """Runs a target once. Returns executions, edges, processor time, and whether it passed."""
    found, log = folder / target, folder / f"{target}.log"
    found.mkdir(parents=True, exist_ok=True)
    command = [
        str(PROGRAMS / target),
        f"-artifact_prefix={folder}/{target}.finding-",
        f"-max_total_time={seconds}",
        "-timeout=5",
        "-rss_limit_mb=2048",
        "-max_len=2048",
        str(found),
        str(HERE / "corpus" / target),
    ]
    with log.open("wb") as output:
        process = os.posix_spawn(
            command[0],
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
            ],
        )
        _, status, used = os.wait4(process, 0)
    text = log.read_text(errors="replace")
    pulses = PULSE.findall(text)
    done = DONE.search(text)
    executions = int(done[1]) if done else int(pulses[-1][0]) if pulses else 0
    edges = int(pulses[-1][1]) if pulses else 0
    return executions, edges, used.ru_utime + used.ru_stime, status == 0


def run(target: str, folder: pathlib.Path, cpu: int) -> bool:
    """Runs a target until it has used so much processor time, or has a finding."""
    executions, edges, spent, passed = 0, 0, 0.0, True
    while passed and spent < cpu:
        more, edges, seconds, passed = piece(target, folder, min(PIECE, int(cpu - spent) + 1))
        executions, spent = executions + more, spent + seconds
        print(f"{target}: {executions} {edges} {spent:.0f} s", file=sys.stderr, flush=True)
    end = "none" if passed else f"see {folder}/{target}.log"
    print(f"| `{target}` | {executions:,} | {edges:,} | {spent:,.0f} | {end} |", flush=True)
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--cpu", type=int, default=3600, help="seconds of processor time each")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    parser.add_argument("--corpora", type=pathlib.Path, default=HERE / "found")
    said = parser.parse_args()
    missing = [name for name in said.targets if not (PROGRAMS / name).exists()]
    if missing:
        parser.error(f"not built: {', '.join(missing)}")
    with concurrent.futures.ThreadPoolExecutor(said.jobs) as pool:
        ended = pool.map(lambda name: run(name, said.corpora, said.cpu), said.targets)
        return 0 if all(list(ended)) else 1


if __name__ == "__main__":
    sys.exit(main())
