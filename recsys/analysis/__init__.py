"""What the embeddings learned: biases, principal axes, neighbours, and the report.

`recsys.analysis.report` and `recsys.analysis.plots` load matplotlib and are imported by name,
so that a server which never draws does not pay for it.
"""

from recsys.analysis.bias import BiasRow, BiasTable, bias_table
from recsys.analysis.items import ItemRow

__all__ = ["BiasRow", "BiasTable", "ItemRow", "bias_table"]
