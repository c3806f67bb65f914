"""What the reader sees: the course of the runs, the comparison, where the time went, and the record as JSON."""
from __future__ import annotations

import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, TextIO

from clustersim.messages import N_, _, ngettext
from labs.torchrun import predict
from labs.torchrun.account import KINDS, account, seconds, steps_lost
from labs.torchrun.lab import LOSS_DIGITS, TOLERANCE, Plan, Result
from labs.torchrun.predict import Timing

FORMAT = "labs-torchrun/1"
LABELS = {
    "work": N_("work"), "lost": N_("lost work"), "checkpoint": N_("checkpoints"), "detection": N_("detection"),
    "restart": N_("restart"), "start": N_("first start"), "end": N_("end")}
RUNS = {
    "undisturbed": N_("Run 1 of 3, undisturbed: what do a step and a checkpoint cost?"),
    "one-kill": N_("Run 2 of 3, one kill: what does a repair cost?"),
    "killed": N_("Run 3 of 3, with the kills of the seed: was the prediction right?")}
QUIET_S = 10.0  # between two lines of progress where no terminal shows a moving one


class Story:
    """Tells a lab as it happens; the moving line goes to the terminal only."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._moving = out, out.isatty()
        self._steps, self._shown = 0, time.monotonic()

    def line(self, text: str = "") -> None:
        print(("\r\033[K" if self._moving else "") + text, file=self._out, flush=True)

    def watch(self, name: str, steps: int) -> Story:
        self._steps = steps
        self.line()
        self.line(_(RUNS[name]))
        return self

    def step(self, at_s: float, step: int) -> None:
        text = _("  {at:6.1f} s  step {step} of {steps}").format(at=at_s, step=step, steps=self._steps)
        if self._moving:
            print("\r\033[K" + text, end="", file=self._out, flush=True)
        elif time.monotonic() - self._shown >= QUIET_S or step == self._steps:
            self._shown = time.monotonic()
            self.line(text)

    def killed(self, at_s: float, rank: int, step: int) -> None:
        self.line(_("  {at:6.1f} s  process {rank} killed after step {step}").format(at=at_s, rank=rank, step=step))

    def back(self, at_s: float, after_s: float, step: int) -> None:
        text = _("  {at:6.1f} s  training goes on after {after:.1f} s, from step {step}")
        self.line(text.format(at=at_s, after=after_s, step=step))

    def expect(self, plan: Plan, timing: Timing) -> None:
        for text in expectation(plan, timing):
            self.line(text)


def opening(plan: Plan) -> list[str]:
    s = plan.settings
    return [
        _("Lab L3: real processes, real kills."),
        _("{n} processes train {steps} steps of {step:g} s and save a checkpoint every {every} steps.").format(
            n=s.processes, steps=s.training.steps, step=s.training.step_s, every=s.checkpoint_every),
        _("Kills: {rate:g} a minute of training on average, drawn with seed {seed}.").format(rate=s.rate_per_min, seed=s.seed)]


def expectation(plan: Plan, t: Timing) -> list[str]:
    """The prediction, said before the run that it is about."""
    own, any_seed, (low, high) = plan.forecast(t), plan.forecast_of_the_rate(t), plan.goodput_range(t)
    kills = ngettext("{n:.0f} kill", "{n:.0f} kills", round(own.kills)).format(n=own.kills)
    return [
        "",
        _("Measured so far: a step takes {step:.1f} ms, a checkpoint {save:.1f} ms, a repair {repair:.1f} s").format(
            step=1e3 * t.step, save=1e3 * t.checkpoint, repair=t.repair),
        _("({detection:.2f} s until torchrun notices, {restart:.2f} s until training goes on).").format(
            detection=t.detection, restart=t.restart),
        _("Prediction for run 3: {kills}, {wall:.0f} s, goodput {goodput:.3f}.").format(
            kills=kills, wall=own.wall, goodput=own.goodput),
        _("With the fastest and the slowest start of the processes seen so far it would be {high:.3f} and {low:.3f}.").format(
            high=high, low=low),
        _("From the rate alone, as a mean over all seeds: {kills:.1f} kills, {wall:.0f} s, goodput {goodput:.3f}.").format(
            kills=any_seed.kills, wall=any_seed.wall, goodput=any_seed.goodput)]


def comparison(result: Result) -> list[str]:
    """The table: seconds and share of the wall time by kind, predicted and measured."""
    expected, found = result.forecast, seconds(account(result.killed))
    wall = result.killed.wall_ns / 1e9
    row = "{:<14}{:>9.1f} s{:>7.1%}{:>11.1f} s{:>7.1%}"
    lines = ["", "{:<14}{:>18}{:>20}".format(_("run 3"), _("predicted"), _("measured"))]
    lines += [row.format(_(LABELS[kind]), expected.spent[kind], expected.spent[kind] / expected.wall, found[kind],
                         found[kind] / wall) for kind in KINDS]
    lines.append(row.format(_("wall time"), expected.wall, 1, wall, 1))
    lines.append("{:<14}{:>18.0f}{:>20}".format(_("kills"), expected.kills, len(result.killed.kills)))
    lines.append("{:<14}{:>18.3f}{:>20.3f}".format(_("goodput"), expected.goodput, result.measured))
    return lines


def explanation(result: Result) -> list[str]:
    """Each kind in a sentence, with this run's numbers."""
    run, s = result.killed, result.plan.settings
    spent, lost, kills = seconds(account(run)), steps_lost(result.killed), len(result.killed.kills)
    saves = sum(mark.kind == "saved" for attempt in run.attempts for mark in attempt.marks)
    each = max(kills, 1)
    return [
        "",
        _("Where the time went in run 3"),
        _("  work         each of the {steps} steps once: {t:.1f} s. Goodput is this, divided by the wall time.").format(
            steps=s.training.steps, t=spent["work"]),
        _("  lost work    {n} finished steps and {k} begun ones were done again: {t:.1f} s. After a kill training goes").format(
            n=sum(lost), k=kills, t=spent["lost"]),
        _("               back to the last checkpoint, on average about half an interval, here of {every} steps.").format(
            every=s.checkpoint_every),
        _("  detection    {t:.2f} s a kill: torchrun looks at its processes ten times a second, and a process that was").format(
            t=spent["detection"] / each),
        _("               killed is easy to see. One that hangs is seen when a time-out ends."),
        _("  restart      {t:.2f} s a kill: the other processes end, new ones start, load PyTorch, meet again and load").format(
            t=spent["restart"] / each),
        _("               the checkpoint. One lost process costs the time of all {n}.").format(n=s.processes),
        _("  checkpoints  {n} saves of {t:.1f} ms: nobody trains meanwhile.").format(
            n=saves, t=1e3 * spent["checkpoint"] / max(saves, 1)),
        _("  start, end   {t:.1f} s: torchrun and then its processes start, and at the end they leave together.").format(
            t=spent["start"] + spent["end"])]


def verdict(result: Result) -> list[str]:
    """Whether the two claims of the lab hold."""
    found, off = result.killed, result.measured - result.forecast.goodput
    lines = ["", _("Goodput: predicted {p:.3f}, measured {m:.3f}, difference {d:+.3f}").format(
        p=result.forecast.goodput, m=result.measured, d=off)]
    if result.agrees:
        lines[-1] += _(", within {tolerance:g}.").format(tolerance=TOLERANCE)
    else:
        lines[-1] += _(", more than {tolerance:g}.").format(tolerance=TOLERANCE)
    lines += _busy(result)
    if found.own_failures:
        lines.append(ngettext("Besides, {n} restart was not ours: something else ended the training.",
                              "Besides, {n} restarts were not ours: something else ended the training.",
                              found.own_failures).format(n=found.own_failures))
    lines.append(_("Loss at the end: undisturbed {a:.{digits}f}, with kills {b:.{digits}f}: {same}.").format(
        a=result.undisturbed.loss, b=found.loss, digits=LOSS_DIGITS,
        same=_("the same to {n} decimals").format(n=LOSS_DIGITS) if result.same_loss else _("NOT the same")))
    best = predict.best_interval(result.timing, result.plan.settings.mean_gap_s)
    lines.append(_("Young's formula for this checkpoint and this rate: save every {best:.0f} steps; here it was every {used}.")
                 .format(best=best, used=result.plan.settings.checkpoint_every))
    return lines


def _busy(result: Result) -> list[str]:
    """Whether the machine was the same in run 3 as before, by the system's own count of waiting for a core."""
    t, then = result.timing, result.timing.as_busy_as(result.killed)
    waited = then.restart - t.restart + t.restart_waited
    text = _("In a restart the processes stood ready and had no core for {before:.1f} s in runs 1 and 2, {now:.1f} s in run 3.")
    if not t.restart_waited and not waited:  # not every system counts it
        why = _("Compare the rows: most often other work came or went, and a restart took longer or less.")
        return [] if result.agrees else [why]
    lines = [text.format(before=t.restart_waited, now=waited)]
    if result.disturbed:
        lines.append(_("So other work came or went meanwhile, and the prediction was made for another machine. With the"))
        text = _("waiting of run 3 it would have been {p:.3f}, difference {d:+.3f}. Run the lab again when nothing else runs.")
        lines.append(text.format(p=result.as_busy.goodput, d=result.measured - result.as_busy.goodput))
    elif not result.agrees:
        lines.append(_("So the machine was about as busy as before, and the prediction was wrong: compare the rows."))
    return lines


def record(result: Result) -> dict[str, Any]:
    """Everything as one object; times in seconds."""
    expected, mean = result.forecast, result.plan.forecast_of_the_rate(result.timing)
    run = result.killed
    return {
        "format": FORMAT, "torch": version("torch"), "python": sys.version.split()[0],
        "settings": {**asdict(result.plan.settings), "steps": result.plan.settings.training.steps,
                     "step_s": result.plan.settings.training.step_s},
        "timing_s": asdict(result.timing),
        "predicted": {"goodput": expected.goodput, "goodput_range": result.plan.goodput_range(result.timing),
                      "kills": expected.kills, "wall_s": expected.wall, "spent_s": expected.spent},
        "predicted_by_the_rate": {"goodput": mean.goodput, "kills": mean.kills, "wall_s": mean.wall, "spent_s": mean.spent},
        "measured": {
            "goodput": result.measured, "kills": len(run.kills), "wall_s": run.wall_ns / 1e9,
            "spent_s": seconds(account(run)), "failures_not_ours": run.own_failures,
            "each_kill": [
                {"at_s": (kill.ns - run.launch_ns) / 1e9, "rank": kill.rank, "detection_s": (kill.noticed_ns - kill.ns) / 1e9,
                 "steps_lost": lost} for kill, lost in zip(run.kills, steps_lost(run), strict=True)]},
        "difference": result.measured - expected.goodput, "tolerance": TOLERANCE, "agrees": result.agrees,
        "predicted_as_busy_as_run_3": {"goodput": result.as_busy.goodput, "wall_s": result.as_busy.wall,
                                       "disturbed": result.disturbed},
        "loss": {"undisturbed": result.undisturbed.loss, "with_kills": run.loss, "same_to_6_decimals": result.same_loss,
                 "every_bit_of_the_weights": result.undisturbed.digest == run.digest}}
