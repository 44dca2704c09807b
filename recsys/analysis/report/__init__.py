"""The embedding analysis report: a self-contained HTML file, a Markdown twin, and its plots.

Importing this package loads matplotlib.
"""

from recsys.analysis.report.write import write_report

__all__ = ["write_report"]
