/* SPDX-License-Identifier: Apache-2.0 */
/* Processes behind alerts: with their ancestors, and as trees. */
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

/* --- processes */

/* ?1: process_id; ?2: number of the event at which its image is wanted, 0: the last one. */
#define USER(uid)                                                                                  \
	"(SELECT s.name FROM users s WHERE s.run_capture_id = p.run_capture_id "                   \
	"AND s.container_id = ifnull(p.container_id, '') AND s.uid = " uid ")"
static const char
    process_sql
	[] = "SELECT p.process_id, p.parent_id, r.capture_id, p.pid, p.ppid, p.vpid, "
	     "p.sid, " REP_IMAGE(
		 "uid") ", p.gid, nullif(p.loginuid, 4294967295), p.tty, p.start_ts, p.end_ts, "
			"ifnull('boot-' || c.boot_ts, ifnull('sha256-' || c.sha256, 'capture-' || "
			"c.capture_id)) "
			"|| '/' || p.pid || '/' || ifnull(p.start_ts, ifnull(p.clone_ts, 0)), "
			"CASE WHEN p.end_kind IS NULL THEN 'running' WHEN p.end_kind = 'vanished' "
			"THEN 'vanished' "
			"WHEN p.exit_signal IS NOT NULL THEN 'signal ' || p.exit_signal "
			"|| iif(p.core_dumped, ' (core dumped)', '') "
			"WHEN p.exit_code IS NOT NULL THEN 'exit ' || p.exit_code ELSE 'exit' "
			"END, " REP_IMAGE("comm") ", " REP_IMAGE("exe") ", " REP_IMAGE("exepath") ", " REP_IMAGE("cmdline") ", " REP_IMAGE("cwd") ", p.exe_sha256, c.hostname, x.args, " USER(
			    REP_IMAGE(
				"uid")) ", " USER("p.loginuid") ", p.container_id, n.name, n.image "
								"FROM processes p JOIN "
								"run_captures r USING "
								"(run_capture_id) "
								"JOIN captures c USING "
								"(capture_id) "
								"LEFT JOIN execs x ON x.process_id "
								"= p.process_id AND x.seq = "
								"(SELECT max(m.seq) "
								"FROM execs m WHERE m.process_id = "
								"p.process_id AND (?2 = 0 OR "
								"m.evt_num <= ?2)) "
								"LEFT JOIN containers n ON "
								"n.run_capture_id = "
								"p.run_capture_id "
								"AND n.container_id = "
								"p.container_id WHERE p.process_id "
								"= ?1 LIMIT 1";

/* A copy in the arena of the lineage; *failed is latched. */
static struct sv own(struct rep_case *c, struct sv s, bool *failed)
{
	struct sv copy;

	if (!s.p)
		return SV_NONE;
	copy = arena_sv(&c->lineage, s);
	*failed |= !copy.p;
	return copy;
}

static bool take_process(struct rep_case *c, struct rep_process *out)
{
	struct rep_columns k = {.stmt = c->process};
	bool failed = false;

	out->process_id = rep_int(&k);
	out->parent_id = rep_zero(&k);
	out->capture_id = rep_int(&k);
	out->pid = rep_int(&k);
	out->ppid = rep_int(&k);
	out->vpid = rep_int(&k);
	out->sid = rep_int(&k);
	out->uid = rep_int(&k);
	out->gid = rep_int(&k);
	out->loginuid = rep_int(&k);
	out->tty = rep_zero(&k);
	out->start_ts = rep_zero(&k);
	out->end_ts = rep_zero(&k);
	out->uid_text = own(c, rep_text(&k), &failed);
	out->outcome = own(c, rep_text(&k), &failed);
	out->comm = own(c, rep_text(&k), &failed);
	out->exe = own(c, rep_text(&k), &failed);
	out->exepath = own(c, rep_text(&k), &failed);
	out->cmdline = own(c, rep_text(&k), &failed);
	out->cwd = own(c, rep_text(&k), &failed);
	out->exe_sha256 = own(c, rep_text(&k), &failed);
	out->hostname = own(c, rep_text(&k), &failed);
	out->args = own(c, rep_text(&k), &failed);
	out->user = own(c, rep_text(&k), &failed);
	out->login_user = own(c, rep_text(&k), &failed);
	out->container_id = own(c, rep_text(&k), &failed);
	out->container_name = own(c, rep_text(&k), &failed);
	out->container_image = own(c, rep_text(&k), &failed);
	return !failed;
}

/* Return: 1, 0: there is no such process, or ERR_*. */
static int one_process(struct rep_case *c, int64_t id, int64_t evt_num, struct rep_process *out,
		       struct error *err)
{
	int rc = c->process ? SQLITE_OK
			    : sqlite3_prepare_v3(c->db, process_sql, -1, SQLITE_PREPARE_PERSISTENT,
						 &c->process, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(c->process, 1, id);
		sqlite3_bind_int64(c->process, 2, evt_num);
		rc = sqlite3_step(c->process);
	}
	if (rc == SQLITE_ROW)
		rc = take_process(c, out) ? 1 : error_nomem(err);
	else
		rc = rc == SQLITE_DONE ? 0 : rep_db_error(c, rc, "a process", err);
	sqlite3_reset(c->process);
	return rc;
}

int rep_lineage(struct rep_case *c, int64_t process_id, int64_t evt_num, struct rep_process *out,
		size_t room, struct error *err)
{
	size_t n = 0;

	arena_reset(&c->lineage);
	while (process_id && n < room) {
		int rc;

		for (size_t i = 0; i < n; i++)
			if (out[i].process_id == process_id) /* a circle: no such case is ours */
				return (int)n;
		rc = one_process(c, process_id, evt_num, &out[n], err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		process_id = out[n++].parent_id;
	}
	return (int)n;
}

/* --- trees */

static int by_id(const void *key, const void *node)
{
	const int64_t *id = key;
	const struct rep_node *n = node;

	return (*id > n->process_id) - (*id < n->process_id);
}

static int compare_ids(const void *a, const void *b)
{
	return by_id(&((const struct rep_node *)a)->process_id, b);
}

/* Read up to @max nodes: the gravest processes, each with its ancestors. */
static int read_nodes(struct rep_case *c, struct rep_tree *t, size_t max, struct error *err)
{
	struct rep_rows *r = NULL;
	int rc = rep_who(c, err);

	if (rc == 0)
		rc = rep_rows_open(
		    c, "trees of processes", &r, err,
		    "WITH RECURSIVE up (id, rank) AS "
		    "(SELECT id, row_number() OVER (ORDER BY severity, n DESC, id) "
		    "FROM temp.rep_who UNION SELECT p.parent_id, up.rank FROM up "
		    "JOIN processes p ON p.process_id = up.id WHERE p.parent_id IS NOT NULL), "
		    "all_of (id, rank) AS (SELECT id, min(rank) FROM up GROUP BY id) "
		    "SELECT p.process_id, p.parent_id, w.n, w.severity FROM all_of o "
		    "JOIN processes p ON p.process_id = o.id "
		    "LEFT JOIN temp.rep_who w ON w.id = o.id "
		    "ORDER BY o.rank, p.process_id DESC");
	if (rc < 0)
		return rc;
	while ((rc = rep_rows_step(r, err)) > 0) {
		struct rep_columns k = {.stmt = r->stmt};

		if (t->count == max) {
			t->left_out++;
			continue;
		}
		t->nodes[t->count].process_id = rep_int(&k);
		t->nodes[t->count].parent_id = rep_zero(&k);
		t->nodes[t->count].alerts = rep_zero(&k);
		t->nodes[t->count].severity = rep_severity(&k);
		t->count++;
	}
	rep_rows_close(r);
	return rc;
}

struct kin { /* places among the nodes by number, each plus 1; 0: none */
	size_t parent, first, next;
	bool seen;
};

static void find_kin(const struct rep_tree *t, struct kin *kin)
{
	for (size_t i = t->count; i-- > 0;) {
		const struct rep_node *parent =
		    bsearch(&t->nodes[i].parent_id, t->nodes, t->count, sizeof(*t->nodes), by_id);

		if (!parent || parent == &t->nodes[i])
			continue;
		kin[i].parent = (size_t)(parent - t->nodes) + 1;
		kin[i].next = kin[kin[i].parent - 1].first;
		kin[kin[i].parent - 1].first = i + 1;
	}
}

/* The tree below node @root, each before its children; *n: how many are in @out so far. */
static void walk(const struct rep_tree *t, struct kin *kin, size_t root, struct rep_node *out,
		 size_t *n)
{
	size_t at = root;
	unsigned depth = 0;

	for (;;) {
		size_t next = kin[at].first;

		if (!kin[at].seen) {
			kin[at].seen = true;
			out[*n] = t->nodes[at];
			out[(*n)++].depth = depth;
		}
		while (next && kin[next - 1].seen)
			next = kin[next - 1].next;
		if (next) {
			kin[at].first = next; /* not to be looked through again */
			at = next - 1;
			depth++;
		} else if (at != root) {
			at = kin[at].parent - 1;
			depth--;
		} else {
			return;
		}
	}
}

int rep_tree_of(struct rep_case *c, size_t max, struct rep_tree *out, struct error *err)
{
	struct rep_node *sorted = calloc(max, sizeof(*sorted));
	struct kin *kin = calloc(max, sizeof(*kin));
	size_t n = 0;
	int rc;

	*out = (struct rep_tree){.nodes = calloc(max, sizeof(*out->nodes))};
	rc = sorted && kin && out->nodes ? read_nodes(c, out, max, err) : error_nomem(err);
	if (rc == 0) {
		qsort(out->nodes, out->count, sizeof(*out->nodes), compare_ids);
		find_kin(out, kin);
		for (size_t i = 0; i < out->count; i++)
			if (!kin[i].parent)
				walk(out, kin, i, sorted, &n);
		for (size_t i = 0; i < out->count; i++) /* circles: no such case is ours */
			if (!kin[i].seen)
				walk(out, kin, i, sorted, &n);
		memcpy(out->nodes, sorted, n * sizeof(*sorted));
	} else {
		rep_tree_done(out);
	}
	free(sorted);
	free(kin);
	return rc;
}

void rep_tree_done(struct rep_tree *t)
{
	free(t->nodes);
	*t = (struct rep_tree){0};
}
