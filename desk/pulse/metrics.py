"""Vitals as Prometheus reads them, named by its rules: base units, ``_total`` for counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from desk.pulse.vitals import IndexLife, StageLife, Vitals
from store.records import SourceHealth

HEARING = ("hearing", "quiet", "silent", "blind", "halted")
SOURCE = ("on", "off", "waiting")
DELIVERY = ("pending", "sending", "sent", "failed", "cancelled")

STAGE = ("stage",)

Rows = Iterable[tuple[tuple[str, ...], float | None]]


def text(vitals: Vitals) -> bytes:
    """The exposition of one moment."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Moment(vitals))
    return generate_latest(registry)


class _Moment(Collector):
    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        index = self._vitals.index
        yield from _stages([*self._vitals.stages, *([index.stage] if index else [])], self._vitals.at)
        yield from _index(index, self._vitals.at) if index else ()
        yield from _sources(self._vitals.sources)
        yield from _whole(self._vitals)


def _stages(stages: Iterable[StageLife], now: datetime) -> Iterator[Metric]:
    def rows(value: object) -> Rows:
        assert callable(value)
        return [((stage.name,), value(stage)) for stage in stages]

    done = rows(lambda stage: stage.reading.total if stage.reading else 0)
    yield _counter("vigie_stage_processed", "Changes or posts dealt with", STAGE, done)
    yield _gauge("vigie_stage_rate", "Dealt with a second, about the last minute", STAGE, rows(lambda s: s.rate(now)))
    yield _gauge("vigie_stage_held", "1 while somebody holds the stage's lease", STAGE, rows(lambda s: s.held(now)))
    turned = rows(lambda stage: _age(stage.reading.at, now) if stage.reading else None)
    yield _gauge("vigie_stage_turned_seconds", "Since the stage last turned round", STAGE, turned)
    yield _gauge("vigie_stage_lag_changes", "Changes it has not read", STAGE, rows(lambda stage: stage.lag))
    behind = rows(lambda s: None if s.lag is None else _age(s.behind_since, now) if s.behind_since else 0.0)
    yield _gauge("vigie_stage_lag_seconds", "Age of the oldest record it has not read", STAGE, behind)


def _index(index: IndexLife, now: datetime) -> Iterator[Metric]:
    lag = index.lag
    yield _gauge("vigie_index_up", "1 while the cluster takes what it is sent", (), [((), lag.away is None)])
    away = _age(lag.away.since, now) if lag.away else 0.0
    yield _gauge("vigie_index_away_seconds", "Since the cluster takes nothing", (), [((), away)])
    yield _gauge("vigie_index_set_aside", "Documents that the index did not take", (), [((), lag.aside)])
    left = [((one.family,), one.total - one.done) for one in lag.building]
    yield _gauge("vigie_index_rebuild_left", "Documents still to be rebuilt", ("family",), left)


def _sources(sources: Iterable[SourceHealth]) -> Iterator[Metric]:
    known = list(sources)
    received = [((one.source,), one.received) for one in known]
    yield _counter("vigie_source_received", "Posts that came", ("source",), received)
    yield _counter(
        "vigie_source_kept", "Posts that were new and kept", ("source",), [((one.source,), one.kept) for one in known]
    )
    states = [((one.source, state), one.state == state) for one in known for state in SOURCE]
    yield _gauge("vigie_source_state", "1 for the state it is in", ("source", "state"), states)
    last = [((one.source,), one.last_post_at.timestamp() if one.last_post_at else None) for one in known]
    yield _gauge("vigie_source_last_post_timestamp_seconds", "When its newest post was written", ("source",), last)


def _whole(vitals: Vitals) -> Iterator[Metric]:
    now, dog = vitals.at, vitals.watchdog
    states = [((state,), vitals.hearing.state == state) for state in HEARING]
    yield _gauge("vigie_hearing", "1 for what silence means", ("state",), states)
    deaf = [((one.kind, one.id), _age(one.since, now)) for one in vitals.hearing.deaf]
    yield _gauge("vigie_deaf_seconds", "Since it gives less than it ever does at such an hour", ("kind", "id"), deaf)
    counts = [((state,), vitals.deliveries.get(state, 0)) for state in DELIVERY]
    yield _gauge("vigie_deliveries", "Messages by state", ("state",), counts)
    unsent = _age(vitals.unsent_since, now) if vitals.unsent_since else 0.0
    yield _gauge("vigie_oldest_unsent_seconds", "Since the oldest unsent message was due", (), [((), unsent)])
    yield _gauge("vigie_gaps_open", "Holes in the sources that last", (), [((), len(vitals.gaps))])
    yield _gauge("vigie_watchdog_up", "1 while the watchdog lives", (), [((), dog is not None and dog.lives(now))])
    yield _gauge(
        "vigie_troubles", "What the watchdog finds standing still", (), [((), len(dog.troubles) if dog else 0)]
    )
    yield _gauge("vigie_ok", "1 while Vigie hears and everything moves", (), [((), vitals.ok)])


def _gauge(name: str, what: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    return _filled(GaugeMetricFamily(name, what, labels=labels), rows)


def _counter(name: str, what: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    return _filled(CounterMetricFamily(name, what, labels=labels), rows)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, rows: Rows) -> Metric:
    for labels, value in rows:
        if value is not None:
            family.add_metric(labels, float(value))
    return family


def _age(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
