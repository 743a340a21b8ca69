/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/new_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regress/files.h"
#include "regress/testfile.h"
#include "scapfile/seal.h"

/* How one gets from @dir to @path, both real paths. */
static void from_there(struct buf *b, const char *dir, const char *path)
{
	size_t same = 0;

	for (size_t i = 0;; i++) {
		bool ends = !dir[i] || dir[i] == '/';

		if (ends && path[i] == '/')
			same = i + 1;
		if (!dir[i] || dir[i] != path[i])
			break;
	}
	if (same > strlen(dir))
		dir = "";
	else if (same)
		dir += same;
	for (const char *d = dir; *d; d = *d ? d + 1 : d) {
		d += strcspn(d, "/");
		buf_lit(b, "../");
	}
	buf_str(b, path + same);
}

/* As text of YAML, which takes that of JSON. */
static int add_path(struct buf *b, const char *dir, const char *path, struct error *err)
{
	char *real = realpath(path, NULL);
	struct buf text = {0};

	if (!real)
		return error_sys(err, errno, "cannot find '%s'", path);
	from_there(&text, dir, real);
	json_string(b, buf_view(&text));
	free(real);
	if (text.failed)
		b->failed = true;
	buf_done(&text);
	return 0;
}

static int add_rules(struct buf *b, const struct reg_new_test *t, const char *dir,
		     struct error *err)
{
	int rc = 0;

	buf_lit(b, "rules: [");
	for (size_t i = 0; rc == 0 && i < t->rule_count; i++) {
		if (i)
			buf_lit(b, ", ");
		rc = add_path(b, dir, t->rules[i], err);
	}
	buf_lit(b, "]\n");
	if (rc < 0 || !t->config)
		return rc;
	buf_lit(b, "config: ");
	rc = add_path(b, dir, t->config, err);
	buf_char(b, '\n');
	return rc;
}

static void add_options(struct buf *b, const struct reg_new_test *t)
{
	if (t->option_count)
		buf_lit(b, "options: [");
	for (size_t i = 0; i < t->option_count; i++) {
		if (i)
			buf_lit(b, ", ");
		json_string(b, sv_of(t->options[i]));
	}
	if (t->option_count)
		buf_lit(b, "]\n");
	if (t->match_all >= 0)
		buf_str(b, t->match_all ? "matching: all\n" : "matching: first\n");
}

static void add_expectations(struct buf *b, const struct reg_alerts *alerts)
{
	buf_lit(b, "expect:\n");
	for (size_t i = 0; i < alerts->count; i++) {
		uint64_t before = 0, all = 0;

		for (size_t j = 0; j < alerts->count; j++) {
			bool same = sv_eq(alerts->items[i].rule, alerts->items[j].rule);

			all += same;
			before += same && j < i;
		}
		if (before)
			continue;
		buf_lit(b, "  - rule: ");
		json_string(b, alerts->items[i].rule);
		buf_addf(b, "\n    exactly: %llu\n", (unsigned long long)all);
	}
}

static void add_origin(struct buf *b, const struct reg_new_test *t)
{
	buf_lit(b, "origin: {how: ");
	json_string(b, sv_of(t->how));
	if (t->min_of) {
		buf_lit(b, ", min_of: \"sha256:");
		for (size_t i = 0; i < SF_SEAL_DIGEST; i++)
			buf_addf(b, "%02x", t->min_of[i]);
		buf_char(b, '"');
	}
	buf_lit(b, "}\n");
}

static int write_file(const char *dir, const char *name, const struct buf *text, struct error *err)
{
	char *path = reg_path_in(dir, sv_of(name));
	int rc =
	    path && !text->failed ? reg_file_write(path, buf_view(text), err) : error_nomem(err);

	free(path);
	return rc;
}

int reg_new_test(const struct reg_new_test *t, struct error *err)
{
	char *dir = realpath(t->dir, NULL);
	struct buf b = {0};
	int rc;

	if (!dir)
		return error_sys(err, errno, "cannot find '%s'", t->dir);
	rc = add_rules(&b, t, dir, err);
	if (rc == 0) {
		add_options(&b, t);
		add_expectations(&b, t->alerts);
		add_origin(&b, t);
		rc = write_file(dir, REG_TEST_NAME, &b, err);
	}
	buf_reset(&b);
	for (size_t i = 0; i < t->alerts->count; i++)
		reg_alert_line(&b, &t->alerts->items[i], NULL);
	if (rc == 0)
		rc = write_file(dir, REG_BASELINE_NAME, &b, err);
	buf_done(&b);
	free(dir);
	return rc;
}
