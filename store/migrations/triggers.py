"""Triggers that append to the change log, so that no writer can forget it."""

from __future__ import annotations

from sqlalchemy import Connection


def watch(conn: Connection, table: str, key: str) -> None:
    """Make (or make anew, after a column was added) the three change-log triggers of ``table`` with its ``key`` column.

    An update that changes no column leaves no trace; one that changes the key is a delete and an insert.
    """
    columns = [row[1] for row in conn.exec_driver_sql(f'PRAGMA table_info("{table}")')]
    changed = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
    moved = f'OLD."{key}" IS NOT NEW."{key}"'
    _trigger(conn, table, "insert", "INSERT", _entry(table, f'NEW."{key}"', "insert"))
    _trigger(
        conn,
        table,
        "update",
        f'UPDATE ON "{table}" WHEN ({changed}) AND NOT {moved}',
        _entry(table, f'NEW."{key}"', "update"),
    )
    _trigger(
        conn,
        table,
        "move",
        f'UPDATE ON "{table}" WHEN {moved}',
        _entry(table, f'OLD."{key}"', "delete") + _entry(table, f'NEW."{key}"', "insert"),
    )
    _trigger(conn, table, "delete", "DELETE", _entry(table, f'OLD."{key}"', "delete"))


def _trigger(conn: Connection, table: str, name: str, when: str, body: str) -> None:
    target = when if " ON " in when else f'{when} ON "{table}"'
    conn.exec_driver_sql(f'DROP TRIGGER IF EXISTS "changes_{table}_{name}"')
    conn.exec_driver_sql(f'CREATE TRIGGER "changes_{table}_{name}" AFTER {target} BEGIN {body} END')


def _entry(table: str, key: str, op: str) -> str:
    return f"""INSERT INTO changes ("table", "key", op) VALUES ('{table}', {key}, '{op}');"""
