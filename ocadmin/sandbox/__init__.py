"""A stand-in for the systems the console talks to, run as a process of its own.

It plays Microsoft (Entra tokens, the operator's side of Operator Connect, Graph), the SBCs and the
platform the operator is moving away from, so that the console can be built, shown and tested
without any of them.  The wire contract is section 9 of ``upstreams.md``; the operator API there is
a reconstruction, not a published specification.

Only the standard library is used, nothing of the console is imported, and nothing of the console
may import this package: the two meet over HTTP and nowhere else.
"""
