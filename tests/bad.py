"""What every public function has to refuse, and how."""

import contextlib
import math
import re

import pytest

from tests.compare import refusal

NOT_NUMBERS = ("1", b"1", 1j, None, ..., {}, [[1.0, 2.0], [3.0]], True, [True, False], [1.0, None])
NOT_FINITE = (math.nan, math.inf, -math.inf, [0.5, math.nan])
NUMBERS = NOT_NUMBERS + NOT_FINITE
TIMES = (*NUMBERS, -1.0, [-1.0, 1.0])
INCREASING = (*TIMES, [1.0, 0.5], [0.0, 1.0, 1.0], [[0.0, 1.0], [2.0, 3.0]])
CHOICES = ("", "LTC", "nearest", None, 1, True, b"ltc", ["ltc"])


def refuses(function, argument, value, /, named=None, **others):
    """Fail unless `function` refuses the value of `argument` in three parts that name it."""
    with pytest.raises((ValueError, TypeError), match=refusal(named or argument)):
        function(**{**others, argument: value})


@contextlib.contextmanager
def may_refuse(argument):
    """Accept a refusal in three parts that name the argument, and no other error."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if not re.match(refusal(argument), str(error)):
            raise
