"""A registered version of the model: its tags, and what they are called."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.scorer import SCHEMA_VERSION

CHAMPION, CHALLENGER = "champion", "challenger"
DIGEST, RECIPE, TRAINED_UNTIL, VERDICT = "digest", "recipe", "trained_until", "verdict"
LEARNED = "learned"
"""Tag: digest of what was learned alone; the same rows and settings give the same one, whenever they do."""
SCHEMA, LEAK_PROOF, CUSTOMERS, EVIDENCE = "schema", "leak_proof", "customers", "evidence"
EVIDENCE_FILES = ("folds/folds.parquet", "data.json")
"""Of a training: what the gate goes by. Their digest is the tag `EVIDENCE`."""
BROKEN, ROLLED_BACK, FORCED = "broken", "rolled_back", "forced"


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
        Its address for MLflow's own loaders.
    tags : Mapping[str, str]
        Digest, recipe, trained_until, the size of the amounts and, once judged, the verdict.
    """

    number: str
    run_id: str
    source: str
    tags: Mapping[str, str]

    @property
    def model_id(self) -> str:
        """Under which MLflow keeps its files."""
        return self.source.removeprefix("models:/")


def is_of_this_schema(version: Version) -> bool:
    """Whether this version of repurchase can read it."""
    return version.tags.get(SCHEMA) == str(SCHEMA_VERSION)
