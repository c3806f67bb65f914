"""Times to save, load and pass on a state: from sizes and bandwidths, with the vendor's figure beside and not inside."""
from __future__ import annotations

from dataclasses import replace

import pytest

from clustersim.errors import InputError
from clustersim.training import Checkpoints, Faults, Peers, Plan, Recovery, report, simulate
from clustersim.training.state import BYTES_PER_PARAMETER, State, rendezvous_s, saved_share

LLAMA = State(parameters=405e9, gpus=16_384, storage_gb_s=2000, replicas=128)


def test_blooms_checkpoint_is_near_the_bytes_a_parameter() -> None:
    bloom = State(parameters=176e9, gpus=384, storage_gb_s=57.5)
    assert bloom.bytes / 1e12 == pytest.approx(2.3, rel=0.08) and BYTES_PER_PARAMETER == 14
    assert replace(bloom, bytes_per_parameter=2.3e12 / 176e9).write_s() == pytest.approx(40)


def test_a_state_is_spread_over_the_nodes_of_a_replica() -> None:
    assert LLAMA.node_bytes == pytest.approx(405e9 * 14 / 16)
    assert replace(LLAMA, replicas=1).node_bytes == pytest.approx(405e9 * 14 / 2048)
    assert LLAMA.snapshot_s() == pytest.approx(LLAMA.node_bytes / 8 / 25e9)


def test_recovery_from_peers_follows_from_bandwidth_and_rendezvous() -> None:
    meet = rendezvous_s(16_384)
    fast, slow = LLAMA.peer_restore_s(meet), replace(LLAMA, network_gb_s=40).peer_restore_s(meet)
    assert meet == 40 and fast == pytest.approx(40 + LLAMA.node_bytes / 400e9) and fast < slow
    assert 0 < saved_share(LLAMA.restart_s(meet, start_s=300), fast) < 1
    assert saved_share(fast, fast) == 0
    assert rendezvous_s(2048, optimised=False) == 1047
    with pytest.raises(InputError, match="at least 2"):
        replace(LLAMA, replicas=1).peer_restore_s(meet)
    with pytest.raises(InputError, match="storage_gb_s"):
        replace(LLAMA, storage_gb_s=0)


def test_a_run_with_peers_is_better_than_one_that_restarts_by_what_the_times_say() -> None:
    meet = rendezvous_s(16_384)
    base = Plan(gpus=16_384, wall_days=20, checkpoints=Checkpoints.blocking(1800, LLAMA.write_s(), LLAMA.load_s()),
                faults=Faults(mix="llama3_interruptions"), recovery=Recovery(spares=64, restart=LLAMA.restart_s(meet, 300)))
    peers = replace(base, recovery=replace(base.recovery, peers=Peers(LLAMA.peer_restore_s(meet), 128)))
    first, second = (report(simulate(plan, 1)) for plan in (base, peers))
    assert second.goodput > first.goodput and second.lost["replay"] < first.lost["replay"]
