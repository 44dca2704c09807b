"""What Prometheus is told: the same numbers whichever worker it asks."""

from __future__ import annotations

import logging
import os

from flask import Flask, Response, request

from api.logs import elapsed

# Names the folder that the workers of a server count in. prometheus_client reads it once, when it
# is imported, and counts for the process alone without it.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

logger = logging.getLogger(__name__)


class Metrics:
    """The counters of one application, summed over the processes that share a folder."""

    def __init__(self) -> None:
        # Not before the server has named the folder.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "recsys_http_request_duration_seconds",
            "Time from a request's arrival at the application to its answer.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._has_failed = False
        self._counters: dict[tuple[str, str, int], Histogram] = {}
        self._model_id = Gauge(
            "recsys_served_model_id",
            "The version that was loaded last.",
            multiprocess_mode="livemostrecent",
            registry=self._registry,
        )
        self._loads = Counter(
            "recsys_model_loads_total",
            "Versions that workers loaded after a promotion or a start, and failed to load.",
            ["outcome"],
            registry=self._registry,
        )
        for outcome in ("loaded", "failed"):
            self._loads.labels(outcome)  # shown as 0 before the first, so that a rise is seen

    def register(self, app: Flask) -> None:
        """Count the requests of ``app``."""
        app.after_request(self._count)

    def model_loaded(self, model_id: int, succeeded: bool) -> None:
        """Count that a version was loaded, or could not be."""
        self._loads.labels("loaded" if succeeded else "failed").inc()
        if succeeded:
            self._model_id.set(model_id)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        everybodys = CollectorRegistry()
        MultiProcessCollector(everybodys)  # type: ignore[no-untyped-call]  # its authors gave none
        return generate_latest(everybodys)

    def _count(self, answer: Response) -> Response:
        # Templates and known methods only: what a client may choose freely is no label.
        rule, method = request.url_rule, request.method
        labels = (
            method if method in _METHODS else "other",
            "none" if rule is None else rule.rule,
            answer.status_code,
        )
        try:
            counter = self._counters.get(labels)
            if counter is None:
                counter = self._counters[labels] = self._requests.labels(*labels)
            counter.observe(elapsed())
        except OSError:  # no room to grow a file
            if not self._has_failed:
                logger.exception("requests are not counted; this is said once")
            self._has_failed = True
        return answer


def forget_gauges_of(pid: int) -> None:
    """Drop what a worker that ended last said of itself; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]  # its authors gave none
