#!/usr/bin/env bash
# Tests the Lakeflow client, Spark included: npm run test:lakeflow [-- arguments of pytest]
# With --where-possible first, what the machine lacks is said loudly and is no failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

where_possible=false
if [ "${1:-}" = --where-possible ]; then
  where_possible=true
  shift
fi

lacking() {
  printf '\n!!!!!! NOT TESTED: %s !!!!!!\n\n' "$1" >&2
  "$where_possible"
}

if ! python=$(bash scripts/lakeflow-python.sh); then
  lacking 'the Lakeflow client, for want of Python 3.10 and its packages (above)'
  exit
fi
chosen=()
if ! { "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -Eq '"(1[7-9]|[2-9][0-9])'; }; then
  lacking 'the Lakeflow client with Spark, for want of Java 17 or later'
  chosen=(-m 'not spark')
fi
cd clients/lakeflow
exec "$python" -m pytest --quiet ${chosen[@]+"${chosen[@]}"} "$@"
