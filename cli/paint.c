/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines in colour. Colours only repeat what the text says: a failed call also shows its error.
 * Slower than plain text, which never comes here.
 */
#include <stdlib.h>

#include "cli/show.h"

enum style {
	STYLE_PLAIN,
	STYLE_ASIDE,  /* times and numbers that order the lines */
	STYLE_NAME,   /* who */
	STYLE_TYPE,   /* what */
	STYLE_RESULT, /* red if the call failed */
	STYLE_ARGS,   /* its first parameter, the result, is red if the call failed */
};

#define PAINT_ASIDE  "\033[2m"
#define PAINT_NAME   "\033[32m"
#define PAINT_TYPE   "\033[36m"
#define PAINT_FAILED "\033[31m"
#define PAINT_END    "\033[0m"

static const struct {
	const char *field;
	bool and_more; /* fields whose names only start with that, too */
	enum style style;
} style_table[] = {
    {"evt.num", false, STYLE_ASIDE},	    {"evt.cpu", false, STYLE_ASIDE},
    {"evt.outputtime", false, STYLE_ASIDE}, {"evt.time", true, STYLE_ASIDE},
    {"evt.datetime", true, STYLE_ASIDE},    {"evt.rawtime", true, STYLE_ASIDE},
    {"evt.reltime", true, STYLE_ASIDE},	    {"evt.deltatime", true, STYLE_ASIDE},
    {"proc.name", false, STYLE_NAME},	    {"evt.type", false, STYLE_TYPE},
    {"syscall.type", false, STYLE_TYPE},    {"evt.res", false, STYLE_RESULT},
    {"evt.rawres", false, STYLE_RESULT},    {"evt.failed", false, STYLE_RESULT},
    {"evt.arg.res", false, STYLE_RESULT},   {"evt.arg[0]", false, STYLE_RESULT},
    {"evt.info", false, STYLE_ARGS},	    {"evt.args", false, STYLE_ARGS},
};

static enum style style_of(struct sv field)
{
	for (size_t i = 0; i < COUNT_OF(style_table); i++) {
		struct sv name = sv_of(style_table[i].field);

		if (style_table[i].and_more ? sv_starts(field, name) : sv_eq(field, name))
			return style_table[i].style;
	}
	return STYLE_PLAIN;
}

int cli_paint_compile(struct cli_show *s, struct flt_program *p, struct error *err)
{
	struct flt_part part;
	size_t n = 0;

	while (flt_format_part(s->format, n, &part))
		n++;
	s->styles = calloc(n + 1, sizeof(*s->styles));
	if (!s->styles)
		return error_nomem(err);
	for (size_t i = 0; flt_format_part(s->format, i, &part); i++)
		s->styles[i] = (uint8_t)(part.is_value ? style_of(part.text) : STYLE_PLAIN);
	return flt_format_new(p, SV_LIT("%evt.failed"), &s->failed, err);
}

static bool has_failed(struct cli_show *s, struct flt_ctx *cx)
{
	buf_reset(&s->value);
	return flt_format_text(cx, s->failed, &s->value) &&
	       sv_eq(buf_view(&s->value), SV_LIT("true"));
}

/* The escape sequence that begins a part, or NULL. */
static const char *begin(enum style style, bool failed)
{
	switch (style) {
	case STYLE_ASIDE:
		return PAINT_ASIDE;
	case STYLE_NAME:
		return PAINT_NAME;
	case STYLE_TYPE:
		return PAINT_TYPE;
	case STYLE_RESULT:
	case STYLE_ARGS:
		return failed ? PAINT_FAILED : NULL;
	default:
		return NULL;
	}
}

/* Bytes of @text that get the colour: all, or the first parameter. */
static size_t painted_length(enum style style, struct sv text)
{
	const char *blank = style == STYLE_ARGS && text.n ? memchr(text.p, ' ', text.n) : NULL;

	return blank ? (size_t)(blank - text.p) : text.n;
}

struct line {
	struct cli_show *show;
	struct buf *out;
	bool failed; /* the event */
	bool fresh;  /* for cli_safe_lines() */
};

static void add_safe(struct line *l, struct sv text)
{
	if (l->show->lines)
		cli_safe_lines(l->out, text, &l->fresh);
	else
		cli_safe(l->out, text);
}

static void paint(struct line *l, enum style style)
{
	const char *sequence = begin(style, l->failed);
	struct sv text = buf_view(&l->show->value);
	size_t n = painted_length(style, text);

	if (!sequence || n == 0) {
		add_safe(l, text);
		return;
	}
	buf_str(l->out, sequence);
	add_safe(l, sv_make(text.p, n));
	buf_lit(l->out, PAINT_END);
	add_safe(l, sv_drop(text, n));
}

bool cli_paint_event(struct cli_show *s, struct flt_ctx *cx, const struct flt_format *f,
		     struct buf *out)
{
	struct line l = {.show = s, .out = out, .failed = has_failed(s, cx)};
	struct flt_part part;

	for (size_t i = 0; flt_format_part(f, i, &part); i++) {
		if (cli_show_part(s, cx, f, i) < 0)
			return false;
		paint(&l, (enum style)s->styles[i]);
	}
	return true;
}
