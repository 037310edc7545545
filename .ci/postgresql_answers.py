"""Exit code 0 when the PostgreSQL of TEST_DATABASE_URL answers and its role may create databases, as tests must."""

import os
import sys

import psycopg

try:
    with psycopg.connect(os.environ["TEST_DATABASE_URL"], connect_timeout=3) as connection:
        row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
except psycopg.Error:
    sys.exit(1)
sys.exit(0 if row and row[0] else 1)
