"""Hostile work: each attack that was thought of, what it is at most worth, and how long it may take.

``server/NAME`` and ``program/NAME`` are submissions that run on machines: a folder with ``expect.yaml``
(``attacks.Attack``) and the files that differ from the lab's solution. A file ``run`` of a server's is started as root
on the student's host, once, as soon as Postfix is. Zones, archives and YAML documents are made by ``zones``,
``archives`` and ``documents``.

``make test`` tries those that are quick and stand for the others, ``make hostile`` (``SMTPLAB_HOSTILE=all``) all.
"""
