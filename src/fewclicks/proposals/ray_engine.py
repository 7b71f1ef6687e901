"""Ray engine: a folder of pictures shared out in chunks, each of which one worker makes a shard of.

A shard is named by its pictures and renamed into place. So a chunk whose worker died is done again
under the same name: nothing is lost, and nothing stands twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fewclicks.errors import FewclicksError
from fewclicks.proposals.plan import Failure, ProposalPlan, Proposer
from fewclicks.proposals.shards import write_shard
from fewclicks.ray_cluster import WorkerDied, fetch, ray_cluster

_MOST_PICTURES: Final = 64  # of a chunk
_CHUNKS_EACH: Final = 4  # at least, so that workers end together
_THREADS: Final = 2  # of a worker: one reads and merges while the other looks
_RETRIES: Final = 3  # of a chunk whose worker died; a picture may be what kills it


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """What a worker did.

    Parameters
    ----------
    done
        Pictures.
    failures
        Those that could not be read.
    seconds, seconds_looking
        Of all, and of the backbone.
    """

    done: int
    failures: tuple[Failure, ...]
    seconds: float
    seconds_looking: float


def propose_on_ray(
    plan: ProposalPlan, folder: Path, out: Path, pictures: Sequence[str], *, workers: int
) -> Iterator[Chunk]:
    """Do pictures on a Ray cluster, and tell of each chunk as it is done.

    Parameters
    ----------
    folder, out
        Every machine of the cluster must see both under the same path.
    workers
        Processes, where the cluster is started here; one that RAY_ADDRESS names has its own.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    FewclicksError
        What a worker ran into, or that one chunk killed its workers again and again.
    """
    with ray_cluster(workers) as ray:
        yield from _share_out(ray, plan, folder.resolve(), out.resolve(), pictures, workers)


def _share_out(
    ray: Any, plan: ProposalPlan, folder: Path, out: Path, pictures: Sequence[str], workers: int
) -> Iterator[Chunk]:
    gpus = 1 if plan.device == "cuda" else 0
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=_RETRIES)(propose_chunk)
    size = max(1, min(_MOST_PICTURES, len(pictures) // (_CHUNKS_EACH * workers)))
    running = [
        task.remote(plan, folder, out, pictures[start : start + size])
        for start in range(0, len(pictures), size)
    ]
    while running:
        finished, running = ray.wait(running)
        try:
            yield fetch(ray, finished[0])
        except WorkerDied as error:
            raise FewclicksError(
                f"A chunk of pictures killed its worker {_RETRIES + 1} times, most often for want "
                "of memory; --resume with fewer --workers goes on."
            ) from error


def propose_chunk(plan: ProposalPlan, folder: Path, out: Path, pictures: Sequence[str]) -> Chunk:
    """Make one shard; what a worker runs."""
    proposer = _proposer(plan)
    start, looked = time.perf_counter(), proposer.seconds_looking
    rows, failures = [], []
    try:
        for result in proposer.attempts(folder, pictures, workers=_THREADS):
            if isinstance(result, Failure):
                failures.append(result)
            else:
                rows.append(result)
        if rows:
            write_shard(out, proposer.recipe, rows, of=pictures)
    except FewclicksError as error:
        # Some errors cannot be rebuilt at home from their message alone.
        raise FewclicksError(str(error)) from None
    return Chunk(
        done=len(rows),
        failures=tuple(failures),
        seconds=time.perf_counter() - start,
        seconds_looking=proposer.seconds_looking - looked,
    )


_made: tuple[ProposalPlan, Proposer] | None = None


def _proposer(plan: ProposalPlan) -> Proposer:
    """Keep the last one: a worker does many chunks, and loads its network once."""
    global _made  # a worker has no other place that outlives a chunk
    if _made is None or _made[0] != plan:
        _made = plan, Proposer(plan)
    return _made[1]
