"""LIBMF, built from its own source with the flags that it is fast with."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "libmf"
FLAGS = ("-O3", "-march=native", "-mavx", "-DUSEAVX", "-DUSEOMP", "-fopenmp", "-std=c++17", "-w")
DRIVER = Path(__file__).with_name("libmf_driver.cpp")
# Where the driver is told that an epoch begins and ends: its only source of times.
_HOOKS = (
    ("    vector<shared_ptr<SolverBase>> solvers", "    driver::epoch_begins();\n{}"),
    ("        sched.wait_for_jobs_done();\n", "{}        driver::epoch_ends();\n"),
    ("        sched.resume();\n", "        driver::epoch_begins();\n{}"),
)


class NotBuiltError(Exception):
    """LIBMF could not be built here; the message says why."""


def build(folder: Path) -> Path:
    """Return the program, built in ``folder`` at the first asking.

    Raises
    ------
    NotBuiltError
        Without a compiler, or without the package registry.
    """
    program = folder / "libmf_driver"
    if program.exists() and program.stat().st_mtime > DRIVER.stat().st_mtime:
        return program
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise NotBuiltError("there is no C++ compiler (g++ or clang++)")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        source = _source(Path(scratch))
        (source / "mf_timed.cpp").write_text(_with_hooks((source / "mf.cpp").read_text()))
        command = [compiler, *FLAGS, f"-I{source}", str(DRIVER), "-o", str(program)]
        _run(command, "its compilation failed")
    return program


def _source(scratch: Path) -> Path:
    """Return the folder with `mf.cpp` of the package's source distribution."""
    options = ["--no-binary", PACKAGE, "--no-deps", "--quiet", "--dest", str(scratch)]
    _run(
        [sys.executable, "-m", "pip", "download", *options, PACKAGE],
        "its source could not be downloaded",
    )
    with tarfile.open(next(scratch.glob("*.tar.gz"))) as archive:
        archive.extractall(scratch, filter="data")
    return next(scratch.rglob("mf.cpp")).parent


def _with_hooks(source: str) -> str:
    """Return LIBMF's source with the driver's clock in its loop over the epochs."""
    for place, hooked in _HOOKS:
        if source.count(place) != 1:
            raise NotBuiltError("its source is not the one that the driver knows")
        source = source.replace(place, hooked.format(place))
    return source


def _run(command: list[str], problem: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise NotBuiltError(f"{problem}: {last}")
