"""One archive, used from several threads, forked children and spawned workers."""

import io
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import corpress
from conftest import FILES


def test_four_threads(folder, documents):
    """They open, read and iterate at the same time, with fewer readers than threads, too."""
    for readers in (1, 4):
        with corpress.open(folder / "a.h5", readers=readers) as archive:

            def work(shard, archive=archive):
                numbers = archive.shards[shard].documents
                found = list(archive.iter_documents(shards=[shard]))
                assert found == documents[numbers.start:numbers.stop]
                for middle in numbers[len(numbers) // 2:len(numbers) // 2 + 1]:
                    assert archive.documents[middle] == documents[middle]
                assert archive.read("corpus/lines.ndjson") == FILES[b"corpus/lines.ndjson"]
                return archive.files["corpus/b.txt"].size

            with ThreadPoolExecutor(4) as pool:
                assert list(pool.map(work, range(4))) == [1400000] * 4


def test_close_while_threads_read(folder):
    """Whoever is at work finishes it, and then gets a ValueError."""
    archive = corpress.open(folder / "a.h5", readers=2)
    begun = threading.Barrier(4)

    def work(_):
        begun.wait()
        while True:
            assert archive.read("corpus/a.jsonl", 0, 5) == FILES[b"corpus/a.jsonl"][:5]
            assert archive.files[0].path == "corpus"

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(work, i) for i in range(3)]
        begun.wait()
        archive.close()
        for one in running:
            with pytest.raises(ValueError, match="closed"):
                one.result()


def in_child(work):
    """The exit code of a forked child: 0 if work() returns true."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if work() else 1
        except BaseException as error:  # pylint: disable=broad-except
            os.write(2, repr(error).encode())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_fork_while_open(folder, documents):
    with corpress.open(folder / "a.h5") as archive:
        file = io.BufferedReader(archive.open("corpus/z.jsonl"))
        iterator = archive.iter_documents()
        assert next(iterator) == documents[0]
        assert file.read(5) == FILES[b"corpus/z.jsonl"][:5]

        def work():
            assert file.read(5) == FILES[b"corpus/z.jsonl"][5:10]
            return [next(iterator) for _ in range(99)] == documents[1:100]

        assert in_child(work) == 0
        assert work()  # the parent's go on where they were
        closes = lambda: (archive.close() or archive.closed)  # noqa: E731
        assert in_child(closes) == 0
        assert archive.documents[7] == documents[7]


def test_fork_while_another_thread_reads(folder, documents):
    """What that thread was using, the child does not touch. It decodes with a reader of its own."""
    with corpress.open(folder / "a.h5", readers=1) as archive:
        stop = threading.Event()

        def work():
            while not stop.is_set():
                list(archive.iter_documents(shards=[3]))

        other = threading.Thread(target=work)
        other.start()
        try:
            while not archive._session.is_used():
                time.sleep(0.001)
            for _ in range(3):
                assert in_child(lambda: archive.documents[5] == documents[5]) == 0
        finally:
            stop.set()
            other.join()


def spawned(archive, number):
    """In a worker process."""
    return archive.facts.identity, archive.documents[number], len(archive.documents[3:9])


def test_spawned_worker(archive, documents):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for number, result in [(n, pool.apply_async(spawned, (archive, n))) for n in (3, 30000)]:
            assert result.get(3000) == (archive.facts.identity, documents[number], 6)


def test_pickles(archive):
    other = pickle.loads(pickle.dumps(archive))
    assert other is not archive and other.facts == archive.facts
    assert list(pickle.loads(pickle.dumps(archive.documents[5:8]))) == list(archive.documents[5:8])
    assert pickle.loads(pickle.dumps(archive.files[3])) == archive.files[3]
    file = archive.open("corpus/lines.ndjson")
    file.seek(5)
    assert pickle.loads(pickle.dumps(file)).read() == FILES[b"corpus/lines.ndjson"][5:]


HANDLED = """
import random
import signal
import sys
import corpress

class Enough(Exception):
    pass

def handler(number, frame):
    raise Enough

archive = corpress.open(sys.argv[1], readers=2)
first = archive.documents[0]
signal.signal(signal.SIGALRM, handler)
for turn in range(400):
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(5e-5, 2e-3))
        while True:
            assert archive.documents[random.randrange(50)] is not None
            assert archive.files["corpus/a.jsonl"].size > 0
    except Enough:
        pass
assert archive.documents[0] == first
assert not archive._session.is_used() and len(archive._session._readers) <= 2
assert not archive._session._lock._is_owned()
"""


def test_handlers_that_raise(folder):
    """Whatever a signal's handler has cut short, the next call is answered."""
    subprocess.run([sys.executable, "-c", HANDLED, str(folder / "a.h5")], check=True, timeout=3000)


INTERRUPTED = """
import sys
import corpress
archive = corpress.open(sys.argv[1])
print("begun", flush=True)
try:
    for _ in range(1000000):
        {use}
except KeyboardInterrupt:
    assert archive.read("corpus/lines.ndjson").startswith(b"one")
    sys.exit(7)
"""


@pytest.mark.parametrize("use", [
    "corpress.open(sys.argv[1]).prime()",
    'archive.read("corpus/b.txt")',
    "list(archive.documents)",
])
def test_interrupt(folder, use):
    """Ctrl-C ends whatever is at work, wherever it comes; the archive can be used afterwards."""
    for wait in (0.0, 0.3):
        with subprocess.Popen([sys.executable, "-c", INTERRUPTED.format(use=use),
                               folder / "a.h5"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as running:
            assert running.stdout.readline() == b"begun\n"
            time.sleep(wait)
            running.send_signal(signal.SIGINT)
            _, said = running.communicate()
            assert running.returncode in (7, -signal.SIGINT), said
            assert b"ignored" not in said


FIRST_BYTES = """
import sys
import corpress
sys.stdin.readline()
with corpress.open(sys.argv[1], cache=sys.argv[2]) as archive:
    assert archive.cache_use == "none"
    assert archive.read("corpus/b.txt", 0, 5) == sys.argv[3].encode()
    print(archive.cache_use)
"""


def test_eight_processes_decode_the_primer_once(folder, tmp_path):
    """They begin at the same time, with an empty cache: one makes the state, seven load it."""
    command = [sys.executable, "-c", FIRST_BYTES, str(folder / "a.h5"), str(tmp_path / "cache"),
               FILES[b"corpus/b.txt"][:5].decode()]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
               for _ in range(8)]
    for process in running:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    said = [process.communicate()[0].decode().strip() for process in running]
    assert sorted(said) == ["loaded"] * 7 + ["stored"]
    assert [process.returncode for process in running] == [0] * 8
