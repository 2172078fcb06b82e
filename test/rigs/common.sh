# What the scripts of several rigs share; sourced. Everything that they make at run time lies in folders
# below $RIGS, one for each thing that was started, numbered: RIG-N. Scripts set RIG and HERE, their folder.
# Not in a home folder, which other users may not enter, nor in /tmp, which hosts have of their own.

RIGS=/var/lib/fctl-rigs

die() {
  echo "rig ${RIG:?}: $*" >&2
  exit 1
}

# birth PID: when the process began, in ticks since boot; fails when there is none, or only a zombie.
# Pid and birth together name a process for ever.
birth() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [[ $1 != [ZX] ]] && echo "${20}"
}

# record PID FILE, and whether the recorded process is still there.
record() { echo "$1 $(birth "$1")" >"$2"; }
lives() {
  local pid born
  { read -r pid born <"$1"; } 2>/dev/null && [[ -n $born && $(birth "$pid") == "$born" ]]
}

# recorded FILE: prints the pid while that process lives.
recorded() { lives "$1" && cut -d' ' -f1 "$1"; }

# within SECONDS COMMAND...: repeats the command until it succeeds.
within() {
  local tries=$(($1 * 20))
  shift
  until "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.05
  done
}

# claim ADDRESSES OFFSET OWNER: takes the first free number N whose addresses the machine does not know: those
# that begin with ADDRESSES, in which %d stands for OFFSET + N. Makes the folder of this rig with that number,
# and prints it. Folders whose owner is no more go first; an owner is a pid, or empty: then nothing but `down`
# removes the folder.
claim() {
  mkdir -p -m 755 "$RIGS"
  (
    flock 9
    local folder n addresses
    for folder in "$RIGS/$RIG"-*; do
      if [[ -s $folder/owner ]] && ! lives "$folder/owner"; then "$HERE/down" "$folder" 9>&- || true; fi
    done
    for ((n = 1; n < 64; n++)); do
      # shellcheck disable=SC2059
      addresses=$(printf "$1" $(($2 + n)))
      if [[ " $(ip -4 route show table all)" == *[[:space:]]"$addresses"* ]]; then continue; fi
      folder=$RIGS/$RIG-$n
      if mkdir -m 755 "$folder" 2>/dev/null; then
        if [[ -n $3 ]]; then record "$3" "$folder/owner"; fi
        echo "$folder"
        return
      fi
    done
    die "no number is free in $RIGS"
  ) 9>"$RIGS/.lock"
}

# owned_by PID: prints the folders of this rig that the living process owns.
owned_by() {
  local folder
  for folder in "$RIGS/$RIG"-*; do
    if [[ $(recorded "$folder/owner") == "$1" ]]; then echo "$folder"; fi
  done
}
