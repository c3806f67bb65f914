"""The training: one process of it, started by torchrun as ``python -m labs.torchrun.worker FOLDER STEPS EVERY STEP_S``.

Data-parallel, in float64 on the CPU: a small network learns what a fixed other one computes. Each process takes its own
batch, the gradients are averaged over all processes, every process makes the same update. A step's data depends on the
step's number only, so a training that goes on from a checkpoint is the same training. Averaging and update are written
out: PyTorch's ready-made classes load several seconds' worth of code that this lab does not need.
"""
from __future__ import annotations

import hashlib
import io
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from labs.torchrun import checkpoint, events, guard

if TYPE_CHECKING:
    from torch import Tensor

INPUTS, HIDDEN, BATCH = 16, 256, 32
WEIGHTS = INPUTS * HIDDEN + HIDDEN * HIDDEN + HIDDEN
RATE, MOMENTUM = 0.02, 0.9
GROUP_TIMEOUT_S = 20  # PyTorch's own, 30 min, would turn any hang into the end of the lab


def main() -> None:
    folder, steps, every, step_s = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    rank, attempt = int(os.environ["RANK"]), int(os.environ["TORCHELASTIC_RESTART_COUNT"])
    guard.end_with_the_lease(folder)
    badge = guard.Lock(guard.badge_of(folder, attempt, rank), str(os.getpid()))
    log = events.Log(folder, attempt) if rank == 0 else None
    if log:
        log.say("boot")
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    _join(folder, attempt, rank)
    start, weights, velocity = _resume(folder)
    waited = torch.tensor(guard.waited_ns(os.getpid()))
    dist.all_reduce(waited, op=dist.ReduceOp.MAX)  # all are here once they know the longest
    if log:
        log.say("ready", step=start, waited_ns=int(waited), launcher_waited_ns=guard.waited_ns(os.getppid()))
    for step in range(start + 1, steps + 1):
        begin = time.monotonic()
        gradient = _gradient(weights, step, rank)
        dist.all_reduce(gradient)
        velocity.mul_(MOMENTUM).add_(gradient, alpha=1 / dist.get_world_size())
        weights.sub_(velocity, alpha=RATE)
        time.sleep(max(0.0, step_s - (time.monotonic() - begin)))
        if log:
            log.say("step", step=step)
            if step % every == 0:
                checkpoint.save(folder, step, _pack(weights, velocity))
                log.say("saved", step=step)
    if log:
        log.say("done", loss=_loss(weights, seed=0, size=1024).item(), digest=_digest(weights))
    dist.barrier()
    dist.destroy_process_group()
    badge.release()


def _join(folder: Path, attempt: int, rank: int) -> None:
    """Meet the others of this attempt. The store is a file, and each attempt has its own: see the trap in the README."""
    import torch.distributed as dist

    size = int(os.environ["WORLD_SIZE"])
    store = dist.FileStore(str(folder / f"store-{attempt:03d}"), size)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=timedelta(seconds=GROUP_TIMEOUT_S))


def _resume(folder: Path) -> tuple[int, Tensor, Tensor]:
    """Step, weights and velocity to go on from. Rank 0 chooses the checkpoint, all load the same."""
    import torch
    import torch.distributed as dist

    found = checkpoint.newest(folder) if dist.get_rank() == 0 else None
    chosen = torch.tensor(found[0] if found else 0)
    dist.broadcast(chosen, src=0)
    step = int(chosen)
    if step == 0:
        generator = torch.Generator().manual_seed(0)
        weights = 0.05 * torch.randn(WEIGHTS, generator=generator, dtype=torch.float64)
        return 0, weights, torch.zeros_like(weights)
    content = checkpoint.load(folder, step)
    if content is None:
        raise RuntimeError(f"checkpoint {step} was whole a moment ago and is not now")
    weights, velocity = torch.load(io.BytesIO(content), weights_only=True)
    return step, weights, velocity


def _pack(weights: Tensor, velocity: Tensor) -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save((weights, velocity), stream)
    return stream.getvalue()


def _gradient(weights: Tensor, step: int, rank: int) -> Tensor:
    """Of this process's batch; seeds of steps and ranks do not meet, and none is that of the final test."""
    import torch

    free = weights.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(_loss(free, seed=step * 16 + rank, size=BATCH), free)
    return gradient


def _loss(weights: Tensor, seed: int, size: int) -> Tensor:
    """Mean squared error on ``size`` examples made from ``seed``."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(size, INPUTS, generator=generator, dtype=torch.float64)
    wanted = torch.sin(2 * x[:, 0]) + x[:, 1]
    a, b, c = weights.split((INPUTS * HIDDEN, HIDDEN * HIDDEN, HIDDEN))
    inner = torch.tanh(torch.tanh(x @ a.view(INPUTS, HIDDEN)) @ b.view(HIDDEN, HIDDEN))
    return (inner @ c - wanted).square().mean()


def _digest(weights: Tensor) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the weights: equal only if every bit is."""
    return hashlib.sha256(_pack(weights, weights)).hexdigest()[:16]


if __name__ == "__main__":
    main()
