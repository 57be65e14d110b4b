#!/usr/bin/env python3
"""The Python health monitor that Holter replaces, ported as its guide describes it.

It is here to be measured against, so it is written as such tools are: asyncio, SQLAlchemy's async
engines, redis.asyncio, an httpx.AsyncClient per check, asyncio.gather over everything, and
asyncio.wait_for as the limit. Nothing in it is slow on purpose.

    health_monitor.py --json --database sqlite+aiosqlite:////tmp/bot.db --redis redis://localhost

needs python3-sqlalchemy, python3-aiosqlite (SQLite) or python3-asyncpg (PostgreSQL), python3-redis
and python3-httpx; each is imported when a service needs it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any

logger = logging.getLogger(__name__)


class ServiceStatus(str, Enum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


@dataclass
class HealthCheckResult:
    service: str
    status: ServiceStatus
    response_time_ms: float = 0.0
    message: str = ""
    last_check: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "response_time_ms": round(self.response_time_ms, 2),
            "message": self.message,
            "last_check": self.last_check.isoformat(),
            "details": self.details,
        }


@dataclass
class HeartbeatConfig:
    interval_seconds: float = 30
    timeout_seconds: float = 10
    failure_threshold: int = 3
    recovery_threshold: int = 2


AlertCallback = Callable[[HealthCheckResult], Awaitable[None]]


class HealthMonitor:
    """Checks databases, a Redis cache and HTTP APIs, once or as a heartbeat."""

    def __init__(
        self,
        databases: dict[str, str] | None = None,
        redis_url: str | None = None,
        apis: dict[str, str] | None = None,
        config: HeartbeatConfig | None = None,
    ) -> None:
        self.config = config or HeartbeatConfig()
        self.apis = apis or {}
        self._engines = {name: self._engine(url) for name, url in (databases or {}).items()}
        self._redis = self._redis_client(redis_url) if redis_url else None
        self._callbacks: list[AlertCallback] = []
        self._results: dict[str, HealthCheckResult] = {}
        self._failures: dict[str, int] = {}
        self._successes: dict[str, int] = {}
        self._heartbeat: asyncio.Task[None] | None = None

    @staticmethod
    def _engine(url: str) -> Any:
        from sqlalchemy.ext.asyncio import create_async_engine

        return create_async_engine(url)

    @staticmethod
    def _redis_client(url: str) -> Any:
        import redis.asyncio as redis

        return redis.from_url(url)

    async def check_database(self, name: str = "database") -> HealthCheckResult:
        from sqlalchemy import text

        start = time.monotonic()
        try:
            async with self._engines[name].connect() as connection:
                await asyncio.wait_for(
                    connection.execute(text("SELECT 1")), self.config.timeout_seconds
                )
            return self._healthy(name, start, "Database connection OK")
        except Exception as error:
            return self._failed(name, start, f"Database error: {error}")

    async def check_redis(self, name: str = "redis") -> HealthCheckResult:
        start = time.monotonic()
        if self._redis is None:
            return HealthCheckResult(name, ServiceStatus.UNKNOWN, message="Redis not configured")
        try:
            await asyncio.wait_for(self._redis.ping(), self.config.timeout_seconds)
            info = await asyncio.wait_for(self._redis.info(), self.config.timeout_seconds)
            details = {"version": info["redis_version"], "clients": info["connected_clients"]}
            return self._healthy(name, start, "Redis connection OK", details)
        except Exception as error:
            return self._failed(name, start, f"Redis error: {error}")

    async def check_api(self, name: str) -> HealthCheckResult:
        """As check_dmarket_api and check_telegram_api do: a client, a GET, a judgement."""
        import httpx

        start = time.monotonic()
        try:
            async with httpx.AsyncClient(timeout=self.config.timeout_seconds) as client:
                response = await client.get(self.apis[name])
            if response.status_code == 200:
                return self._healthy(name, start, f"{name} accessible")
            status = (
                ServiceStatus.DEGRADED
                if response.status_code == 429
                else ServiceStatus.UNHEALTHY
            )
            message = f"{name} returned status {response.status_code}"
            return HealthCheckResult(name, status, self._elapsed(start), message)
        except httpx.TimeoutException:
            return self._failed(name, start, f"{name} timed out")
        except Exception as error:
            return self._failed(name, start, f"{name} error: {error}")

    async def run_all_checks(self) -> dict[str, HealthCheckResult]:
        checks: list[Awaitable[HealthCheckResult]] = [
            *(self.check_database(name) for name in self._engines),
            *([self.check_redis()] if self._redis is not None else []),
            *(self.check_api(name) for name in self.apis),
        ]
        for result in await asyncio.gather(*checks):
            await self._record(result)
        return self._results

    async def start_heartbeat(self) -> None:
        if self._heartbeat is None:
            self._heartbeat = asyncio.create_task(self._beat())

    async def stop_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            await asyncio.gather(self._heartbeat, return_exceptions=True)
            self._heartbeat = None

    def register_alert_callback(self, callback: AlertCallback) -> None:
        self._callbacks.append(callback)

    def get_overall_status(self) -> ServiceStatus:
        statuses = {result.status for result in self._results.values()}
        for status in (ServiceStatus.UNHEALTHY, ServiceStatus.DEGRADED, ServiceStatus.HEALTHY):
            if status in statuses:
                return status
        return ServiceStatus.UNKNOWN

    def get_status_summary(self) -> dict[str, Any]:
        return {
            "overall_status": self.get_overall_status().value,
            "timestamp": datetime.now(timezone.utc).isoformat(),
            "services": {name: result.to_dict() for name, result in self._results.items()},
            "failure_counts": dict(self._failures),
            "success_counts": dict(self._successes),
        }

    async def close(self) -> None:
        await self.stop_heartbeat()
        for engine in self._engines.values():
            await engine.dispose()
        if self._redis is not None:
            await self._redis.close()

    async def _beat(self) -> None:
        while True:
            await self.run_all_checks()
            await asyncio.sleep(self.config.interval_seconds)

    async def _record(self, result: HealthCheckResult) -> None:
        name = result.service
        self._results[name] = result
        if result.status is ServiceStatus.UNHEALTHY:
            self._successes[name] = 0
            self._failures[name] = self._failures.get(name, 0) + 1
            changed = self._failures[name] == self.config.failure_threshold
        else:
            was_down = self._failures.get(name, 0) >= self.config.failure_threshold
            self._successes[name] = self._successes.get(name, 0) + 1
            changed = was_down and self._successes[name] == self.config.recovery_threshold
            if changed or not was_down:
                self._failures[name] = 0
        if changed:
            for callback in self._callbacks:
                try:
                    await callback(result)
                except Exception:
                    logger.exception("Alert callback failed")

    @staticmethod
    def _elapsed(start: float) -> float:
        return (time.monotonic() - start) * 1000

    def _healthy(
        self, name: str, start: float, message: str, details: dict[str, Any] | None = None
    ) -> HealthCheckResult:
        elapsed = self._elapsed(start)
        return HealthCheckResult(
            name, ServiceStatus.HEALTHY, elapsed, message, details=details or {}
        )

    def _failed(self, name: str, start: float, message: str) -> HealthCheckResult:
        logger.warning("%s: %s", name, message)
        return HealthCheckResult(name, ServiceStatus.UNHEALTHY, self._elapsed(start), message)


EXIT_CODES = {
    ServiceStatus.HEALTHY: 0,
    ServiceStatus.DEGRADED: 1,
    ServiceStatus.UNHEALTHY: 2,
    ServiceStatus.UNKNOWN: 3,
}


async def main(options: argparse.Namespace) -> int:
    databases = {f"database_{index}": url for index, url in enumerate(options.database)}
    apis = {f"api_{index}": url for index, url in enumerate(options.api)}
    monitor = HealthMonitor(databases, options.redis, apis)
    try:
        await monitor.run_all_checks()
    finally:
        await monitor.close()
    summary = monitor.get_status_summary()
    if options.json:
        print(json.dumps(summary, indent=2))
    else:
        for name, service in summary["services"].items():
            print(f"{name}: {service['status']} ({service['message']})")
    return EXIT_CODES[monitor.get_overall_status()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Health check of a bot's services")
    parser.add_argument("--database", action="append", default=[], help="a SQLAlchemy async URL")
    parser.add_argument("--redis", help="redis://...")
    parser.add_argument("--api", action="append", default=[], help="a URL that answers 200")
    parser.add_argument("--json", action="store_true")
    sys.exit(asyncio.run(main(parser.parse_args())))
