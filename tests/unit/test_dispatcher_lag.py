"""What a dispatcher shows of notices that it has not taken in."""

from collections.abc import Iterable
from typing import Any, cast

import pytest
from confluent_kafka.admin import AdminClient
from prometheus_client import CollectorRegistry

from consumers.dispatcher import lag as module
from consumers.dispatcher.lag import Lag
from consumers.dispatcher.report import DispatcherReport
from exchange.errors import RetryLaterError
from exchange.metrics import DispatcherMetrics

FIN, TAX = "gd.fin", "gd.tax"


@pytest.fixture
def metrics() -> DispatcherMetrics:
    return DispatcherMetrics()


@pytest.fixture
def made() -> list[object]:
    """Clients that were made."""
    return []


@pytest.fixture
def lag(metrics: DispatcherMetrics, made: list[object]) -> Lag:
    def new_admin() -> AdminClient:
        made.append(object())
        return cast("AdminClient", made[-1])

    return Lag(new_admin, "credit.out.{}".format, DispatcherReport(metrics))


def value(metrics: DispatcherMetrics, name: str, **labels: str) -> float | None:
    registry: CollectorRegistry = metrics.registry
    return registry.get_sample_value(f"creditbus_{name}", labels)


def test_lag_is_the_sum_and_standstill_each_partition(lag: Lag, metrics: DispatcherMetrics) -> None:
    lag.show({(FIN, 0): 10, (TAX, 0): 4, (FIN, 1): 7}, {(FIN, 0): 8, (TAX, 0): 4, (FIN, 1): 9})
    assert value(metrics, "delivery_lag_records") == 2
    assert value(metrics, "delivery_standstill_seconds", partition="0") == 0
    lag.show({(FIN, 0): 10, (TAX, 0): 4, (FIN, 1): 9}, {(FIN, 0): 8, (TAX, 0): 4, (FIN, 1): 9})
    assert (value(metrics, "delivery_standstill_seconds", partition="0") or 0) > 0
    assert value(metrics, "delivery_standstill_seconds", partition="1") == 0


def test_a_partition_that_is_given_away_is_no_longer_shown(lag: Lag, metrics: DispatcherMetrics) -> None:
    lag.show({(FIN, 0): 1}, {(FIN, 0): 0})
    lag.show({}, {})
    assert value(metrics, "delivery_lag_records") == 0
    assert value(metrics, "delivery_standstill_seconds", partition="0") is None


def test_a_place_that_was_not_asked_for_yet_has_no_lag(lag: Lag, metrics: DispatcherMetrics) -> None:
    lag.show({}, {(FIN, 0): 5})
    assert value(metrics, "delivery_lag_records") == 0


def test_after_a_failure_another_client_is_asked(lag: Lag, made: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [RetryLaterError("away", code="kafka_away"), {("credit.out.gd.fin", 1): 6}, {}]

    def ends(admin: object, places: Iterable[Any], *, within_seconds: float) -> Any:
        assert (admin, within_seconds) == (made[-1], module.ANSWER_SECONDS)
        assert set(places) == {("credit.out.gd.fin", 1)}
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(module, "ends", ends)
    with pytest.raises(RetryLaterError):
        lag.ends([(FIN, 1)])
    assert lag.ends([(FIN, 1)]) == {(FIN, 1): 6}
    assert lag.ends([(FIN, 1)]) == {}
    assert len(made) == 2
