"""The export of numbers: what each column says (columns.py), in the database's words (sql.py), as a file."""
