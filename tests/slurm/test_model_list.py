"""book/slurm-model.md is the one list of what of Slurm is modelled: here it is held to the simulator, both ways."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from clustersim.errors import InputError, UnsupportedError
from clustersim.slurm import accounts, confkeys, parse_workload, sbatchoptions, settings, workload
from clustersim.slurm.conf import parse_slurm_conf
from clustersim.slurm.sbatch import parse_script
from tests.conftest import ROOT
from tests.slurm.build import document, job

PAGE = (ROOT / "book" / "slurm-model.md").read_text(encoding="utf-8")
GOLDEN = ROOT / "tests" / "golden" / "slurm_golden"
TRACES = {path.name.removesuffix(".workload.json") for path in GOLDEN.rglob("*.workload.json")}
TESTS = {name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)}


HEADS = {"shown by", "refused as not modelled", "left out with a notice"}


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, f"the page has no section {title!r}"
    return found[1]


def rows(text: str) -> list[tuple[str, str]]:
    """(first, second) cell of every row of the tables in ``text``, heads left out; ``\\|`` is a bar within a cell."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    cells = [(a.strip().replace(r"\|", "|"), b.strip().replace(r"\|", "|")) for a, b in lines]
    return [row for row in cells if row[1] not in HEADS and not row[0].startswith("---")]


def names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


MODELLED, SIMPLIFIED = section("What is modelled?"), section("What is simplified?")
SHOWN = rows(MODELLED) + rows(SIMPLIFIED)
_workload, _files = section("What is left out?").split("### In slurm.conf and in batch scripts")
REFUSED = {where: names(listed) for where, listed in rows(_workload)}
NOTICED = {where: names(listed) for where, listed in rows(_files)}


def test_there_is_a_list() -> None:
    assert len(rows(MODELLED)) > 35 and len(rows(SIMPLIFIED)) > 8 and len(REFUSED) == 10 and len(NOTICED) == 4
    assert len(TESTS) > 300 and len(TRACES) > 20


@pytest.mark.parametrize(("what", "by"), SHOWN, ids=[what[:50] for what, _by in SHOWN])
def test_what_shows_an_entry_exists(what: str, by: str) -> None:
    shown = names(by)
    assert shown, f"nothing shows: {what}"
    assert [name for name in shown if name not in TRACES | TESTS] == []


def test_every_measured_schedule_shows_something() -> None:
    told = {name for _what, by in SHOWN for name in names(by)}
    seed = {"seed_three_researchers", "seed_behind_a_blocker"}  # of chapter 01: nothing that others do not show
    assert TRACES - told <= seed


def accepted() -> dict[str, set[str]]:
    """Every key that a workload file may hold to steer the simulator."""
    limits = {*accounts._TRES_KEYS, *accounts._SUBMIT, *accounts._JOBS, "GrpJobs", "GrpSubmitJobs", "MaxJobsPerAccount",
              "MaxJobsPA", "MaxSubmitJobsPerAccount", "MaxSubmitPA", "MaxWall", "MaxWallDurationPerJob"}
    return {"slurm.conf": set(settings._KEYS) - {"SelectType", "SchedulerParameters"},
            "SchedulerParameters": set(settings.SchedulerParameters.__slots__), "partition": set(workload._PARTITION_KEYS),
            "QOS and association": limits}


@pytest.mark.parametrize("where", accepted())
def test_every_key_the_simulator_reads_is_listed(where: str) -> None:
    listed = {name for what, _by in SHOWN for name in names(what)}
    assert accepted()[where] - listed == set(), "name it in book/slurm-model.md, with what shows it"


@pytest.mark.parametrize(("where", "keys"), [
    ("slurm.conf", settings._UNMODELLED), ("SchedulerParameters", settings._UNMODELLED_OPTIONS),
    ("partition", workload._PARTITION_UNMODELLED), ("QOS and association", set(accounts._UNMODELLED)),
    ("SelectTypeParameters", settings._SELECT_UNMODELLED), ("PriorityFlags", settings._FLAGS_UNMODELLED),
])
def test_every_key_that_is_refused_is_listed(where: str, keys: set[str]) -> None:
    assert set(REFUSED[where]) == set(keys), "the row of book/slurm-model.md and the simulator differ"


def with_config(key: str, value: str) -> dict[str, Any]:
    return document(job("a"), config={key: value})


ATTEMPTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "slurm.conf": lambda key: with_config(key, "1"),
    "SchedulerParameters": lambda key: with_config("SchedulerParameters", key),
    "SelectTypeParameters": lambda key: with_config("SelectTypeParameters", key),
    "PriorityFlags": lambda key: with_config("PriorityFlags", key),
    "SelectType": lambda key: with_config("SelectType", key),
    "partition": lambda key: document(job("a"), partitions=[{"name": "main", key: "1"}]),
    "QOS and association": lambda key: document(job("a"), accounting={"qos": [{"name": "q", key: "1"}]}),
    "sbatch": lambda text: document(job("a", extra_args=[text])),
    "constraint": lambda text: document(job("a", constraint=text)),
    "begin": lambda text: document(job("a", begin=text)),
}
CASES = [(where, name) for where, listed in REFUSED.items() for name in listed]


@pytest.mark.parametrize(("where", "name"), CASES, ids=[f"{where}-{name}" for where, name in CASES])
def test_what_is_listed_as_left_out_is_refused(where: str, name: str) -> None:
    with pytest.raises(UnsupportedError):
        parse_workload(ATTEMPTS[where](name))


def test_what_slurm_does_not_have_is_an_error_of_another_kind() -> None:
    """Otherwise "refused as not modelled" would say nothing: any word would be refused that way."""
    words = ("slurm.conf", "SchedulerParameters", "SelectTypeParameters", "PriorityFlags", "partition", "QOS and association")
    for where in words:
        with pytest.raises(InputError) as caught:
            parse_workload(ATTEMPTS[where]("Nonsense"))
        assert not isinstance(caught.value, UnsupportedError), where


@pytest.mark.parametrize(("where", "keys"), [
    ("slurm.conf", confkeys.NOT_MODELLED), ("node", confkeys.NODE_NOT_MODELLED), ("partition", confkeys.PARTITION_NOT_MODELLED),
    ("script", {f"--{name}" for name in sbatchoptions.NOT_MODELLED}),
])
def test_every_key_that_leaves_a_notice_is_listed(where: str, keys: set[str]) -> None:
    assert set(NOTICED[where]) == set(keys), "the row of book/slurm-model.md and the simulator differ"


SMALL = "NodeName=n1 CPUs=4{node}\nPartitionName=p Nodes=n1{partition}\n{line}\n"
FLAGS = {f"--{name}" for name in sbatchoptions.FLAGS}


SILENT = set(re.findall(r"`([^`]+)`", PAGE.split("A few say nothing", 1)[1].split("\n", 1)[0]))


# Legal values of keys that take no number.
LEGAL = {
    "BurstBufferType": "burst_buffer/lua", "CoreSpecPlugin": "core_spec/cray_aries", "MCSPlugin": "mcs/group",
    "MCSParameters": "enforced\nMCSPlugin=mcs/account", "NodeFeaturesPlugins": "node_features/helpers",
    "PowerPlugin": "power/cray_aries", "PrologFlags": "Alloc", "SuspendExcStates": "CLOUD", "Exclusive": "USER",
    "PrioritySiteFactorPlugin": "site_factor/ours", "PriorityUsageResetPeriod": "DAILY",
    "JobAcctGatherType": "jobacct_gather/linux",
    "SelectTypeParameters": "CR_Socket", "TRESBillingWeights": "CPU=1", "--deadline": "16:00",
    "--batch": "a", "--prefer": "a", "--tres-per-task": "cpu=1", "TopologyParam": "RouteTree",
    "--gres-flags": "enforce-binding", "--kill-on-invalid-dep": "yes", "CliFilterPlugins": "lua", "JobSubmitPlugins": "lua"}


def notices(where: str, key: str) -> list[str]:
    if where == "script":
        line = key if key in FLAGS else f"{key}={LEGAL.get(key, '1')}"
        system = parse_workload(document(job("a")))
        text = f"#!/bin/sh\n#SBATCH {line}\n"
        return [str(one) for one in parse_script(text, system.cluster, system.settings).notices]
    parts = {"node": "", "partition": "", "line": ""}
    if where == "slurm.conf":
        parts["line"] = f"{key}={LEGAL.get(key, '1')}"
    else:
        parts[where] = f" {key}={LEGAL.get(key, '1')}"
    return [str(one) for one in parse_slurm_conf(SMALL.format(**parts)).notices]


NOTICE_CASES = [(where, name) for where, listed in NOTICED.items() for name in listed]


@pytest.mark.parametrize(("where", "name"), NOTICE_CASES, ids=[f"{where}-{name}" for where, name in NOTICE_CASES])
def test_what_is_listed_as_noticed_leaves_a_notice(where: str, name: str) -> None:
    word = name.removeprefix("--")
    assert [text for text in notices(where, name) if word in text and "not modelled here" in text]


def test_what_a_workload_file_refuses_leaves_a_notice_or_is_listed_as_silent() -> None:
    listed = [(where, name) for where in ("slurm.conf", "partition") for name in REFUSED[where] if name != "TopologyPlugin"]
    silent = {name for where, name in listed if not any("not modelled here" in text for text in notices(where, name))}
    assert silent == SILENT
