"""A word to the processor: which row will be read soon.

Rows are brought as near as the second-level cache. The first level is small: rows of many
factors that are asked for in time would push each other out before they are read.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_CACHE_LINE = 64
_BYTE_POINTER = ir.IntType(8).as_pointer()
_INT, _WIDE = ir.IntType(32), ir.IntType(64)
_TO_READ, _SECOND_LEVEL, _DATA = _INT(0), _INT(2), _INT(1)


@intrinsic
def _prefetch(typing_context: Any, table: Any, row: Any) -> Any:
    """Have the cache lines of ``table[row]`` fetched; nothing is read or written.

    ``row`` is unsigned.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = cgutils.unpack_tuple(builder, array.strides)[0]  # type: ignore[no-untyped-call]
        number = builder.zext(arguments[1], _WIDE) if arguments[1].type != _WIDE else arguments[1]
        start = builder.add(builder.ptrtoint(array.data, _WIDE), builder.mul(number, stride))
        signature_of_llvm = ir.FunctionType(ir.VoidType(), [_BYTE_POINTER, _INT, _INT, _INT])
        instruction = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, signature_of_llvm, "llvm.prefetch.p0"
        )
        lines = cgutils.for_range_slice(builder, _WIDE(0), stride, _WIDE(_CACHE_LINE), intp=_WIDE)
        with lines as (offset, _):
            address = builder.inttoptr(builder.add(start, offset), _BYTE_POINTER)
            builder.call(instruction, [address, _TO_READ, _SECOND_LEVEL, _DATA])
        return context.get_dummy_value()

    return types.void(table, row), generate


# A call from compiled code lacks the first argument, which numba adds.
prefetch: Any = _prefetch
