"""Plots of the scaling studies."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, NullFormatter

AXES = {
    "utterances": "utterances",
    "dimensions": "dimensions, 1,000 utterances",
    "tasks": "tasks of 300 utterances",
    "extractors": "extractors, 300 utterances",
    "workers": "workers: 3 extractors, 2 tasks of 2,000 utterances",
}
LOGARITHMIC = ("utterances", "dimensions")


def draw(points: list[dict], out: Path) -> None:
    """Draw one SVG file for each study: seconds on the left, peak memory on the right."""
    plt.rcParams.update({"font.size": 9, "svg.hashsalt": "serab", "axes.spines.top": False, "axes.spines.right": False})
    for study, label in AXES.items():
        study_points = [point for point in points if point["study"] == study]
        if not study_points:
            continue
        figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
        names = list(dict.fromkeys(point["series"] for point in study_points))
        for number, name in enumerate(names):
            series = [point for point in study_points if point["series"] == name]
            x = [point["x"] for point in series]
            for panel, quantity, unit in ((panels[0], "seconds", 1.0), (panels[1], "peak_bytes", 1e6)):
                values = [point[quantity] / unit for point in series]
                panel.plot(x, values, marker="osD^v<>"[number % 7], markersize=4, linewidth=1.2, label=name)
        for panel, title in zip(panels, ("seconds", "peak memory, MB"), strict=True):
            panel.set_title(title, loc="left", fontsize=10)
            panel.set_xlabel(label)
            panel.grid(alpha=0.25)
            if study in LOGARITHMIC:
                panel.set_xscale("log")
                panel.set_yscale("log")
                panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
                panel.yaxis.set_minor_formatter(NullFormatter())
            else:
                panel.set_xticks(sorted({point["x"] for point in study_points}))
                panel.set_ylim(bottom=0)
        if study == "utterances":
            panels[1].axhline(1.5 * 1024**3 / 1e6, color="grey", linewidth=0.8, linestyle="--")
            panels[1].annotate("1.5 GiB", (100, 1.5 * 1024**3 / 1e6), xytext=(0, 3), textcoords="offset points")
        if len(names) > 1:
            panels[0].legend(fontsize=8, frameon=False)
        figure.savefig(out / f"{study}.svg", metadata={"Date": None})
        plt.close(figure)
