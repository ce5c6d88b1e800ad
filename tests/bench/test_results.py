"""Results go into JSON and back, and say whether targets are reached."""

import json

import pytest

from cfc_ref.bench.results import Finding, Result, Row, from_json, ratio, to_json
from tests.compare import assert_close

ROWS = [Row("ours", [1.0, 3.0, 2.0], {"difference": 0.5}), Row("theirs", [8.0])]
RESULT = Result("w", "what", "a step", ROWS, [Finding("x", 1.5, (0.0, 2.0)), Finding("y", 2.0)], {"a": "gone"}, ["n"])


def test_there_and_back():
    written = json.loads(json.dumps(to_json(RESULT), allow_nan=False))
    assert from_json(written) == RESULT


def test_the_file_says_what_a_reader_looks_for():
    written = to_json(RESULT)
    assert set(written) == {"workload", "description", "unit", "rows", "findings", "skipped", "notes"}
    row = written["rows"][0]
    assert set(row) == {"name", "median", "lower_quartile", "upper_quartile", "seconds", "details"}
    assert (row["median"], row["seconds"]) == (2.0, [1.0, 3.0, 2.0])
    assert [finding["reached"] for finding in written["findings"]] == [True, None]


def test_what_is_not_finite_is_null():
    row = Row("lost", [1.0], {"error": float("inf")})
    assert to_json(RESULT._replace(rows=[row]))["rows"][0]["details"] == {"error": None}


def test_a_ratio_is_that_of_the_medians():
    (found,) = ratio(ROWS, "ours", "theirs", 0.25)
    assert_close(found.value, 0.25)
    assert found.reached
    assert ratio(ROWS, "ours", "theirs", 0.24)[0].reached is False
    assert ratio(ROWS, "ours", "theirs")[0].reached is None
    assert ratio(ROWS, "ours", "missing") == ratio(ROWS, "ours", "ours") == []


@pytest.mark.parametrize(
    ("value", "target", "verdict"),
    [
        (0.2, (0.0, 0.25), "at most 0.25: reached"),
        (0.3, (0.0, 0.25), "at most 0.25: not reached"),
        (0.94, (0.95, 1.05), "0.95 to 1.05: not reached"),
        (1.0, (0.95, 1.05), "0.95 to 1.05: reached"),
        (float("nan"), (0.95, 1.05), "0.95 to 1.05: not reached"),
        (1.0, None, ""),
    ],
)
def test_verdicts(value, target, verdict):
    assert Finding("x", value, target).verdict == verdict
