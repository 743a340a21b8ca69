/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded where instructions are counted: hash tables have the same seed in every run. */
#include <string.h>
#include <sys/random.h>

ssize_t getrandom(void *buf, size_t n, unsigned flags)
{
	(void)flags;
	memset(buf, 0x5b, n);
	return (ssize_t)n;
}
