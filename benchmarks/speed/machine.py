"""What a measurement depends on besides the code."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llvmlite.binding

_FEATURES = ("sse4.2", "avx", "avx2", "fma", "avx512f", "neon", "sve")
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def machine() -> dict[str, Any]:
    """Return cores, caches and vector instructions, versions, and how busy the machine was."""
    has = llvmlite.binding.get_host_cpu_features()
    return {
        "n_cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "cpu": llvmlite.binding.get_host_cpu_name(),
        "features": [name for name in _FEATURES if has.get(name)],
        "caches": {
            f"L{(index / 'level').read_text().strip()}": (index / "size").read_text().strip()
            for index in sorted(_CACHES.glob("index*"))
            if (index / "type").read_text().strip() != "Instruction"
        },
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("numpy", "numba", "llvmlite")},
    }
