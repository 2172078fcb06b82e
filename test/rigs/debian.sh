# Installs packages of Debian for a rig; sourced by the `install` scripts that need nothing else.

# debian RIG PACKAGE...: does nothing when all of them are there. Starts no service of theirs.
debian() {
  local rig=$1 missing
  shift
  missing=$(lacking "$@")
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || give_up "$rig" "install $missing by hand: this system has no apt-get"
  [ "$(id -u)" = 0 ] || give_up "$rig" "run as root: apt-get install $missing"
  echo "rig $rig: installing $missing" >&2
  # Lists that are not there, or older than the packages that they name, are fetched. The network, or somebody
  # else's apt-get, may be in the way for a moment.
  fetch "$missing" || { update && fetch "$missing"; } ||
    { sleep 10 && update && fetch "$missing"; } || give_up "$rig" "apt-get failed"
}

update() {
  apt-get update -qq -o Acquire::Retries=3 >&2
}

lacking() { # prints those of the packages that are not installed
  local name lacking=()
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) == ii* ]] || lacking+=("$name")
  done
  echo "${lacking[*]}"
}

fetch() ( # words of one argument: packages
  # What packages start their services with, now and at the next boot, does nothing.
  idle=$(mktemp -d)
  trap 'rm -r "$idle"' EXIT
  for name in invoke-rc.d deb-systemd-invoke deb-systemd-helper; do
    printf '#!/bin/sh\nexit 0\n' >"$idle/$name"
    chmod +x "$idle/$name"
  done
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
    -o DPkg::Path="$idle:/usr/sbin:/usr/bin:/sbin:/bin" $1 >/dev/null
)

give_up() {
  echo "rig $1: $2" >&2
  exit 1
}
