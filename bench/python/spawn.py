#!/usr/bin/env python3
"""Runs the command of each line on standard input (JSON: argv, cwd, env) to its end.

For each it prints, as JSON, its exit code, the CPU time of the whole process and of the children that
it waited for (user and system, in milliseconds), the time that passed, its peak resident memory, and
that of it and its descendants together, looked at every 10 ms (megabytes). It exists because Node
cannot ask for the usage of one child, and because the kernel counts the memory of the parent at the
fork as the child's: this parent is small.
"""

import json
import os
import subprocess
import sys
import threading
import time

PAGE = os.sysconf("SC_PAGE_SIZE")


def tree_bytes(root):
    """Resident memory of a process and its descendants; 0 where there is no /proc."""
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            with open(f"/proc/{pid}/statm") as statm:
                total += int(statm.read().split()[1]) * PAGE
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as children:
                    waiting.extend(int(child) for child in children.read().split())
        except (OSError, IndexError):
            continue
    return total


def watch(root, ended, peak):
    while not ended.wait(0.01):
        peak[0] = max(peak[0], tree_bytes(root))


for line in sys.stdin:
    command = json.loads(line)
    started = time.monotonic()
    child = subprocess.Popen(
        command["argv"],
        cwd=command["cwd"],
        env=command["env"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    ended, peak = threading.Event(), [0]
    watcher = threading.Thread(target=watch, args=(child.pid, ended, peak))
    # Only where it is asked for: a look at /proc costs the machine something.
    if command.get("tree"):
        watcher.start()
    # All output is read before the wait: a full pipe would hold the child up.
    output = child.stdout.read() if child.stdout is not None else b""
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    ended.set()
    if command.get("tree"):
        watcher.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    answer = {
        "code": child.returncode,
        "cpuMillis": (usage.ru_utime + usage.ru_stime) * 1000,
        "wallMillis": wall * 1000,
        # ru_maxrss: bytes on macOS, KiB elsewhere.
        "megabytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
        "treeMegabytes": peak[0] / 1e6,
        "output": output.decode(errors="replace"),
    }
    print(json.dumps(answer), flush=True)
