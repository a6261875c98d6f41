"""The only file that knows MLflow: tracking a training, registering scorers, aliases."""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from models.scorer import SCHEMA_VERSION, Scorer
from pipelines.config import Config
from pipelines.failures import EnvironmentFailed, Refused
from pipelines.locks import locked
from pipelines.scorer_files import digest, from_files, read_files, to_files, write_files
from pipelines.tracked_run import TrackedRun

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it is decided once, when mlflow is imported

CHAMPION, CHALLENGER = "champion", "challenger"
DIGEST, RECIPE, TRAINED_UNTIL, VERDICT = "digest", "recipe", "trained_until", "verdict"
SCHEMA = "schema"
_SQLITE = "sqlite:///"
_NEEDED = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "lightgbm")


@dataclass(frozen=True)
class Version:
    """A registered scorer.

    Parameters
    ----------
    number : str
        MLflow's version.
    run_id : str
        The training that made it.
    source : str
        Where MLflow keeps its files.
    tags : Mapping[str, str]
        Digest, recipe, trained_until, the size of the amounts and, once judged, the verdict.
    """

    number: str
    run_id: str
    source: str
    tags: Mapping[str, str]


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
        self._uri, self._artifacts = _locate(config)
        self.name = config.mlflow.model
        if not (create or _exists(self._uri)):
            raise Refused(
                f"no model has been trained: {config.mlflow.tracking_uri} does not exist; "
                "hint: run `repurchase train`, then `repurchase promote`"
            )
        with _first_use(self._uri):
            import mlflow

            logging.getLogger("mlflow").setLevel(logging.ERROR)
            mlflow.set_tracking_uri(self._uri)
            mlflow.set_registry_uri(self._uri)
            self._client: Any = mlflow.MlflowClient(self._uri, self._uri)
            self._experiment = self._find_experiment()

    def _find_experiment(self) -> str:
        name = self._config.project.name
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=self._artifacts))

    @contextmanager
    def run(
        self, name: str, parent: TrackedRun | None = None, tags: Mapping[str, str] | None = None
    ) -> Iterator[TrackedRun]:
        """Open a run; it ends as FINISHED, or as FAILED if the block raises."""
        all_tags = {"mlflow.runName": name, **(tags or {})}
        if parent is not None:
            all_tags["mlflow.parentRunId"] = parent.run_id
        opened = self._client.create_run(self._experiment, tags=all_tags, run_name=name)
        run = TrackedRun(self._client, opened.info.run_id)
        try:
            yield run
        except BaseException:
            self._client.set_terminated(run.run_id, "FAILED")
            raise
        self._client.set_terminated(run.run_id, "FINISHED")

    def reopen(self, run_id: str) -> TrackedRun:
        """Add to a run that has ended."""
        return TrackedRun(self._client, run_id)

    def last_training(self) -> str | None:
        """Run id of the newest finished training."""
        found = self._client.search_runs(
            [self._experiment],
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

        files = to_files(scorer)
        with tempfile.TemporaryDirectory() as work:
            write_files(files, Path(work) / "scorer")
            with mlflow.start_run(run_id=run.run_id):
                logged = mlflow.pyfunc.log_model(
                    name="scorer",
                    python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                    artifacts={"scorer": str(Path(work) / "scorer")},
                    pip_requirements=[f"{p}=={installed(p)}" for p in _NEEDED],
                    signature=_signature(scorer),
                )
        if not self._client.search_registered_models(f"name = '{self.name}'"):
            self._client.create_registered_model(self.name)
        tags = {
            **(about or {}),
            DIGEST: digest(files),
            RECIPE: scorer.purchase.recipe.name,
            TRAINED_UNTIL: scorer.trained_until,
            SCHEMA: str(SCHEMA_VERSION),
        }
        made = self._client.create_model_version(
            self.name,
            logged.model_uri,
            run.run_id,
            tags=tags,
            description=description,
            model_id=logged.model_id,
        )
        self._client.set_registered_model_alias(self.name, CHALLENGER, made.version)
        return Version(str(made.version), run.run_id, made.source, tags)

    def version(self, number: str) -> Version:
        """Find a version by its number."""
        found = _or_none(lambda: self._client.get_model_version(self.name, number))
        if found is None:
            raise Refused(f"model {self.name!r} has no version {number!r}")
        return _version(found)

    def by_alias(self, alias: str) -> Version | None:
        """Resolve an alias, once; None where it points to nothing."""
        found = _or_none(lambda: self._client.get_model_version_by_alias(self.name, alias))
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

    def promote(self, version: Version, verdict: str, reason: str) -> None:
        """Point the champion alias at a version and write down why."""
        self.note_verdict(version, verdict, reason)
        self._client.set_registered_model_alias(self.name, CHAMPION, version.number)

    def set_tag(self, version: Version, key: str, value: str) -> None:
        """Set a tag of a version."""
        self._client.set_model_version_tag(self.name, version.number, key, value)

    def note_verdict(self, version: Version, verdict: str, reason: str) -> None:
        """Write the gate's verdict onto a version."""
        self.set_tag(version, VERDICT, verdict)
        self.set_tag(version, f"{VERDICT}_reason", reason)

    def load(self, version: Version) -> Scorer:
        """Load a version, after its files were checked against its digest.

        Raises
        ------
        Refused
            If a file was changed or is missing.
        """
        import mlflow

        with tempfile.TemporaryDirectory() as work:
            try:
                local = mlflow.artifacts.download_artifacts(artifact_uri=version.source, dst_path=work)
            except (OSError, mlflow.exceptions.MlflowException) as error:
                first = str(error).split("\n")[0]
                raise Refused(f"the files of version {version.number} are missing: {first}") from None
            files = read_files(Path(local) / "artifacts" / "scorer")
        return from_files(files, version.tags.get(DIGEST, ""))


def check_store(config: Config) -> None:
    """Fail before the work where a store could not be opened or made after it.

    Raises
    ------
    EnvironmentFailed
        If the store cannot be read, or its folder not written.
    """
    uri, _ = _locate(config)
    if uri.startswith(_SQLITE) and not _exists(uri):
        folder = Path(uri.removeprefix(_SQLITE)).parent
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise EnvironmentFailed(f"{uri}: {folder} is no folder that can be written")
        return
    Registry(config)


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


def _locate(config: Config) -> tuple[str, str | None]:
    """Resolve a relative SQLite path against the config's folder; artifacts go beside the database."""
    uri = config.mlflow.tracking_uri
    if not uri.startswith(_SQLITE):
        return uri, None
    database = (config.folder / uri.removeprefix(_SQLITE)).resolve()
    return f"{_SQLITE}{database}", (database.parent / "mlartifacts").as_uri()


def _exists(uri: str) -> bool:
    return not uri.startswith(_SQLITE) or Path(uri.removeprefix(_SQLITE)).exists()


@contextmanager
def _first_use(uri: str) -> Iterator[None]:
    """Let one process at a time open a SQLite store: creating it in parallel breaks it."""
    if not uri.startswith(_SQLITE):
        yield
        return
    with locked(Path(uri.removeprefix(_SQLITE) + ".lock")):
        yield
