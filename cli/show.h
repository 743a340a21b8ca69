/* SPDX-License-Identifier: Apache-2.0 */
/* How one event becomes a line of text, a JSON object or a CSV record. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/cli.h"

enum cli_form { CLI_FORM_TEXT, CLI_FORM_JSON, CLI_FORM_CSV };

struct cli_show {
	/* Set by the caller: */
	enum cli_form form;
	bool color; /* of text */
	bool lines; /* of text: values may have several lines; each further one starts with a tab */
	/* At work: */
	struct flt_format *format;
	struct flt_format *complete; /* the same, showing events that lack a field, too */
	struct flt_format *failed;   /* did the system call fail? For colours */
	uint8_t *styles;	     /* per part of the format, for colours; or NULL */
	struct buf value, scratch;
};

/*
 * Add the format to @p. Return: 0, or ERR_COMPILE, ERR_NOMEM. The contents are freed by
 * cli_show_done(), also after a failure.
 */
MUST_CHECK int cli_show_compile(struct cli_show *s, struct flt_program *p, const char *format,
				struct error *err);
void cli_show_done(struct cli_show *s);
/* What stands before the first event: the names of the columns in CSV, else nothing. */
void cli_show_head(struct cli_show *s, struct buf *out);
/*
 * Append the event that @cx looks at, with a line end. @always: even if it lacks a field that the
 * format insists on. Return: false if it does, and nothing was appended.
 */
bool cli_show_event(struct cli_show *s, struct flt_ctx *cx, bool always, struct buf *out);

/* paint.c: text with colours. Every value is made harmless before escape sequences are put around
 * it. */
MUST_CHECK int cli_paint_compile(struct cli_show *s, struct flt_program *p, struct error *err);
bool cli_paint_event(struct cli_show *s, struct flt_ctx *cx, const struct flt_format *f,
		     struct buf *out);
/* Text of one part of a format in s->value, at its width. Return: as flt_format_part_text(). */
int cli_show_part(struct cli_show *s, struct flt_ctx *cx, const struct flt_format *f, size_t i);

#endif
