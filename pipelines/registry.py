"""The only file that knows MLflow: tracking a training, registering scorers, aliases."""

import json
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from features.errors import ContractError
from models.scorer import SCHEMA_VERSION, Scorer
from pipelines.config import Config
from pipelines.console import Console
from pipelines.failures import EnvironmentFailed, Refused, first_line
from pipelines.locks import locked
from pipelines.masked import masked
from pipelines.model_files import check_digest, digest, listing, read_model, scorer_part, write_files
from pipelines.scorer_files import from_files, to_files
from pipelines.store_moved import bring_home
from pipelines.store_place import ARTIFACTS, RUNNING, SQLITE, exists, first_use, locate, store_file
from pipelines.tracked_run import TrackedRun
from pipelines.version import (
    CHALLENGER,
    CHAMPION,
    DIGEST,
    LEARNED,
    RECIPE,
    SCHEMA,
    TRAINED_UNTIL,
    VERDICT,
    Version,
    is_of_this_schema,
)

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it is decided once, when mlflow is imported
# A server that is away is said to be so within two minutes; MLflow's own patience is an hour.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

DRIVERS = {"psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient", "pymysql": "pymysql"}
"""Python package to what installs it."""
_NEEDED = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "lightgbm")


class Registry:
    """One model name in one MLflow store.

    Parameters
    ----------
    config : Config
        For the store's address, the model's name and the pinned digest.
    create : bool
        Whether to make a SQLite store that does not exist yet; only training does.

    Raises
    ------
    Refused
        If there is no store and none is to be made.
    """

    def __init__(self, config: Config, *, create: bool = False) -> None:
        self._config = config
        self._uri, self._artifacts = locate(config)
        self.name = config.mlflow.model
        if not (create or exists(self._uri)):
            raise Refused(
                f"no model has been trained: {config.mlflow.tracking_uri} does not exist; "
                "hint: run `repurchase train`, then `repurchase promote`"
            )
        with first_use(self._uri):
            self._bring_home()
            import mlflow

            logging.getLogger("mlflow").setLevel(logging.ERROR)
            mlflow.set_tracking_uri(self._uri)
            mlflow.set_registry_uri(self._uri)
            self.client: Any = self._opened()
            self.experiment = self._find_experiment()

    def _bring_home(self) -> None:
        file = store_file(self._config)
        if file is None or self._artifacts is None:
            return
        before = bring_home(file, self._artifacts, self._config.project.name, file.parent / RUNNING)
        if before is not None:
            Console().say(
                f"  note: the model store was moved or copied from {before}: its addresses are put right"
            )

    def _opened(self) -> Any:
        import mlflow

        try:
            return mlflow.MlflowClient(self._uri, self._uri)
        except ImportError as error:  # the driver of a database is for the user to choose
            raise ContractError(
                f"[mlflow] tracking_uri: {masked(self._uri)} needs the Python package {error.name!r}",
                hint=f"pip install {DRIVERS.get(error.name or '', error.name)}",
            ) from None

    def _find_experiment(self) -> str:
        name = self._config.project.name
        found = self._asked(lambda: self.client.get_experiment_by_name(name))
        if found is not None:
            return str(found.experiment_id)
        # Else MLflow's pages open on traces of language models.
        tags = {"mlflow.experimentKind": "custom_model_development"}
        return str(self.client.create_experiment(name, artifact_location=self._artifacts, tags=tags))

    def _asked(self, look_up: Callable[[], Any]) -> Any:
        """Ask for the first time: of a server that is away, MLflow says pages."""
        from mlflow.exceptions import MlflowException

        try:
            return look_up()
        except MlflowException as error:
            if "Max retries exceeded" not in str(error):
                raise
            raise EnvironmentFailed(
                f"nothing answers at {masked(self._uri)}, which [mlflow] tracking_uri names: is it up?"
            ) from None

    @contextmanager
    def run(
        self, name: str, parent: TrackedRun | None = None, tags: Mapping[str, str] | None = None
    ) -> Iterator[TrackedRun]:
        """Open a run; it ends as FINISHED, or as FAILED if the block raises."""
        all_tags = {"mlflow.runName": name, **(tags or {})}
        if parent is not None:
            all_tags["mlflow.parentRunId"] = parent.run_id
        opened = self.client.create_run(self.experiment, tags=all_tags, run_name=name)
        run = TrackedRun(self.client, opened.info.run_id)
        path = self.run_lock(run.run_id)
        with locked(path):
            ended = "FAILED"
            try:
                yield run
                ended = "FINISHED"
            finally:
                self.client.set_terminated(run.run_id, ended)
                path.unlink(missing_ok=True)

    @property
    def is_local(self) -> bool:
        """Whether the store is a file, beside which the locks of all its runs lie."""
        return store_file(self._config) is not None

    def run_lock(self, run_id: str) -> Path:
        """Path of the lock that a living run holds."""
        file = store_file(self._config)
        if file is not None:
            return file.parent / RUNNING / f"{run_id}.lock"
        return Path(tempfile.gettempdir()) / f"{RUNNING}-{os.getuid()}" / f"{run_id}.lock"

    def reopen(self, run_id: str) -> TrackedRun:
        """Add to a run that has ended."""
        return TrackedRun(self.client, run_id)

    def last_training(self) -> str | None:
        """Run id of the newest finished training."""
        found = self.client.search_runs(
            [self.experiment],
            "tags.kind = 'training' and attributes.status = 'FINISHED'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return str(found[0].info.run_id) if found else None

    def register(
        self, scorer: Scorer, run: TrackedRun, description: str, about: Mapping[str, str] | None = None
    ) -> Version:
        """Save a scorer with its training run and register it as challenger.

        Parameters
        ----------
        scorer : Scorer
            What is registered.
        run : TrackedRun
            Its training.
        description : str
            For people.
        about : mapping of str to str, optional
            Tags beside those of every version, such as what the log looked like.
        """
        import mlflow

        files, status = to_files(scorer), self.client.get_run(run.run_id).info.status
        with tempfile.TemporaryDirectory() as work, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow asks for an input example: a row of a customer
            write_files(files, Path(work) / "scorer")
            with mlflow.start_run(run_id=run.run_id):
                logged = mlflow.pyfunc.log_model(
                    name="scorer",
                    python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                    artifacts={"scorer": str(Path(work) / "scorer")},
                    pip_requirements=[f"{p}=={installed(p)}" for p in _NEEDED],
                    signature=_signature(scorer),
                )
        with self._folder_of(logged.model_id) as folder:
            stored = read_model(folder)
        if scorer_part(stored) != files:
            raise EnvironmentFailed("the model's files are not as they were written: the store has lost some")
        run.json(listing(stored), _manifest(logged.model_id))
        # MLflow has ended the run with its model; without a version it is not yet what it seems.
        self.client.update_run(run.run_id, status=status)
        self._make_model()
        tags = {
            **(about or {}),
            DIGEST: digest(stored),
            LEARNED: digest(files),
            RECIPE: scorer.purchase.recipe.name,
            TRAINED_UNTIL: scorer.trained_until,
            SCHEMA: str(SCHEMA_VERSION),
        }
        made = self.client.create_model_version(
            self.name,
            logged.model_uri,
            run.run_id,
            tags=tags,
            description=description,
            model_id=logged.model_id,
        )
        self.client.set_registered_model_alias(self.name, CHALLENGER, made.version)
        return Version(str(made.version), run.run_id, str(made.source), tags)

    def _make_model(self) -> None:
        """Make the registered model, unless it is there or another process is faster."""
        from mlflow.exceptions import MlflowException

        if self.client.search_registered_models(f"name = '{self.name}'"):
            return
        try:
            self.client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def version(self, number: str) -> Version:
        """Find a version by its number.

        Raises
        ------
        ContractError
            If it is no number.
        Refused
            If there is none of that number.
        """
        if not number.isascii() or not number.isdigit():
            raise ContractError(
                f"{number!r} is no number of a version", hint="`repurchase history` shows some"
            )
        found = self.find(number)
        if found is None:
            raise Refused(f"model {self.name!r} has no version {number!r}")
        return found

    def find(self, number: str) -> Version | None:
        """Find a version by its number; None where it was deleted."""
        found = _or_none(lambda: self.client.get_model_version(self.name, number))
        return None if found is None else _version(found)

    def versions(self) -> list[Version]:
        """Every version, newest first."""
        found = self.client.search_model_versions(f"name = '{self.name}'")
        return sorted(map(_version, found), key=lambda version: -int(version.number))

    def challenge(self, version: Version) -> None:
        """Point the challenger alias at a version."""
        self.client.set_registered_model_alias(self.name, CHALLENGER, version.number)

    def drop_alias(self, alias: str) -> None:
        """Let an alias point to nothing."""
        self.client.delete_registered_model_alias(self.name, alias)

    def by_alias(self, alias: str) -> Version | None:
        """Resolve an alias, once; None where it points to nothing."""
        found = _or_none(lambda: self.client.get_model_version_by_alias(self.name, alias))
        return None if found is None else _version(found)

    def champion(self) -> Version:
        """Resolve the champion.

        Raises
        ------
        Refused
            If there is none, or the config pins another digest.
        """
        found = self.by_alias(CHAMPION)
        if found is None:
            raise Refused(
                f"model {self.name!r} has no champion; hint: run `repurchase train`, then "
                "`repurchase promote`"
            )
        pinned, own = self._config.mlflow.champion_digest, found.tags.get(DIGEST, "")
        if pinned not in (None, own):
            raise Refused(
                f"the champion, version {found.number}, has digest {own[:19]}…, but [mlflow] champion_digest "
                f"pins {str(pinned)[:19]}…"
            )
        return found

    def crown(self, version: Version) -> None:
        """Point the champion alias at a version."""
        self.client.set_registered_model_alias(self.name, CHAMPION, version.number)

    def set_tag(self, version: Version, key: str, value: str) -> None:
        """Set a tag of a version."""
        self.client.set_model_version_tag(self.name, version.number, key, value)

    def drop_tag(self, version: Version, key: str) -> None:
        """Remove a tag of a version."""
        self.client.delete_model_version_tag(self.name, version.number, key)

    def artifacts_away(self) -> Path | None:
        """Name the folder of all models and runs if versions are registered and it is gone."""
        if self._artifacts is None or not self.versions():
            return None
        folder = Path(unquote(urlparse(self._artifacts).path))
        return None if folder.is_dir() else folder

    def note_verdict(self, version: Version, verdict: str, reason: str, page: str) -> None:
        """Write the gate's verdict onto a version, where MLflow's page of it shows it.

        Parameters
        ----------
        version : Version
            Which was judged.
        verdict, reason : str
            Its tags.
        page : str
            Markdown; the description.
        """
        self.set_tag(version, VERDICT, verdict)
        self.set_tag(version, f"{VERDICT}_reason", reason)
        self.client.update_model_version(self.name, version.number, page)

    def load(self, version: Version) -> Scorer:
        """Load a version, after its files were checked against its digest.

        Raises
        ------
        Refused
            If a file was changed or is missing.
        """
        return from_files(scorer_part(self.verified(version)))

    def verified(self, version: Version) -> dict[str, bytes]:
        """Read a version's files and check them against its digest, without a look into them.

        Raises
        ------
        Refused
            If a file was changed, added or removed, is a link, or does not belong to a model.
        """
        if not is_of_this_schema(version):
            raise Refused(
                f"version {version.number} was made by another version of repurchase: it has schema "
                f"{version.tags.get(SCHEMA)}, this one reads {SCHEMA_VERSION}; hint: train again"
            )
        try:
            with self._folder_of(version.model_id) as folder:
                files = read_model(folder)
        except Refused as reason:
            raise Refused(f"version {version.number}: {reason}") from None
        expected = version.tags.get(DIGEST, "")
        check_digest(files, expected, self._manifest_of(version) if digest(files) != expected else None)
        return files

    def _manifest_of(self, version: Version) -> dict[str, str] | None:
        """Read what is said to have been the manifest at registration; None if it makes no sense."""
        try:
            found = json.loads(self.reopen(version.run_id).read(_manifest(version.model_id)) or b"")
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    @contextmanager
    def _folder_of(self, model_id: str) -> Iterator[Path]:
        """Give the folder of a logged model's files: where they lie or, from a store elsewhere, a copy."""
        import mlflow

        logged = _or_none(lambda: self.client.get_logged_model(model_id))
        if logged is None:
            raise Refused(f"the model's files are missing: MLflow knows no model {model_id}")
        location = str(logged.artifact_location)
        if urlparse(location).scheme in ("", "file"):
            plain = not location.startswith("file:")
            yield self._moved(Path(location if plain else unquote(urlparse(location).path)))
            return
        with tempfile.TemporaryDirectory() as work:
            try:
                copy = mlflow.artifacts.download_artifacts(artifact_uri=location, dst_path=work)
            except (OSError, mlflow.exceptions.MlflowException) as error:
                raise EnvironmentFailed(f"{location} cannot be read: {first_line(error)}") from None
            yield Path(copy)

    def _moved(self, folder: Path) -> Path:
        """Find a folder beside a store that was moved and is only read: MLflow keeps absolute paths."""
        if self._artifacts is None or ARTIFACTS not in folder.parts:
            return folder
        place = len(folder.parts) - folder.parts[::-1].index(ARTIFACTS)
        beside = Path(unquote(urlparse(self._artifacts).path)).joinpath(*folder.parts[place:])
        return beside if beside.exists() else folder


def check_store(config: Config) -> None:
    """Fail before the work where a store could not be opened or made after it.

    Raises
    ------
    EnvironmentFailed
        If the store cannot be read, or its folder not written.
    """
    uri, _ = locate(config)
    if uri.startswith(SQLITE) and not exists(uri):
        folder = Path(uri.removeprefix(SQLITE)).parent
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise EnvironmentFailed(f"{uri}: {folder} is no folder that can be written")
        return
    Registry(config)


def _manifest(model_id: str) -> str:
    """Path, in a training's run, of the SHA-256 of every file of its model."""
    return f"model_files/{model_id}.json"


def _or_none(look_up: Callable[[], Any]) -> Any:
    """Look something up; None only where the store says that it is not there."""
    from mlflow.exceptions import MlflowException

    try:
        return look_up()
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _version(found: Any) -> Version:
    return Version(str(found.version), str(found.run_id), str(found.source), dict(found.tags))


def _signature(scorer: Scorer) -> Any:
    """Every number is a double: integer columns could not carry the gaps that a feature may have."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    keys = [ColSpec(DataType.string, "customer_id"), ColSpec(DataType.datetime, "cutoff")]
    texts = [ColSpec(DataType.string, f, required=False) for f in scorer.features if f in scorer.categories]
    numbers = [ColSpec(DataType.double, f) for f in scorer.features if f not in scorer.categories]
    return ModelSignature(inputs=Schema([*keys, *numbers, *texts]))
