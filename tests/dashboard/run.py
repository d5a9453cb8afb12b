"""Runs a scenario of the dashboard in Chromium. What is to be looked at is in the environment:
ADMIN and PROXY, where larder listens; PID, its process; SHOTS, a folder for pictures.

usage: run.py SCENARIO
"""

import sys

import access
import doors
import use
from browser import Dashboard

SCENARIOS = {
    name: scenario
    for module in (access, doors, use)
    for name, scenario in vars(module).items()
    if callable(scenario) and scenario.__module__ == module.__name__ and not name.startswith("_")
}

if __name__ == "__main__":
    name = sys.argv[1]
    with Dashboard(name) as dashboard:
        SCENARIOS[name](dashboard)
    print(f"{name}: all is well")
