#!/bin/sh
# Print a Python that is new enough (3.11): the one that is asked for, or a newer one beside it. Else one sentence, exit 3.
asked=${1:-python3}
for python in "$asked" python3.14 python3.13 python3.12 python3.11; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    command -v "$python"
    exit 0
  fi
done
case $(uname -s) in
  Darwin) line='brew install python' ;;
  *) line='sudo apt-get install python3 python3-venv' ;;
esac
if found=$("$asked" --version 2>&1); then what="and $asked is $found"; else what="and there is no $asked"; fi
echo "Python 3.11 or newer is needed, $what: run \`$line\` (or name one by PYTHON=/path), then the same make command again." >&2
exit 3
