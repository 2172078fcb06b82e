# What the scripts of this rig share; sourced. A set of hosts is a folder:
#
#   N in its name        the number of its network, 10.150.N.0/24, and of everything it has on the machine
#   h1, h2, …            the files of a host, as it sees them: etc, home, tmp, …
#   state/               what the rig knows of the hosts: h1.init (its first process), h1.behind, h1.console, …
#   shared/              the folder that all hosts and the machine see under this very path
#
# Every process of a set runs in one of its network namespaces; so none is missed, and no other one is met.
RIG=ssh-hosts
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../common.sh"

# use SET [HOST]: the names of both; a host that the set does not have is refused.
use() {
  SET=$1 NUMBER=${1##*-} HOST=${2:-}
  [[ $SET == "$RIGS/$RIG-$NUMBER" && -d $SET ]] || die "no set of hosts: '$SET'"
  SUBNET=10.150.$NUMBER
  GATEWAY=$SUBNET.1
  UPLINK=fctlssh$NUMBER # the machine's interface to the switch
  SWITCH=fctl-ssh$NUMBER-switch
  [[ -n $HOST ]] || return 0
  [[ $HOST =~ ^h[0-9]+$ && -d $SET/$HOST ]] || die "no such host: '$HOST'"
  ADDRESS=$(address "$HOST")
  NETNS=fctl-ssh$NUMBER-$HOST
  PORT=port-$HOST # of the switch
  STATE=$SET/state/$HOST
}

address() { echo "$SUBNET.$((10 + ${1#h}))"; }

# host_keys: new ones for the host.
host_keys() {
  local folder=$SET/$HOST/etc/ssh kind
  rm -f "$folder"/ssh_host_*
  for kind in ed25519 ecdsa; do ssh-keygen -q -t "$kind" -N '' -C "$HOST" -f "$folder/ssh_host_${kind}_key"; done
}

# inside COMMAND...: in the host's network, but with the machine's processes and files.
inside() { ip netns exec "$NETNS" "$@"; }

# pids NETNS: all processes in the network namespace.
pids() { ip netns pids "$1" 2>/dev/null || true; }

# host_pids: all processes of the host, as the machine numbers them.
host_pids() {
  local init space process
  init=$(recorded "$STATE.init") || return 0
  space=$(readlink "/proc/$init/ns/pid") || return 0
  for process in $(pids "$NETNS"); do
    if [[ $(readlink "/proc/$process/ns/pid") == "$space" ]]; then echo "$process"; fi
  done
}

# end NETNS: kills all of its processes and removes it.
end() {
  [[ -e /run/netns/$1 ]] || return 0
  within 10 emptied "$1" || die "processes of $1 do not end: $(pids "$1" | tr '\n' ' ')"
  ip netns del "$1" || true
}
emptied() {
  local left
  left=$(pids "$1")
  # shellcheck disable=SC2086
  [[ -z $left ]] || { kill -KILL $left 2>/dev/null; false; }
}
