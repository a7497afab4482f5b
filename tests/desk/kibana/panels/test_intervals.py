"""The bars of a histogram are as long as Kibana makes them."""

from datetime import timedelta

import pytest

from desk.kibana.panels.errors import Untested
from desk.kibana.panels.intervals import interval

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("asked", "span", "told"),
    [
        ("auto", timedelta(minutes=15), {"fixed_interval": "30s"}),
        ("auto", timedelta(hours=1), {"fixed_interval": "5m"}),
        ("auto", DAY, {"fixed_interval": "30m"}),
        ("auto", 7 * DAY, {"fixed_interval": "12h"}),
        ("auto", 30 * DAY, {"calendar_interval": "1d"}),
        ("auto", 365 * DAY, {"calendar_interval": "1M"}),
        ("1h", DAY, {"calendar_interval": "1h"}),
        ("h", DAY, {"calendar_interval": "1h"}),
        ("3h", DAY, {"fixed_interval": "3h"}),
        ("1d", None, {"calendar_interval": "1d"}),
        ("60m", DAY, {"fixed_interval": "60m"}),
        ("1s", 30 * DAY, {"fixed_interval": "30m"}),
    ],
)
def test_the_interval_follows_from_what_is_asked_and_the_time_looked_at(asked, span, told):
    assert interval(asked, span) == told


@pytest.mark.parametrize(("asked", "span"), [("auto", None), ("fortnight", DAY)])
def test_an_interval_that_cannot_be_told_is_refused(asked, span):
    with pytest.raises(Untested):
        interval(asked, span)
