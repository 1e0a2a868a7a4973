#!/usr/bin/env python3
"""Reads every document of an archive with several worker processes, kills them at random moments,
goes on, at another number of workers, too, and checks that each document has been seen once.

    killed_workers.py ARCHIVE CORPUS-FILE FOLDER [WORKERS...]

ARCHIVE holds CORPUS-FILE alone, whose lines are its documents. WORKERS: how many there are in each
run; all runs but the last are killed. Default: 2 2 2 2, so that they are killed three times. What
has been seen is written to FOLDER, as a training would write its model: together with the state,
and renamed when it is complete. What a killed worker had not written, it has not seen.
"""

import fcntl
import hashlib
import json
import os
import random
import subprocess
import sys

from corpress.torch import DocumentDataset, merge_states

F_SETPIPE_SZ = 1031  # of Linux


def parts(folder):
    """The checkpoints in a folder, in order: run, worker, number."""
    names = [name for name in os.listdir(folder) if name.endswith(".json")]
    return sorted(names, key=lambda name: [int(word) for word in name[:-5].split("-")])


def load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def last_states(folder):
    """The last state of each worker of each run."""
    last = {name.rsplit("-", 1)[0]: name for name in parts(folder)}
    return [load(folder, name)["state"] for name in last.values()]


def work(archive, folder, run, worker, workers, every):
    """One worker: says "." for each document, and what it has seen in checkpoints, each of `every`
    documents."""
    data = DocumentDataset(archive, seed=7, buffer=100, numbers=True, worker=worker,
                           workers=workers)
    states = last_states(folder)
    if states:
        data.load_state_dict(merge_states(states))
    seen = []
    count = 0

    def save():
        nonlocal seen, count
        path = os.path.join(folder, f"{run}-{worker}-{count}.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({"state": data.state_dict(), "seen": seen}, file)
        os.rename(path + ".new", path)
        seen = []
        count += 1

    for number, text in data:
        seen.append([number, hashlib.sha256(text).hexdigest()])
        os.write(1, b".")
        if len(seen) == every:
            save()
    save()


def run_workers(archive, folder, run, workers, every, kill_after):
    """True if the workers came to their end; kill_after: so many documents."""
    pipe, end = os.pipe()
    running = [subprocess.Popen([sys.executable, __file__, "--work", archive, folder, str(run),
                                 str(worker), str(workers), str(every)], stdout=end)
               for worker in range(workers)]
    # Nobody gets far ahead of what is known here.
    fcntl.fcntl(end, F_SETPIPE_SZ, 4096)
    os.close(end)
    said = 0
    while kill_after is None or said < kill_after:
        some = os.read(pipe, 4096)
        if not some:
            break
        said += len(some)
    if kill_after is not None:
        for worker in running:
            worker.kill()
    os.close(pipe)
    return [worker.wait() for worker in running] == [0] * workers


def main(archive, corpus, folder, *workers):
    runs = [int(count) for count in workers] or [2, 2, 2, 2]
    with open(corpus, "rb") as file:
        wanted = [hashlib.sha256(line.rstrip(b"\n")).hexdigest() for line in file]
    every = max(200, len(wanted) // 500)
    rng = random.Random()
    for run, count in enumerate(runs):
        last = run == len(runs) - 1
        after = None if last else rng.randrange(len(wanted) // (2 * len(runs))) + 1
        ended = run_workers(archive, folder, run, count, every, after)
        seen = sum(len(load(folder, name)["seen"]) for name in parts(folder))
        print(f"run {run}: {count} workers, {'ended' if ended else 'killed'}, "
              f"{seen} of {len(wanted)} documents seen", flush=True)
        if ended != last:
            sys.exit("a run ended otherwise than it should")
    seen = [pair for name in parts(folder) for pair in load(folder, name)["seen"]]
    if sorted(number for number, _ in seen) != list(range(len(wanted))):
        sys.exit("not each document has been seen once")
    if any(wanted[number] != digest for number, digest in seen):
        sys.exit("a document is not what it was")
    print("each document has been seen once")


if __name__ == "__main__":
    if sys.argv[1] == "--work":
        work(*sys.argv[2:4], *map(int, sys.argv[4:]))
    else:
        main(*sys.argv[1:])
