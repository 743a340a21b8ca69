/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/accepting.h"

#include <stdio.h>
#include <string.h>

#include "regress/update.h"

#define ANSWER_MAX 256 /* bytes of a line that somebody types */

static const char help[] = "y - accept: the baseline is to say this\n"
			   "n - leave the baseline as it is here\n"
			   "a - accept this and all that is left of this test\n"
			   "d - leave this and all that is left of this test\n"
			   "q - the same, and do not ask about further tests\n"
			   "? - print this\n";

struct asking {
	const struct reg_result *shown; /* the test whose name was printed last */
	bool color;
	int status;
};

static void show(struct asking *a, const struct reg_result *r, const struct reg_pair *p)
{
	const struct reg_ignore ignore = {r->test.ignore, r->test.ignore_count};
	struct buf b = {0};

	if (a->shown != r) {
		buf_lit(&b, "\n");
		if (a->color)
			buf_lit(&b, "\033[1m");
		cli_safe(&b, sv_of(r->test.name));
		buf_str(&b, a->color ? "\033[0m\n" : "\n");
		a->shown = r;
	}
	if (reg_pair_text(&b, p, &ignore, "") < 0)
		b.failed = true;
	if (cli_write(&b))
		a->status = CLI_INPUT;
	buf_done(&b);
}

/* The end of standard input leaves everything as it is. */
static enum reg_answer ask(void *arg, const struct reg_result *r, const struct reg_pair *p,
			   size_t number, size_t of)
{
	struct asking *a = arg;
	char line[ANSWER_MAX];

	show(a, r, p);
	while (!a->status) {
		printf("(%zu/%zu) Accept this? [y,n,a,d,q,?] ", number, of);
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			break;
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "y") == 0)
			return REG_ACCEPT;
		if (strcmp(line, "n") == 0)
			return REG_REFUSE;
		if (strcmp(line, "a") == 0)
			return REG_ACCEPT_REST;
		if (strcmp(line, "d") == 0)
			return REG_REFUSE_REST;
		if (strcmp(line, "q") == 0)
			return REG_QUIT;
		fputs(help, stdout);
	}
	return REG_QUIT;
}

int cli_accept(struct reg_suite *s, bool by_asking, const struct cli_common *common)
{
	struct asking asking = {.color = common->color};
	const struct reg_asker asker = {ask, &asking};
	struct error err = {0};
	struct reg_result *all;
	uint64_t written = 0;
	bool quit = false;
	int status = 0;
	size_t n;

	all = reg_suite_results(s, &n);
	for (size_t i = 0; i < n && !quit && !status; i++) {
		bool wrote;

		if (reg_update(&all[i], by_asking ? &asker : NULL, &wrote, &quit, &err) < 0)
			status = cli_fail(&err);
		written += wrote;
	}
	if (asking.shown)
		putchar('\n');
	cli_log(CLI_NOTE, "%llu baseline%s written", (unsigned long long)written,
		written == 1 ? "" : "s");
	return cli_worse(status, asking.status);
}
