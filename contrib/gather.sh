#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: gather.sh     one case, $OUT, of the parts in $PARTS
exec "${SCAPULA:-scapula}" gather --force --manifest "${JOB:?}/manifest" "${OUT:?}" "${PARTS:?}"/part-*.db
