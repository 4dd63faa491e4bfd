#!/bin/sh
# Makes .venv from hashed pins and installs the project into it, so that `pingyi` exists.
# Usage: tools/setup.sh PYTHON REQUIREMENTS STAMP. pip's own settings (mirrors, wheelhouses) count.
set -eu
python=$1 requirements=$2 stamp=$3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  echo "需要 Python 3.11 或更新版本。Python 3.11 or newer is needed (found: $("$python" --version 2>&1))." >&2
  echo "指定解释器 · name one with: make PYTHON=python3.12 …" >&2
  exit 1
}

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  # Debian's Python comes without ensurepip: as root its package is installed, else pip is
  # fetched as the wheel that it is, else the missing package is named.
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "python$version-venv" >/dev/null
    fi
  fi
  if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv .venv
  else
    "$python" -m venv --without-pip .venv
    wheel=$(mktemp -d)
    if "$python" -m pip download -q --no-deps -d "$wheel" pip 2>/dev/null; then
      .venv/bin/python "$wheel"/pip-*.whl/pip install -q --no-index "$wheel"/pip-*.whl
    else
      rm -rf .venv
      echo "请先安装 python3-venv。Install the package python3-venv first (apt-get install python3-venv)." >&2
      exit 1
    fi
  fi
fi

echo "安装依赖 · installing dependencies ($requirements) …" >&2
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "$requirements"
.venv/bin/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
touch "$stamp"
