#!/usr/bin/env bash
# Tries the cases of a folder of inputs that once went wrong: run.sh CASES PROGRAMS [NAME…]
#
# CASES has a folder for each case, whose README says what is expected; the script of its name beside this one does what a user would do and
# fails where that is not what comes. A script runs under `bash -eu` in an empty folder and finds the case in $CASE, the checkout in $TANDEM,
# a Python with PyTorch in $PEERS, if there is one, and Tandem's programs on the PATH. It exits with 77, saying why, where it cannot be tried.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cases=$(cd "$1" && pwd) && programs=$(cd "$2" && pwd) || exit 2
shift 2
export TANDEM=${here%/Tests/Cases} PATH="$programs:$PATH" PEERS=${PEERS:-}
passed=0 failed=0 skipped=0
for case in "$cases"/*/; do
    name=$(basename "$case")
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    export CASE=${case%/}
    if [ ! -f "$here/$name.sh" ]; then
        echo "failed   $name: $here/$name.sh is missing"
        failed=$((failed + 1))
        continue
    fi
    folder=$(mktemp -d)
    output=$(cd "$folder" && bash -eu "$here/$name.sh" 2>&1)
    status=$?
    rm -rf "$folder"
    case $status in
    0) echo "passed   $name"; passed=$((passed + 1)) ;;
    77) echo "skipped  $name: $(tail -n 1 <<<"$output")"; skipped=$((skipped + 1)) ;;
    *) echo "failed   $name (exit $status):"; sed 's/^/    /' <<<"$output" | tail -n 30; failed=$((failed + 1)) ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
