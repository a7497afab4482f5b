"""Geocoding through geopy behind one seam: BAN, Nominatim or Photon, off unless the bundle configures it.

Answers are kept in the store, "no such place" too; requests are spaced; an outage is counted and logged and never
stops the pipeline. Offline, the shipped gazetteer answers instead (:mod:`config.gazetteer`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from geopy.adapters import RequestsAdapter
from geopy.exc import GeopyError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import BANFrance, Nominatim, Photon

from config import bundle
from config.text import key
from store import cache
from store.database import Database

log = logging.getLogger(__name__)
USER_AGENT = "vigie/0.1 (crisis monitoring for public agencies)"
LONGEST = 200
REST = timedelta(seconds=30)
"""How long a provider that failed is left alone: posts do not wait for one that is down."""

_PUBLIC = {"ban": "api-adresse.data.gouv.fr", "nominatim": "nominatim.openstreetmap.org", "photon": "photon.komoot.io"}


@dataclass(frozen=True, slots=True)
class Found:
    """Where a geocoder puts a text: degrees, and the address it understood."""

    lat: float
    lon: float
    address: str


class Geocoder:
    """Asks one provider. ``errors`` counts the requests that failed, ``asked`` those that were sent."""

    def __init__(self, settings: bundle.Geocoder, db: Database, clock: Callable[[], datetime]) -> None:
        self.settings, self.db, self.clock = settings, db, clock
        self.errors = self.asked = 0
        self._rest_until = clock()
        provider = _provider(settings)
        self._ask = RateLimiter(
            provider.geocode, min_delay_seconds=settings.spacing_seconds, max_retries=0, swallow_exceptions=False
        )

    def locate(self, text: str, *, ask: bool = True) -> Found | None:
        """Where ``text`` is, or None where nobody knows, or the provider does not answer now (asked again later).

        Without ``ask``, only what is kept answers.
        """
        wanted = key(text[:LONGEST])
        if not wanted:
            return None
        name = f"geocode:{self.settings.provider}:{self.settings.country}:{wanted}"
        with self.db.read() as conn:
            known = cache.get(conn, name)
        if known is None:
            known = self._answer(text[:LONGEST]) if ask else None
            if known is None:
                return None
            with self.db.write() as conn:
                cache.put(conn, name, known, self.clock())
        return Found(**known["found"]) if known["found"] else None

    def _answer(self, text: str) -> dict[str, Any] | None:
        """What is kept: ``{"found": …}``, with None inside for "no such place"; None where the request failed."""
        if self.clock() < self._rest_until:
            return None
        self.asked += 1
        try:
            place = self._ask(text, **self._more())
            found = (
                None if place is None else _checked(float(place.latitude), float(place.longitude), str(place.address))
            )
        except (GeopyError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            self.errors += 1
            self._rest_until = self.clock() + REST
            log.warning("geocoder %s: %s", self.settings.provider, type(error).__name__)  # its text may hold the place
            return None
        return {"found": found}

    def _more(self) -> dict[str, Any]:
        return {"country_codes": self.settings.country} if self.settings.provider == "nominatim" else {}


def _provider(settings: bundle.Geocoder) -> Any:
    common = {
        "domain": settings.domain or _PUBLIC[settings.provider],
        "scheme": settings.scheme,
        "timeout": settings.timeout_seconds,
        "user_agent": USER_AGENT,
        "adapter_factory": partial(RequestsAdapter, max_retries=0),  # its retries wait, and log the address asked for
    }
    kinds = {"ban": BANFrance, "nominatim": Nominatim, "photon": Photon}
    return kinds[settings.provider](**common)


def _checked(lat: float, lon: float, address: str) -> dict[str, Any]:
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError("the position it gives is not on the globe")
    return {"lat": lat, "lon": lon, "address": address[:LONGEST]}
