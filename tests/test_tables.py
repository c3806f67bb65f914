"""The shipped tables: all listed, all readable, typed, with source and licence; misprints carried as such."""
from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from clustersim import tables
from clustersim.errors import InputError
from clustersim.reliability import defaults
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"


def test_index_and_folder_hold_the_same_tables() -> None:
    assert {path.stem for path in tables.FOLDER.glob("*.csv")} == set(tables.names())


@pytest.mark.parametrize("name", tables.names())
def test_every_table_has_rows_source_and_licence(name: str) -> None:
    table = tables.table(name)
    with (tables.FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        assert len(table) == sum(1 for _row in csv.DictReader(stream)) > 0
    assert table.source and table.url.startswith("https://") and table.read.year >= 2026
    assert table.licence in ("facts", "Apache-2.0")
    assert table.licence == "facts" or table.changes, "a table under a licence says what was changed"
    assert all(None not in row for row in table.rows), "a row with too many cells"


@pytest.mark.parametrize("name", tables.names())
def test_a_column_of_numbers_is_declared_as_one(name: str) -> None:
    """What looks like a number throughout is typed as one in the index, so that nobody adds texts."""
    table = tables.table(name)
    plain = tables.read_untyped(tables.FOLDER / f"{name}.csv")
    for column in table.columns:
        kinds = {type(row[column]) for row in plain.rows}
        if kinds <= {int, float, type(None)} and kinds != {type(None)}:
            assert not any(isinstance(row[column], str) for row in table.rows), column


def test_misprints_point_at_a_cell_that_says_so() -> None:
    found = [(name, m) for name in tables.names() for m in tables.table(name).misprints]
    assert found
    for name, misprint in found:
        table = tables.table(name)
        if not misprint.row.endswith("(sum)"):
            assert table.row(misprint.row)[misprint.column] == misprint.printed
            assert misprint.correct == table.row(misprint.row)["percent_recomputed"]
        else:
            rows = table.where(**{"class": misprint.row.split(" ")[0]})
            assert sum(int(row[misprint.column] or 0) for row in rows) == misprint.correct


def test_the_misprint_of_llama_3_is_what_the_printed_column_lacks() -> None:
    table = tables.table("llama3_interruptions")
    counts, printed = table.column("count"), table.column("percent_as_printed")
    (misprint,) = table.misprints
    assert sum(counts) == 419 and pytest.approx(misprint.correct / 100, abs=5e-4) == 148 / 419
    assert sum(printed) == pytest.approx(100 - (misprint.correct - misprint.printed), abs=0.2)


def test_an_unknown_name_row_or_column_lists_what_there_is() -> None:
    with pytest.raises(InputError, match="xid"):
        tables.table("xids")
    with pytest.raises(InputError, match="Faulty GPU"):
        tables.table("llama3_interruptions").row("Fault GPU")
    with pytest.raises(InputError, match="percent_recomputed"):
        tables.table("llama3_interruptions").column("percent")


def test_a_wrong_cell_is_named_by_file_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("name,count\na,1\nb,two\n")
    with pytest.raises(InputError, match="some.csv, line 3, count: found 'two', expected a whole number"):
        tables.read(path, {"columns": {"count": "int"}})
    with pytest.raises(InputError, match="a column size"):
        tables.read(path, {"columns": {"size": "int"}})


def test_words_and_empty_cells_in_number_columns_read_as_none() -> None:
    row = tables.table("byterobust_resolution").row("HDFS error")
    assert row["selective_stress_test_s"] is None and row["mean_s"] == 58
    assert tables.table("dcgm_levels").row("eud")["level4_xlong"] is True
    assert tables.table("xid").row(31)["meta_gcm_non_critical"] is True


@pytest.mark.parametrize("name", ["llama3_interruptions", "infinitehbd_fault_trace"])
def test_golden_tables_hold_the_same_numbers_as_the_shipped_ones(name: str) -> None:
    golden = tables.read_untyped(GOLDEN / f"{name}.csv")
    assert golden.rows == tables.table(name).rows


def test_shipped_defaults_are_the_golden_ones() -> None:
    golden = YAML(typ="safe").load((GOLDEN / "simulator_defaults.yaml").read_text(encoding="utf-8"))
    assert tomllib.loads((tables.FOLDER / "defaults.toml").read_text(encoding="utf-8")) == golden
    assert defaults.number("straggler.slowdown") == 1.34 and "2410.21680" in defaults.source("restart_s")
    with pytest.raises(InputError, match="low, high, source"):
        defaults.number("restart_s.lo")
