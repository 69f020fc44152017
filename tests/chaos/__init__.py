"""A seeded killer: classes are graded while their processes are killed and their disks are filled at random moments.

Afterwards nothing may be left on the machine, no file may be half-written, and ``--resume`` must give exactly the
results of a class that nobody disturbed. ``make chaos`` runs it; a few rounds of it belong to the suite.

It kills processes and containers of its own graders alone: see ``family``.
"""
