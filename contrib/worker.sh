#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: worker.sh N   replay list N of the job in $JOB with the rules $RULES, into a part in $PARTS
# Succeeds if the part is complete, whatever was found: what came of it all is for 'scapula gather' to say.
n=$(expr "$1" + 0)
list=$(printf '%s/shard-%04d.lst' "${JOB:?}" "$n") part=$(printf '%s/part-%04d.db' "${PARTS:?}" "$n")
mkdir -p "$PARTS"
"${SCAPULA:-scapula}" replay -q --shard "$list" -r "${RULES:?}" --db "$part" ${REUSE:+--reuse "$REUSE"} &
trap 'kill -TERM $!' TERM
wait $! # ends early if SIGTERM comes: what the worker has is being written then
wait $!
test -e "$part"
