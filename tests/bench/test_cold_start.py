"""The benchmark measures what it says."""

from cfc_ref.bench.cold_start import main


def test_memory_stays_close_to_numpys_and_the_ratios_are_printed(capsys):
    medians = main(repeats=3)
    assert medians["cfc_ref"][1] < 1.3 * medians["numpy"][1]
    assert medians["numpy"][0] > 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["numpy", "cfc_ref", "ratio"]
