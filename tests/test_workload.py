"""The SWF reader: the rules of tests/golden/swf_reference/README.md, and what it says of broken lines."""
from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from clustersim import workload
from clustersim.errors import InputError

GOOD = "1 0 -1 10 4 -1 -1 4 20 -1 1 1 1 1 1 1 -1 -1"


def line(**fields: str) -> str:
    """A good line with fields (``f4="x"``) changed."""
    x = GOOD.split()
    for name, value in fields.items():
        x[int(name[1:]) - 1] = value
    return " ".join(x)


def read(tmp_path: Path, *lines: str, cores: int = 8) -> workload.JobTable:
    path = tmp_path / "log.swf"
    path.write_text("\n".join(lines) + "\n")
    return workload.read_swf(path, cores)


def test_comments_and_empty_lines_are_skipped(tmp_path: Path) -> None:
    assert read(tmp_path, "; Version: 2.2", "", "  ; indented", GOOD).ids == [1]


def test_requested_processors_and_time_come_first(tmp_path: Path) -> None:
    jobs = read(tmp_path, line(f1="1"), line(f1="2", f8="-1", f9="-1"), line(f1="3", f8="0", f4="0", f9="0"))
    assert (jobs.cores, jobs.runtime, jobs.limit) == ([4, 4, 4], [10, 10, 0], [20, 10, 1])


def test_a_run_time_over_the_request_is_cut(tmp_path: Path) -> None:
    jobs = read(tmp_path, line(f4="50"))
    assert (jobs.runtime, jobs.limit, jobs.cut) == ([20], [20], 1)


def test_what_cannot_run_is_dropped_and_counted(tmp_path: Path) -> None:
    jobs = read(tmp_path, line(f4="-1"), line(f8="-1", f5="-1"), line(f8="9"), GOOD)
    assert jobs.ids == [1]
    assert jobs.dropped == {"no run time or size": 2, "larger than the machine": 1}


def test_queue_order_is_by_submission_then_place(tmp_path: Path) -> None:
    jobs = read(tmp_path, line(f1="9", f2="5"), line(f1="8", f2="3"), line(f1="7", f2="5"), line(f1="6", f2="-2"))
    assert jobs.ids == [6, 8, 9, 7]


def test_a_fraction_of_a_second_is_cut_off(tmp_path: Path) -> None:
    assert read(tmp_path, line(f4="10.9", f6="3.25")).runtime == [10]


def test_gzip_is_known_by_content_not_by_name(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert workload.read_swf(path, 8).ids == [1]
    path.write_bytes(gzip.compress(GOOD.encode())[:-12])
    with pytest.raises(InputError, match="a whole gzip file"):
        workload.read_swf(path, 8)


@pytest.mark.parametrize("n", range(1, 19))
@pytest.mark.parametrize("value", ["x", "1_0", "nan", "inf", "0x10", "--1", "1-2", "１"])
def test_a_field_that_is_no_number_is_named(tmp_path: Path, n: int, value: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "; a comment", line(**{f"f{n}": value}))
    assert f"log.swf, line 2, field {n} ({workload.FIELDS[n - 1]}): found {value!r}, expected" in str(caught.value)


@pytest.mark.parametrize("n", [1, 5, 8])
def test_ids_and_sizes_are_whole(tmp_path: Path, n: int) -> None:
    with pytest.raises(InputError, match=f"field {n} .*a whole number"):
        read(tmp_path, line(**{f"f{n}": "1.5", "f4": "2.5"}))


@pytest.mark.parametrize("text", ["1 2 3", GOOD + " 7", "word", GOOD.replace(" ", ",")])
def test_a_line_has_18_fields(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"line 1: .*18 fields, not \d+"):
        read(tmp_path, text)


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        workload.read_swf(tmp_path / "none.swf", 8)
    with pytest.raises(InputError, match="directory"):
        workload.read_swf(tmp_path, 8)
