"""smtplab: teaches and grades mail-server administration.

Work flows through the packages in this order: ``model`` (typed values), ``labs``, ``engines``, ``world``,
``probes``, ``judge``, ``outputs``, ``course``, ``lesson``, ``cli``. Each imports only from ``model`` and from
those before it; probing and judging never meet.
"""

__version__ = "0.1.0"
