"""Ways to harm a model's folder, each a function of the folder and a random generator."""

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

Harm = Callable[[Path, np.random.Generator], None]
CODE = ("code/evil.py", "code/__init__.py", "evil.py", "artifacts/evil.py", "artifacts/scorer/evil.py")
PICKLES = ("python_model.pkl", "model.pkl", "artifacts/scorer/model.joblib", "artifacts/scorer/scorer.skops")
FILES = ("artifacts/scorer/extra.trees.txt", "artifacts/scorer/scorer.json.bak", "notes.txt", ".hidden")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def any_of(folder: Path, rng: np.random.Generator) -> Path:
    found = files(folder)
    return found[int(rng.integers(len(found)))]


def flip_a_bit(folder: Path, rng: np.random.Generator) -> None:
    path = any_of(folder, rng)
    data = bytearray(path.read_bytes())
    data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)


def cut_off(folder: Path, rng: np.random.Generator) -> None:
    path = any_of(folder, rng)
    path.write_bytes(path.read_bytes()[: int(rng.integers(path.stat().st_size))])


def append(folder: Path, rng: np.random.Generator) -> None:
    with any_of(folder, rng).open("ab") as handle:
        handle.write(rng.bytes(int(rng.integers(1, 40))))


def swap_two(folder: Path, rng: np.random.Generator) -> None:
    found = files(folder)
    contents = [path.read_bytes() for path in found]
    while True:
        a, b = rng.choice(len(found), 2, replace=False)
        if contents[a] != contents[b]:
            break
    found[a].write_bytes(contents[b])
    found[b].write_bytes(contents[a])


def remove(folder: Path, rng: np.random.Generator) -> None:
    any_of(folder, rng).unlink()


def rename(folder: Path, rng: np.random.Generator) -> None:
    path = any_of(folder, rng)
    path.rename(path.with_name(f"x{path.name}"))


def add(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def add_a_file(folder: Path, rng: np.random.Generator) -> None:
    add(folder, str(rng.choice(FILES)), rng.bytes(20))


def ship_code(folder: Path, rng: np.random.Generator) -> None:
    add(folder, str(rng.choice(CODE)), b"raise SystemExit('ran')")


def ship_a_pickle(folder: Path, rng: np.random.Generator) -> None:
    add(folder, str(rng.choice(PICKLES)), pickle.dumps({"a": 1}))


def pickle_as_trees(folder: Path, rng: np.random.Generator) -> None:
    trees = sorted((folder / "artifacts" / "scorer").glob("*.trees.txt"))
    trees[int(rng.integers(len(trees)))].write_bytes(pickle.dumps({"a": 1}))


def link_a_file(folder: Path, rng: np.random.Generator) -> None:
    """Put the very same content elsewhere and a link in its place."""
    path = any_of(folder, rng)
    outside = folder.parent / "outside"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)


def link_a_folder(folder: Path, rng: np.random.Generator) -> None:
    outside = folder.parent / "outside.d"
    (folder / "artifacts").rename(outside)
    (folder / "artifacts").symlink_to(outside)


def a_pipe(folder: Path, rng: np.random.Generator) -> None:
    os.mkfifo(folder / "artifacts" / "scorer" / "pipe.trees.txt")


def another_loader(folder: Path, rng: np.random.Generator) -> None:
    path = folder / "MLmodel"
    text = path.read_text("utf-8")
    changed = re.sub(r"loader_module: \S+", "loader_module: evil", text)
    assert changed != text
    path.write_text(changed, "utf-8")


def code_in_mlmodel(folder: Path, rng: np.random.Generator) -> None:
    another_loader(folder, rng)
    path = folder / "MLmodel"
    path.write_text(path.read_text("utf-8").replace("code: null", "code: code"), "utf-8")
    add(folder, "code/evil.py", b"def _load_pyfunc(path):\n    raise SystemExit('ran')\n")


def another_path(folder: Path, rng: np.random.Generator) -> None:
    path = folder / "MLmodel"
    path.write_text(path.read_text("utf-8").replace("path: artifacts/scorer", "path: ../outside"), "utf-8")


def another_script(folder: Path, rng: np.random.Generator) -> None:
    with (folder / "pyfunc_model.py").open("a") as handle:
        handle.write("\nimport os\n")


HARMS: tuple[Harm, ...] = (
    flip_a_bit,
    cut_off,
    append,
    swap_two,
    remove,
    rename,
    add_a_file,
    ship_code,
    ship_a_pickle,
    pickle_as_trees,
    link_a_file,
    link_a_folder,
    a_pipe,
    another_loader,
    code_in_mlmodel,
    another_path,
    another_script,
)
