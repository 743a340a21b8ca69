/* SPDX-License-Identifier: Apache-2.0 */
/* Text of captures made harmless for terminals: what goes beyond base/escape.h. */
#include <string.h>

#include "base/plain.h"
#include "cli/cli.h"

void cli_safe_tail(struct buf *b, size_t start, struct buf *scratch)
{
	struct sv tail = sv_drop(buf_view(b), start);
	size_t run = plain_run(tail);

	if (LIKELY(run == tail.n))
		return;
	buf_reset(scratch);
	cli_safe(scratch, sv_drop(tail, run));
	b->len = start + run;
	buf_sv(b, buf_view(scratch));
	b->failed |= scratch->failed;
}

void cli_safe_lines(struct buf *b, struct sv s, bool *fresh)
{
	while (s.n) {
		const char *end = memchr(s.p, '\n', s.n);
		size_t n = end ? (size_t)(end - s.p) : s.n;

		if (*fresh && n) {
			buf_char(b, '\t');
			if (s.p[0] == '\t') {
				s = sv_drop(s, 1);
				n--;
			}
		}
		cli_safe(b, sv_make(s.p, n));
		*fresh = end != NULL;
		if (!end)
			return;
		buf_char(b, '\n');
		s = sv_drop(s, n + 1);
	}
}

void cli_safe_lines_tail(struct buf *b, size_t start, struct buf *scratch)
{
	bool fresh = false;

	buf_reset(scratch);
	cli_safe_lines(scratch, sv_drop(buf_view(b), start), &fresh);
	b->len = start;
	buf_sv(b, buf_view(scratch));
	b->failed |= scratch->failed;
}
