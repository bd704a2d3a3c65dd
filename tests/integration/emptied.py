"""Empties a database of the tests' own and leaves its schema: to make one takes PostgreSQL many times as long."""

import psycopg

from service.storage import migrations
from service.storage.tables import VERSION_TABLE

# Of a table that was looked through for statistics, queries are planned in another way.
SCHEMA = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat_ws('.', relname, relkind, CASE relkind WHEN 'r' THEN reltuples END, attname, atttypid, attnotnull)
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT setconfig::text FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
    WHERE datname = current_database()
) AS parts (part)
"""
SIZE = "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
LARGEST_BYTES = 2**20
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
EMPTY = """
DO $$ DECLARE found record; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM %I', found.tablename);
    END LOOP;
    PERFORM setval(format('%I', sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


def schema_of(address: str) -> str:
    """All of a database that tests may change and that no deletion of rows brings back."""
    with psycopg.connect(address) as session:
        return _one(session, SCHEMA)


def emptied(address: str, schema: str) -> bool:
    """Whether it is now as it was when it was made; False where more than a few rows were changed in it."""
    with psycopg.connect(address, autocommit=True) as session:
        session.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
        while _one(session, f"SELECT count(*)::text {OTHERS}") != "0":
            pass
        if int(_one(session, SIZE)) > LARGEST_BYTES or _one(session, SCHEMA) != schema:
            return False
        session.execute(EMPTY)
        session.execute(f"INSERT INTO {VERSION_TABLE} VALUES (%s)".encode(), [migrations.head()])
    return True


def _one(session: psycopg.Connection, question: str) -> str:
    row = session.execute(question).fetchone()
    assert row is not None
    return str(row[0])
