# What the scripts of this rig share; sourced. An engine is a folder:
#
#   N in its name   the number of its networks, 10.(160+N).0.0/16, its bridge and its cgroup
#   docker.sock     where it listens
#   data, exec, …   what it and its containerd keep; *.log, *.process
#   tls/            where it has it: the CA's certificate, and the client's certificate and key
RIG=docker
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../common.sh"

# use ENGINE: its names.
use() {
  ENGINE=$1 NUMBER=${1##*-}
  [[ $ENGINE == "$RIGS/$RIG-$NUMBER" && -d $ENGINE ]] || die "no engine: '$ENGINE'"
  SOCKET=$ENGINE/docker.sock
  BRIDGE=fctldocker$NUMBER
  CGROUP=fctl-docker$NUMBER
  NETWORKS=10.$((160 + NUMBER))
  # Nothing of who starts it: no proxy, no context, no credentials.
  CLEAN=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "HOME=$ENGINE")
}

api() { # METHOD PATH...
  local method=$1
  shift
  curl -fsS --max-time 20 --unix-socket "$SOCKET" -X "$method" "http://engine$1" "${@:2}"
}

docker_here() { "${CLEAN[@]}" docker --host "unix://$SOCKET" "$@"; }
