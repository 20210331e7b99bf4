"""What a user installs: one wheel for every platform, with all that is needed and nothing else."""

import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

pytestmark = pytest.mark.slow
ROOT = pathlib.Path(__file__).parents[1]


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that the checkout gets no build/ folder, and an old one cannot slip in."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-data"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "kerasish", source / "kerasish", ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", target, ".", cwd=source)
    (path,) = target.iterdir()
    return path


def test_any_platform(wheel):
    assert re.fullmatch(r"kerasish-[\d.]+-py3-none-any\.whl", wheel.name)


def test_contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        metadata = archive.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode()
    packed = {name for name in names if ".dist-info/" not in name}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for suffix in ("*.py", "*.npz", "py.typed")
        for path in (ROOT / "kerasish").rglob(suffix)
    }
    assert wanted - packed == set()
    assert {pathlib.PurePosixPath(name).parts[0] for name in packed} == {"kerasish"}
    assert {pathlib.PurePosixPath(name).suffix or pathlib.PurePosixPath(name).name for name in packed} <= {
        ".py", ".npz", ".typed", ".md",
    }  # fmt: skip
    assert {pathlib.PurePosixPath(name).name for name in names if "/licenses/" in name} == {"LICENSE", "LICENSE-data"}
    needs = re.findall(r"^Requires-Dist: (\w+)[^;\n]*$", metadata, re.MULTILINE)
    assert sorted(needs) == ["h5py", "numpy", "tqdm"]


def test_installed_it_imports(wheel, tmp_path):
    target = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", target, wheel, cwd=tmp_path)
    script = (
        f"import sys; sys.path.insert(0, {str(target)!r})\n"
        "import kerasish\n"
        "(x, y), _ = kerasish.datasets.digits.load_data()\n"
        "print(kerasish.__file__, x.shape)"
    )
    printed = run(sys.executable, "-W", "error", "-c", script, cwd=tmp_path)
    assert printed.split(maxsplit=1) == [str(target / "kerasish" / "__init__.py"), "(1437, 8, 8)\n"]
