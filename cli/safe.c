/* SPDX-License-Identifier: Apache-2.0 */
/* Text of captures made harmless for terminals and spreadsheets. */
#include <string.h>

#include "base/json.h"
#include "base/plain.h"
#include "cli/cli.h"

/* One character that is no printable ASCII. Return: how many bytes of @s it takes. */
static size_t safe_one(struct buf *b, struct sv s)
{
	uint32_t cp = 0;
	unsigned bad, n = utf8_decode(s, &cp, &bad);

	if (n && !utf8_is_harmful(cp)) {
		buf_add(b, s.p, n);
	} else if (n && cp >= 0x100) {
		buf_addf(b, "\\u{%x}", (unsigned)cp);
	} else {
		n = n ? n : bad;
		for (unsigned i = 0; i < n; i++)
			buf_addf(b, "\\x%02x", (unsigned char)s.p[i]);
	}
	return n ? n : bad;
}

void cli_safe(struct buf *b, struct sv s)
{
	for (;;) {
		size_t run = plain_run(s);

		buf_add(b, s.p, run);
		s = sv_drop(s, run);
		if (LIKELY(s.n == 0))
			return;
		s = sv_drop(s, safe_one(b, s));
	}
}

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

/* --- CSV --- */

static size_t count_digits(struct sv s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

/* "-12", "+1.5", "-2.5e-7" */
static bool is_number(struct sv s)
{
	size_t n;

	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = sv_drop(s, 1);
	n = count_digits(s);
	if (!n)
		return false;
	s = sv_drop(s, n);
	if (s.n && s.p[0] == '.') {
		n = count_digits(sv_drop(s, 1));
		s = sv_drop(s, n + 1);
		if (!n)
			return false;
	}
	if (s.n && (s.p[0] == 'e' || s.p[0] == 'E')) {
		s = sv_drop(s, 1 + (s.n > 1 && (s.p[1] == '-' || s.p[1] == '+')));
		n = count_digits(s);
		return n && n == s.n;
	}
	return s.n == 0;
}

void cli_csv_cell(struct buf *b, struct sv s)
{
	bool formula = s.n && memchr("=+-@\t\r", s.p[0], 6) && !is_number(s);
	bool quoted = s.n && (memchr(s.p, '"', s.n) || memchr(s.p, ',', s.n));

	if (quoted)
		buf_char(b, '"');
	if (formula)
		buf_char(b, '\'');
	for (const char *q; quoted && (q = memchr(s.p, '"', s.n));) {
		size_t n = (size_t)(q - s.p) + 1;

		cli_safe(b, sv_make(s.p, n));
		buf_char(b, '"');
		s = sv_drop(s, n);
	}
	cli_safe(b, s);
	if (quoted)
		buf_char(b, '"');
}
