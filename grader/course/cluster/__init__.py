"""A class graded by the workers of a Dask scheduler, behind the same interface as the processes of one machine.

``scheduler`` hands jobs out, ``worker`` takes them on each worker, and ``child`` is the process that does one.
"""
