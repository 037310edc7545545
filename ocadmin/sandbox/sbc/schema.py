"""The table behind the dial plans; made when it is missing, so that older worlds gain it too."""

from __future__ import annotations

# ``sbc`` is the device's id, ``flash`` tells the saved set (1) from the running one (0), ``plan``
# and ``place`` are the indices of the command line.
SCHEMA = """
CREATE TABLE IF NOT EXISTS sbc_rule (
    sbc INTEGER NOT NULL, flash INTEGER NOT NULL, plan INTEGER NOT NULL, place INTEGER NOT NULL,
    name TEXT NOT NULL, prefix TEXT NOT NULL, tag TEXT NOT NULL,
    PRIMARY KEY (sbc, flash, plan, place)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS sbc_rule_prefix ON sbc_rule (sbc, flash, plan, prefix);
"""
