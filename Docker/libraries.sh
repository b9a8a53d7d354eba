#!/bin/sh
# Finds the shared libraries that programs need beyond those of the base image.
#   libraries.sh note                  notes what the base image has; before anything is installed
#   libraries.sh copy FOLDER FILE...   copies what FILEs load, programs or libraries that are opened by name, into FOLDER under the same paths
set -eu
noted=/var/local/libraries

sums() { find /usr/lib -name '*.so*' -type f -exec sha256sum {} + | cut -d' ' -f1 | sort -u; }

case $1 in
note) sums >$noted ;;
copy)
    folder=$2
    shift 2
    mkdir -p "$folder"
    for file in "$@"; do
        # What is opened by name at run time is looked up as the loader would, and is needed itself.
        case $file in /*) ;; *) file=$(ldconfig -p | sed -n "s|^\t$file .* => ||p" | head -1) && echo "$file" ;; esac
        ldd "$file" | sed -n 's|.* => \(/[^ ]*\) .*|\1|p; /not found/ s|^|missing: |p'
    done | sort -u | while read -r path; do
        case $path in missing:*) echo "$path" >&2; exit 1 ;; esac
        sum=$(sha256sum "$path" | cut -d' ' -f1)
        # /lib is a link to /usr/lib.
        path=/usr/${path#/usr/}
        grep -q "$sum" $noted || cp -L --parents "$path" "$folder"
    done
    cp --parents /etc/ssl/certs/ca-certificates.crt "$folder"
    ;;
esac
