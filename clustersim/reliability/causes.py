"""What breaks: causes with their symptom, reach and cure, and mixes of causes from published tables.

``fault_causes.csv`` assigns each published cause a symptom (crash, hang, slow, silent), the row of ByteRobust's detection
table that is nearest, an action and a scope. The assignment is ours, row by row; counts and times are published.
"""
from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from clustersim.reliability.laws import Mix
from clustersim.tables import table

SYMPTOMS = ("crash", "hang", "slow", "silent", "flap")
SCOPES = ("job", "node", "rack", "switch")
ACTIONS = ("none", "restart", "reset", "reboot", "replace")


@dataclass(frozen=True, slots=True)
class Cause:
    """``detection_row`` names a row of byterobust_detection.csv (empty: none fits); ``defect`` a kind of dcgm_coverage.csv.

    ``xid`` is the code that such a fault typically writes (``None``: none, or not known).
    """

    name: str
    symptom: str
    detection_row: str
    localisation: str
    action: str
    scope: str
    defect: str = ""
    xid: int | None = None

    @property
    def takes_node(self) -> bool:
        """Whether the job cannot go on with the node."""
        return self.action == "replace"


LINK_FLAP = Cause("link flap", "flap", "Port flapping", "explicit", "restart", "job")
STRAGGLER = Cause("straggler", "slow", "", "hang", "replace", "node", "slow_gpu")


@functools.cache
def catalogue() -> Mapping[str, Cause]:
    """Every cause of fault_causes.csv, and link flaps and stragglers, by name."""
    texts = ("cause", "symptom", "detection_row", "localisation", "action", "scope", "defect")
    rows: dict[str, Cause] = {}
    for row in table("fault_causes"):
        name, symptom, seen, search, action, scope, defect = (str(row[c]) for c in texts)
        code = None if row["xid"] is None else int(row["xid"])
        rows[name] = Cause(name, symptom, seen, search, action, scope, defect, code)
    return {**rows, LINK_FLAP.name: LINK_FLAP, STRAGGLER.name: STRAGGLER}


@functools.cache
def cause(name: str) -> Cause:
    """The cause of this name; one that the catalogue does not know is a crash that costs the node (row ``*``)."""
    known = catalogue()
    return known[name] if name in known else replace(known["*"], name=name)


@functools.cache
def published_mix(name: str = "llama3_interruptions") -> Mix:
    """How often each cause comes, from a table with a count or percent column.

    ``infinitehbd_fault_trace`` counts its classes; other tables are read by their first text and first number column.
    """
    data = table(name)
    if "count" in data.columns:
        return Mix([(str(row[data.columns[0]]), float(row["count"] or 0)) for row in data])
    if name.startswith("infinitehbd"):
        classes = [str(row["class"]) for row in data]
        return Mix([(each, classes.count(each)) for each in dict.fromkeys(classes)])
    number = next(c for c in data.columns if isinstance(data.rows[0][c], int | float))
    return Mix([(str(row[data.columns[0]]), float(row[number] or 0)) for row in data])


ANY = Mix([("any", 1.0)])
