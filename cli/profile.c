/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/cli.h"

int cli_profile_check(const char *path)
{
	if (strcmp(path, "-") == 0 || access(path, F_OK) != 0)
		return 0;
	cli_log(CLI_ERROR, "--profile %s: there is such a file; choose another name", path);
	return CLI_INPUT;
}

static double share(const struct run_rule_cost *c, const struct run_profile_sums *s)
{
	return s->ns_alone > 0 ? 100 * c->ns_all / s->ns_alone : 0;
}

static void put_row(struct buf *b, const struct run_rule_cost *c, const struct run_profile_sums *s,
		    uint64_t alerts)
{
	buf_addf(b, "%10llu %8llu %7.2f %6.1f %8.0f %9.0f %9.3f  ",
		 (unsigned long long)c->evaluated, (unsigned long long)alerts, c->tests,
		 share(c, s), c->ns, c->ns_max, c->ns_all / 1e6);
	cli_safe(b, c->rule->name);
	buf_char(b, '\n');
}

static void put_text(struct buf *b, struct run_profile *p, const struct run_totals *t)
{
	struct run_profile_sums s = run_profile_sums(p);
	const struct run_rule_cost *costs;
	size_t n = run_profile_costs(p, &costs);

	buf_lit(b, "EVALUATED   ALERTS   TESTS      %   AVG ns    MAX ns    ALL ms  RULE\n");
	for (size_t i = 0; i < n; i++)
		put_row(b, &costs[i], &s, t->by_rule[costs[i].rule->index]);
	buf_addf(b,
		 "%llu events shown to rules, %llu sampled; all rules: %.3f ms alone, %.3f ms as "
		 "they are evaluated together (estimated)\n",
		 (unsigned long long)s.shown, (unsigned long long)s.sampled, s.ns_alone / 1e6,
		 s.ns / 1e6);
	if (s.shown && !s.sampled)
		buf_lit(b, "no times: the rules use fields that remember when they were asked, or "
			   "no event was of their types\n");
}

static void put_real(struct buf *b, const char *key, double v)
{
	buf_addf(b, ",\"%s\":%.3f", key, v);
}

static void put_json(struct buf *b, struct run_profile *p, const struct run_totals *t)
{
	struct run_profile_sums s = run_profile_sums(p);
	const struct run_rule_cost *costs;
	size_t n = run_profile_costs(p, &costs);

	buf_addf(b, "{\"shown\":%llu,\"sampled\":%llu,\"stride\":%d", (unsigned long long)s.shown,
		 (unsigned long long)s.sampled, RUN_PROFILE_STRIDE);
	put_real(b, "ns_alone", s.ns_alone);
	put_real(b, "ns_together", s.ns);
	buf_lit(b, ",\"rules\":[");
	for (size_t i = 0; i < n; i++) {
		const struct run_rule_cost *c = &costs[i];

		buf_str(b, i ? ",{\"rule\":" : "{\"rule\":");
		json_string(b, c->rule->name);
		buf_addf(b, ",\"evaluated\":%llu,\"alerts\":%llu,\"sampled\":%llu",
			 (unsigned long long)c->evaluated,
			 (unsigned long long)t->by_rule[c->rule->index],
			 (unsigned long long)c->sampled);
		put_real(b, "tests", c->tests);
		put_real(b, "share", share(c, &s));
		put_real(b, "ns_avg", c->ns);
		put_real(b, "ns_max", c->ns_max);
		put_real(b, "ns_all", c->ns_all);
		buf_char(b, '}');
	}
	buf_lit(b, "]}\n");
}

static int write_all(int fd, const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->p + at, b->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += (size_t)n;
	}
	return 0;
}

static int write_file(const char *path, const struct buf *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -1 : write_all(fd, b);

	if (fd >= 0 && close(fd) < 0)
		rc = -1;
	if (rc == 0)
		return 0;
	cli_log(CLI_ERROR, "cannot write '%s': %s", path, strerror(errno));
	return CLI_INPUT;
}

int cli_profile_write(const char *path, struct run_profile *p, const struct run_totals *t)
{
	struct buf b = {0};
	int status = 0;

	(sv_ends(sv_of(path), SV_LIT(".json")) ? put_json : put_text)(&b, p, t);
	if (b.failed) {
		cli_log(CLI_ERROR, "out of memory");
		status = CLI_INTERNAL;
	} else if (strcmp(path, "-") == 0) {
		fwrite(b.p, 1, b.len, stderr);
	} else {
		status = write_file(path, &b);
	}
	buf_done(&b);
	return status;
}
