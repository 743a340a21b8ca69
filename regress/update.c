/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/update.h"

#include <stdlib.h>

#include "regress/files.h"
#include "regress/internal.h"

struct update {
	struct reg_result *r;
	const struct reg_asker *asker;
	struct reg_ignore ignore;
	struct reg_comparison diff;
	struct buf text; /* the baseline as it is to be */
	bool quit;
};

static size_t differences(const struct reg_comparison *c)
{
	return c->count - c->tiers[REG_UNCHANGED];
}

/* Unchanged lines are written anew, too, without what is ignored now. */
static void choose_all(struct update *u)
{
	size_t of = differences(&u->diff), number = 0;
	enum reg_answer answer = u->asker ? REG_REFUSE : REG_ACCEPT_REST;

	for (size_t i = 0; i < u->diff.count; i++) {
		const struct reg_pair *p = &u->diff.pairs[i];
		const struct reg_alert *kept;

		if (p->tier != REG_UNCHANGED && (answer == REG_ACCEPT || answer == REG_REFUSE))
			answer = u->asker ? u->asker->ask(u->asker->arg, u->r, p, ++number, of)
					  : REG_ACCEPT;
		u->quit |= answer == REG_QUIT;
		kept = answer == REG_ACCEPT || answer == REG_ACCEPT_REST ? p->b : p->a;
		if (kept)
			reg_alert_line(&u->text, kept, &u->ignore);
	}
}

/* What was written is what the test is judged by from now on. */
static int judge_again(struct update *u, struct error *err)
{
	struct reg_result *r = u->r;
	int rc;

	reg_verdict_done(&r->verdict);
	reg_alerts_clear(&r->baseline);
	rc = reg_alerts_parse(&r->baseline, REG_BASELINE_NAME, buf_view(&u->text), err);
	r->has_baseline = true;
	return rc < 0 ? rc : reg_judge_result(r, err);
}

static int write_text(struct update *u, bool *written, struct error *err)
{
	char *path = reg_baseline_path(&u->r->test);
	struct buf old = {0};
	int rc = path && !u->text.failed ? 0 : error_nomem(err);

	*written = rc == 0 && (!u->r->has_baseline ||
			       reg_file_read(path, REG_ALERT_FILE_MAX, &old, NULL) < 0 ||
			       !sv_eq(buf_view(&old), buf_view(&u->text)));
	if (*written)
		rc = reg_file_write(path, buf_view(&u->text), err);
	buf_done(&old);
	free(path);
	return rc;
}

int reg_update(struct reg_result *r, const struct reg_asker *asker, bool *written, bool *quit,
	       struct error *err)
{
	struct update u = {
	    .r = r,
	    .asker = asker,
	    .ignore = {r->test.ignore, r->test.ignore_count},
	};
	int rc;

	*written = *quit = false;
	if (r->verdict.outcome == REG_BROKEN || r->verdict.outcome == REG_SKIPPED || r->got.dropped)
		return 0;
	rc = reg_compare(&r->baseline, &r->got, &u.ignore, &u.diff, err);
	if (rc < 0)
		return rc;
	if (!asker || differences(&u.diff)) {
		choose_all(&u);
		rc = write_text(&u, written, err);
	}
	if (rc == 0 && *written)
		rc = judge_again(&u, err);
	*quit = u.quit;
	reg_comparison_done(&u.diff);
	buf_done(&u.text);
	return rc;
}
