"""Nothing here has doctests, and two of the files import PyTorch, which is not there everywhere."""

collect_ignore = ["make.py", "oracle.py"]
