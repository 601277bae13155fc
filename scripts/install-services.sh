#!/usr/bin/env bash
# Installs what the tests run beside Node: the real programs, from Debian's packages. Does nothing for what is there.
# Where it may not install (not root, not Debian) it names what is missing and goes on: the tests say what they had to skip.
set -euo pipefail

# One line a program: the command, or the file, that shows that it is there, and the package that brings it.
programs='
git               git
unshare           util-linux
ps                procps
redis-server      redis-server
plantuml          plantuml
dot               graphviz
jupyter-nbconvert jupyter-nbconvert
/usr/share/jupyter/kernels/python3/kernel.json python3-ipykernel
chromium          chromium
dockerd           docker.io
docker            docker.io
docker-compose    docker-compose
debootstrap       debootstrap
flock             util-linux
'

missing=()
while read -r command package; do
  [ -z "$command" ] && continue
  command -v "$command" >/dev/null || [ -e "$command" ] || missing+=("$package")
done <<<"$programs"

if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Not installed, for want of root on Debian: ${missing[*]}" >&2
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
echo "Installing ${missing[*]}" >&2
apt-get update -qq
# The tests start their own copies: a package may not start a service of the machine's.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
