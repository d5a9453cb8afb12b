"""The shop's SQLite file: one connection a request, made once for all workers."""

import fcntl
import secrets
import sqlite3

from flask import current_app, g
from werkzeug.security import generate_password_hash

SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    price_cents INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    changed INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    secret TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS hits (
    path TEXT PRIMARY KEY,
    n INTEGER NOT NULL
);
"""
PRODUCTS = ["Flour", "Sugar", "Salt", "Rice", "Lentils", "Honey", "Tea", "Coffee",
            "Oats", "Raisins", "Walnuts", "Olive oil"]
USERS = ["alice", "bob"]
SEEDED = 1_700_000_000  # the day the shelves were filled: no edit falls into the same second


def init_app(app):
    app.teardown_appcontext(close)
    path = app.config["DATABASE"]
    # Every gunicorn worker runs this; the lock lets one of them fill the shelves.
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        seed(connection)
        connection.close()


def seed(connection):
    connection.executemany(
        "INSERT OR IGNORE INTO products (id, name, price_cents, changed) VALUES (?, ?, ?, ?)",
        [(i, name, 100 + 25 * i, SEEDED) for i, name in enumerate(PRODUCTS, 1)],
    )
    known = {row["name"] for row in connection.execute("SELECT name FROM users")}
    connection.executemany(
        "INSERT INTO users (name, password, secret) VALUES (?, ?, ?)",
        [
            (name, generate_password_hash(f"secret-{name}"), secrets.token_hex(16))
            for name in USERS
            if name not in known
        ],
    )


def connect(path):
    # isolation_level=None: every statement is its own transaction unless one is opened.
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = OFF")  # a test's database need not survive a power cut
    return connection


def get():
    if "db" not in g:
        g.db = connect(current_app.config["DATABASE"])
    return g.db


def close(_error=None):
    connection = g.pop("db", None)
    if connection is not None:
        connection.close()
