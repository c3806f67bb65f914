"""Starting torchrun with its training processes, and making sure that none is left."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

from clustersim.messages import _
from labs.torchrun import guard
from labs.torchrun.settings import Training

MARKER = "LABS_TORCHRUN_RUN"  # in the environment of every process of a run
GRACE_S = 5.0
POLL_S = 0.02


class LeftOver(Exception):
    """Processes that could not be ended; the text names them."""


class Launch:
    """One torchrun and the processes that it starts, all in ``folder``; ``end`` leaves none of them."""

    def __init__(self, folder: Path, training: Training, restarts: int) -> None:
        """``restarts`` is after how many torchrun gives up."""
        self.folder = folder
        self.log = folder / "torchrun.log"
        self._run = uuid.uuid4().hex
        self._lease = guard.Lock(guard.lease_of(folder), str(os.getpid()))
        with self.log.open("wb") as log:
            self.launch_ns = time.monotonic_ns()
            self._process = subprocess.Popen(
                command(folder, training, restarts), cwd=folder, env=environment(folder, self._run), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def poll(self) -> int | None:
        """torchrun's exit code, or None while it runs."""
        return self._process.poll()

    def kill(self, attempt: int, rank: int) -> int | None:
        """SIGKILL to one training process; when (ns), or None if it is not there any more."""
        pid = guard.pid_if_alive(guard.badge_of(self.folder, attempt, rank))
        if pid is None:
            return None
        now = time.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        return now

    def end(self) -> None:
        """End what still runs, torchrun first so that it starts nothing more; LeftOver if something resists."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._lease.release()  # and with it, processes end that were too young to be seen
        until = time.monotonic() + GRACE_S
        while left := self._alive():
            for pid in left:
                _kill(pid)
            if time.monotonic() > until:
                raise LeftOver(_("these processes could not be ended: {pids}").format(pids=", ".join(map(str, left))))
            time.sleep(POLL_S)

    def _alive(self) -> list[int]:
        badges = (guard.pid_if_alive(path) for path in self.folder.glob("process-*"))
        return sorted({pid for pid in badges if pid is not None} | marked(self._run))


def command(folder: Path, training: Training, restarts: int) -> list[str]:
    """torchrun on this machine alone; its own meeting point is a file, since its TCP one listens on every interface."""
    return [
        sys.executable, "-m", "torch.distributed.run", "--nnodes", "1", "--nproc-per-node", str(training.processes),
        "--max-restarts", str(restarts), "--rdzv-id", "lab", "--rdzv-backend", "c10d",
        "--rdzv-endpoint", str(folder / "rendezvous"), "--rdzv-conf", "store_type=file", "--local-addr", "127.0.0.1",
        "--module", "labs.torchrun.worker", str(folder), str(training.steps), str(training.checkpoint_every),
        str(training.step_s)]


def environment(folder: Path, run: str) -> dict[str, str]:
    """Loopback only, one thread a process, temporary files in the folder, no store shared between attempts."""
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    package = str(Path(__file__).resolve().parents[2])
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TORCHELASTIC_", "TORCH_", "GLOO_"))},
        MARKER: run,
        "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH")))),
        "PYTHONWARNINGS": "ignore",  # PyTorch misses NumPy, which this lab does not use
        "TMPDIR": str(scratch),
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    }


def marked(run: str) -> set[int]:
    """Processes whose environment holds the marker of ``run``, where the system shows environments (Linux)."""
    wanted = f"{MARKER}={run}".encode()
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                found.add(int(path.parent.name))
        except OSError:
            continue  # ended, or not ours
    return found


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
