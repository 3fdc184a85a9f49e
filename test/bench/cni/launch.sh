#!/usr/bin/env bash
# Calls a CNI plugin for many sandboxes, as a container runtime does, and prints a line for each: number of the sandbox, exit
# status, begin and end in microseconds. A shell, because it starts a process in half a millisecond and has a clock of its own.
#   launch.sh <plugin> <configuration> <folder for answers> <ADD|DEL|VERSION> <alone|together> <first> <count>
plugin=$1 config=$2 answers=$3 command=$4 how=$5 first=$6 count=$7

call() {
  local begin=${EPOCHREALTIME/./}
  CNI_COMMAND=$command CNI_CONTAINERID=bench-$1 CNI_NETNS=/run/netns/bench-$1 CNI_IFNAME=eth0 CNI_PATH=${plugin%/*} \
    CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME=pod-$1;K8S_POD_UID=uid-$1" \
    "$plugin" <"$config" >"$answers/$1"
  local status=$? end=${EPOCHREALTIME/./}
  echo "$1 $status $begin $end"
}

if [ "$how" = alone ]; then
  for ((i = first; i < first + count; i++)); do call "$i"; done
else
  # All wait at a gate. Time runs for each from its opening, so that waiting for a processor counts too.
  gate=$answers/gate
  rm -f "$gate"
  mkfifo "$gate"
  exec 9<>"$gate"
  for ((i = first; i < first + count; i++)); do
    { read -r <&9 && exec 9>&- && call "$i"; } &
  done
  sleep 0.2 # until the last of them stands there
  echo "open ${EPOCHREALTIME/./}"
  for ((i = 0; i < count; i++)); do echo; done >&9
  wait
fi
