"""The figures of a benchmark: a panel a workload, and a curve a way of solving."""

import matplotlib as mpl
from matplotlib.figure import Figure

from cfc_ref.bench.results import Result, Row
from cfc_ref.plots.timings import bench_figures, plot_bars, plot_work_precision
from tests.compare import assert_close

mpl.use("Agg")

BARS = Result("step", "a step", "a step", [Row("jax", [4e-5, 5e-5, 6e-5]), Row("numba", [4e-6])], [], {}, [])
WAYS = Result(
    "solvers",
    "solvers",
    "a step",
    [
        Row("CfC", [5e-6], {"way": "CfC", "steps": 9}),
        Row("fused × 1", [1e-5], {"way": "fused", "error": 0.1, "steps": 9}),
        Row("fused × 6", [6e-5], {"way": "fused", "error": 0.01, "steps": 9}),
        Row("scipy RK45, rtol 1e-03", [1e-3], {"way": "scipy RK45", "error": 1e-4, "steps": 5}),
    ],
    [],
    {},
    [],
)
SCALING = BARS._replace(workload="scaling", rows=[Row("CfC, 9 steps", [1.0], {"series": "CfC", "steps": 9})])


def test_bars_are_medians_the_fastest_on_top():
    ax = plot_bars(BARS, str.upper, ax=Figure().subplots())
    assert_close([bar.get_width() for bar in ax.patches], [4.0, 50.0], rtol=1e-9)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["NUMBA", "JAX"]
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "time of a step (µs)")
    assert ax.yaxis_inverted()


def test_work_over_precision():
    ax = plot_work_precision(WAYS, ax=Figure().subplots())
    curves = {line.get_label(): line for line in ax.lines}
    assert_close(curves["fused"].get_xydata(), [[0.1, 10.0], [0.01, 60.0]])
    assert_close(curves["CfC of the same size (no ODE)"].get_ydata(), [5.0, 5.0])
    assert set(curves) == {"fused", "scipy RK45", "CfC of the same size (no ODE)"}
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_a_figure_is_made_where_there_is_something_to_draw():
    assert [name for name, _ in bench_figures([SCALING], str)] == []
    names = [(name, len(figure.axes)) for name, figure in bench_figures([BARS, WAYS, SCALING, BARS, BARS], str)]
    assert names == [("bench.png", 4), ("work_precision.png", 1)]
