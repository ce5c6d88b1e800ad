"""The benchmark measures what it says."""

from cfc_ref.bench.exact_pieces import main, measure


def test_the_three_ways_agree():
    numpy, numba, scipy = measure(neurons=2000, solved=3)
    assert (numpy.neurons, numba.neurons, scipy.neurons) == (2000, 2000, 3)
    assert numpy.largest_error == 0
    assert numba.largest_error < 1e-12
    assert scipy.largest_error < 1e-6
    assert scipy.seconds / scipy.neurons > numpy.seconds / numpy.neurons


def test_it_prints_a_table(capsys, monkeypatch):
    monkeypatch.setattr("cfc_ref.bench.exact_pieces.measure", lambda: measure(neurons=50, solved=2))
    main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[-1].startswith("solve_ivp RK45")
