/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/output.h"

#include <string.h>

const struct reg_format reg_formats[] = {
#define FORMAT(name, function, what) {#name, what, function},
#include "regress/outputs.def"
#undef FORMAT
    {NULL, NULL, NULL},
};

const struct reg_format *reg_format_find(const char *name)
{
	for (const struct reg_format *f = reg_formats; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

const char *const reg_check_kinds[] = {
    [REG_CHECK_EXPECT] = "expect",	 [REG_CHECK_UNEXPECTED] = "unexpected",
    [REG_CHECK_BASELINE] = "baseline",	 [REG_CHECK_ALERTS] = "max_alerts",
    [REG_CHECK_COST] = "max_ns_per_evt", [REG_CHECK_TRACE] = "trace",
    [REG_CHECK_NEEDS] = "requires",	 [REG_CHECK_TESTS] = "tests",
};

void reg_lines(struct buf *b, struct sv text, const char *indent,
	       void (*escape)(struct buf *b, struct sv line))
{
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		buf_str(b, indent);
		escape(b, sv_make(text.p, n));
		buf_char(b, '\n');
		text = sv_drop(text, n + 1);
	}
}

struct sv reg_first_line(struct sv text)
{
	const char *end = text.n ? memchr(text.p, '\n', text.n) : NULL;

	return sv_make(text.p, end ? (size_t)(end - text.p) : text.n);
}
