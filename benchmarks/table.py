"""Write benchmarks/README.md from the JSON of pytest-benchmark: one table with the peers and ratios of every group.

tox run -e bench -- --benchmark-json bench.json && python benchmarks/table.py bench.json [MORE.json ...]
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

OUT = Path(__file__).with_name("README.md")
LIBRARIES = (
    "serab-core", "numpy", "numba", "scipy", "scikit-learn", "h5py", "optuna", "torch", "torchaudio", "librosa",
    "kaldi-native-fbank", "soundfile", "soxr",
)  # fmt: skip
HEAD = """# Benchmarks

Made by a command: `tox run -e bench -- --benchmark-json bench.json && python benchmarks/table.py bench.json`.
Within a group every entry did the same work on the same machine, one after the other; a **ratio** is its median over
the first entry's. Times say little on another machine, ratios more. Beside this table there are

- `python benchmarks/scale`: how time and memory grow, with plots in [docs/scale](../docs/scale/index.md);
- `tox run -e bench-check`: the tripwire over the ratios in `watch/ratios.json`;
- `serab bench X`: what an extractor costs, on your machine.

"""


def main() -> None:
    """Read the files that the command line names, and write the table."""
    runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    groups: dict[str, list[dict]] = {}
    for run in runs:
        run_groups: dict[str, list[dict]] = {}
        for benchmark in run["benchmarks"]:
            run_groups.setdefault(benchmark["group"] or benchmark["name"], []).append(benchmark)
        groups |= run_groups  # a group of a later file replaces the same group of an earlier file
    machine = runs[-1]["machine_info"]
    cpu = machine["cpu"]
    versions = ", ".join(f"{name} {installed_version}" for name in LIBRARIES if (installed_version := installed(name)))
    lines = [
        HEAD,
        f"{cpu.get('brand_raw', 'unknown processor')}, {cpu.get('count', '?')} cores, {machine['system']}, "
        f"Python {machine['python_version']}; {runs[-1]['datetime'][:10]}.\n{versions}.\n",
        "| what | who | median ms | ratio | spread |",
        "|---|---|---:|---:|---:|",
    ]
    for group, entries in groups.items():
        first = entries[0]["stats"]["median"]
        names = [
            benchmark["param"] or benchmark["name"].removeprefix("test_").replace("_", " ") for benchmark in entries
        ]
        shared = os.path.commonprefix(names).rfind("-") + 1 if len(names) > 1 else 0  # noqa: RUF071  not paths
        for number, benchmark in enumerate(entries):
            stats = benchmark["stats"]
            spread = f"{100 * stats['iqr'] / stats['median']:.0f} %" if stats["rounds"] > 2 else "one round"
            cells = (group if number == 0 else "", names[number][shared:], f"{1000 * stats['median']:,.2f}")
            lines.append("| " + " | ".join((*cells, f"{stats['median'] / first:.2f}", spread)) + " |")
    OUT.write_text("\n".join(lines) + "\n")
    print(f"{OUT}: {len(groups)} groups")


def installed(name: str) -> str | None:
    """Return the installed version of a distribution, or None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
