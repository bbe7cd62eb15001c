#!/usr/bin/env bash
# Prints the path of a Python that has what the tests of clients/lakeflow need: a virtual environment
# under .cache, made where it is missing or its requirements have changed. Ends with 1, and says why
# on stderr, where it can't be had. PYTHON names another Python to make it with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly requirements=clients/lakeflow/tests/requirements.txt

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.10; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo 'Python 3.10 or later, with its venv module, is needed' >&2
  return 1
}

python=$(find_python)
digest=$({ "$python" --version && cat "$requirements"; } | cksum | cut -d' ' -f1)
venv=.cache/lakeflow-$digest
if [ ! -e "$venv/complete" ]; then
  "$python" -m venv --clear "$venv" >&2
  if ! "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check --use-pep517 \
    --requirement "$requirements" >&2; then
    echo "the packages of $requirements can't be had from the Python package index" >&2
    exit 1
  fi
  touch "$venv/complete"
fi
echo "$PWD/$venv/bin/python"
