/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the alerts: trees of processes, connections, files; what else happened; what
 * people say. */
#include <inttypes.h>

#include "report/html.h"

static void section(struct html *h, const char *id, const char *title)
{
	buf_addf(h->b, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id, title);
}

/* "4711 sh", with a link if the process is in the trees of this page. */
static void process_cell(struct html *h, int64_t process_id, int64_t pid, struct sv comm)
{
	bool there = false;

	for (size_t i = 0; i < h->tree.count && !there; i++)
		there = h->tree.nodes[i].process_id == process_id;
	buf_addf(h->b, "<td class=\"p\" data-v=\"%" PRId64 "\">", pid);
	if (there)
		buf_addf(h->b, "<a href=\"#process-%" PRId64 "\">%" PRId64 "</a> ", process_id,
			 pid);
	else if (pid >= 0)
		buf_addf(h->b, "%" PRId64 " ", pid);
	html_bdi(h, comm);
	buf_lit(h->b, "</td>");
}

/* --- processes */

static void process_text(struct html *h, const struct rep_node *n, const struct rep_process *p)
{
	buf_addf(h->b, "<span class=\"who%s\" id=\"process-%" PRId64 "\">%" PRId64 " ",
		 n->alerts ? " hit" : "", n->process_id, p->pid);
	html_bdi(h, p->comm);
	buf_lit(h->b, "</span> ");
	if (n->alerts) {
		html_badge(h, n->severity);
		buf_char(h->b, ' ');
		html_count(h, (uint64_t)n->alerts, "alert", "alerts");
		buf_char(h->b, ' ');
	}
	html_code(h, p->cmdline);
	buf_lit(h->b, " <span class=\"soft\">user ");
	if (p->user.n)
		html_bdi(h, p->user);
	else
		buf_addf(h->b, "%" PRId64, p->uid);
	if (p->start_ts) {
		buf_lit(h->b, ", from ");
		html_time(h, p->start_ts);
	}
	buf_lit(h->b, ", ");
	html_bdi(h, p->outcome);
	if (p->container_id.n) {
		buf_lit(h->b, ", container ");
		html_bdi(h, p->container_name.n ? p->container_name : p->container_id);
	}
	buf_lit(h->b, "</span>");
}

/* The depth of node @i on the page: what is deeper than lists may be nested stands beside. */
static unsigned depth_of(const struct html *h, size_t i)
{
	unsigned depth = h->tree.nodes[i].depth;

	return depth < HTML_DEPTH_MAX ? depth : HTML_DEPTH_MAX - 1;
}

static int tree(struct html *h)
{
	unsigned open = 0; /* items that are open */
	int rc = 0;

	buf_lit(h->b, "<ul class=\"tree\">\n");
	for (size_t i = 0; i < h->tree.count && rc >= 0; i++) {
		unsigned depth = depth_of(h, i);
		struct rep_process p;

		rc = rep_lineage(h->c, h->tree.nodes[i].process_id, 0, &p, 1, h->err);
		if (rc < 0)
			break;
		if (open && depth >= open)
			buf_lit(h->b, "\n<ul>");
		while (open > depth) {
			buf_str(h->b, --open > depth ? "</li></ul>" : "</li>\n");
		}
		buf_lit(h->b, "<li>");
		open++;
		if (rc > 0)
			process_text(h, &h->tree.nodes[i], &p);
		rc = html_row(h);
	}
	for (; open; open--)
		buf_str(h->b, open > 1 ? "</li></ul>" : "</li>\n");
	buf_lit(h->b, "</ul>\n");
	return rc;
}

int html_processes(struct html *h)
{
	int rc;

	if (!h->tree.count)
		return 0;
	section(h, "processes", "Processes");
	buf_lit(h->b, "<p class=\"note\">Processes with alerts, which are marked, and their "
		      "ancestors, with the last image of each.</p>\n");
	rc = tree(h);
	html_left_out(h, h->tree.count, h->tree.count + h->tree.left_out, "processes");
	buf_lit(h->b, "</section>\n");
	return rc;
}

/* --- connections */

static void connection_row(struct html *h, const struct rep_connection *n)
{
	buf_lit(h->b, "<tr>");
	html_time_cell(h, n->first_ts);
	process_cell(h, n->process_id, n->pid, n->comm);
	buf_lit(h->b, "<td>");
	html_text(h, n->proto);
	buf_lit(h->b, "</td>");
	html_cell(h, n->direction);
	buf_lit(h->b, "<td>");
	html_code(h, n->local_ip);
	if (n->local_port >= 0)
		buf_addf(h->b, " %" PRId64, n->local_port);
	buf_lit(h->b, "</td><td>");
	html_code(h, n->remote_ip);
	if (n->remote_port >= 0)
		buf_addf(h->b, " %" PRId64, n->remote_port);
	if (n->remote_name.n) {
		buf_char(h->b, ' ');
		html_bdi(h, n->remote_name);
	}
	buf_lit(h->b, "</td>");
	html_cell(h, n->state);
	html_bytes_cell(h, n->bytes_out);
	html_bytes_cell(h, n->bytes_in);
	html_cell(h, n->hostname);
	buf_lit(h->b, "</tr>\n");
}

int html_connections(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_connection n;
	uint64_t count = 0;
	int rc = rep_connections_open(h->c, HTML_CONNECTIONS_MAX + 1, &r, h->err);

	while (rc >= 0 && (rc = rep_connection_next(r, &n, h->err)) > 0) {
		if (count++ == HTML_CONNECTIONS_MAX)
			break;
		if (count == 1) {
			section(h, "connections", "Connections");
			html_table(h, " class=\"sortable\"",
				   "Connections of processes with alerts, busiest first",
				   "First (UTC)|Process|Protocol|Direction|Here|Peer|State|#Sent|"
				   "#Received|Host");
		}
		connection_row(h, &n);
		rc = html_row(h);
	}
	rep_rows_close(r);
	if (!count)
		return rc;
	html_table_end(h);
	if (count > HTML_CONNECTIONS_MAX)
		buf_addf(
		    h->b,
		    "<p class=\"left-out\">Only the %u busiest are shown; there are more.</p>\n",
		    HTML_CONNECTIONS_MAX);
	buf_lit(h->b, "</section>\n");
	return rc < 0 ? rc : 0;
}

/* --- files */

static void file_done(struct html *h, int64_t n, const char *one, const char *many, bool *any)
{
	if (n <= 0)
		return;
	if (*any)
		buf_lit(h->b, ", ");
	*any = true;
	buf_str(h->b, n == 1 ? one : many);
	if (n > 1)
		buf_addf(h->b, " %" PRId64 "×", n);
}

static void file_row(struct html *h, const struct rep_file *f)
{
	bool any = false;

	buf_lit(h->b, "<tr>");
	html_time_cell(h, f->first_ts);
	process_cell(h, f->process_id, f->pid, f->comm);
	html_code_cell(h, f->path);
	buf_lit(h->b, "<td>");
	file_done(h, f->creates, "created", "created", &any);
	file_done(h, f->writes, "written", "written", &any);
	file_done(h, f->renames, "renamed", "renamed", &any);
	file_done(h, f->deletes, "deleted", "deleted", &any);
	file_done(h, f->execs, "executed", "executed", &any);
	buf_lit(h->b, "</td>");
	html_bytes_cell(h, f->bytes_written);
	html_cell(h, f->hostname);
	buf_lit(h->b, "</tr>\n");
}

int html_files(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_file f;
	uint64_t count = 0;
	int rc = rep_files_open(h->c, HTML_FILES_MAX + 1, &r, h->err);

	while (rc >= 0 && (rc = rep_file_next(r, &f, h->err)) > 0) {
		if (count++ == HTML_FILES_MAX)
			break;
		if (count == 1) {
			section(h, "files", "Files");
			html_table(h, " class=\"sortable\"",
				   "Files that processes with alerts changed or executed",
				   "First (UTC)|Process|File|What|#Written|Host");
		}
		file_row(h, &f);
		rc = html_row(h);
	}
	rep_rows_close(r);
	if (!count)
		return rc;
	html_table_end(h);
	if (count > HTML_FILES_MAX)
		buf_addf(h->b,
			 "<p class=\"left-out\">Only the first %u are shown; there are more.</p>\n",
			 HTML_FILES_MAX);
	buf_lit(h->b, "</section>\n");
	return rc < 0 ? rc : 0;
}

/* --- everything in order */

static int events(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_event e;
	uint64_t count = 0;
	int rc = rep_events_open(h->c, HTML_EVENTS_MAX + 1, &r, h->err);

	html_table(h, " class=\"sortable\"", "What the case knows besides alerts, in order",
		   "Time (UTC)|What|Process|Text|Host");
	while (rc >= 0 && (rc = rep_event_next(r, &e, h->err)) > 0) {
		if (count++ == HTML_EVENTS_MAX)
			break;
		buf_lit(h->b, "<tr>");
		html_time_cell(h, e.ts);
		html_cell(h, e.kind);
		process_cell(h, e.process_id, e.pid, e.comm);
		html_cell(h, e.text);
		html_cell(h, e.hostname);
		buf_lit(h->b, "</tr>\n");
		rc = html_row(h);
	}
	rep_rows_close(r);
	html_table_end(h);
	if (count > HTML_EVENTS_MAX)
		buf_addf(h->b,
			 "<p class=\"left-out\">Only the first %u are shown; there are more. A "
			 "range of time shows others.</p>\n",
			 HTML_EVENTS_MAX);
	return rc < 0 ? rc : 0;
}

int html_events(struct html *h)
{
	int rc;

	if (!h->opt->everything)
		return 0;
	section(h, "events", "What else happened");
	rc = events(h);
	buf_lit(h->b, "</section>\n");
	return rc;
}

/* --- what people say */

static void about(struct html *h, const struct rep_said *s)
{
	if (s->fingerprint.p) {
		buf_lit(h->b, "all alerts that look like ");
		html_code(h, s->fingerprint);
	} else if (s->process_uid.p) {
		buf_lit(h->b, "process ");
		html_code(h, s->process_uid);
	} else if (!s->capture_sha256.p) {
		buf_lit(h->b, "the case");
	} else {
		if (s->rule.p) {
			buf_lit(h->b, "the alert ");
			html_bdi(h, s->rule);
			buf_lit(h->b, " at ");
		}
		if (s->evt_offset >= 0)
			buf_addf(h->b, "offset %" PRId64 " of ", s->evt_offset);
		buf_lit(h->b, "capture ");
		html_code(h, s->capture_sha256);
	}
	if (s->ts) {
		buf_lit(h->b, ", ");
		html_exact_time(h, s->ts);
	}
}

static void said_row(struct html *h, const struct rep_said *s)
{
	static const char *const kinds[] = {"note", "bookmark", "verdict"};

	buf_lit(h->b, "<tr>");
	html_cell(h, s->written);
	html_cell(h, s->author);
	buf_addf(h->b, "<td>%s</td><td>", kinds[s->kind]);
	if (s->verdict.p) {
		buf_lit(h->b, "<b>");
		html_bdi(h, s->verdict);
		buf_lit(h->b, "</b> ");
	}
	if (s->text.p)
		html_bdi(h, s->text);
	buf_lit(h->b, "</td><td>");
	about(h, s);
	buf_lit(h->b, "</td></tr>\n");
}

int html_said(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_said s;
	uint64_t count = 0;
	int rc = rep_said_open(h->c, &r, h->err);

	section(h, "notes", "What people say");
	buf_lit(h->b, "<p class=\"note\">Notes, bookmarks and verdicts are by people; everything "
		      "else on this page was found by programs.</p>\n");
	while (rc >= 0 && (rc = rep_said_next(r, &s, h->err)) > 0) {
		if (count++ == 0)
			html_table(h, "", "Notes, bookmarks and verdicts that hold, oldest first",
				   "When|Who|What|Text|About");
		said_row(h, &s);
		rc = html_row(h);
	}
	rep_rows_close(r);
	if (count)
		html_table_end(h);
	else
		buf_lit(h->b, "<p>Nobody said anything.</p>\n");
	buf_lit(h->b, "</section>\n");
	return rc;
}
