#!/bin/sh
# What `make test` needs beside Python: real PostgreSQL, Redis, nginx, Dovecot and Chromium, and a Chinese font.
# As root on Debian it installs what is missing; otherwise it says exactly what and fails.
set -eu
missing=""
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v chromium-headless-shell >/dev/null 2>&1 || missing="$missing chromium-headless-shell"
[ -e /usr/lib/nginx/modules/ngx_rtmp_module.so ] || missing="$missing nginx libnginx-mod-rtmp"
{ command -v dovecot && [ -e /usr/lib/dovecot/imap ]; } >/dev/null 2>&1 || missing="$missing dovecot-imapd"
command -v ip >/dev/null 2>&1 || missing="$missing iproute2"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
fc-list :lang=zh 2>/dev/null | grep -q . || missing="$missing fonts-noto-cjk"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "安装系统软件包 · installing:$missing" >&2
  apt-get update -qq
  # RUNLEVEL=1 keeps Debian from starting what it installs: the tests start their own, on loopback.
  # shellcheck disable=SC2086
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing fontconfig >/dev/null
else
  echo "缺少系统软件包，请先安装 · install these first:$missing" >&2
  exit 1
fi
