"""One typed, typo-refusing configuration, read from one TOML file."""

import re
import tomllib
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.contracts import Cancellation, LeaveOut, TransactionsContract
from features.errors import ContractError
from models.economics import Economics
from models.gate import USUAL
from models.gate import Limits as GateLimits
from pipelines.masked import masked, masked_options
from pipelines.north_star import require_north_star
from pipelines.sink_places import duckdb_place, postgres_place
from pipelines.zones import utc_offsets

MOST_BYTES = 1 << 20
"""A config is a page of text; what is larger is another file."""

STORES = ("sqlite:///", "postgresql://", "mysql://", "mssql://", "http://", "https://")
"""How addresses of MLflow stores begin that have a model registry; folders have none."""
_STORE = re.compile(r"(?:sqlite:///|(?:postgresql|mysql|mssql)(?:\+\w+)?://|https?://)\S*[^/\s]")

Days = Annotated[int, Field(ge=1, le=3650)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Project(_Section):
    """What the shop is called and how people read its results; `language` is that of reasons."""

    name: str = Field(pattern=r"^[\w][\w .\-]*$")
    currency: str | None = None
    language: Literal["en", "vi"] = "en"
    timezone: str = "UTC"
    output: Path = Path("out")
    north_star: str = "expected_spend"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"unknown timezone {zone!r}")
        return zone


class CancellationPolicy(_Section):
    """How a cancelled line is recognised."""

    column: str
    prefix: str = Field(min_length=1)


class LeaveOutPolicy(_Section):
    """Which rows are no purchases, by a word in one of the log's own columns."""

    column: str
    values: list[str] = Field(min_length=1)


class Transactions(_Section):
    """Where the purchase log lies and what its columns mean."""

    source: str
    columns: dict[str, str]
    formats: dict[str, str] = {}


class OtherTable(_Section):
    """A table beside the purchases: customers, events or contacts."""

    source: str
    columns: dict[str, str]
    formats: dict[str, str] = {}
    attributes: list[str] = []
    static: list[str] = []
    sensitive: list[str] = []


class Tables(_Section):
    """The input tables; only transactions are needed."""

    transactions: Transactions
    customers: OtherTable | None = None
    events: OtherTable | None = None
    contacts: OtherTable | None = None


class Policy(_Section):
    """What is done with awkward rows."""

    refunds: Literal["net", "drop"] = "net"
    cancellation: CancellationPolicy | None = None
    leave_out: LeaveOutPolicy | None = None
    max_quarantined: float = Field(default=0.5, ge=0, le=1)


class Target(_Section):
    """What is predicted."""

    horizons: list[Days] = [7, 14, 28, 90]
    primary_horizon: Days = 90
    clv_horizon: Days = 365

    @model_validator(mode="after")
    def _primary_is_a_horizon(self) -> "Target":
        if self.primary_horizon not in self.horizons:
            raise ValueError(f"primary_horizon {self.primary_horizon} is not among horizons {self.horizons}")
        if sorted(set(self.horizons)) != self.horizons:
            raise ValueError(f"horizons {self.horizons} must rise and not repeat")
        return self


class Training(_Section):
    """How the panel is made."""

    cutoffs: Literal["auto"] | Annotated[int, Field(ge=1, le=60)] | list[date] = "auto"
    max_customers: int = Field(default=200_000, ge=100)
    seed: int = 7
    contacted: Literal["keep", "leave_out"] = "keep"


class Mlflow(_Section):
    """Where runs are tracked and under which name the model is registered."""

    tracking_uri: str = "sqlite:///mlflow.db"
    model: str = Field(default="repurchase", pattern=r"^[\w\-]+$")
    champion_digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")

    @field_validator("tracking_uri")
    @classmethod
    def _is_an_address(cls, uri: str) -> str:
        if _STORE.match(uri):
            return uri
        if "://" not in uri and uri.endswith((".db", ".sqlite", ".sqlite3")):
            raise ValueError(f"it is the path of a file; write it as an address: 'sqlite:///{uri}'")
        known = ", ".join(STORES)
        raise ValueError(f"it is no address of an MLflow store with a model registry; known are {known}")


class EconomicsSection(_Section):
    """The shop's terms of trade; `save_rate` is for lists to come."""

    margin: float | None = Field(default=None, gt=0, le=1)
    discount_rate: float = Field(default=0.0, ge=0, lt=10)
    acquisition_cost: float | None = Field(default=None, ge=0)
    save_rate: float | None = Field(default=None, ge=0, le=1)

    @property
    def terms(self) -> Economics:
        """What turns spend into lifetime value."""
        return Economics(self.margin, self.discount_rate, self.acquisition_cost)


class GateSection(_Section):
    """What a challenger must keep to, however far ahead it is."""

    max_ece: float = Field(default=USUAL.max_ece, gt=0, le=1)
    max_bias: float = Field(default=USUAL.max_bias, gt=0)
    min_rows: int = Field(default=USUAL.min_rows, ge=2)
    min_buyers: int = Field(default=USUAL.min_buyers, ge=1)
    min_share: float = Field(default=USUAL.min_share, ge=0, le=1)

    @property
    def limits(self) -> GateLimits:
        """The same for `models.gate`."""
        return GateLimits(**self.model_dump())


Reaction = Literal["ignore", "warn", "fail"]
"""What happens where a limit is passed."""


class LimitsSection(_Section):
    """What a scoring run puts up with, what happens then, and how many runs are kept."""

    max_champion_age: int = Field(default=180, ge=1)
    old_champion: Literal["warn", "refuse"] = "warn"
    max_log_age: int = Field(default=1, ge=0)
    old_log: Reaction = "warn"
    max_shrink: float = Field(default=0.01, ge=0, le=1)
    shrunk_log: Reaction = "fail"
    changed_columns: Reaction = "warn"
    max_unseen: float = Field(default=0.1, ge=0, le=1)
    unseen_categories: Reaction = "warn"
    max_psi: float = Field(default=0.25, gt=0)
    drift: Reaction = "warn"
    max_outcome_bias: float = Field(default=0.25, gt=0)
    outcomes: Reaction = "warn"
    keep_runs: int = Field(default=30, ge=1)


class SinksSection(_Section):
    """Where a run goes beside its files."""

    xlsx: bool = False
    duckdb: str | None = None
    postgres: str | None = None

    @field_validator("duckdb")
    @classmethod
    def _duckdb_form(cls, text: str | None) -> str | None:
        if text is not None:
            duckdb_place(text)
        return text

    @field_validator("postgres")
    @classmethod
    def _postgres_form(cls, text: str | None) -> str | None:
        if text is not None:
            postgres_place(text)
        return text


class PrivacySection(_Section):
    """How customers are called where their ids are not needed."""

    key_file: Path | None = None
    lists: Literal["ids", "pseudonyms"] = "ids"


class SegmentsSection(_Section):
    """Where groups of customers begin and end; what is not given is learned from the log."""

    recency_days: list[Days] = [7, 14, 28]
    new_days: Days | None = None
    loyal_orders: Annotated[int, Field(ge=2, le=1000)] | None = None
    premium_share: float = Field(default=0.1, gt=0, lt=1)
    churned_days: Days | None = None
    slack: float = Field(default=0.1, ge=0, lt=1)
    min_stay: int = Field(default=14, ge=0, le=365)

    @model_validator(mode="after")
    def _days_rise(self) -> "SegmentsSection":
        if not self.recency_days or sorted(set(self.recency_days)) != self.recency_days:
            raise ValueError(f"recency_days {self.recency_days} must rise and not repeat")
        return self


class CampaignSection(_Section):
    """Whom a list may hold, what a contact costs, and how many are left alone to compare with."""

    id: str = Field(default="list", pattern=r"^[\w][\w .\-]*$")
    capacity: int | None = Field(default=None, ge=1)
    budget: float | None = Field(default=None, gt=0)
    cost: float = Field(default=0.0, ge=0)
    control_share: float = Field(default=0.1, ge=0, lt=1)
    quiet_days: int = Field(default=7, ge=0, le=365)
    most_contacts: int = Field(default=8, ge=1)


class Engine(_Section):
    """What runs the feature expressions."""

    kind: Literal["duckdb", "spark"] = "duckdb"
    master: str | None = None
    options: dict[str, str | int | float | bool] = {}


class Config(_Section):
    """The whole of ``repurchase.toml``; `folder` is where it lies."""

    project: Project
    tables: Tables
    policy: Policy = Policy()
    target: Target = Target()
    training: Training = Training()
    mlflow: Mlflow = Mlflow()
    engine: Engine = Engine()
    economics: EconomicsSection = EconomicsSection()
    gate: GateSection = GateSection()
    limits: LimitsSection = LimitsSection()
    sinks: SinksSection = SinksSection()
    privacy: PrivacySection = PrivacySection()
    segments: SegmentsSection = SegmentsSection()
    campaign: CampaignSection = CampaignSection()
    folder: Path = Field(default=Path(), exclude=True)

    @property
    def output(self) -> Path:
        """Everything written for people lies under here."""
        return self.folder / self.project.output

    def shown(self) -> dict[str, Any]:
        """Return the settings as plain values that may be published: no password, no key of an engine."""
        shown = self.model_dump(mode="json")
        shown["mlflow"]["tracking_uri"] = masked(self.mlflow.tracking_uri)
        shown["engine"]["options"] = masked_options(self.engine.options)
        return shown

    def contract(self, columns: dict[str, str]) -> TransactionsContract:
        """Say what the transaction log promises, in the terms of `features`.

        Parameters
        ----------
        columns : dict
            The mapping to the columns as they were opened (`pipelines.sources`).
        """
        marker, status = self.policy.cancellation, self.policy.leave_out
        return TransactionsContract(
            columns=columns,
            name=self.tables.transactions.source,
            cancellation=Cancellation(marker.column, marker.prefix) if marker else None,
            leave_out=LeaveOut(status.column, tuple(status.values)) if status else None,
            refunds=self.policy.refunds,
            offsets=utc_offsets(self.project.timezone),
        )


def load_config(path: Path) -> Config:
    """Read and check a config file.

    Raises
    ------
    ContractError
        If the file is absent, is not TOML, or breaks the schema; unknown keys come with the closest known
        one.
    """
    data = _read_toml(path)
    if "folder" in data:
        raise ContractError(f"{path}: unknown key 'folder'", hint="relative paths start at the config file")
    try:
        config = Config.model_validate({**data, "folder": path.resolve().parent})
    except ValidationError as error:
        raise _readable(path, error) from None
    target = config.target
    require_north_star(config.project.north_star, target.horizons, target.clv_horizon, str(path))
    return config


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, and a device has no end
            raise ContractError(f"{path}: is no regular file")
        if path.stat().st_size > MOST_BYTES:
            raise ContractError(f"{path}: {path.stat().st_size:,} bytes are no config")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContractError(
            f"{path}: no such config file", hint="`repurchase init LOG` writes one, `--config FILE` names it"
        ) from None
    except RecursionError:
        raise ContractError(f"{path}: cannot be read as TOML: it is nested too deep") from None
    except ContractError:
        raise
    except (OSError, ValueError) as error:  # no UTF-8, no TOML, a number of thousands of digits
        raise ContractError(f"{path}: cannot be read as TOML: {error}") from None


def _readable(path: Path, error: ValidationError) -> ContractError:
    problems = error.errors(include_url=False, include_context=False)
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"])
    count = f" ({len(problems)} problems in all)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        return ContractError(f"{path}: unknown key {where!r}{count}", hint=_closest(first["loc"]))
    if first["type"] == "missing":
        return ContractError(f"{path}: key {where!r} is missing{count}", hint=f"add {where} to the file")
    said = first["msg"].removeprefix("Value error, ")
    # What was given for these may be an address with its password, or a key.
    hidden = where.startswith(("sinks.", "mlflow.tracking_uri", "engine.options"))
    given = None if hidden else first.get("input")
    shown = f"; it is {given!r}" if isinstance(given, str | int | float) and repr(given) not in said else ""
    return ContractError(f"{path}: {where}: {said}{shown}{count}")


def _closest(location: tuple[int | str, ...]) -> str:
    model: Any = Config
    for part in location[:-1]:
        model = _section_type(model, str(part))
    known = [name for name in getattr(model, "model_fields", {}) if name != "folder"]
    close = get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "known keys: " + ", ".join(known)


def _section_type(model: Any, name: str) -> Any:
    annotation = model.model_fields[name].annotation
    options = getattr(annotation, "__args__", (annotation,))
    return next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), annotation)
