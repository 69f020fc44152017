"""Every reader of strangers' text, given what no stranger means to write and what only a hostile one does.

``targets`` lists the readers: what each is given for a beginning, and which errors it may raise, namely those whose
sentences people see. Two things are asked of each. Whatever it is given, nothing else is raised (``test_anything``).
And twice the input costs twice the time, not four times (``test_growth``).

In the suite this takes seconds; ``make fuzz`` goes on as long as it is told to.
"""
