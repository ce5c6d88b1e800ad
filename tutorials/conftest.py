"""The scripts beside the notebooks are run by test_tutorials.py, and not imported for doctests."""

collect_ignore_glob = ["build.py", "site/*", "solutions/*"]
