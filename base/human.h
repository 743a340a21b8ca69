/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers, sizes, durations and times as people write them. Units: nanoseconds, since the Unix
 * epoch for times; bytes. Each reads all of @text, which is NUL-terminated, or is false.
 */
#ifndef BASE_HUMAN_H
#define BASE_HUMAN_H

#include <stdbool.h>
#include <stdint.h>

bool human_u64(const char *text, uint64_t *out);     /* decimal digits */
bool human_size(const char *text, uint64_t *bytes);  /* 512, 64K, 40M, 2G */
bool human_duration(const char *text, uint64_t *ns); /* 5, 5s, 250ms, 2m, 1h, 10us, 7ns */
/*
 * 2026-11-22T03:02:21.5Z, with a blank for the T or without the Z, @1795316541.5, nanoseconds of
 * more than 10 digits; +DURATION is relative.
 */
bool human_time(const char *text, uint64_t *ns, bool *relative);

#endif
