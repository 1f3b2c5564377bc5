"""Figures of a run of benchmarks: written as JSON, and two runs compared.

``make bench`` leaves ``.bench/figures-TIME-COMMIT.json``; ``make bench-compare OLD=... NEW=...``
prints every figure that both runs have, with the ratio of its numbers. Ratios between two
runs say something only where machine and load were the same: both are in the file.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)(?!\w)")


def describe_machine() -> dict[str, Any]:
    """Return what a reader must know of the machine: processor, cores, memory, load, system."""
    found: dict[str, Any] = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        names = re.findall(r"^model name\s*:\s*(.+)$", cpu.read_text(), re.MULTILINE)
        found["processor"] = names[0] if names else platform.machine()
    if hasattr(os, "getloadavg"):
        found["load"] = round(os.getloadavg()[0], 2)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found["memory_gib"] = round(size / 2**30, 1)
    return found


def write_figures(figures: list[dict[str, str]], folder: Path) -> Path:
    """Write the figures of a run, with its time, commit and machine, and return the file."""
    now = datetime.now(timezone.utc)
    commit = _commit()
    whole = {
        "time": now.isoformat(timespec="seconds"),
        "commit": commit,
        "machine": describe_machine(),
        "figures": figures,
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"figures-{now:%Y%m%d-%H%M%S}-{commit[:8]}.json"
    file.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def _commit() -> str:
    command = ["git", "rev-parse", "HEAD"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


def numbers(figure: str) -> list[float]:
    """Return the numbers of a figure, thousands separators left out."""
    return [float(one.replace(",", "")) for one in NUMBER.findall(figure)]


def compare(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield a line for the machines, and one for each figure that both runs have.

    A ratio is new over old, for each number of a figure; figures whose numbers are not
    as many in both are shown without one.
    """
    for name, run in (("old", old), ("new", new)):
        machine = ", ".join(f"{key} {value}" for key, value in run["machine"].items())
        yield f"{name}: {run['commit'][:8]} of {run['time']}; {machine}"
    before = {one["what"]: one["figure"] for one in old["figures"]}
    for one in new["figures"]:
        if one["what"] not in before:
            continue
        was, now = before[one["what"]], one["figure"]
        left, right = numbers(was), numbers(now)
        ratios = ""
        if left and len(left) == len(right) and all(left):
            pairs = zip(left, right, strict=True)
            ratios = "  x " + ", ".join(f"{after / first:.2f}" for first, after in pairs)
        yield f"{one['what']}: {was} -> {now}{ratios}"
    missing = sorted(set(before) - {one["what"] for one in new["figures"]})
    if missing:
        yield f"only in the old run: {'; '.join(missing)}"


def main(arguments: list[str]) -> int:
    """Print the comparison of two files."""
    if len(arguments) != 2:
        sys.stderr.write("Name two files: make bench-compare OLD=.bench/a.json NEW=.bench/b.json\n")
        return 2
    old, new = (json.loads(Path(one).read_text(encoding="utf-8")) for one in arguments)
    sys.stdout.writelines(f"{line}\n" for line in compare(old, new))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
