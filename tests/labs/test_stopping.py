"""However the lab ends, no process, no port and no file is left; and nothing ever listens beyond loopback."""
from __future__ import annotations

import ipaddress
import signal
from pathlib import Path

import psutil
import pytest

from tests.labs.running import Lab, lab, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
ARGUMENTS = ("torchrun", "--minutes", "0.5")
WORKERS = 2


def workers(running: Lab) -> list[psutil.Process]:
    return [process for process in running.processes() if "labs.torchrun.worker" in " ".join(process.cmdline())
            and "torch.distributed.run" not in " ".join(process.cmdline())]


def addresses(running: Lab) -> set[str]:
    """Local addresses that its processes listen on or are connected from."""
    found = set()
    for process in running.processes():
        found |= {connection.laddr.ip for connection in process.net_connections(kind="inet") if connection.laddr}
    return found


# When to stop it: what it has just said.
MOMENTS = {
    "before training begins": ("Run 1 of 3", signal.SIGHUP),
    "while it trains": ("  step ", signal.SIGTERM),
    "between a kill and the restart": ("killed after step", signal.SIGINT)}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_leaves_nothing(tmp_path: Path, moment: str) -> None:
    words, number = MOMENTS[moment]
    with lab(tmp_path, *ARGUMENTS) as running:
        running.lines_until(words)
        assert wait_for(lambda: len(running.processes()) > 1)
        running.process.send_signal(number)
        running.lines_until("no process and no temporary file is left")
        assert running.process.wait(30) == 128 + number
        assert running.processes() == []
    assert list(tmp_path.iterdir()) == []


def test_it_speaks_over_loopback_only_and_not_even_kill_9_of_the_lab_leaves_a_process(tmp_path: Path) -> None:
    with lab(tmp_path, *ARGUMENTS) as running:
        running.lines_until("  step ")
        assert len(workers(running)) == WORKERS
        spoken = addresses(running)
        assert spoken
        assert {address for address in spoken if not ipaddress.ip_address(address).is_loopback} == set()
        running.process.kill()
        assert running.process.wait(30) == -signal.SIGKILL
        assert wait_for(lambda: running.processes() == [])
    assert len(list(tmp_path.iterdir())) == 1  # the work folder stays: nobody was there to remove it
