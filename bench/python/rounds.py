#!/usr/bin/env python3
"""Runs `HealthMonitor.run_all_checks` on 100 HTTP services, once for each line on standard input.

For each it prints the CPU time (user and system, of this process) a check took, in microseconds.
"""

import asyncio
import resource
import sys

from health_monitor import HealthMonitor, ServiceStatus


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def main(url: str, count: int) -> None:
    monitor = HealthMonitor(apis={f"api_{index}": url for index in range(count)})
    for _ in sys.stdin:
        start = cpu()
        results = await monitor.run_all_checks()
        spent = cpu() - start
        for result in results.values():
            if result.status is not ServiceStatus.HEALTHY:
                sys.exit(f"{result.service}: {result.message}")
        print(spent / count * 1e6, flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
