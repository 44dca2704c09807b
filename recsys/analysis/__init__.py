"""What the embeddings learned: biases, principal axes, neighbours, drift, and the report.

`recsys.analysis.report` and `recsys.analysis.plots` load matplotlib and are imported by name,
so that a server which never draws does not pay for it.
"""

from recsys.analysis.bias import BiasRow, BiasTable, bias_table
from recsys.analysis.drift import Drift, ItemDrift, measure_drift
from recsys.analysis.items import ItemRow, catalogue_of
from recsys.analysis.pca import Axis, Extreme, PrincipalAxes, principal_axes

__all__ = [
    "Axis",
    "BiasRow",
    "BiasTable",
    "Drift",
    "Extreme",
    "ItemDrift",
    "ItemRow",
    "PrincipalAxes",
    "bias_table",
    "catalogue_of",
    "measure_drift",
    "principal_axes",
]
