/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include <stdlib.h>

int cli_show_compile(struct cli_show *s, struct flt_program *p, const char *format,
		     struct error *err)
{
	struct buf complete = {0};
	int rc;

	rc = flt_format_new(p, sv_of(format), &s->format, err);
	if (rc < 0)
		return rc;
	s->complete = s->format;
	if (format[0] != '*') {
		buf_char(&complete, '*');
		buf_str(&complete, format);
		rc = flt_format_new(p, buf_view(&complete), &s->complete, err);
		buf_done(&complete);
		if (rc < 0)
			return rc;
	}
	return s->color && s->form == CLI_FORM_TEXT ? cli_paint_compile(s, p, err) : 0;
}

void cli_show_done(struct cli_show *s)
{
	free(s->styles);
	buf_done(&s->value);
	buf_done(&s->scratch);
}

/* --- CSV --- */

void cli_show_head(struct cli_show *s, struct buf *out)
{
	const char *between = "";
	struct flt_part part;

	if (s->form != CLI_FORM_CSV)
		return;
	for (size_t i = 0; flt_format_part(s->format, i, &part); i++) {
		if (!part.is_value)
			continue;
		buf_str(out, between);
		escape_csv(out, part.text);
		between = ",";
	}
	buf_char(out, '\n');
}

/* An absent value is an empty cell. */
static bool csv(struct cli_show *s, struct flt_ctx *cx, const struct flt_format *f, struct buf *out)
{
	const char *between = "";
	struct flt_part part;

	for (size_t i = 0; flt_format_part(f, i, &part); i++) {
		if (!part.is_value)
			continue;
		buf_reset(&s->value);
		if (flt_format_part_text(cx, f, i, &s->value) < 0)
			return false;
		buf_str(out, between);
		escape_csv(out, buf_view(&s->value));
		between = ",";
	}
	return true;
}

/* --- JSON and text --- */

static bool json(struct flt_ctx *cx, const struct flt_format *f, struct buf *out)
{
	size_t start = out->len;
	int members;

	buf_char(out, '{');
	members = flt_format_json(cx, f, out);
	if (members == 0) {
		out->len = start;
		buf_lit(out, "null");
	} else {
		buf_char(out, '}');
	}
	return members >= 0;
}

static bool text(struct cli_show *s, struct flt_ctx *cx, const struct flt_format *f,
		 struct buf *out)
{
	size_t start = out->len;

	if (!flt_format_text(cx, f, out))
		return false;
	if (UNLIKELY(s->lines))
		cli_safe_lines_tail(out, start, &s->scratch);
	else
		cli_safe_tail(out, start, &s->scratch);
	return true;
}

int cli_show_part(struct cli_show *s, struct flt_ctx *cx, const struct flt_format *f, size_t i)
{
	struct flt_part part;
	int rc;

	buf_reset(&s->value);
	rc = flt_format_part_text(cx, f, i, &s->value);
	if (rc == 0)
		buf_lit(&s->value, "<NA>");
	if (!flt_format_part(f, i, &part) || !part.width)
		return rc;
	if (s->value.len > part.width)
		s->value.len = part.width;
	while (s->value.len < part.width && !s->value.failed)
		buf_char(&s->value, ' ');
	return rc;
}

bool cli_show_event(struct cli_show *s, struct flt_ctx *cx, bool always, struct buf *out)
{
	const struct flt_format *f = UNLIKELY(always) ? s->complete : s->format;
	size_t start = out->len;
	bool shown;

	if (s->form == CLI_FORM_JSON)
		shown = json(cx, f, out);
	else if (s->form == CLI_FORM_CSV)
		shown = csv(s, cx, f, out);
	else if (s->styles)
		shown = cli_paint_event(s, cx, f, out);
	else
		shown = text(s, cx, f, out);
	if (shown)
		buf_char(out, '\n');
	else
		out->len = start;
	return shown;
}
