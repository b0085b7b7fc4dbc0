"""The figures of `serve` as Prometheus reads them: what workers counted, and how the journal stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from parcours.collect.http.tally import BOUNDS_MS, Tally
from parcours.collect.overview import Overview


class Process:
    """A process of `serve`: what it is called, whether it runs, and how often it had to be started again."""

    def __init__(self, name: str, alive: bool, restarts: int) -> None:
        self.name, self.alive, self.restarts = name, alive, restarts


def write_metrics(tallies: Sequence[Tally], overview: Overview, processes: Sequence[Process] = ()) -> bytes:
    """Return the exposition in Prometheus' text format; names of sources are labels, and nobody's data is."""
    registry = CollectorRegistry()
    registry.register(_Figures(tallies, overview, processes))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, tallies: Sequence[Tally], overview: Overview, processes: Sequence[Process]) -> None:
        self._tallies, self._overview, self._processes = tallies, overview, processes

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        yield from self._requests()
        yield from self._journal()
        yield from self._outcomes()
        up = GaugeMetricFamily("parcours_process_up", "Whether a process of serve runs.", labels=["process"])
        restarts = CounterMetricFamily(
            "parcours_process_restarts", "Times a process was restarted.", labels=["process"]
        )
        for process in self._processes:
            up.add_metric([process.name], float(process.alive))
            restarts.add_metric([process.name], process.restarts)
        yield up
        yield restarts

    def _requests(self) -> Iterator[Metric]:
        labels = ["source"]
        accepted = CounterMetricFamily("parcours_requests_accepted", "Requests accepted, durable.", labels=labels)
        events = CounterMetricFamily("parcours_events_accepted", "Events accepted, durable.", labels=labels)
        size = CounterMetricFamily("parcours_accepted_bytes", "Bytes of accepted bodies, inflated.", labels=labels)
        retries = CounterMetricFamily(
            "parcours_requests_retried", "Accepted requests that were retries.", labels=labels
        )
        for source in sorted({source for tally in self._tallies for source in tally.sources}):
            held = [tally.sources[source] for tally in self._tallies if source in tally.sources]
            accepted.add_metric([source], sum(one.requests for one in held))
            events.add_metric([source], sum(one.events for one in held))
            size.add_metric([source], sum(one.bytes for one in held))
            retries.add_metric([source], sum(one.retries for one in held))
        yield from (accepted, events, size, retries)
        refused = CounterMetricFamily("parcours_requests_refused", "Requests refused, by code.", labels=["code"])
        for code in sorted({code for tally in self._tallies for code in tally.refused}):
            refused.add_metric([code], sum(tally.refused.get(code, 0) for tally in self._tallies))
        yield refused
        lost = sum(tally.pixels_lost for tally in self._tallies)
        yield CounterMetricFamily("parcours_pixels_lost", "Pixels answered whose event was not kept.", value=lost)
        yield self._durations()
        flight = sum(tally.in_flight_bytes for tally in self._tallies)
        yield GaugeMetricFamily("parcours_in_flight_bytes", "Bytes of requests under way.", value=flight)
        connected = sum(tally.connected for tally in self._tallies)
        yield GaugeMetricFamily("parcours_workers_connected", "Workers that reach the writer.", value=connected)

    def _durations(self) -> HistogramMetricFamily:
        counts = [sum(column) for column in zip(*(tally.within for tally in self._tallies), strict=True)]
        buckets, total = [], 0
        for bound, count in zip([*(str(ms / 1000) for ms in BOUNDS_MS), "+Inf"], counts, strict=False):
            total += count
            buckets.append((bound, total))
        took = HistogramMetricFamily("parcours_request_seconds", "How long accepted requests took.")
        took.add_metric([], buckets or [("+Inf", 0)], sum(tally.seconds for tally in self._tallies))
        return took

    def _journal(self) -> Iterator[Metric]:
        told = self._overview
        yield GaugeMetricFamily("parcours_backlog_batches", "Batches that wait to be taken over.", value=told.batches)
        yield GaugeMetricFamily("parcours_backlog_events", "Events that wait.", value=told.backlog.count)
        yield GaugeMetricFamily("parcours_lag_seconds", "Age of the oldest of them.", value=told.lag_ms / 1000)
        yield GaugeMetricFamily("parcours_batches_missing", "Batches that were lost to damage.", value=told.missing)
        waits = GaugeMetricFamily("parcours_quarantine_events", "Events in quarantine.", labels=["source", "code"])
        for group in told.events:
            waits.add_metric([group.source, group.code], group.count)
        yield waits

    def _outcomes(self) -> Iterator[Metric]:
        labels = ["source", "outcome"]
        outcomes = GaugeMetricFamily("parcours_outcomes_7d", "Events of the last seven days.", labels=labels)
        latest = GaugeMetricFamily("parcours_source_latest_seconds", "When a source last brought.", labels=["source"])
        for source in self._overview.sources:
            for outcome, count in source.outcomes.items():
                outcomes.add_metric([source.source, outcome], count)
            if source.latest_ms is not None:
                latest.add_metric([source.source], source.latest_ms / 1000)
        yield outcomes
        yield latest
        waiting = GaugeMetricFamily("parcours_destination_waiting", "Parcels that wait.", labels=["destination"])
        delivered = CounterMetricFamily("parcours_destination_delivered", "Delivered.", labels=["destination"])
        refused = CounterMetricFamily(
            "parcours_destination_refused", "Refused for good.", labels=["destination", "code"]
        )
        for one in self._overview.destinations:
            waiting.add_metric([one.destination], one.waiting.count)
            delivered.add_metric([one.destination], one.delivered)
            for code, count in one.refused.items():
                refused.add_metric([one.destination, code], count)
        yield from (waiting, delivered, refused)
