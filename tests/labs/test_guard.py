"""Locks that tell who is alive, and events that survive being cut off."""
from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from labs.torchrun import events, guard
from tests.conftest import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from labs.torchrun import guard
lock = guard.Lock(Path(sys.argv[1]), str(__import__("os").getpid()))
print("held", flush=True)
time.sleep(60)
"""
ORPHAN = """
import sys, time
from pathlib import Path
from labs.torchrun import guard
guard.end_with_the_lease(Path(sys.argv[1]))
print("watching", flush=True)
time.sleep(60)
sys.exit(5)
"""


def test_a_lock_is_seen_by_others_and_gone_with_its_process(tmp_path: Path) -> None:
    badge = tmp_path / "badge"
    assert guard.pid_if_alive(badge) is None
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(badge)], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert guard.pid_if_alive(badge) == holder.pid
        holder.kill()
        holder.wait()
    assert badge.read_text() == str(holder.pid)
    assert guard.pid_if_alive(badge) is None


def test_a_process_ends_by_itself_without_failing_once_the_lease_is_gone(tmp_path: Path) -> None:
    lease = guard.Lock(guard.lease_of(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ORPHAN, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        time.sleep(2 * guard.PERIOD_S)
        assert orphan.poll() is None
        lease.release()
        assert orphan.wait(20) == 0


def test_a_process_born_after_the_lease_is_gone_ends_at_once(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ORPHAN, str(tmp_path)], cwd=ROOT, capture_output=True, timeout=20)
    assert (done.returncode, done.stdout) == (0, b"")


def test_events_come_once_in_order_and_a_line_cut_off_by_a_kill_is_not_read(tmp_path: Path) -> None:
    heard = events.Events(tmp_path)
    assert heard.new() == []
    events.Log(tmp_path, 0).say("ready", step=0)
    with events.file_of(tmp_path, 0).open("a") as stream:
        stream.write('{"what": "step", "ns"')
    assert [(attempt, event["what"]) for attempt, event in heard.new()] == [(0, "ready")]
    events.Log(tmp_path, 3).say("ready", step=20)  # attempts 1 and 2 died before their first word
    assert [(attempt, event["step"]) for attempt, event in heard.new()] == [(3, 20)]
    assert heard.new() == []
