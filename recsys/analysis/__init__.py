"""What the embeddings learned: biases, principal axes, neighbours, and the report.

`recsys.analysis.report` and `recsys.analysis.plots` load matplotlib and are imported by name,
so that a server which never draws does not pay for it.
"""

from recsys.analysis.bias import BiasRow, BiasTable, bias_table
from recsys.analysis.items import ItemRow, catalogue_of
from recsys.analysis.pca import Axis, Extreme, PrincipalAxes, principal_axes

__all__ = [
    "Axis",
    "BiasRow",
    "BiasTable",
    "Extreme",
    "ItemRow",
    "PrincipalAxes",
    "bias_table",
    "catalogue_of",
    "principal_axes",
]
