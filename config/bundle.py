"""The typed shape of a bundle: the YAML that an agency edits.

A bundle is a folder. Every ``*.yaml`` in it holds one or more of the top-level keys of :class:`Bundle`; lists that
appear in several files are joined. The JSON Schema that editors use is generated from these classes.
"""

from __future__ import annotations

from datetime import UTC, date
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=64)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Lat = Annotated[float, Field(strict=True, ge=-90, le=90)]
Lon = Annotated[float, Field(strict=True, ge=-180, le=180)]


class Strict(BaseModel):
    """Base of every section: unknown keys are faults, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Text(Strict):
    """A label in both languages."""

    fr: str
    en: str


class Circle(Strict):
    """A disc on the globe."""

    lat: Lat
    lon: Lon
    radius_km: float = Field(strict=True, gt=0, le=2000)


class Area(Strict):
    """A named part of the world: give exactly one of the shapes."""

    id: Id
    name: Text
    also: tuple[str, ...] = Field(default=(), description="other names that people use: quarters, zones, nicknames")
    communes: tuple[str, ...] = Field(default=(), description="INSEE codes of communes")
    departements: tuple[str, ...] = Field(default=(), description="département codes, such as 49")
    circle: Circle | None = None
    polygon: tuple[tuple[Lon, Lat], ...] = Field(default=(), description="closed ring of [longitude, latitude]")
    world: bool = Field(default=False, description="everywhere")


class Filter(Strict):
    """What to listen for. A post matches when it holds one of ``keywords``, one of ``with`` where given, none of
    ``without``, is in one of ``languages`` where given, and comes from or names one of ``areas`` as ``where`` says."""

    id: Id
    purpose: str = Field(
        min_length=10, description="why the agency needs this, in a sentence: the filters are the register of uses"
    )
    keywords: tuple[str, ...] = Field(min_length=1, description="words or phrases; accents and case do not matter")
    with_: tuple[str, ...] = Field(default=(), alias="with", description="at least one of these as well")
    without: tuple[str, ...] = Field(default=(), description="none of these")
    languages: tuple[Literal["fr", "en"], ...] = ()
    areas: tuple[Id, ...] = ()
    where: Literal["anywhere", "named", "tagged", "either"] = Field(
        default="either",
        description="named: the text names a place of the areas; tagged: the post's own position lies there",
    )
    topics: tuple[str, ...] = Field(default=(), description="hazards or tags that this filter is for")
    stream: bool = Field(default=True, description="as rules of the filtered stream")
    search: bool = Field(default=True, description="as queries of recent search")


class Hours(Strict):
    """A weekly window in the bundle's time zone: days mon…sun, from and to as HH:MM; to may be past midnight."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
    )
    from_: str = Field(default="00:00", alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    to: str = Field(default="24:00", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")


class Contact(Strict):
    """Somebody, or a shared address, that a channel can reach."""

    id: Id
    name: str
    channel: Id
    address: str = Field(
        "", description="mail address, webhook URL, or the name of a secret that holds an apprise URL, as ${NAME}"
    )
    language: Literal["fr", "en"] = "fr"


class Agency(Strict):
    """A service that can own incidents."""

    id: Id
    name: Text
    kind: str = Field(description="generic role, such as fire_rescue or prefecture")
    contacts: tuple[Contact, ...] = ()


class Shift(Strict):
    """Who is on call when."""

    contacts: tuple[Id, ...] = Field(min_length=1)
    hours: Hours = Hours()


class Roster(Strict):
    """On-call order of one agency: who is on shift is told first; ``escalate_to`` when nobody acknowledges."""

    agency: Id
    shifts: tuple[Shift, ...] = Field(min_length=1)
    escalate_after_minutes: int = Field(strict=True, default=10, ge=1, le=240)
    escalate_to: tuple[Id, ...] = ()


class Channel(Strict):
    """A way to reach people. Secrets are named here, and read from the environment or from files."""

    id: Id
    kind: Literal["mail", "webhook", "apprise"]
    settings: dict[str, str | int | bool] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(
        default_factory=dict, description="setting → name of the environment variable or file"
    )


class OwnershipRule(Strict):
    """topic × area → lead and supports. The most specific wins: named topic before ``*``, small area before large."""

    id: Id
    topics: tuple[str, ...] = Field(min_length=1, description="hazards, tags, or *")
    areas: tuple[str, ...] = Field(min_length=1, description="area ids, or *")
    lead: Id
    support: tuple[Id, ...] = ()
    min_severity: Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"] = "Unknown"


class Budget(Strict):
    """What may be read from a source that is paid by the post, each calendar month in UTC, as X counts; one budget
    for all sources that share a credential."""

    posts_a_month: int = Field(strict=True, ge=1)
    filter_share: float = Field(
        0.5, gt=0, le=1, description="of the month's posts, the most that one filter may take before it is slowed"
    )


class Source(Strict):
    """Where posts come from."""

    id: Id
    kind: Literal["x_stream", "x_search", "file", "hand"]
    enabled: bool = True
    settings: dict[str, str | int | float | bool] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    budget: Budget | None = None


class Operation(Strict):
    """Something a service is already engaged in: incidents of these hazards there and then page nobody."""

    id: Id
    name: Text
    hazards: tuple[str, ...] = Field(min_length=1)
    areas: tuple[Id, ...] = Field(min_length=1)
    since: Moment
    until: Moment
    agency: Id


class Account(Strict):
    """An institutional account that the agency trusts, or may name in filters."""

    platform: Id
    id: str
    handle: str = ""
    name: str
    topics: tuple[str, ...] = ()
    areas: tuple[Id, ...] = ()
    trusted: bool = True


class Exemption(Strict):
    """A filter that the policy gate would refuse, allowed by somebody, for a reason, until a day."""

    filter: Id
    author: str = Field(min_length=2)
    reason: str = Field(min_length=10)
    legal_basis: str = Field(min_length=5)
    until: date


class PublicOrder(Strict):
    """Public-order tagging is off unless this names its legal basis."""

    legal_basis: str = Field(min_length=10)
    roles: tuple[str, ...] = Field(min_length=1)
    keep_days: int = Field(strict=True, ge=1, le=30)


class Gate(Strict):
    """When posts become an incident, and when it changes."""

    min_voices: int = Field(strict=True, default=3, ge=1, le=50)
    min_score: float = Field(
        strict=True, default=0.5, gt=0, lt=1, description="emerging_incident at or above which a post counts"
    )
    window_minutes: int = Field(strict=True, default=30, ge=1, le=1440)
    quiet_minutes: int = Field(
        strict=True, default=120, ge=5, le=10080, description="silence after which an incident is watched, then closed"
    )


class Acknowledge(Strict):
    """The public face of the acknowledgement app."""

    base_url: str = "http://127.0.0.1:8711"
    link_hours: int = Field(strict=True, default=12, ge=1, le=168)


class Retention(Strict):
    """Days after which each class of data is erased."""

    posts_days: int = Field(strict=True, default=90, ge=1, le=400)
    incidents_days: int = Field(strict=True, default=1095, ge=1)
    counts_days: int = Field(
        strict=True, default=400, ge=35, description="counts by the hour, and holes in the sources"
    )
    changes_days: int = Field(strict=True, default=7, ge=1, description="the change log, once everybody has read it")


class Watchdog(Strict):
    """Who is told when Vigie itself stops working, past everything that may have stopped."""

    contacts: tuple[Id, ...] = Field(min_length=1, description="contact ids, in the order in which they are told")
    stalled_minutes: int = Field(
        strict=True, default=5, ge=1, le=120, description="how long posts, annotations or deliveries may stand still"
    )
    again_minutes: int = Field(strict=True, default=60, ge=5, le=1440, description="when it is said again")
    heartbeat: str = Field(
        "",
        pattern=r"^[A-Z0-9_]*$",
        description="name of the secret that holds an URL to call each minute while all is well",
    )


class AnchorPlace(Strict):
    """Where the head of the ledger is written down outside the database: a file, or a contact that keeps it."""

    id: Id
    file: str = Field("", description="a path, best on another disk; relative ones are in Vigie's home")
    contact: Id | None = Field(None, description="a contact that gets it by mail or webhook")
    every_hours: int = Field(strict=True, default=24, ge=1, le=168)


class Geocoder(Strict):
    """An outside geocoder for streets and named places that the shipped gazetteer does not hold."""

    provider: Literal["ban", "nominatim", "photon"]
    domain: str = Field(
        "", pattern=r"^[A-Za-z0-9.\-]*(:\d+)?$", description="host, with its port; the provider's public one when empty"
    )
    scheme: Literal["http", "https"] = "https"
    spacing_seconds: float = Field(strict=True, default=1.0, ge=0, le=60, description="kept between two requests")
    timeout_seconds: float = Field(strict=True, default=3.0, gt=0, le=30)
    country: str = Field("fr", pattern=r"^[a-z]{2}$")


class Bundle(Strict):
    """Everything an agency declares."""

    name: Text
    status: Literal["Actual", "Exercise", "Test"] = "Actual"
    time_zone: str = "Europe/Paris"
    default_lead: Id = Field(description="told of every incident that no rule places")
    policy: Literal["keep_all", "filters"] = Field(
        "filters", description="keep_all: no filters, every post is looked at"
    )
    areas: tuple[Area, ...] = ()
    filters: tuple[Filter, ...] = ()
    agencies: tuple[Agency, ...] = Field(min_length=1)
    ownership: tuple[OwnershipRule, ...] = ()
    rosters: tuple[Roster, ...] = ()
    channels: tuple[Channel, ...] = ()
    sources: tuple[Source, ...] = ()
    operations: tuple[Operation, ...] = ()
    accounts: tuple[Account, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    public_order: PublicOrder | None = None
    gate: Gate = Gate()
    acknowledge: Acknowledge = Acknowledge()
    retention: Retention = Retention()
    watchdog: Watchdog | None = None
    anchors: tuple[AnchorPlace, ...] = ()
    geocoder: Geocoder | None = None
