"""What the guest's counters say of a loop whose instructions are known, asked without tax-probe's own reading of perf.

``count_down(n)`` takes 2 n instructions. Prints one JSON document; judging it is for the machine outside.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import profiler._counters as counters

LOOP = "import sys; sys.path.append(sys.argv[1]); import _counters; _counters.count_down(int(sys.argv[2]))"
FOLDER = str(Path(counters.__file__).parent)
SHORT, LONG = 1_000_000, 51_000_000
REGION = 5_000_000
REGIONS = 8
TICKLESS = (100_000, 500_000)
"""Iterations that end between two ticks of the kernel's timer, more often than not."""
EVENTS = ("instructions", "cycles")
HOG = ["perf", "stat", "-a", "-x", ",", "-o", "/dev/null", *(["-e", "instructions:u"] * 6)]
"""Holds every programmable counter, so that others take turns with it."""


def perf_stat(n: int, suffix: str) -> dict[str, float]:
    """Counts of one process, by perf's own CSV."""
    events = ",".join(f"{event}{suffix}" for event in EVENTS)
    command = ["perf", "stat", "-x", ",", "-e", events, "--", sys.executable, "-S", "-s", "-c", LOOP, FOLDER, str(n)]
    environment = {"PATH": "/usr/bin", "PYTHONHASHSEED": "0", "LC_ALL": "C"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr
    fields = [line.split(",") for line in said.splitlines() if line.count(",") >= 4]
    return {event: float(field[0]) for event, field in zip(EVENTS, fields, strict=True)}


def slopes(suffix: str) -> dict[str, float]:
    """Per iteration of the loop: the start cancels."""
    short, long = perf_stat(SHORT, suffix), perf_stat(LONG, suffix)
    return {event: (long[event] - short[event]) / (LONG - SHORT) for event in EVENTS}


def regions(names: list[str], count: int, region: "counters.Region | None" = None) -> list[dict[str, object]]:
    """Equal regions of one group: values, and the times that it was enabled and ran."""
    region = counters.Region(names) if region is None else region
    found = []
    for _ in range(count):
        region.start()
        counters.count_down(REGION)
        values, enabled_ns, running_ns = region.stop()
        found.append({"values": values, "enabled_ns": enabled_ns, "running_ns": running_ns})
    return found


def disturbed() -> dict[str, list[dict[str, object]]]:
    """Regions of one group while another session holds the counters, and after it has gone."""
    region = counters.Region([*EVENTS, "task-clock"])
    with subprocess.Popen(HOG, stderr=subprocess.DEVNULL) as hog:
        time.sleep(0.5)
        during = regions([], 4, region)
        hog.send_signal(signal.SIGINT)
    return {"during": during, "after": regions([], 4, region)}


def clock_ns_per_instruction() -> float:
    """By the guest's clock, from two lengths of the loop: the least of many each, as the kernel's work only adds."""
    least = {}
    for iterations in TICKLESS:
        taken = []
        for _ in range(40):
            began = time.perf_counter_ns()
            counters.count_down(iterations)
            taken.append(time.perf_counter_ns() - began)
        least[iterations] = min(taken)
    short, long = TICKLESS
    return (least[long] - least[short]) / (2 * (long - short))


json.dump(
    {
        "iterations_of_a_region": REGION,
        "perf_stat_user": slopes(":u"),
        "perf_stat_all": slopes(""),
        "regions": regions(list(EVENTS), REGIONS),
        "task_clock_regions": regions(["task-clock"], REGIONS),
        "disturbed": disturbed(),
        "clock_ns_per_instruction": clock_ns_per_instruction(),
    },
    sys.stdout,
    indent=1,
)
