"""Documents for training: each once an epoch, whatever the workers, and whenever they are killed."""

import json
import os
import pickle
import random
import subprocess
import sys
import textwrap

import pytest

import corpress
from conftest import FILES, compress, documents_of, stand_in_each_shard
from corpress.torch import DocumentDataset, merge_states


@pytest.fixture(scope="module")
def lines(folder):
    """lines.h5, of a.jsonl and three more like it."""
    (folder / "lines.jsonl").write_bytes(FILES[b"corpus/a.jsonl"] + FILES[b"corpus/z.jsonl"] +
                                         FILES[b"corpus/b.txt"])
    compress("--shard-size", "1M", "lines.jsonl", "-o", "lines.h5", cwd=folder)
    with corpress.open(folder / "lines.h5", readers=4) as archive:
        stand_in_each_shard(archive)
        yield archive


@pytest.fixture(scope="module")
def texts(lines):
    found = list(lines.documents)
    assert len(lines.shards) == 4 and found[:9] == documents_of(b"corpus/a.jsonl")[:9]
    return found


def dataset(archive, **options):
    return DocumentDataset(archive, seed=3, numbers=True, **{"buffer": 50, **options})


def test_in_order(lines, texts):
    assert list(DocumentDataset(lines, shuffle=False)) == texts
    assert list(DocumentDataset(lines.path, shuffle=False, transform=len)) == list(map(len, texts))
    some = lines.shards[2].documents
    data = DocumentDataset(lines, shuffle=False, shards=[2])
    assert data.remaining() == len(some)
    assert list(data) == texts[some.start:some.stop]
    assert data.remaining() == 0


def test_shuffled(lines, texts):
    """By seed and epoch; from any iterator the same; nearly nothing stays where it was."""
    data = dataset(lines)
    first = list(data)
    assert sorted(first) == list(enumerate(texts))
    assert [text for _, text in first] != texts
    assert sum(a[0] + 1 == b[0] for a, b in zip(first, first[1:])) < len(texts) / 10
    assert list(dataset(lines)) == first
    assert data.epoch == 0
    second = list(data)  # the next epoch
    assert data.epoch == 1 and sorted(second) == sorted(first) and second != first
    again = dataset(lines)
    again.set_epoch(1)
    assert list(again) == second
    assert list(DocumentDataset(lines, seed=4, numbers=True, buffer=50)) != first


def test_workers_and_ranks(lines, texts):
    """Each document is with one of them; they need not know of each other."""
    for ranks, workers in ((1, 3), (2, 2), (5, 1)):
        found = [list(dataset(lines, rank=rank, ranks=ranks, worker=worker, workers=workers))
                 for rank in range(ranks) for worker in range(workers)]
        assert sorted(sum(found, [])) == list(enumerate(texts))
        assert sum(1 for part in found if part) == min(4, ranks * workers)
    for wrong in ({"rank": 2, "ranks": 2}, {"rank": 0}, {"worker": -1, "workers": 2}):
        with pytest.raises(ValueError):
            dataset(lines, **wrong)
    with pytest.raises(ValueError):
        dataset(lines, buffer=0)


def test_goes_on_at_the_very_document(lines):
    """With a state, the rest comes as it would have come; also after several stops."""
    whole = list(dataset(lines))
    data = dataset(lines)
    found = []
    for stop in (0, 1, 3000, 49, 7000):
        iterator = iter(data)
        found += [next(iterator) for _ in range(stop)]
        state = json.loads(json.dumps(data.state_dict()))
        assert data.remaining() == len(whole) - len(found)
        data = dataset(lines)
        data.load_state_dict(state)
    assert found + list(data) == whole
    assert list(data) != []  # the next epoch
    state = data.state_dict()
    assert state["epoch"] == 1 and state["delivered"] == [[0, len(whole)]]


def test_other_numbers_of_workers(lines, texts):
    """Runs of 2, 3, 1 and 4 workers, each stopped somewhere, deliver each document once."""
    rng = random.Random(5)
    found = []
    states = []
    for workers in (2, 3, 1, 4):
        merged = merge_states(states) if states else None
        states = []
        for worker in range(workers):
            data = dataset(lines, worker=worker, workers=workers)
            if merged:
                data.load_state_dict(merged)
            iterator = iter(data)
            for _ in range(rng.randrange(3000) if workers < 4 else len(texts)):
                found += [pair] if (pair := next(iterator, None)) else []
            states.append(data.state_dict())
    assert sorted(found) == list(enumerate(texts))
    assert merge_states(states)["delivered"] == [[0, len(texts)]]


def test_mark(lines, texts):
    """Of a loader that reads ahead, the consumer says what has come."""
    consumer = dataset(lines)
    came = [number for number, _ in dataset(lines)][:5000]
    consumer.mark(came[:100])
    consumer.mark(came[100:])
    consumer.mark(came[7])
    other = dataset(lines)
    other.load_state_dict(consumer.state_dict())
    assert sorted([number for number, _ in other] + came) == list(range(len(texts)))
    with pytest.raises(IndexError):
        consumer.mark(len(texts))


def test_wrong_states(lines, archive):
    state = dataset(lines).state_dict()
    with pytest.raises(corpress.ChangedError, match="another archive"):
        dataset(archive).load_state_dict(state)
    with pytest.raises(ValueError):
        dataset(lines).load_state_dict({**state, "format": 2})
    with pytest.raises(ValueError):
        merge_states([state, {**state, "epoch": 1}])
    with pytest.raises(ValueError):
        merge_states([])


def test_pickles(lines):
    data = dataset(lines)
    iterator = iter(data)
    for _ in range(1234):
        next(iterator)
    other = pickle.loads(pickle.dumps(data))
    assert other.state_dict() == data.state_dict() and list(other) == list(data)


FAKE_TORCH = {
    "torch/__init__.py": "",
    "torch/distributed.py": """
        def is_available(): return True
        def is_initialized(): return True
        def get_rank(): return 1
        def get_world_size(): return 2
    """,
    "torch/utils/__init__.py": "",
    "torch/utils/data.py": """
        import types
        class IterableDataset: pass
        info = None
        def get_worker_info(): return info
    """,
}

WITH_TORCH = """
import sys, types
import torch.distributed
import torch.utils.data
from corpress.torch import DocumentDataset
found = []
data = DocumentDataset(sys.argv[1], numbers=True)
assert isinstance(data, torch.utils.data.IterableDataset)
other = DocumentDataset(data.archive, numbers=True, rank=0, ranks=2)
for worker in range(2):
    torch.utils.data.info = types.SimpleNamespace(id=worker, num_workers=2)
    for one in (data, other):
        found += one
        one.set_epoch(0)
assert sorted(found) == list(enumerate(data.archive.documents))
"""


def test_with_torch(lines, tmp_path):
    """A module that looks like torch stands in for it."""
    for name, source in FAKE_TORCH.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(source))
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, "-c", WITH_TORCH, lines.path], check=True, timeout=3000,
                   env={**os.environ, "PYTHONPATH": path})


@pytest.mark.parametrize("workers", [(2, 2, 2, 2), (2, 3)])
def test_killed(lines, folder, tmp_path, workers):
    """Three times, and once with another number of workers afterwards."""
    script = os.path.join(os.path.dirname(__file__), "killed_workers.py")
    run = subprocess.run([sys.executable, script, lines.path, folder / "lines.jsonl", tmp_path,
                          *map(str, workers)], check=False, timeout=3000, stdout=subprocess.PIPE)
    said = run.stdout.decode()
    assert run.returncode == 0 and said.endswith("each document has been seen once\n"), said
    assert said.count("killed") == len(workers) - 1, said
