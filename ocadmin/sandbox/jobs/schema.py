"""The tables behind the jobs; made when they are missing, so that older worlds gain them too."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, tenant_id TEXT NOT NULL,
    correlation_id TEXT, request TEXT NOT NULL, status TEXT NOT NULL,
    held INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, completed REAL, kept_from REAL,
    total INTEGER NOT NULL, succeeded INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0, error_code TEXT
);
CREATE INDEX IF NOT EXISTS job_of_kind ON job (kind, seq);
CREATE TABLE IF NOT EXISTS job_entry (
    job INTEGER NOT NULL, place INTEGER NOT NULL, telephone_number TEXT NOT NULL,
    status TEXT NOT NULL, error_code TEXT, settle_at REAL, PRIMARY KEY (job, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS job_entry_number ON job_entry (job, telephone_number);
CREATE TABLE IF NOT EXISTS busy (
    telephone_number TEXT PRIMARY KEY, job INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS busy_of_job ON busy (job);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_in_time ON event (at, id);
CREATE INDEX IF NOT EXISTS event_of_subject ON event (subject, at);
CREATE TABLE IF NOT EXISTS repeatable (
    key TEXT PRIMARY KEY, at REAL NOT NULL, fingerprint TEXT NOT NULL, answer TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ahead (
    telephone_number TEXT PRIMARY KEY, assignment TEXT, changes TEXT NOT NULL, due REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS customer_option (
    telephone_number TEXT PRIMARY KEY, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS release_request (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, telephone_number TEXT NOT NULL,
    tenant_id TEXT NOT NULL, requested TEXT, status TEXT NOT NULL, comment TEXT, decided TEXT,
    completed TEXT
);
CREATE INDEX IF NOT EXISTS release_request_of_number ON release_request (telephone_number, status);
"""
