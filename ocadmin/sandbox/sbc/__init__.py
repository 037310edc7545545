"""The SBCs: their dial plans, and the interface that changes them (upstreams.md 4, 9.6)."""
