"""The table of a run that was killed and resumed: it has the rows of both processes, and each step once."""

from __future__ import annotations

import csv

from serab_plugin_byol.pretrain.table import Table


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_goes_on(tmp_path):
    path = tmp_path / "metrics.csv"
    first = Table(path, 0, "")
    for step in (9, 19, 29):
        first.log_metrics({"loss": step / 10, "epoch": 0}, step)
    with path.open("a") as file:
        file.write("2")  # of 20, cut short
    second = Table(path, 20, "emodb")
    second.log_metrics({"loss": 2.5, "deviation": 0.25}, 29)
    second.log_metrics({"probe_emodb": 0.5}, 30)
    logged = rows(path)
    assert [row["step"] for row in logged] == ["10", "20", "30", "30"]
    assert [row["loss"] for row in logged] == ["0.9", "1.9", "2.5", ""]
    assert logged[3]["probe_emodb"] == "0.5"
    third = Table(path, 30, "")
    third.log_metrics({"loss": 3.5}, 39)
    assert rows(path)[3]["probe_emodb"] == "0.5"
    assert rows(path)[-1]["step"] == "40"
    assert not list(tmp_path.glob(".*"))
