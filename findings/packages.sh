# Read by the scripts of this folder: gives them a Python with packages of exact versions.
#
#   source "$(dirname -- "${BASH_SOURCE[0]}")/packages.sh"
#   need safetensors==0.8.0 numpy==2.4.6
#   "$python" - <<'EOF'

# need NAME==VERSION …: sets `python`. Installs with pip into a folder below the temporary one, once
# for all scripts that need the same. TARSIER_PYTHON may name a Python that has them already.
need() {
  local folder
  if has "${TARSIER_PYTHON:-}" "$@"; then
    python=$TARSIER_PYTHON
  else
    folder=${TMPDIR:-/tmp}/tarsier-findings/$(printf '%s\n' "$@" | sort | cksum | cut -d' ' -f1)
    python=$folder/bin/python
    if ! has "$python" "$@"; then
      echo "Installing $* into $folder …" >&2
      python3 -m venv "$folder" && "$python" -m pip install --quiet "$@" >&2 || exit 2
    fi
  fi
  echo "Python $("$python" -c 'import platform; print(platform.python_version())'), $*"
}

# has PYTHON NAME==VERSION …: whether that Python has all of them.
has() {
  [ -n "$1" ] && [ -x "$1" ] && "$1" - "${@:2}" 2>/dev/null <<'EOF'
import sys
from importlib.metadata import version
for wanted in sys.argv[1:]:
    name, number = wanted.split("==")
    if version(name).split("+")[0] != number:
        sys.exit(1)
EOF
}
