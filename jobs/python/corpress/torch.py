"""Documents for training: dealt to ranks and workers, shuffled, each once an epoch.

    >>> from corpress.torch import DocumentDataset
    >>> data = DocumentDataset("corpus.h5", seed=1)
    >>> loader = torch.utils.data.DataLoader(data, batch_size=None, num_workers=4)

Where torch can be imported, `DocumentDataset` is a `torch.utils.data.IterableDataset`, and knows the
worker and the rank that it is in. Without torch it is a class of its own, which is told.
"""

from __future__ import annotations

import bisect
import sys
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence,
                    Tuple, Union)

from ._archive import Archive, Path
from .errors import ChangedError

__all__ = ["DocumentDataset", "merge_states"]

if TYPE_CHECKING:

    class _Base:
        """As mypy sees torch.utils.data.IterableDataset, with or without torch."""

else:
    try:
        from torch.utils.data import IterableDataset as _Base
    except ImportError:
        _Base = object

State = Dict[str, Any]
_FORMAT = 1
_MASK = (1 << 64) - 1


class _Random:
    """Numbers that are the same with every version of Python: splitmix64."""

    def __init__(self, *seeds: int) -> None:
        self._state = 0
        for seed in seeds:
            self._state = (self._next() ^ seed) & _MASK

    def _next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, count: int) -> int:
        """A number from 0 to count - 1."""
        return (self._next() * count) >> 64

    def shuffle(self, items: List[int]) -> None:
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]


class _Delivered:
    """Which documents have been delivered: a byte for each of a shard that has been begun."""

    def __init__(self, ranges: Sequence[range]) -> None:
        self._ranges = ranges
        self._marks: Dict[int, bytearray] = {}
        self._left: Dict[int, int] = {}

    def _begin(self, shard: int) -> bytearray:
        if shard not in self._marks:
            self._left[shard] = len(self._ranges[shard])
            self._marks[shard] = bytearray(self._left[shard])
        return self._marks[shard]

    def finished(self, shard: int) -> bool:
        return not self._ranges[shard] or self._left.get(shard) == 0

    def mark(self, shard: int, first: int, count: int = 1) -> None:
        """Documents of one shard, of which any may be marked already."""
        marks = self._begin(shard)
        if self._left[shard] == 0:
            return
        at = first - self._ranges[shard].start
        self._left[shard] -= marks.count(0, at, at + count)
        marks[at:at + count] = b"\1" * count
        if self._left[shard] == 0:
            self._marks[shard] = bytearray()  # all of them

    def has(self, shard: int, number: int) -> bool:
        left = self._left.get(shard)
        if left is None:
            return False
        return left == 0 or self._marks[shard][number - self._ranges[shard].start] != 0

    def spans(self) -> List[List[int]]:
        """What has been delivered: pairs of the first, and the one behind the last."""
        spans: List[List[int]] = []
        for shard in sorted(self._left):
            numbers = self._ranges[shard]
            marks = self._marks[shard] if self._left[shard] > 0 else b"\1" * len(numbers)
            at = marks.find(1)
            while at >= 0:
                end = marks.find(0, at)
                end = len(numbers) if end < 0 else end
                spans.append([numbers.start + at, numbers.start + end])
                at = marks.find(1, end)
        return _joined(spans)


def _joined(spans: Iterable[Sequence[int]]) -> List[List[int]]:
    """Spans in ascending order, of which none touches another."""
    joined: List[List[int]] = []
    for first, end in sorted((span[0], span[1]) for span in spans):
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([first, end])
    return joined


def _check_state(state: State) -> None:
    if state.get("format") != _FORMAT:
        raise ValueError(f"this is no state of format {_FORMAT}")


def merge_states(states: Iterable[State]) -> State:
    """The state of a run of which each worker has saved its own, for any number of workers."""
    merged: Optional[State] = None
    for state in states:
        _check_state(state)
        if merged is None:
            merged = dict(state)
        elif any(merged[key] != state[key] for key in ("identity", "seed", "epoch")):
            raise ValueError("these states are not of one epoch of one run")
        merged["delivered"] = _joined([*merged["delivered"], *state["delivered"]])
    if merged is None:
        raise ValueError("there is no state to merge")
    return merged


class DocumentDataset(_Base):
    """The documents of an archive, each once an epoch, over all ranks and workers together.

    Shards are dealt to the workers of all ranks in an order that `seed` and the epoch shuffle. A
    worker reads one after the other, and draws documents at random out of the next `buffer` ones.
    The order depends on the archive, the seed, the epoch, `buffer` and the number of workers, and on
    nothing else; what has been delivered before is left out. So a run that goes on with a state at
    as many workers delivers what the first one would have; at another number it delivers the same
    documents in another order.

    What is delivered counts as such from the moment that it is. Where a loader has workers, which
    read ahead, it is the consumer who knows: then take `numbers=True`, and `mark()` what has come.

    Arguments:
      archive: a path, or an `Archive`, which goes to workers as a path.
      shuffle: False: the order of the corpus, and no buffer.
      seed, buffer: see above. 1 is no buffer.
      shards: only these.
      numbers: give pairs of number and bytes.
      transform: what is given is made of the bytes by this function.
      rank, ranks: of this process; default: what `torch.distributed` says, or 0 of 1.
      worker, workers: of this rank; default: what `torch.utils.data` says, or 0 of 1.
    """

    def __init__(self, archive: Union[Path, Archive], *, shuffle: bool = True, seed: int = 0,
                 buffer: int = 1000, shards: Optional[Iterable[int]] = None,
                 numbers: bool = False, transform: Optional[Callable[[bytes], Any]] = None,
                 rank: Optional[int] = None, ranks: Optional[int] = None,
                 worker: Optional[int] = None, workers: Optional[int] = None) -> None:
        super().__init__()
        if buffer < 1:
            raise ValueError("a buffer holds a document at least")
        self.archive = archive if isinstance(archive, Archive) else Archive(archive)
        self._shards = [shard.number for shard in
                        (self.archive.shards if shards is None else
                         [self.archive.shards[number] for number in sorted(set(shards))])]
        self._ranges = [shard.documents for shard in self.archive.shards]
        self._starts = [numbers_of.start for numbers_of in self._ranges]
        self._shuffle, self._seed, self._buffer = shuffle, seed, buffer if shuffle else 1
        self._numbers, self._transform = numbers, transform
        self._rank = _part("rank", rank, ranks, _torch_rank)
        self._worker = None if worker is None and workers is None else \
            _part("worker", worker, workers, lambda: (0, 1))
        self._epoch = 0
        self._ended = False  # by this process, in this epoch
        self._delivered = _Delivered(self._ranges)

    # ---- epochs, states -------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """From 0."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Begins an epoch: nothing of it has been delivered. A loop that begins where one has
        ended does so by itself; where a loader has workers that do not persist, they do not know
        of the last one, so call this before the loop.
        """
        self._epoch = epoch
        self._ended = False
        self._delivered = _Delivered(self._ranges)

    def mark(self, numbers: Union[int, Iterable[int]]) -> None:
        """These documents have been delivered in this epoch, and will not be again."""
        for number in (numbers,) if isinstance(numbers, int) else numbers:
            self._delivered.mark(self._shard_of(number), number)

    def _shard_of(self, number: int) -> int:
        shard = bisect.bisect_right(self._starts, number) - 1
        if shard < 0 or number not in self._ranges[shard]:
            raise IndexError(f"there is no document {number}")
        return shard

    def remaining(self) -> int:
        """Documents of this epoch, of all workers, that are not known as delivered."""
        wanted = _joined([[r.start, r.stop] for r in (self._ranges[i] for i in self._shards)])
        both = _joined([*wanted, *self._delivered.spans()])
        return _size(both) - _size(self._delivered.spans())

    def state_dict(self) -> State:
        """Where this epoch stands, in numbers, strings and lists: for `json`, `pickle`, or
        `torch.save`.
        """
        return {"format": _FORMAT, "identity": self.archive.facts.identity, "seed": self._seed,
                "epoch": self._epoch, "delivered": self._delivered.spans()}

    def load_state_dict(self, state: State) -> None:
        """Goes on with a state, whatever the number of workers of its run was. Those of all its
        workers go through `merge_states` first.
        """
        _check_state(state)
        if state["identity"] != self.archive.facts.identity:
            raise ChangedError("the state is one of another archive")
        self._seed = state["seed"]
        self.set_epoch(state["epoch"])
        for first, end in state["delivered"]:
            self._mark_span(first, end)

    def _mark_span(self, first: int, end: int) -> None:
        while first < end:
            shard = self._shard_of(first)
            part = min(end, self._ranges[shard].stop) - first
            self._delivered.mark(shard, first, part)
            first += part

    # ---- documents ------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        if self._ended:
            self.set_epoch(self._epoch + 1)
        worker, workers = self._worker or _torch_worker()
        rank, ranks = self._rank
        slot, slots = rank * workers + worker, ranks * workers
        shards = list(self._shards)
        if self._shuffle:
            _Random(self._seed, self._epoch).shuffle(shards)
        random = _Random(self._seed, self._epoch, slot, slots)
        for shard, number, text in self._drawn(self._read(shards[slot::slots]), random):
            if text is None or self._delivered.has(shard, number):
                continue
            self._delivered.mark(shard, number)
            given = text if self._transform is None else self._transform(text)
            yield (number, given) if self._numbers else given
        self._ended = True

    def _read(self, shards: List[int]) -> Iterator[Tuple[int, int, Optional[bytes]]]:
        """All documents of some shards in order; of those that have been delivered, no text."""
        for shard in shards:
            numbers = self._ranges[shard]
            first = numbers.start
            while first < numbers.stop:
                end = first
                while end < numbers.stop and self._delivered.has(shard, end):
                    yield shard, end, None
                    end += 1
                first = end
                while end < numbers.stop and not self._delivered.has(shard, end):
                    end += 1
                for number, text in zip(range(first, end), self.archive.documents[first:end]):
                    yield shard, number, text
                first = end

    def _drawn(self, documents: Iterator[Tuple[int, int, Optional[bytes]]],
               random: _Random) -> Iterator[Tuple[int, int, Optional[bytes]]]:
        """The same through a buffer, whose order depends on how many there are alone."""
        kept: List[Tuple[int, int, Optional[bytes]]] = []
        for document in documents:
            kept.append(document)
            if len(kept) == self._buffer:
                yield _draw(kept, random)
        while kept:
            yield _draw(kept, random)


def _draw(kept: List[Tuple[int, int, Optional[bytes]]],
          random: _Random) -> Tuple[int, int, Optional[bytes]]:
    i = random.below(len(kept)) if len(kept) > 1 else 0
    kept[i], kept[-1] = kept[-1], kept[i]
    return kept.pop()


def _size(spans: List[List[int]]) -> int:
    return sum(end - first for first, end in spans)


def _part(what: str, number: Optional[int], count: Optional[int],
          default: Callable[[], Tuple[int, int]]) -> Tuple[int, int]:
    """One of how many."""
    if number is None and count is None:
        return default()
    if number is None or count is None or not 0 <= number < count:
        raise ValueError(f"there is no {what} {number} of {count}")
    return number, count


def _torch_rank() -> Tuple[int, int]:
    distributed: Any = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _torch_worker() -> Tuple[int, int]:
    data: Any = sys.modules.get("torch.utils.data")
    info = data.get_worker_info() if data is not None else None
    return (0, 1) if info is None else (info.id, info.num_workers)
