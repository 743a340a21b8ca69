/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sheet that goes with evidence, made from its custody log: what it is, what was done with it,
 * and room to sign. Whatever the log holds, it cannot be markup.
 */
#ifndef CLI_CUSTODY_FORM_H
#define CLI_CUSTODY_FORM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "bundle/custody.h"

#define CUSTODY_ITEMS_MAX 10000u /* of a sheet; further ones are counted */

enum custody_form { CUSTODY_FORM_TEXT, CUSTODY_FORM_MARKDOWN, CUSTODY_FORM_HTML };

struct custody_item { /* one file, by its hash */
	struct custody_file file;
	uint64_t n; /* entry that first has it */
};

struct custody_sheet {
	enum custody_form form;
	const char *title; /* what the log is about, in words; or NULL */
	struct custody_item *items;
	size_t nitems, cap;
	uint64_t left_out;
	struct smap by_hash;
	struct buf entries; /* rows so far */
	struct arena arena;
};

/* Take an entry. Return: 0 or ERR_NOMEM. For custody_check(). */
int custody_sheet_line(void *sheet, const struct custody_line *l);
/* The sheet, once all entries are taken: @r is what their check found. */
void custody_sheet_write(struct custody_sheet *s, const struct custody_report *r, struct buf *out);
void custody_sheet_done(struct custody_sheet *s);

/* A cell of a Markdown table in which nothing is markup or a link. */
void custody_markdown_cell(struct buf *b, struct sv text);
/* "A. Jones (login at host)" */
void custody_add_who(struct buf *b, const struct custody_line *l);
/* "n.scap (1234 bytes, sha-256 ...), ..." */
void custody_add_files(struct buf *b, const struct custody_files *f);

#endif
