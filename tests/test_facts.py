"""The fact ledger: what it holds is true to the files it names, and a wrong entry says what is wrong with it."""
from __future__ import annotations

import bisect
import doctest
import heapq
import itertools
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clustersim import facts as ledger
from clustersim.errors import FactError
from clustersim.facts import Fact, all_facts, commit_date, fact, load, main, stale_facts

ROOT = Path(__file__).parents[1]
GOOD = {
    "value": "30", "unit": '"s"', "status": '"measured"', "source": '"Slurm 22.05.8, slurm.conf(5)"',
    "url": '"https://example.org/page"', "read": "2026-01-31", "review_days": "365",
}


def write(tmp_path: Path, changes: dict[str, str | None] | None = None, key: str = "slurm.bf_interval") -> Path:
    """A ledger of one good entry, with fields changed (or left out: None)."""
    entry = {**GOOD, **(changes or {})}
    path = tmp_path / "facts.toml"
    path.write_text(f"[{key}]\n" + "".join(f"{k} = {v}\n" for k, v in entry.items() if v is not None))
    return path


def at(data: Any, pointer: str) -> Any:
    for part in pointer.split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


# --- the ledger itself -------------------------------------------------------------------------------------------

def test_every_own_file_named_as_a_source_exists() -> None:
    own = {f.source for f in all_facts().values() if not f.url}
    assert own, "the ledger is expected to cite measurements kept in this repository"
    assert [name for name in sorted(own) if not (ROOT / name).is_file()] == []


def test_figures_with_a_pointer_equal_the_file_they_point_into() -> None:
    pointed = [f for f in all_facts().values() if f.pointer]
    assert len(pointed) > 20
    wrong = {f.key: (f.value, found) for f in pointed
             if (found := at(json.loads((ROOT / f.source).read_text()), f.pointer)) != f.value}
    assert wrong == {}


def outcome(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((ROOT / "tests/golden/slurm_golden" / f"{name}.outcome.json").read_text())["jobs"]
    return data


@pytest.mark.parametrize("name, suffix", [("mix24_builtin", "builtin"), ("not_unique/mix24_backfill", "backfill")])
def test_derived_totals_of_the_24_jobs(name: str, suffix: str) -> None:
    jobs = outcome(name).values()
    assert fact(f"mix.mean_wait_{suffix}").value == sum(j["start_s"] - j["submit_s"] for j in jobs) / len(jobs)
    assert fact(f"mix.last_end_{suffix}").value == max(j["end_s"] for j in jobs)


def test_derived_lives_of_jobs_over_their_limit() -> None:
    for name, job in outcome("timeouts").items():
        if job["state"] == "TIMEOUT":
            assert fact(f"timeouts.lived_{name}").value == job["end_s"] - job["start_s"]


def number(key: str) -> float:
    value = fact(key).value
    assert not isinstance(value, str)
    return value


def test_other_derived_numbers_follow_from_what_their_notes_name() -> None:
    assert number("llama3.gap") == number("llama3.days") * 24 / number("llama3.unexpected")
    assert number("slurm.requeue_wait") == number("slurm.credential_life") + 1
    ratio = number("simpy.process_per_job") / number("simpy.one_process")
    assert number("simpy.process_per_job_ratio") == round(ratio, 1)


# --- what the chapters cite --------------------------------------------------------------------------------------

def cited() -> dict[str, set[str]]:
    pages = sorted((ROOT / "book").glob("**/*.md"))
    return {page.name: set(re.findall(r"\{fact\}`([^`]*)`", page.read_text(encoding="utf-8"))) for page in pages}


def test_every_key_cited_in_the_book_exists() -> None:
    pages = cited()
    assert any(pages.values()), "no page cites a fact"
    assert {page: keys - all_facts().keys() for page, keys in pages.items() if keys - all_facts().keys()} == {}


# --- looking up and printing -------------------------------------------------------------------------------------

@pytest.mark.parametrize("value, unit, digits, printed", [
    (30, "s", None, "30 s"), (16384, "GPUs", None, "16,384 GPUs"), (78, "%", None, "78%"), (3.093, "h", 1, "3.1 h"),
    (0.5, "", 2, "0.50"), (2, "", None, "2"), ("22.05.8", "", None, "22.05.8"), (-1234.5, "s", None, "-1,234.5 s"),
])
def test_a_fact_prints_its_number_and_unit(value: Any, unit: str, digits: int | None, printed: str) -> None:
    item = Fact("a.b", value, unit, "measured", "x", "https://x", date(2026, 1, 1), 1, digits=digits)
    assert item.text() == printed


def test_a_duration_is_printed_in_words() -> None:
    item = Fact("a.b", 15581.478, "s", "measured", "x", "https://x", date(2026, 1, 1), 1, form="duration")
    assert item.text() == "4 h 20 min"


def test_an_unknown_key_lists_near_ones() -> None:
    with pytest.raises(FactError, match=r"no fact 'slurm.bf_intervall'.*slurm\.bf_interval"):
        fact("slurm.bf_intervall")
    with pytest.raises(FactError, match=r"slurm\.kill_wait"):
        fact("kill_wait")
    with pytest.raises(FactError, match="python -m clustersim.facts lists all"):
        fact("zzz")


def test_docstring_examples() -> None:
    assert doctest.testmod(ledger).failed == 0


# --- age ---------------------------------------------------------------------------------------------------------

def test_a_fact_is_stale_the_day_after_it_is_due(tmp_path: Path) -> None:
    item = load(write(tmp_path, {"read": "2026-01-31", "review_days": "28"}))["slurm.bf_interval"]
    assert item.due == date(2026, 2, 28)
    assert not item.is_stale(date(2026, 2, 28))
    assert item.is_stale(date(2026, 3, 1))
    assert stale_facts(date(2026, 3, 1), {item.key: item}) == [item]


def test_age_is_judged_against_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.hooksPath=/dev/null"]
    subprocess.run([*git[:3], "init", "-q"], check=True)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2031-05-06T12:00:00+00:00")
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    assert commit_date(tmp_path) == date(2031, 5, 6)


def test_source_date_epoch_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert commit_date() == date(1970, 1, 2)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(FactError, match="SOURCE_DATE_EPOCH: found 'soon', expected seconds since 1970"):
        commit_date()


def test_due_command_lists_stale_facts_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(write(tmp_path))
    assert main(["--due", "--file", path, "--on", "2026-12-31"]) == 0
    assert "0 facts of 1 are due" in capsys.readouterr().out
    assert main(["--due", "--file", path, "--on", "2028-01-01"]) == 1
    assert "slurm.bf_interval" in (out := capsys.readouterr().out) and "1 fact of 1 is due for review on 2028-01-01" in out


def test_the_list_command_prints_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--on", "2026-11-24"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(all_facts()) + 1


# --- wrong entries -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("field", list(GOOD))
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    with pytest.raises(FactError, match=rf"facts\.toml, slurm\.bf_interval, field {field}: missing, expected .+"):
        load(write(tmp_path, {field: None}))


@pytest.mark.parametrize("field, value", [
    ("value", "true"), ("value", '""'), ("value", "[1]"), ("unit", "3"), ("unit", '" s"'), ("status", '"guessed"'),
    ("source", '" "'), ("url", '"http://example.org"'), ("url", '"https://"'), ("read", '"2026-01-31"'),
    ("read", "2026-01-31T10:00:00"), ("review_days", "0"), ("review_days", "1.5"), ("review_days", "true"),
    ("note", "1"), ("digits", "-1"), ("form", '"words"'), ("pointer", '""'),
])
def test_a_wrong_field_is_named_with_what_is_expected(tmp_path: Path, field: str, value: str) -> None:
    with pytest.raises(FactError, match=rf"facts\.toml, slurm\.bf_interval, field {field}: found .+, expected .+"):
        load(write(tmp_path, {field: value}))


@pytest.mark.parametrize("changes, message", [
    ({"url": '""'}, "field url.*no file of this repository"),
    ({"status": '"derived"'}, "field note.*how the number was derived"),
    ({"value": '"a"', "digits": "1"}, "field digits.*the value is a text"),
    ({"form": '"duration"', "unit": '"h"'}, "field form.*a number of seconds"),
    ({"form": '"duration"', "digits": "1"}, "field form.*without digits"),
    ({"valeu": "3"}, "no field is called valeu; expected value"),
])
def test_fields_that_do_not_go_together(tmp_path: Path, changes: dict[str, str | None], message: str) -> None:
    with pytest.raises(FactError, match=rf"facts\.toml, slurm\.bf_interval.*{message}"):
        load(write(tmp_path, changes))


@pytest.mark.parametrize("text, message", [
    ("[slurm", "not valid TOML"), ("slurm = 3", "slurm: found a value"), ("[slurm]\nx = 3", r"slurm\.x: found a value"),
    ("[Slurm.x]\nvalue = 3", "Slurm: a key is made of"), ('[slurm."a b"]\nvalue = 3', "a b: a key is made of"),
])
def test_a_ledger_of_the_wrong_shape(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "facts.toml"
    path.write_text(text)
    with pytest.raises(FactError, match=rf"facts\.toml.*{message}"):
        load(path)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--file", str(tmp_path / "none.toml"), "--on", "2026-01-01"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("none.toml: cannot be read") and len(error.splitlines()) == 1


# --- what our own experiments give -------------------------------------------------------------------------------

def heads_under_easy(over_ask: float, seed: int) -> tuple[int, int, int]:
    """Heads that others waited behind; of these, started after the first promise; started later than under FCFS."""
    from clustersim.batch import PoolSystem
    from clustersim.clock import Clock
    from clustersim.workload import generate

    promises: dict[int, int] = {}

    class Watched(PoolSystem):
        def reservation(self) -> tuple[int, int]:
            shadow, extra = super().reservation()
            promises.setdefault(self.queue[0], shadow)
            return shadow, extra

    table = generate(200, 64, 0.85, over_ask, seed)
    easy, fcfs = Watched(table, 64, "easy"), PoolSystem(table, 64, "fcfs")
    Clock(easy).run()
    Clock(fcfs).run()
    return (len(promises), sum(easy.starts[job] > shadow for job, shadow in promises.items()),
            sum(easy.starts[job] > fcfs.starts[job] for job in promises))


@pytest.mark.parametrize("over_ask, name", [(1, "exact"), (10, "ten")])
def test_the_head_keeps_its_promise_but_may_start_later_than_in_strict_order(over_ask: float, name: str) -> None:
    heads, broken, late = map(sum, zip(*(heads_under_easy(over_ask, seed) for seed in range(1, 11)), strict=True))
    assert broken == 0
    assert (fact(f"pool.heads_{name}").value, fact(f"pool.heads_late_{name}").value) == (heads, late)


def test_exaggerated_limits_hardly_change_the_mean_wait() -> None:
    from clustersim.experiments import experiment

    seeds = range(1, int(number("pool.seeds")) + 1)
    wait = {name: [experiment("backfill")(over_ask=ask, seed=seed).values["mean_wait_s"]["easy"] for seed in seeds]
            for name, ask in (("exact", 1), ("ten", 10))}
    for name, values in wait.items():
        assert number(f"pool.mean_wait_{name}") == round(sum(values) / len(values))
    assert number("pool.seeds_worse") == sum(ten > exact for exact, ten in zip(wait["exact"], wait["ten"], strict=True))


def test_numbers_of_the_default_figures() -> None:
    from clustersim.experiments import experiment

    assert number("pool.later_easy") == experiment("backfill")().values["later_than_fcfs"]
    seeds = range(1, int(number("nobody.seeds")) + 1)
    for minutes in (5, 30):
        values = [experiment("no_scheduler")(look_every=minutes, seed=seed).values for seed in seeds]
        assert number(f"nobody.lost_{minutes}") == pytest.approx(sum(v["collisions"] for v in values) / len(values))
        assert number(f"nobody.idle_{minutes}") == pytest.approx(sum(v["idle_gpu_h"] for v in values) / len(values))


def easy_pass_per_event(table: Any, cores: int) -> list[int]:
    """Starts under EASY if a pass runs after each single event, ends before submissions (plain, an oracle)."""
    starts, queue, ends, running, free, arrived = [-1] * len(table), [], [], [], cores, 0

    def start(job: int) -> None:
        nonlocal free
        starts[job] = now
        free -= table.cores[job]
        heapq.heappush(ends, (now + table.runtime[job], job))
        bisect.insort(running, (now + table.limit[job], job))

    while arrived < len(table) or ends:
        now = min([e[0] for e in ends[:1]] + table.submit[arrived:arrived + 1])
        if ends and ends[0][0] == now:
            job = heapq.heappop(ends)[1]
            free += table.cores[job]
            running.remove((starts[job] + table.limit[job], job))
        else:
            queue.append(arrived)
            arrived += 1
        while queue and table.cores[queue[0]] <= free:
            start(queue.pop(0))
        if not queue or not free:
            continue
        extra, shadow = free - table.cores[queue[0]], now
        for end, group in itertools.groupby(running, key=lambda entry: entry[0]):
            extra, shadow = extra + sum(table.cores[job] for _end, job in group), end
            if extra >= 0:
                break
        for job in queue[1:]:
            in_time = now + table.limit[job] <= shadow
            if table.cores[job] <= free and (in_time or table.cores[job] <= extra):
                extra -= 0 if in_time else table.cores[job]
                start(job)
        queue = [job for job in queue if starts[job] < 0]
    return starts


def test_a_pass_per_event_gives_another_schedule(tmp_path: Path) -> None:
    from clustersim.batch import replay_pool
    from clustersim.workload import read_swf

    log = tmp_path / "l85.swf"
    generator = [sys.executable, ROOT / "benchmarks/gen_workload.py"]
    subprocess.run([*generator, "--jobs", "10000", "--nodes", "1000", "--load", "0.85", log], check=True)
    table = read_swf(log, 1000)
    jobs = list(replay_pool(table, 1000, "easy").jobs)
    other = easy_pass_per_event(table, 1000)
    assert number("l85.jobs") == len(jobs)
    assert number("l85.order_jobs") == sum(job.start != start for job, start in zip(jobs, other, strict=True))
    wait, other_wait = sum(job.wait or 0 for job in jobs), sum(other) - sum(table.submit)
    assert number("l85.order_wait") == round(100 * (1 - other_wait / wait))
    assert number("l85.coincidences") == sum(n > 1 for n in Counter(job.end for job in jobs).values())
