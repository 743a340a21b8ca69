/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/query_help.h"

#include <string.h>

#include "cli/cli.h"
#include "query/ask.h"

/* Its first sentence, on one line. */
static void add_brief(struct buf *b, struct sv text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i] == '\n' ? ' ' : text.p[i];

		if (c == '`')
			continue;
		buf_char(b, c);
		if (c == '.' && (i + 1 == text.n || text.p[i + 1] == ' ' || text.p[i + 1] == '\n'))
			break;
	}
}

static void add_name(struct buf *b, struct sv name, unsigned width)
{
	buf_lit(b, "  ");
	buf_sv(b, name);
	for (size_t n = name.n; n < width; n++)
		buf_char(b, ' ');
	buf_lit(b, "  ");
}

static void list_saved(struct buf *b)
{
	for (const struct qry_saved *s = qry_saved; s->name; s++) {
		add_name(b, sv_of(s->name), 30);
		buf_sv(b, qry_saved_question(s->text));
		buf_char(b, '\n');
	}
	buf_lit(b, "\nscapula query CASE @NAME asks one; 'scapula query --list NAME' shows it.\n");
}

int query_help_saved(char **names, int count)
{
	struct buf b = {0};
	int status = 0;

	if (!count)
		list_saved(&b);
	for (int i = 0; i < count && !status; i++) {
		const struct qry_saved *s =
		    qry_saved_find(names[i][0] == '@' ? names[i] + 1 : names[i]);

		if (s)
			buf_str(&b, s->text);
		else
			status = CLI_USAGE;
		if (!s)
			cli_log(CLI_ERROR, "there is no saved query '%s'", names[i]);
	}
	status = cli_worse(status, cli_write(&b));
	buf_done(&b);
	return status;
}

static void list_tables(struct buf *b)
{
	struct qry_described d;

	for (size_t at = 0; qry_described_next(&at, &d);) {
		add_name(b, d.name, 18);
		add_brief(b, d.summary);
		buf_char(b, '\n');
	}
	buf_lit(
	    b,
	    "\n'scapula query --schema NAME' lists the columns of one. With --capture there are\n"
	    "also events, threads, processes, fds and gaps, whose columns are listed by\n"
	    "'scapula query --capture FILE \"PRAGMA table_info(events)\"'.\n");
}

static bool describe(struct buf *b, const char *name)
{
	struct sv column, meaning;
	struct qry_described d;

	for (size_t at = 0; qry_described_next(&at, &d);) {
		if (!sv_is(d.name, name))
			continue;
		buf_sv(b, d.name);
		buf_lit(b, "\n");
		if (d.summary.n) {
			buf_sv(b, d.summary);
			buf_lit(b, "\n");
		}
		for (size_t c = 0; qry_described_column(&d, &c, &column, &meaning);) {
			add_name(b, column, 16);
			buf_sv(b, meaning);
			buf_char(b, '\n');
		}
		return true;
	}
	return false;
}

int query_help_schema(char **names, int count)
{
	struct buf b = {0};
	int status = 0;

	if (!count)
		list_tables(&b);
	for (int i = 0; i < count && !status; i++) {
		if (i)
			buf_char(&b, '\n');
		if (!describe(&b, names[i])) {
			cli_log(CLI_ERROR,
				"a case has no table '%s': see 'scapula query --schema', which "
				"tells of those of captures, too",
				names[i]);
			status = CLI_USAGE;
		}
	}
	status = cli_worse(status, cli_write(&b));
	buf_done(&b);
	return status;
}
