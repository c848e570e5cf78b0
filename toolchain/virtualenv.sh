#!/bin/sh
# virtualenv.sh PYTHON FOLDER REQUIREMENTS: make FOLDER hold exactly the locked packages.
# An interrupted run leaves no FOLDER/.ready and so is done anew by the next.
set -eu
python=$1 folder=$2 requirements=$3

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed; $python is $("$python" -V 2>&1). Try: make PYTHON=python3.12" >&2
    exit 1
fi
# Debian and Ubuntu ship venv apart from Python.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    sh "$(dirname "$0")/debian.sh" "python$version-venv"
fi
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
touch "$folder/.ready"
echo "$("$folder/bin/pip" list 2>/dev/null | tail -n +3 | wc -l) packages"
