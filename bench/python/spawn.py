#!/usr/bin/env python3
"""Runs the command of each line on standard input (JSON: argv, cwd, env) to its end.

For each it prints, as JSON, its exit code, the CPU time of the whole process (user and system, in
milliseconds) and its peak resident memory (megabytes). It exists because Node cannot ask for the
usage of one child, and because the kernel counts the memory of the parent at the fork as the child's:
this parent is small.
"""

import json
import os
import subprocess
import sys

for line in sys.stdin:
    command = json.loads(line)
    child = subprocess.Popen(
        command["argv"],
        cwd=command["cwd"],
        env=command["env"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    # All output is read before the wait: a full pipe would hold the child up.
    output = child.stdout.read() if child.stdout is not None else b""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    answer = {
        "code": child.returncode,
        "cpuMillis": (usage.ru_utime + usage.ru_stime) * 1000,
        # ru_maxrss: bytes on macOS, KiB elsewhere.
        "megabytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
        "output": output.decode(errors="replace"),
    }
    print(json.dumps(answer), flush=True)
