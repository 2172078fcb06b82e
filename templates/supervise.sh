#!/bin/sh
# Runs one process of a cluster and starts it again when it crashes.
#
#   supervise.sh FOLDER FIRST LONGEST STABLE CRASHES COMMAND [ARGUMENT...]
#
#   FOLDER   of the process; its state is written to FOLDER/process.json
#   FIRST    seconds before it is started again after a crash; doubled with each crash in a row
#   LONGEST  seconds before it is started again, at most
#   STABLE   a run of so many seconds ends the row; after it the process is started again at once
#   CRASHES  in a row, after which it is not started again
#
# Start it as the leader of a session of its own, with stdout and stderr where those of the process shall
# go: a SIGKILL to its process group then ends it and the process at once.
#
# S1  Exit code 0 is the end, and so is 69: a TaskManager that found no JobManager, which is not to search
#     for ever. Any other, or a signal, is a crash, unless the end was asked for.
# S2  SIGTERM, SIGINT and SIGHUP ask for the end: the process gets SIGTERM, and nothing is started again.
# S3  process.json is replaced, never changed: a reader sees one state or the next.
# S4  Without its folder nothing is started again: the cluster was removed.
# S5  FCTL_TRANSIENT_CLUSTER in the environment is the folder of a cluster that runs once. What has ended
#     (S1) takes its own files along, and the last of all what they shared: record and logs stay.
#
# It needs POSIX and nothing else but `date +%s`.

set -u
folder=$1
first=$2
longest=$3
stable=$4
allowed=$5
shift 5

child=
nap=
stopping=
interrupted=

stop() {
  stopping=yes
  interrupted=yes
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null # S2
  [ -z "$nap" ] || kill -TERM "$nap" 2>/dev/null
}
trap stop TERM INT HUP

# Sets `identity` to what tells process $1 from a later one of that number: boot and start time.
identify() {
  identity=
  if [ -r /proc/sys/kernel/random/boot_id ]; then
    read -r boot </proc/sys/kernel/random/boot_id
    read -r fields <"/proc/$1/stat"
    start_time ${fields##*) }
    identity=$boot/$start
  else
    identity=$(echo $(ps -o lstart= -p "$1")) # with single spaces
  fi
}

# proc(5): the 22nd field, the 20th behind the command, which stands in parentheses.
start_time() {
  shift 19
  start=$1
}

# Writes that the process is in state $1.
publish() {
  printf '{"state":"%s","pid":%s,"identity":"%s","supervisor":{"pid":%s,"identity":"%s"},"startedAt":%s000,"restarts":%s,"lastExit":%s}\n' \
    "$1" "$pid" "$child_identity" $$ "$own_identity" "$started" "$restarts" "$last_exit" \
    >"$folder/process.json.new" && mv -f "$folder/process.json.new" "$folder/process.json" # S3
} 2>/dev/null

# Waits until the process is gone, whatever signals come meanwhile, and sets `status`. A `wait` that a
# signal interrupted says 128 and more; one for a process that was waited for already says 127.
await_end() {
  wait "$child"
  status=$?
  while [ -n "$interrupted" ]; do
    interrupted=
    wait "$child" 2>/dev/null
    again=$?
    [ "$again" -eq 127 ] || status=$again
  done
  child=
}

say() {
  printf 'supervisor: %s\n' "$1" >&2
}

# Sets `delay` for a process that ended `$1` seconds after its start; fails when it is given up.
next_delay() {
  delay=0
  if [ "$1" -ge "$stable" ]; then
    crashes=0
    return 0
  fi
  crashes=$((crashes + 1))
  [ "$crashes" -lt "$allowed" ] || return 1
  delay=$first
  doubled=1
  while [ "$doubled" -lt "$crashes" ] && [ "$delay" -lt "$longest" ]; do
    delay=$((delay * 2))
    doubled=$((doubled + 1))
  done
  [ "$delay" -le "$longest" ] || delay=$longest
}

pause() {
  [ "$1" -gt 0 ] || return 0
  sleep "$1" &
  nap=$!
  if [ -n "$stopping" ]; then
    kill -TERM "$nap" 2>/dev/null
  else
    wait "$nap"
  fi
  nap=
}

# S5
leave_nothing() {
  cluster=${FCTL_TRANSIENT_CLUSTER:-}
  [ -n "$cluster" ] || return 0
  rm -rf "$cluster/work/${folder##*/}" "$folder"
  rmdir "$cluster/processes" 2>/dev/null || return 0
  rm -rf "$cluster/work" "$cluster/artifacts" "$cluster/secrets"
}

restarts=0
crashes=0
last_exit=null
identify $$
own_identity=$identity

while [ -z "$stopping" ]; do
  started=$(date +%s)
  "$@" &
  child=$!
  pid=$child
  [ -z "$stopping" ] || kill -TERM "$child" 2>/dev/null
  identify "$child"
  child_identity=$identity
  publish running
  await_end
  last_exit=$status
  if [ "$status" -eq 0 ] || [ "$status" -eq 69 ]; then # S1
    publish ended
    leave_nothing
    exit "$status"
  fi
  [ -z "$stopping" ] || break
  [ -d "$folder" ] || exit "$status" # S4
  if ! next_delay $(($(date +%s) - started)); then
    publish failed
    say "crashed $crashes times in a row, at last with exit code $status: it is not started again"
    exit "$status"
  fi
  publish waiting
  pause "$delay"
  [ -z "$stopping" ] || break
  [ -d "$folder" ] || exit "$status" # S4
  restarts=$((restarts + 1))
  say "started again after exit code $status (restart $restarts)"
done
[ "$last_exit" = null ] || publish stopped
exit "${status:-0}"
