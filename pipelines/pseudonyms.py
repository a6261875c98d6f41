"""Customers under names that only the holder of a key can trace back (HMAC-SHA256)."""

import errno
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from features.errors import ContractError
from pipelines.config import Config
from pipelines.published_runs import PRIVACY, every_run

KEY_FILE = ".repurchase.key"
"""Beside the config, unless ``[privacy] key_file`` names another place."""
LEAST = 32
"""Bytes of a key."""
_MOST = 2**16
DIGITS = 24
"""Hexadecimal; 96 bits. Among 100 million customers two share a name with a chance of 6e-14."""
PSEUDONYM = re.compile(rf"c_[0-9a-f]{{{DIGITS}}}")


@dataclass(frozen=True)
class Pseudonyms:
    """The names that one key gives: the same on every machine that has it.

    Parameters
    ----------
    key : bytes
        Secret; never shown.

    Examples
    --------
    >>> names = Pseudonyms(b"not a secret: an example of a key")
    >>> names.of("17850")
    'c_bd1aa2467a9bdefa4494244f'
    """

    key: bytes = field(repr=False)

    def of(self, customer_id: str) -> str:
        """Name a customer."""
        return f"c_{self._digest(customer_id)[:DIGITS]}"

    def of_all(self, customer_ids: Iterable[str]) -> list[str]:
        """Name many: a few seconds for a million."""
        return [self.of(one) for one in customer_ids]

    @property
    def key_id(self) -> str:
        """Tells keys apart, and nothing of the key."""
        return self._digest("the key itself")[:8]

    def _digest(self, text: str) -> str:
        return hmac.digest(self.key, text.encode(), "sha256").hex()


def as_listed(frame: pd.DataFrame, config: Config) -> pd.DataFrame:
    """Put pseudonyms into ``customer_id``, if ``[privacy] lists`` asks for them.

    Parameters
    ----------
    frame : DataFrame
        With ``customer_id`` as the shop writes it. Rows stay in their order, which tells of the ids until
        they are sorted anew.
    config : Config
        For ``[privacy]``.
    """
    if config.privacy.lists == "ids":
        return frame
    return frame.assign(customer_id=own_pseudonyms(config).of_all(frame["customer_id"]))


def how_listed(config: Config) -> dict[str, str]:
    """Say for a manifest how customers are called in a run, and by which key."""
    if config.privacy.lists == "ids":
        return {"lists": "ids"}
    return {"lists": "pseudonyms", "key_id": own_pseudonyms(config).key_id}


def own_pseudonyms(config: Config, *, create: bool = True) -> Pseudonyms:
    """Return the shop's pseudonyms.

    Parameters
    ----------
    config : Config
        For ``[privacy] key_file``. A file that is named there must exist: with a new key everyone would get
        another name.
    create : bool
        Whether to make a key in `KEY_FILE`, if there is none yet and no run was published under pseudonyms.

    Raises
    ------
    ContractError
        If the file is absent, a link, readable by others, or too short; or was lost.
    """
    named = config.privacy.key_file
    path = config.folder / (named or KEY_FILE)
    if create and named is None and not path.is_symlink() and not path.exists():
        _refuse_lost(path, config)
        _make(path)
    return Pseudonyms(_read(path))


def _refuse_lost(path: Path, config: Config) -> None:
    """Refuse to make a key where there has been one: in silence, everybody would get another name."""
    run = next((run for run in every_run(config.output) if run.has_pseudonyms), None)
    if run is not None:
        raise ContractError(
            f"{path}: the key is gone, and run {run.run_id} lists pseudonyms made with it "
            f"({run.manifest[PRIVACY].get('key_id')})",
            hint="bring it back; or make one on purpose, with which everybody has another name: "
            f"(umask 077; openssl rand -hex 32 > {path.name})",
        )


def _make(path: Path) -> None:
    """Write a key aside and put it in place whole; of two processes, one makes it for both."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(3)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(f"{secrets.token_hex(LEAST)}\n")
            handle.flush()
            os.fsync(descriptor)
        try:
            os.link(part, path)
        except FileExistsError:
            return
    finally:
        part.unlink()


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise ContractError(
            f"{path}: there is no such key",
            hint="bring it from where the pseudonyms were made; for a new one leave out [privacy] key_file",
        ) from None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise ContractError(f"{path}: the key is a link", hint="name the file itself") from None
    try:
        _check(path, os.fstat(descriptor).st_mode)
        key = os.read(descriptor, _MOST).strip()
    finally:
        os.close(descriptor)
    if len(key) < LEAST:
        raise ContractError(
            f"{path}: the key has {len(key)} bytes, fewer than {LEAST}", hint="openssl rand -hex 32 makes one"
        )
    return key


def _check(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise ContractError(f"{path}: the key is no plain file")
    if mode & 0o077:
        raise ContractError(f"{path}: others than its owner may use the key", hint=f"chmod 600 {path.name}")
