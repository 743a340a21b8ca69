#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All workers of a job on this machine, with GNU parallel; several machines: give it --sshlogin.
# usage: JOB=job PARTS=parts RULES=rules.yaml OUT=night.case.db contrib/parallel.sh [OPTION OF PARALLEL...]
here=$(dirname "$0")
mkdir -p "${PARTS:?}"
lists=$(sed -n 's/^shards //p' "${JOB:?}/manifest")
seq 0 $((lists - 1)) | parallel --retries 3 --joblog "$PARTS/joblog" "$@" "$here/worker.sh"
exec "$here/gather.sh"
