"""What ``clustersim`` on the command line does; :mod:`clustersim.cli` is the door.

Exit codes: 0 done, 1 the input or the output file is at fault (one clear line on stderr), 2 the command line is wrong,
130 stopped by Ctrl-C.
"""
from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clustersim import __version__
from clustersim.errors import ClusterSimError, InputError
from clustersim.messages import _, ngettext

if TYPE_CHECKING:
    from clustersim.trace import Trace

POLICIES = ("fcfs", "easy")  # of clustersim.batch; named here so that --help needs no simulator


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` and return its exit code; Ctrl-C is left to :mod:`clustersim.cli`."""
    args = _parser().parse_args(argv)
    try:
        code: int = args.run(args)
        if sys.stdout is not None:  # None where the caller closed it (``>&-``)
            sys.stdout.flush()
        return code
    except ClusterSimError as error:
        print(f"clustersim: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        _drop_output()  # the reader went away (``| head``): nothing to report
        return 1
    except OSError as error:  # a file's own errors are InputErrors by now: what is left is what is printed
        failed = InputError(_("standard output"), error.strerror, _("a place that can be written"))
        print(f"clustersim: {failed}", file=sys.stderr)
        _drop_output()
        return 1


def _drop_output() -> None:
    """What could not be printed is lost, and Python must not complain of it at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clustersim", description=_("A simulated training cluster."))
    parser.add_argument("--version", action="version", version=f"clustersim {__version__}")
    commands = parser.add_subparsers(required=True, metavar=_("command"))
    replay = commands.add_parser("replay", help=_("run a recorded workload through the simulator"))
    kinds = replay.add_subparsers(required=True, metavar=_("kind"))

    swf = kinds.add_parser("swf", help=_("a Standard Workload Format log on a pool of cores"))
    swf.add_argument("trace", type=Path, help=_("the log, plain or gzip"))
    swf.add_argument("--cores", type=_positive, required=True, metavar="N", help=_("size of the pool"))
    swf.add_argument("--policy", choices=POLICIES, required=True)
    swf.add_argument("--starts", type=Path, metavar="FILE", help=_("write a line 'job_id start_time' a job, in queue order"))
    swf.add_argument("--json", action="store_true", help=_("print the metrics as one JSON object"))
    swf.add_argument("--save", type=Path, metavar="FILE", help=_("write the whole trace as JSON"))
    swf.set_defaults(run=_replay_swf)

    slurm = kinds.add_parser("slurm", help=_("a workload for the simulated Slurm"))
    slurm.add_argument("workload", type=Path, help=_("WORKLOAD.json, in the form of tests/golden/slurm_golden/README.md"))
    slurm.add_argument("--outcome", type=Path, metavar="OUT.json",
                       help=_("write what happened, in the form of a measured outcome (default: print every run)"))
    slurm.add_argument("--save", type=Path, metavar="FILE", help=_("write the whole trace as JSON"))
    slurm.set_defaults(run=_replay_slurm)

    story = commands.add_parser("story", help=_("the life of one job or node of a saved trace, in sentences"))
    story.add_argument("trace", type=Path, help=_("a trace written by --save"))
    story.add_argument("subject", help=_("job id or node name"))
    story.set_defaults(run=_story)
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(_("{text!r} is not a whole number above 0").format(text=text))
    return int(text)


def _replay_swf(args: argparse.Namespace) -> int:
    from clustersim.batch import replay_pool
    from clustersim.metrics import metrics, start_hashes, start_lines
    from clustersim.workload import read_swf

    table = read_swf(args.trace, args.cores, _progress())
    _clear()
    if not len(table):
        raise InputError(str(args.trace), _("no such job"), _("at least one job that fits {n} cores").format(n=args.cores))
    trace = replay_pool(table, args.cores, args.policy)
    result = metrics(trace)
    if args.starts:
        lines = start_lines(trace)
        if args.json:
            lines = list(lines)
        _write(args.starts, lines)
    if args.save:
        _write(args.save, [trace.to_json()])
    if args.json:
        hashes = start_hashes(list(start_lines(trace)))
        record = {"policy": args.policy, "cores": args.cores, **result.as_dict(), **hashes,
                  "jobs_dropped": table.dropped, "jobs_cut_at_limit": table.cut}
        print(json.dumps(record))
    else:
        _print_metrics(args, result.as_dict(), table.dropped, table.cut)
    return 0


def _print_metrics(args: argparse.Namespace, m: dict[str, float], dropped: dict[str, int], cut: int) -> None:
    from clustersim.units import human_duration

    gone = sum(dropped.values())
    head = ngettext("{n} job on {cores} cores, {policy}", "{n} jobs on {cores} cores, {policy}", int(m["jobs"]))
    print(head.format(n=m["jobs"], cores=args.cores, policy=args.policy))
    if gone:
        print(_("left out          {n} ({why})").format(n=gone, why=", ".join(f"{v} {_(k)}" for k, v in dropped.items() if v)))
    if cut:
        print(_("cut at their limit {n}").format(n=cut))
    print(_("mean wait         {mean:.3f} s ({text}), {n} jobs waited, longest {longest}").format(
        mean=m["mean_wait"], text=human_duration(m["mean_wait"]), n=m["jobs_that_waited"],
        longest=human_duration(m["max_wait"])))
    print(_("bounded slowdown  {x:.4f} (mean, run times under 10 s count as 10 s)").format(x=m["mean_bounded_slowdown_tau10"]))
    print(_("makespan          {n} s ({text})").format(n=m["makespan"], text=human_duration(m["makespan"])))
    print(_("utilisation       {x:.5f}").format(x=m["utilisation"]))


def _replay_slurm(args: argparse.Namespace) -> int:
    from clustersim.slurm import replay

    trace, outcome = replay(args.workload)
    if args.outcome:
        _write(args.outcome, [json.dumps(outcome, indent=1, ensure_ascii=False), "\n"])
    if args.save:
        _write(args.save, [trace.to_json()])
    started = sum(1 for job in trace.jobs if job.runs)
    print(ngettext("{n} job, {m} started", "{n} jobs, {m} started", len(trace.jobs)).format(n=len(trace.jobs), m=started))
    if args.outcome:
        print(_("outcome in {file}").format(file=args.outcome))
    else:
        _print_runs(trace)
    return 0


def _print_runs(trace: Trace) -> None:
    """A line for each run, and one for each job that waits or was refused."""
    from clustersim.hostlist import compress
    from clustersim.units import clock_time

    rows = [(_("job"), _("state"), _("start"), _("end"), _("nodes or reason"))]
    for job in trace.jobs:
        for run in job.runs:
            end = "" if run.end is None else clock_time(run.end)
            rows.append((job.id, run.state, clock_time(run.start), end, compress(run.nodes)))
        if not job.runs or job.state == "PENDING":
            rows.append((job.id, job.state, "", "", f"({job.reason})"))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip())


def _story(args: argparse.Namespace) -> int:
    from clustersim.trace import Trace

    trace = Trace.load(args.trace)
    try:
        story = trace.story(args.subject)
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # an entry that lacks what its sentence needs
        raise InputError(_("{file}, log").format(file=args.trace), repr(error), _("the log that --save writes")) from None
    print(story)
    return 0


def _write(path: Path, parts: Iterable[str]) -> None:
    """Write all or nothing: a full disk or Ctrl-C leaves neither half a file nor a spoilt old one.

    What is no plain file (``/dev/stdout``, a pipe) is written directly.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8") as stream:
                stream.writelines(parts)
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                if path.suffix == ".gz":
                    stream.buffer.write(gzip.compress("".join(parts).encode(), mtime=0))
                else:
                    stream.writelines(parts)
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error), _("a place that can be written")) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _progress() -> Callable[[int], None] | None:
    """Counts lines on a terminal; silent where nobody looks."""
    if not sys.stderr.isatty():
        return None
    return lambda n: print(_("\r{n} lines read").format(n=n), end="", file=sys.stderr, flush=True)


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
