/* SPDX-License-Identifier: Apache-2.0 */
/* Is a filter right, and what may its words be? */
#include <stdio.h>
#include <string.h>

#include "engine/activity/ask.h"
#include "engine/filter/ops.h"
#include "tui/filter.h"
#include "tui/prompt.h"

/* --- right or wrong --- */

static int compile(const struct tui_filter_language *lang, const struct flt_node *n,
		   struct flt_pos *pos, struct error *err)
{
	const struct flt_expr *foreign =
	    lang && lang->classes ? act_foreign_field(n, lang->classes) : NULL;
	struct flt_program *p = NULL;
	unsigned id;
	int rc;

	if (foreign) {
		*pos = foreign->pos;
		return error_set(err, ERR_COMPILE, "%.*s is not known here, only fields of: %s",
				 (int)(foreign->text.n < 64 ? foreign->text.n : 64),
				 foreign->text.p, lang->classes);
	}
	rc = flt_program_new(NULL, &p, err);
	if (rc == 0)
		rc = flt_program_add(p, n, NULL, NULL, &id, pos, err);
	flt_program_free(p);
	return rc;
}

static int check_condition(const struct tui_filter_language *lang,
			   const struct tui_filter_facts *facts, struct sv text, size_t *pos,
			   struct error *err)
{
	struct rule_in_full full;
	struct arena arena = {0};
	struct flt_pos at = {0};
	struct flt_node *n;
	int rc = tui_filter_in_full(facts, text, &full, pos, err);

	if (rc < 0)
		return rc;
	rc = flt_parse(buf_view(&full.text), FLT_DEPTH_DEFAULT, &arena, &n, &at, err);
	if (rc == 0)
		rc = compile(lang, n, &at, err);
	if (rc < 0) {
		*pos = at.index;
		tui_filter_blame(&full, pos, err);
	}
	arena_done(&arena);
	rule_in_full_done(&full);
	return rc;
}

bool tui_filter_is_unfinished(struct sv text, size_t pos)
{
	while (pos < text.n && text.p[pos] == ' ')
		pos++;
	for (size_t i = pos; i < text.n; i++)
		if (text.p[i] == ' ')
			return false;
	return true;
}

int tui_filter_check(const struct tui_filter_language *lang, const struct tui_filter_facts *facts,
		     struct sv text, size_t *pos, struct error *err)
{
	static const struct tui_filter_facts none;
	struct buf whole = {0};
	struct error why = {0};
	size_t skip = 0, at = 0;
	bool is_short;
	int rc;

	*pos = 0;
	while (skip < text.n && (text.p[skip] == ' ' || text.p[skip] == '!'))
		skip++;
	text = sv_drop(text, skip);
	facts = facts ? facts : &none;
	if (!text.n)
		return 0;
	rc = tui_filter_expand(lang ? lang->word : NULL, facts, text, &whole, err);
	if (rc < 0) {
		buf_done(&whole);
		return rc;
	}
	is_short = !sv_starts(text, buf_view(&whole));
	rc = check_condition(lang, facts, is_short ? buf_view(&whole) : text, &at, &why);
	buf_done(&whole);
	if (rc == 0)
		return 0;
	if (is_short) /* what it stands for is not for this view */
		return error_set(err, rc, "%s", why.msg);
	*pos = skip + (at < text.n ? at : text.n);
	if (rc == ERR_NOMEM)
		return error_nomem(err);
	if (tui_filter_is_unfinished(text, at))
		return error_set(err, ERR_TRUNCATED, "not finished: %s", why.msg);
	return error_set(err, rc, "%s", why.msg);
}

/* --- names --- */

static void add(struct tui_completions *out, struct sv typed, const char *word, const char *help)
{
	if (sv_starts(sv_of(word), typed))
		tui_completion_add(out, sv_of(word), sv_of(help));
}

/* "proc." */
static struct sv family(const char *name)
{
	const char *dot = strchr(name, '.');

	return sv_make(name, dot ? (size_t)(dot - name) + 1 : strlen(name));
}

static bool is_word_of(const char *words, struct sv word)
{
	for (const char *p = words; *p; p += strcspn(p, " "), p += *p == ' ')
		if (sv_eq(sv_make(p, strcspn(p, " ")), word))
			return true;
	return false;
}

static bool is_offered(const struct tui_filter_language *lang, const struct flt_field_info *f)
{
	struct sv first = family(f->name);

	first.n -= first.n && first.p[first.n - 1] == '.';
	return !(f->flags & (FLT_FIELD_HIDDEN | FLT_FIELD_DEPRECATED | FLT_FIELD_PRINT_ONLY)) &&
	       (!lang || !lang->classes || is_word_of(lang->classes, first));
}

/* One line for all fields that begin alike. */
static void add_families(const struct tui_filter_language *lang, struct sv typed,
			 struct tui_completions *out)
{
	for (size_t i = 0; i < flt_field_count; i++) {
		struct sv now = family(flt_field_table[i].name);
		size_t fields = 0;
		bool first = true;
		char help[32];

		for (size_t k = 0; k < flt_field_count; k++) {
			if (!is_offered(lang, &flt_field_table[k]) ||
			    !sv_eq(family(flt_field_table[k].name), now))
				continue;
			first = first && k >= i;
			fields++;
		}
		if (!fields || !first || !is_offered(lang, &flt_field_table[i]) ||
		    !sv_starts(now, typed))
			continue;
		snprintf(help, sizeof(help), "%zu fields", fields);
		tui_completion_add(out, now, sv_of(help));
	}
}

static void add_fields(const struct tui_filter_language *lang, struct sv typed,
		       struct tui_completions *out)
{
	struct buf help = {0};

	for (size_t i = 0; i < flt_field_count; i++) {
		const struct flt_field_info *f = &flt_field_table[i];

		if (!is_offered(lang, f) || !sv_starts(sv_of(f->name), typed))
			continue;
		buf_reset(&help);
		buf_addf(&help, "%-8s %s%s%s", flt_field_type_name(f), f->arg_help,
			 *f->arg_help ? " " : "", f->help);
		tui_completion_add(out, sv_of(f->name), buf_view(&help));
	}
	buf_done(&help);
}

static void add_own_fields(const struct tui_filter_language *lang, struct sv typed,
			   struct tui_completions *out)
{
	struct buf help = {0};

	for (size_t i = 0; lang && i < lang->own_count; i++) {
		const struct tui_filter_field *f = &lang->own[i];

		if (!f->name || !sv_starts(sv_of(f->name), typed))
			continue;
		buf_reset(&help);
		buf_addf(&help, "%-8s %s", f->type, f->help);
		tui_completion_add(out, sv_of(f->name), buf_view(&help));
	}
	buf_done(&help);
}

static void add_operators(struct sv field, struct sv typed, struct tui_completions *out)
{
	const struct flt_field_info *f = flt_field_find(field);

	for (enum flt_op op = 0; op < FLT_OP_COUNT; op++)
		if (!f || flt_op_takes(op, f->type, (f->flags & FLT_FIELD_LIST) != 0))
			add(out, typed, flt_op_text(op), flt_op_table[op].help);
}

static bool is_current(size_t type)
{
	return !(ev_table[type].flags & (EF_UNUSED | EF_OLD_VERSION));
}

static bool is_repeated(size_t type)
{
	for (size_t i = 0; i < type; i++)
		if (is_current(i) && strcmp(ev_table[i].name, ev_table[type].name) == 0)
			return true;
	return false;
}

static void add_types(struct sv typed, struct tui_completions *out)
{
	for (size_t i = 0; i < EV_TYPE_COUNT; i++)
		if (is_current(i) && sv_starts(sv_of(ev_table[i].name), typed) && !is_repeated(i))
			add(out, typed, ev_table[i].name, "");
	for (size_t i = 1; i < EV_SYSCALL_COUNT; i++)
		if (ev_syscalls[i].exit_type == EV_GENERIC_X)
			add(out, typed, ev_syscalls[i].name, "recorded without its arguments");
}

static void add_errors(struct sv typed, struct tui_completions *out)
{
	add(out, typed, "SUCCESS", "");
	for (int i = 1; i < 134; i++)
		if (flt_errno_name(i))
			add(out, typed, flt_errno_name(i), strerrordesc_np(i));
}

static void add_fd_types(struct sv typed, struct tui_completions *out)
{
	for (struct state_fd fd = {.type = 0}; fd.type < INT8_MAX; fd.type++)
		if (*state_fd_typename(&fd) != '<')
			add(out, typed, state_fd_typename(&fd), "");
}

static void add_values(struct sv field, struct sv typed, struct tui_completions *out)
{
	static const struct {
		const char *field, *values;
	} known[] = {
	    {"evt.dir", "<"},
	    {"evt.io_dir", "read write"},
	    {"evt.source", "syscall"},
	    {"evt.category", "file net IPC memory process sleep system signal user time "
			     "processing wait scheduler internal other"},
	    {"fd.l4proto", "tcp udp icmp raw"},
	    {"container.id", "host"},
	};
	const struct flt_field_info *f = flt_field_find(field);
	char word[32];

	if (sv_is(field, "evt.type") || sv_is(field, "syscall.type"))
		add_types(typed, out);
	else if (sv_is(field, "evt.res"))
		add_errors(typed, out);
	else if (sv_is(field, "fd.type"))
		add_fd_types(typed, out);
	else if (f && f->type == PT_BOOL) {
		add(out, typed, "true", "");
		add(out, typed, "false", "");
	}
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		const char *p = known[i].values;

		if (!sv_is(field, known[i].field))
			continue;
		for (size_t n; *p; p += n + (p[n] == ' ')) {
			n = strcspn(p, " ");
			snprintf(word, sizeof(word), "%.*s", (int)n, p);
			add(out, typed, word, "");
		}
	}
}

void tui_filter_names(const struct tui_filter_language *lang, const struct tui_filter_at *at,
		      struct tui_completions *out)
{
	switch (at->place) {
	case TUI_PLACE_TERM:
		add_own_fields(lang, at->word, out);
		if (memchr(at->word.p, '.', at->word.n))
			add_fields(lang, at->word, out);
		else
			add_families(lang, at->word, out);
		if (at->word.n)
			add(out, at->word, "not", "the opposite of what follows");
		return;
	case TUI_PLACE_OPERATOR:
		add_operators(at->field, at->word, out);
		return;
	case TUI_PLACE_VALUE:
		add_values(at->field, at->word, out);
		return;
	case TUI_PLACE_LIST:
		if (!at->word.n)
			tui_completion_add(out, SV_LIT("("), SV_LIT("values with commas between"));
		return;
	case TUI_PLACE_JOIN:
		add(out, at->word, "and", "both hold");
		add(out, at->word, "or", "one of them holds");
		return;
	default:
		return;
	}
}
