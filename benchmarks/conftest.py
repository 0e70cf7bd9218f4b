"""Print, after the table of each benchmark group, the ratio of each entry to the group's first entry."""

from __future__ import annotations

from collections import defaultdict


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    groups = defaultdict(list)
    for bench in getattr(session, "benchmarks", ()):
        if bench.stats:
            groups[bench.group].append(bench)
    for group, benches in groups.items():
        terminalreporter.section(f"ratios: {group}")
        first = benches[0].stats.median
        for bench in benches:
            median = bench.stats.median
            name = bench.param or bench.name
            extra = "".join(f"   {key} {value:.0f}" for key, value in bench.extra_info.items())
            terminalreporter.write_line(
                f"{name:<26} median {1000 * median:9.1f} ms   {median / first:6.2f}x   "
                f"{1000 * (median - first):+9.1f} ms{extra}"
            )
