"""The SMTP simulator: one table under ``reports/data/simulator`` drives this engine and the page's in JavaScript.

- ``table`` and ``server``: the table's types, and how it is read
- ``words``, ``addresses``, ``parameters``, ``logins``, ``mailing``: what the engine knows about a line
- ``session``: lines in, replies out
- ``transcript``: sessions as text, written and read back
- ``real``: the same server as a real Postfix
- ``peers``: the simulated and the real server behind one interface
- ``terminal`` and ``prompt``: ``smtplab simulate``
- ``page``: what the lesson's page shows and its script reads
"""
