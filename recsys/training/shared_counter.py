"""A counter that several threads take numbers from."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_WIDE = ir.IntType(64)


@intrinsic
def _take_next(typing_context: Any, counter: Any) -> Any:
    """Return ``counter[0]`` and add one to it, with no other thread in between.

    ``counter`` is (1,) int64.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, _WIDE(1), "monotonic")

    return types.int64(counter), generate


# A call from compiled code lacks the first argument, which numba adds.
take_next: Any = _take_next
