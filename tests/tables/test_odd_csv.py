"""CSV as programs write it: read where it has one meaning, else refused with what it looks like and the way out."""

import gzip
import io
from dataclasses import replace

import numpy as np
import pytest

from cfc_ref.csv_table import number_columns, whole
from cfc_ref.tables.csv import read_table, table_of
from cfc_ref.tables.stream import stream_rows
from tests.compare import assert_close, refusal

PLAIN = "t,v,y\n0,0.5,2\n1,1.5,3\n2.5,-2,4\n"
TIME, X, Y = [0.0, 1.0, 2.5], [[0.5], [1.5], [-2.0]], [[2.0], [3.0], [4.0]]


def read(folder, content, **options):
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, **{"time": "t", "target": ["y"], **options})


def says(folder, content, *parts, argument="path", **options):
    """Refuse a file with a message that has all the parts."""
    with pytest.raises(ValueError, match=refusal(argument)) as caught:
        read(folder, content, **options)
    missing = [part for part in parts if part not in str(caught.value)]
    assert not missing, str(caught.value)


def columns_swapped(delimiter, decimal="."):
    return (
        PLAIN.replace(".", decimal).replace(",", delimiter)
        if decimal == "."
        else "".join(
            f"{delimiter.join(cell.replace('.', decimal) for cell in line.split(','))}\n" for line in PLAIN.splitlines()
        )
    )


SAME = {
    "byte order mark": PLAIN.encode("utf-8-sig"),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16 big-endian, no mark": PLAIN.encode("utf-16-be"),
    "UTF-16 little-endian, no mark": PLAIN.encode("utf-16-le"),
    "UTF-32": PLAIN.encode("utf-32"),
    "carriage returns": PLAIN.replace("\n", "\r"),
    "two carriage returns": PLAIN.replace("\n", "\r\r\n"),
    "no last line end": PLAIN.rstrip(),
    "DOS end of file": PLAIN + "\x1a",
    "blank lines": "\n \n" + PLAIN.replace("\n", "\n\n"),
    "rows of commas at the end": PLAIN + ",,\n, ,\n",
    "all quoted": "".join(f'"{line}"\n'.replace(",", '","') for line in PLAIN.splitlines()),
    "spaces before quotes": PLAIN.replace("0,0.5", '0, "0.5"'),
    "semicolons": columns_swapped(";"),
    "semicolons and decimal commas": columns_swapped(";", ","),
    "tabs": columns_swapped("\t"),
    "tabs and decimal commas": columns_swapped("\t", ","),
    "bars": columns_swapped("|"),
    "a spreadsheet's sep": "sep=;\n" + columns_swapped(";"),
    "commas in a name between semicolons": columns_swapped(";").replace("v", '"v, outside"'),
    "trailing commas": PLAIN.replace("\n", ",\n"),
    "trailing commas in rows": PLAIN.replace("\n", ",\n").replace("y,", "y"),
    "pandas' index": "".join(f"{k or ''},{line}\n" for k, line in enumerate(PLAIN.splitlines())),
    "R's row names": "".join(f'"{k or ""}",{line}\n' for k, line in enumerate(PLAIN.splitlines())),
    "a column without a name in between": PLAIN.replace("v,", ",v,").replace("0.5,", "?,0.5,").replace("1.5,", ",1.5,")
    .replace("-2,", "no,-2,"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAME)
def test_the_same_table_in_other_clothes(tmp_path, kind):
    columns, table = read(tmp_path, SAME[kind])
    assert columns.features == ("v, outside" if "in a name" in kind else "v",)
    for got, expected in ((table.time, TIME), (table.x, X), (table.y, Y)):
        assert_close(got, expected, atol=0)
    without_name = kind in ("pandas' index", "R's row names", "a column without a name in between", "trailing commas")
    assert any("has no name and is not used" in note for note in table.rows.notes) == without_name


LOOKS = {
    "Latin-1": ("t,v,y,größe\n0,1,2,a\n".encode("latin-1"), "line 1, column 4", "iconv -f CP1252 -t UTF-8"),
    "Windows-1252 in a row": ("t,v,y,n\n0,1,2,5 €\n".encode("cp1252"), "line 2, column 4", "iconv -f CP1252 -t UTF-8"),
    "a workbook": (b"PK\x03\x04\x14\0", "an Excel workbook or a zip archive", "save the sheet as CSV UTF-8"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook", "save the sheet as CSV UTF-8"),
    "gzip": (gzip.compress(PLAIN.encode()), "a gzip archive", "gunzip"),
    "parquet": (b"PAR1\x15\x04", "a Parquet file", "write it as CSV"),
    "R's write.table": ('"t","v","y"\n"1",0,1,2\n"2",1,1,3\n', "all others, under a header of 3", "write.csv"),
    "row names without quotes": ("t,v,y\nfirst,0,1,2\nsecond,1,1,3\n", "4 fields in line 2", "header"),
    "a comment": ("# made by a logger\nt,v,y\n0,1,2\n1,1,2\n", "3 fields in line 2", "check that the first line is"),
    "spaces": ("t v y\n0 1 2\n1 2 3\n", "expected one of 't v y'", "save the file with commas between fields"),
    "decimal commas in quotes": ('t,v,y\n0,"1,5",2\n', "'1,5' in line 2, column 'v'", "write decimal points"),
    "both marks": ("t;v;y\n0,5;1.5;2\n", "'1.5' in line 2, column 'v' in a file with decimal points and"),
    "thousands": ("t;v;y\n0;1;2\n1;1.234,5;2\n", "'1.234,5' in line 3, column 'v'", "no marks of thousands"),
    "a unit": ("t,v,y\n0,1,2\n1,3 mV,2\n", "'3 mV' in line 3, column 'v'", "correct or drop that line"),
    "a header within": (PLAIN + PLAIN, "'t' in line 5, column 't'"),
    "a quote that stays open": ('t,v,y\n0,1,2\n1,"1,2\n2,1,2\n3,1,2\n', "line 3, which can't be read", "its quotes"),
    "a short row": (PLAIN + "3,4\n", "2 fields in line 5", "3 as in the header"),
    "a long row": (PLAIN + "3,4,5,6\n", "4 fields in line 5", "3 as in the header"),
    "two columns of a name": ("t,v,v,y\n0,1,1,2\n", "column 'v' more than once", "name other columns"),
    "no group": ("t,v,y,g\n0,1,2,a\n1,1,2,NA\n", "'NA' in line 3, column 'g'", "the name of a group"),
    "no time": ("t,v,y\n0,1,2\nNA,1,2\n", "'NA' in line 3, column 't'", "a finite number"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOOKS)
def test_what_a_file_looks_like_is_said(tmp_path, kind):
    content, *parts = LOOKS[kind]
    options = {"group": "g"} if kind == "no group" else {}
    says(tmp_path, content, *parts, argument="time" if kind == "spaces" else "path", **options)


@pytest.mark.parametrize("word", ["None", "null", "<NA>", "#N/A", "n/a", "NaT", "NULL"])
def test_a_word_for_missing_is_a_missing_value_and_no_class(tmp_path, word):
    content = f"t,v,y,z\n0,1,2,up\n1,{word},{word},{word}\n2,3,4,down\n"
    columns, table = read(tmp_path, content, features=["v"])
    np.testing.assert_array_equal(table.x[:, 0], [1, np.nan, 3])
    np.testing.assert_array_equal(table.y[:, 0], [2, np.nan, 4])
    assert f"1 field {word!r} of column 'v' read as missing" in table.rows.notes
    columns, table = read(tmp_path, content, target=["z"], features=["v"])
    assert columns.classes == ("down", "up")
    np.testing.assert_array_equal(table.y[:, 0], [1, np.nan, 0])
    assert f"1 field {word!r} of column 'z' read as missing" in table.rows.notes
    with pytest.raises(ValueError, match=rf"'{word}' in line 3, column 'v'; .*train with --missing"):
        table_of("path", table.rows, columns, missing=False)


@pytest.mark.parametrize("length", [131_073, 1_000_000])
@pytest.mark.parametrize("quoted", [False, True])
def test_a_field_of_any_length_is_read(tmp_path, length, quoted):
    text = f'"{"x," * (length // 2)}"' if quoted else "x" * length
    _, table = read(tmp_path, f"t,v,y,g\n0,1,2,{text}\n1,1,2,{text}\n2,2,3,b\n", features=["v"], group="g")
    np.testing.assert_array_equal(table.group, [0, 0, 1])


def test_columns_that_are_not_used_may_have_one_name(tmp_path):
    _, table = read(tmp_path, "t,n,v,n,y\n0,a,1,b,2\n1,a,3,b,4\n", features=["v"])
    assert_close(table.x, [[1.0], [3.0]])


@pytest.mark.parametrize("text", ["pump", "2024-01-31", "12 V"])
def test_a_text_column_says_both_ways_out(tmp_path, text):
    content = f"t,v,machine,y\n0,1,{text},2\n1,1,{text},3\n"
    where = f"text, {text!r} in line 2, column 'machine'"
    says(tmp_path, content, where, "--group machine if it names series, or --features v", argument="features")


BIG = 2**53
LOST = {
    "odd integers": [BIG + 2 * k + 1 for k in range(5)],
    "a counter of nanoseconds": [1_700_000_000_000_000_000 + 100 * k for k in range(5)],
    "long decimals": [f"1234567890.12345678{k}" for k in range(5)],
    "with gaps": [BIG + 1, "", BIG + 3, "NA", BIG + 5],
}
KEPT = {
    "even integers": [BIG + 2 * k for k in range(5)],
    "identifiers": [7, BIG + 1, 2**63 + 1, 12345678901234567890, 2],
    "a constant": [BIG + 1] * 5,
    "floats of 17 digits": ["0.10000000000000001", "0.10000000000000002", "0.10000000000000003"] * 2,
    "a meter": [f"{1e9 + 0.25 * k:.2f}" for k in range(5)],
}


@pytest.mark.parametrize("column", ["v", "y"])
@pytest.mark.parametrize("kind", [*LOST, *KEPT])
def test_digits_that_a_float_loses_are_refused(tmp_path, column, kind):
    other = "y" if column == "v" else "v"
    content = f"t,{column},{other}\n" + "".join(f"{k},{n},1\n" for k, n in enumerate((LOST | KEPT)[kind]))
    if kind in LOST:
        says(tmp_path, content, f"column {column!r}, whose last digits a float64 does not hold", "subtract a constant")
    else:
        read(tmp_path, content)


@pytest.mark.parametrize("column", ["v", "y"])
@pytest.mark.parametrize("number", ["1e200", "-3e151", "1.7976931348623157e308"])
def test_numbers_whose_square_overflows_are_refused(tmp_path, column, number):
    content = "t,v,y\n0,1,2\n1,1,2\n" + ("2,{},2\n" if column == "v" else "2,1,{}\n").format(number)
    says(tmp_path, content, f"{number!r} in line 4, column {column!r}; expected numbers up to 1e+150; give the column")


STREAMED = [kind for kind in SAME if "UTF" not in kind]


@pytest.mark.parametrize("kind", STREAMED)
@pytest.mark.parametrize("skips", [False, True])
def test_a_stream_reads_the_same_dialects(kind, skips):
    skips = skips and "carriage" not in kind  # a row is then a line
    content = SAME[kind] if isinstance(SAME[kind], bytes) else SAME[kind].encode()
    skipped = []
    table, rows = stream_rows("rows", io.BytesIO(content), skipped.append if skips else None)
    got = [[line, whole("rows", fields, table.header, line)] for line, fields in rows]
    assert skipped == []
    place = [table.header.index(name) for name in ("t", "y")]
    for (line, fields), t, (y,) in zip(got, TIME, Y, strict=True):
        one = replace(table, lines=[line], fields=[fields])
        assert [column[0] for column in number_columns("rows", one, place)] == [t, y]
