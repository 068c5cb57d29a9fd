#!/bin/sh
# Makes the user and the schema of the line's index beside Prefect's tables, on which that user has no rights. Safe to
# repeat: a changed password is taken over. A schema of another owner, as pg_restore --no-owner makes it, is made anew:
# the index is filled from the bucket.
set -eu
psql -X -q -v ON_ERROR_STOP=1 -v password="$PACKSHOT_INDEX_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
SET client_min_messages = warning;
SELECT 'CREATE ROLE packshot_index LOGIN' WHERE to_regrole('packshot_index') IS NULL \gexec
ALTER ROLE packshot_index PASSWORD :'password';
SELECT 'DROP SCHEMA packshot_index CASCADE' FROM pg_namespace
  WHERE nspname = 'packshot_index' AND nspowner <> to_regrole('packshot_index') \gexec
CREATE SCHEMA IF NOT EXISTS packshot_index AUTHORIZATION packshot_index;
SQL
