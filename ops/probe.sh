#!/usr/bin/env bash
# The health check of the image: asks one path of this machine's own server and fails unless it answers 200 within 2 s. Part of the shell,
# for a probe that starts Node takes 40 MB and half a second of a container that may have neither to spare.
# Usage: probe.sh PATH [PORT]
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${2:-3000}"
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
IFS=' ' read -r -t 2 _ status _ <&3
[ "$status" = 200 ]
