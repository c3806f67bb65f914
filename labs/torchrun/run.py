"""One run of the training under the lab's eyes: launch, kill when the schedule says so, record what happened."""
from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Protocol

from clustersim.errors import ClusterSimError
from clustersim.messages import _
from labs.errors import Stopped
from labs.torchrun.account import Attempt, Kill, Mark, Run
from labs.torchrun.events import Events, Tail
from labs.torchrun.processes import POLL_S, Launch
from labs.torchrun.schedule import Strike
from labs.torchrun.settings import Training

STALL_S = 120.0        # without a word from training or torchrun: something hangs
FULL = 2_000_000       # bytes free: too few for another checkpoint
OWN_FAILURES = 3       # that a run may have; more, and the training itself is at fault
FAILED = "failed (exitcode"                # torchrun's words for an attempt that it gives up, once for each
NOTICED = (FAILED, "closing signal")       # and when it has just seen a process die


class RunError(ClusterSimError):
    """The training did not come to its end; the text holds the last words of its log."""


class Signals:
    """Within the block, SIGINT, SIGTERM and SIGHUP only leave a note, so that they cannot break into a clean-up."""

    def __init__(self) -> None:
        self.number = 0

    def __enter__(self) -> Signals:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        heeded = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]  # not under nohup
        self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number

    def check(self) -> None:
        if self.number:
            raise Stopped(self.number)


class Watcher(Protocol):
    """Who is told how a run goes on; times in seconds since launch."""

    def step(self, at_s: float, step: int) -> None: ...
    def killed(self, at_s: float, rank: int, step: int) -> None: ...
    def back(self, at_s: float, after_s: float, step: int) -> None: ...


@dataclass
class _Attempt:
    number: int
    boot_ns: int
    ready_ns: int
    resumed: int
    waited_ns: int
    launcher_waited_ns: int
    marks: list[Mark] = field(default_factory=list)


def run(training: Training, folder: Path, strikes: Sequence[Strike], watcher: Watcher, signals: Signals) -> Run:
    """Train ``training.steps`` steps in the new folder ``folder`` and carry out ``strikes``; nothing is left running."""
    folder.mkdir()
    launch = Launch(folder, training, restarts=len(strikes) + OWN_FAILURES)
    try:
        return _Watch(launch, strikes, watcher, signals).to_the_end()
    finally:
        launch.end()


class _Watch:
    """What is known of a run so far."""

    def __init__(self, launch: Launch, strikes: Sequence[Strike], watcher: Watcher, signals: Signals) -> None:
        self.launch, self.strikes, self.watcher, self.signals = launch, list(strikes), watcher, signals
        self.events, self.log = Events(launch.folder), Tail(launch.log)
        self.attempts: list[_Attempt] = []
        self.kills: list[Kill] = []
        self.trained_ns = 0      # by attempts that are over
        self.launcher_waited_ns = 0
        self.hit = False         # the newest attempt was killed
        self.noticed = False
        self.failures = 0        # as torchrun counts them, kills included
        self.done: dict[str, Any] | None = None
        self.heard_ns = self.boot_ns = launch.launch_ns

    def to_the_end(self) -> Run:
        while True:
            self.signals.check()
            code = self.launch.poll()  # before reading, so that nothing said before the end is missed
            exit_ns = time.monotonic_ns()
            self._listen()
            if code is not None:
                return self._result(code, exit_ns)
            self._strike()
            if time.monotonic_ns() - self.heard_ns > STALL_S * 1e9 or self._own_failures() > OWN_FAILURES:
                raise RunError(self._complaint())
            time.sleep(POLL_S)

    def _listen(self) -> None:
        for line in self.log.lines():
            self.heard_ns = time.monotonic_ns()
            self.failures += FAILED in line
            if self.hit and not self.noticed and any(words in line for words in NOTICED):
                self._notice(self.heard_ns)
        for attempt, event in self.events.new():
            self.heard_ns = time.monotonic_ns()
            self._hear(attempt, event)

    def _hear(self, number: int, event: dict[str, Any]) -> None:
        ns, what = event["ns"], event["what"]
        if what == "boot":
            self.boot_ns = ns
            if self.hit and not self.noticed:  # torchrun used other words: its answer, a new attempt, counts
                self._notice(ns)
        elif what == "ready":
            self._ready(number, event)
        elif what == "done":
            self.done = event
        else:
            self.attempts[-1].marks.append(Mark(what, event["step"], ns))
            if what == "step":
                self.watcher.step(self._since_launch(ns), event["step"])

    def _ready(self, number: int, event: dict[str, Any]) -> None:
        ns, step, so_far = event["ns"], event["step"], event["launcher_waited_ns"]
        waited = event["waited_ns"], max(0, so_far - self.launcher_waited_ns)
        self.launcher_waited_ns = so_far
        if self.attempts and not self.hit:
            last = self.attempts[-1]
            self.trained_ns += last.marks[-1].ns - last.ready_ns if last.marks else 0
        if self.hit:
            self.watcher.back(self._since_launch(ns), (ns - self.kills[-1].ns) / 1e9, step)
        self.attempts.append(_Attempt(number, self.boot_ns, ns, step, *waited))
        self.hit = self.noticed = False

    def _notice(self, ns: int) -> None:
        self.noticed = True
        self.kills[-1] = replace(self.kills[-1], noticed_ns=ns)

    def _strike(self) -> None:
        """Kill if it is time; only while the newest attempt trains and has not said that it is done."""
        if not self.strikes or not self.attempts or self.hit or self.done:
            return
        attempt, strike = self.attempts[-1], self.strikes[0]
        if self.trained_ns + time.monotonic_ns() - attempt.ready_ns < strike.at_s * 1e9:
            return
        ns = self.launch.kill(attempt.number, strike.rank)
        if ns is None:
            return  # it has just ended by itself, or died with an attempt that failed: tried again in the next one
        self.strikes.pop(0)
        self.hit = True
        self.trained_ns += ns - attempt.ready_ns
        self.kills.append(Kill(ns, attempt.number, strike.rank, ns))
        step = attempt.marks[-1].step if attempt.marks else attempt.resumed
        self.watcher.killed(self._since_launch(ns), strike.rank, step)

    def _since_launch(self, ns: int) -> float:
        return (ns - self.launch.launch_ns) / 1e9

    def _result(self, code: int, exit_ns: int) -> Run:
        if code or self.done is None:
            raise RunError(self._complaint(code))
        attempts = tuple(Attempt(a.number, a.boot_ns, a.ready_ns, a.resumed, tuple(a.marks), a.waited_ns, a.launcher_waited_ns)
                         for a in self.attempts)
        return Run(self.launch.launch_ns, exit_ns, attempts, tuple(self.kills), self.done["loss"], self.done["digest"],
                   self._own_failures())

    def _own_failures(self) -> int:
        return max(0, self.failures - len(self.kills))

    def _complaint(self, code: int | None = None) -> str:
        if code is not None:
            what = _("torchrun ended with exit code {code} before the training was done").format(code=code)
        elif self._own_failures() > OWN_FAILURES:
            what = _("the training failed {n} times although nobody killed it").format(n=self._own_failures())
        else:
            what = _("nothing was heard from the training for {n:.0f} s").format(n=STALL_S)
        free = shutil.disk_usage(self.launch.folder).free
        if free < FULL:
            what += _("; the disk of {folder} is full").format(folder=self.launch.folder)
        words = self.launch.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        if not words:
            return what + _("; its log is empty")
        return what + _("; the last lines of its log:") + "\n  " + "\n  ".join(words)
