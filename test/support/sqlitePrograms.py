"""
Programs with another SQLite than Holter's, with functions and collations of their own.

    sqlitePrograms.py run FILE < statements    runs them as the program would
    sqlitePrograms.py dump FILE                prints the schema and all rows
"""

import sqlite3
import sys


def connect(path):
    database = sqlite3.connect(path, isolation_level=None)
    database.create_collation("mine", lambda a, b: (a[::-1] > b[::-1]) - (a[::-1] < b[::-1]))
    # As a program does that wants more letters in it than ASCII has.
    database.create_collation("nocase", lambda a, b: (a[::-1] > b[::-1]) - (a[::-1] < b[::-1]))
    database.create_function("mine", 1, lambda given: given, deterministic=True)
    return database


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def dump(database):
    # Their shadow tables are read as tables, and they themselves not at all.
    schema = database.execute(
        "SELECT type, name, tbl_name, rootpage > 0, sql FROM sqlite_schema ORDER BY type, name"
    ).fetchall()
    for row in schema:
        print(row)
    for kind, name, _, is_stored, sql in schema:
        if kind != "table" or not is_stored:
            continue
        print("==", name)
        columns = [
            row[1] for row in database.execute(f"PRAGMA table_xinfo({quoted(name)})") if row[6] != 1
        ]
        if "WITHOUT ROWID" not in (sql or "").upper():
            columns.insert(0, "rowid")
        values = ", ".join(f"quote({quoted(c) if c != 'rowid' else c})" for c in columns)
        for row in sorted(database.execute(f"SELECT {values} FROM {quoted(name)} NOT INDEXED")):
            print(row)
    for pragma in ("user_version", "application_id", "encoding", "auto_vacuum", "page_size"):
        print(pragma, database.execute(f"PRAGMA {pragma}").fetchone())


if sys.argv[1] == "run":
    program = connect(sys.argv[2])
    program.executescript(sys.stdin.read())
    program.close()
else:
    dump(connect(sys.argv[2]))
