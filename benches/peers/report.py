"""What a run has found, as Markdown: the tables, or the whole of docs/performance.md."""

import os
import platform
import re
import statistics
import time
import tomllib
from pathlib import Path

import proxies

HERE = Path(__file__).parent
SERVERS = ["nginx", "varnish", "haproxy", "floor", "larder"]


def machine(found):
    """On what this runs, a line each; read before anything is measured."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1))
    yet = os.getloadavg()[0]
    return [
        f"{time.strftime('%Y-%m-%d')}, load before it {yet:.2f}",
        f"{os.cpu_count()} cores: {processor.group(1) if processor else platform.machine()}; "
        f"{memory / (1 << 20):.0f} GiB; Linux {platform.release()}",
        *(proxies.version(name, program) for name, program in found.items()),
    ]


def app_lines(rows):
    yield "| | requests a second | p50 | p99 | CPU a request |"
    yield "|---|--:|--:|--:|--:|"
    for name, told in rows:
        middle = {key: statistics.median(one[key] for one in told) for key in told[0]}
        rate = statistics.median(one["requests"] / one["seconds"] for one in told)
        yield (
            f"| {name} | {rate:,.0f} | {middle['p50']:,.2f} ms | {middle['p99']:,.2f} ms "
            f"| {middle['cpu']:,.1f} us |"
        )


def instruction_lines():
    """What `make count` has recorded."""
    recorded = tomllib.loads((HERE.parent / "instructions.toml").read_text())
    for toolchain, figures in recorded.items():
        yield f"| {toolchain} | instructions |"
        yield "|---|--:|"
        for kind, figure in figures.items():
            yield f"| {kind.replace('-', ' ')} | {figure:,} |"
        yield ""


def missed_lines(tables):
    """Each target that is missed, and what is known of why."""
    reasons = tomllib.loads((HERE / "missed.toml").read_text())
    missed = [item for table in tables for item in table.missed().items()]
    if not missed:
        yield "None."
    for title, row in missed:
        said = row.result() if isinstance(row.target, dict) else row.wanted()
        yield f"- {title}: {said}. {reasons.get(title, '')}".rstrip()


def sections(machine_lines, took, costs, crowd, django):
    """What fills the gaps of performance.md.in."""
    took_line = f"The run took {took / 60:.0f} minutes."
    return {
        "machine": [*(f"- {line}" for line in machine_lines), "", took_line],
        "costs": costs.lines(SERVERS),
        "crowds": crowd.lines(SERVERS),
        "app": app_lines(django),
        "missed": missed_lines([costs, crowd]),
        "instructions": instruction_lines(),
    }


def document(*results):
    text = (HERE / "performance.md.in").read_text()
    for name, lines in sections(*results).items():
        text = text.replace(f"@{name}@", "\n".join(lines).strip())
    return text


def show(machine_lines, took, costs, crowd, django):
    for line in machine_lines:
        print(f"- {line}")
    for table in (costs, crowd):
        if table.rows:
            print("", *table.lines(SERVERS), sep="\n")
    if django:
        print("", *app_lines(django), sep="\n")
    print(f"\n{took:.0f} s")
