#!/bin/sh
# sbatch, squeue, sacct, scontrol and scancel as a test plays them: this file under their names. Answers lie in ../spool, calls leave files there, and a fault is a piece of shell that runs in the place of a call.
set -C # '>' makes a file or fails where it is there: calls and jobs are numbered without a lock. (After ":", a special builtin, a failure would end the shell.)
name=${0##*/}
spool=${0%/*}/../spool

call=1
while ! { true > "$spool/calls/$name.$call"; } 2>/dev/null; do
  [ -d "$spool/calls" ] || exit 1 # The test has ended.
  call=$((call + 1))
done
printf '%s\n' "$*" >> "$spool/calls/$name.$call"
last=${*##* }

# Half a file must not be seen.
leave() {
  cat >| "$spool/$1.$name.$call.tmp"
  mv "$spool/$1.$name.$call.tmp" "$spool/$1"
}

refuse() {
  printf '%s\n' "$1" >&2
  exit 1
}

genuine() {
  case "$name $*" in
  sbatch*)
    read -r job < "$spool/first"
    while ! { true > "$spool/numbers/$job"; } 2>/dev/null; do
      [ -d "$spool/numbers" ] || exit 1
      job=$((job + 1))
    done
    leave "submitted/$job"
    printf '%s\n' "$job"
    ;;
  squeue*--name=*)
    for word; do
      case $word in
      --name=*) grep -F "|${word#--name=}|" "$spool/squeue" || : ;;
      esac
    done
    ;;
  squeue*) cat "$spool/squeue" ;;
  "scontrol show config") cat "$spool/config" ;;
  scontrol*show\ job*) [ -e "$spool/scontrol.$last" ] && cat "$spool/scontrol.$last" || refuse "slurm_load_jobs error: Invalid job id specified" ;;
  sacct*--jobs=*)
    [ -e "$spool/accounting" ] || refuse "Slurm accounting storage is disabled"
    job=${*##*--jobs=}
    job=${job%% *}
    [ ! -e "$spool/sacct.$job" ] || cat "$spool/sacct.$job"
    ;;
  scancel*) printf '%s\n' "$*" | leave "cancels/$call" ;;
  *) refuse "$name: error: the fake does not know: $*" ;;
  esac
}

for fault in "$spool/faults/$name.$call" "$spool/faults/$name.all"; do
  if [ -e "$fault" ]; then
    . "$fault"
    exit
  fi
done
genuine "$@"
