/* SPDX-License-Identifier: Apache-2.0 */
/* scapula fds: open descriptors at a moment. */
#include <stdlib.h>
#include <string.h>

#include "cli/views.h"
#include "engine/activity/net.h"

static const struct cli_option fds_options[] = {
    VIEW_OPTION_AT,
    VIEW_OPTION_FORMAT,
    {OPT_PID, "pid", "N", "of process N only"},
    {'F', "filter", "CONDITION", "descriptors that pass (fd., proc., user., container. fields)"},
    VIEW_OPTION_NO_CONTAINERS,
    CLI_OPTION_NO_INDEX,
    {0, NULL, NULL, NULL},
};

static const char *const fds_examples[] = {
    "fds capture.scap",
    "fds --at +1s -F 'fd.type = ipv4' capture.scap",
    "fds -F 'proc.name = curl' -f csv capture.scap",
    NULL,
};

enum {
	COL_CAPTURE,
	COL_NAME,
	COL_PID,
	COL_USER,
	COL_UID,
	COL_CONTAINER,
	COL_CONTAINER_ID,
	COL_FD_TEXT,
	COL_KIND,
	COL_FD,
	COL_TYPE,
	COL_MODE,
	COL_FLAGS,
	COL_DEVICE,
	COL_INODE,
	COL_PROTO,
	COL_STATE,
	COL_LOCAL_IP,
	COL_LOCAL_PORT,
	COL_REMOTE_IP,
	COL_REMOTE_PORT,
	COL_TARGET,
	COL_SOCKET,
	COL_PATH,
};

static const struct table_column fds_columns[] = {
    [COL_CAPTURE] = {"capture", "CAPTURE", TABLE_STRING, IN_DATA, 0},
    [COL_NAME] = {"name", "COMMAND", TABLE_STRING, IN_ALL, 0},
    [COL_PID] = {"pid", "PID", TABLE_NUMBER, IN_ALL, 0},
    [COL_USER] = {"user", "USER", TABLE_STRING, IN_ALL, 3},
    [COL_UID] = {"uid", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_CONTAINER] = {"container", "", TABLE_STRING, IN_DATA, 0},
    [COL_CONTAINER_ID] = {"container_id", "", TABLE_STRING, IN_DATA, 0},
    [COL_FD_TEXT] = {"fd_text", "FD", TABLE_NUMBER, IN_TEXT, 0},
    [COL_KIND] = {"kind", "", TABLE_STRING, IN_DATA, 0},
    [COL_FD] = {"fd", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_TYPE] = {"type", "TYPE", TABLE_STRING, IN_ALL, 0},
    [COL_MODE] = {"mode", "MODE", TABLE_STRING, IN_ALL, 0},
    [COL_FLAGS] = {"flags", "", TABLE_STRING, IN_DATA, 0},
    [COL_DEVICE] = {"device", "DEVICE", TABLE_STRING, IN_ALL, 2},
    [COL_INODE] = {"inode", "INODE", TABLE_NUMBER, IN_ALL, 1},
    [COL_PROTO] = {"proto", "", TABLE_STRING, IN_DATA, 0},
    [COL_STATE] = {"state", "", TABLE_STRING, IN_DATA, 0},
    [COL_LOCAL_IP] = {"local_ip", "", TABLE_STRING, IN_DATA, 0},
    [COL_LOCAL_PORT] = {"local_port", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_REMOTE_IP] = {"remote_ip", "", TABLE_STRING, IN_DATA, 0},
    [COL_REMOTE_PORT] = {"remote_port", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_TARGET] = {"target_pid", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_SOCKET] = {"socket_id", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_PATH] = {"path", "NAME", TABLE_STRING, IN_ALL, 0},
    {NULL, NULL, 0, 0, 0},
};

struct fds {
	struct view view;
	size_t shown;
};

static int take_option(void *arg, int id, const char *value)
{
	struct fds *o = arg;
	int rc = view_take(&o->view, id, value);

	return rc >= 0 ? rc : CLI_USAGE;
}

/* --- a row --- */

static bool has_open_flags(const struct state_fd *fd)
{
	return state_fd_is_file(fd) || fd->type == EV_FD_DIRECTORY;
}

static void open_cells(struct fds *o, const struct state_fd *fd)
{
	struct buf *b = &o->view.scratch;
	const char *mode = state_fd_mode(fd);

	if (!has_open_flags(fd))
		return;
	if (mode)
		table_trusted(o->view.table, COL_MODE, sv_of(mode));
	if (!fd->openflags)
		return;
	buf_reset(b);
	act_open_flags_text(b, fd->openflags);
	table_trusted(o->view.table, COL_FLAGS, buf_view(b));
}

static void end_cells(struct fds *o, unsigned ip, unsigned port, const struct act_conn *c,
		      const struct act_end *e)
{
	struct buf *b = &o->view.scratch;

	if (!e->known || c->family == ACT_UNIX)
		return;
	buf_reset(b);
	act_ip_text(b, c->family, e);
	table_string(o->view.table, ip, buf_view(b));
	if (e->port)
		table_u64(o->view.table, port, e->port);
}

static void socket_cells(struct fds *o, const struct state_fd *fd, const struct act_conn *c)
{
	struct table *t = o->view.table;
	struct buf *b = &o->view.scratch;

	table_trusted(t, COL_PROTO, sv_of(act_net_proto_name(c)));
	table_trusted(t, COL_STATE, sv_of(act_net_state_name(c->state)));
	table_u64(t, COL_SOCKET, c->id);
	end_cells(o, COL_LOCAL_IP, COL_LOCAL_PORT, c, &c->local);
	end_cells(o, COL_REMOTE_IP, COL_REMOTE_PORT, c, &c->remote);
	if (o->view.format != TABLE_TEXT) {
		table_string(t, COL_PATH, c->family == ACT_UNIX ? c->path : state_sv(fd->name));
		return;
	}
	buf_reset(b);
	act_socket_text(b, c);
	table_string(t, COL_PATH, buf_view(b));
}

static void name_cell(struct fds *o, const struct state_fd *fd)
{
	const struct act_conn *c = act_net_of_fd(o->view.net, fd);
	struct sv name = state_sv(fd->name);

	if (c) {
		socket_cells(o, fd, c);
		return;
	}
	if (fd->type == EV_FD_PIDFD && fd->pid > 0)
		table_i64(o->view.table, COL_TARGET, fd->pid);
	table_text(o->view.table, COL_PATH, name);
}

static void process_cells(struct fds *o, struct cli_walk *w, const struct state_thread *t)
{
	struct table *table = o->view.table;
	struct buf *b = &o->view.scratch;
	struct sv id = state_sv(t->container_id);

	table_string(table, COL_CAPTURE, sv_of(o->view.path));
	table_string(table, COL_NAME, state_sv(t->comm));
	table_i64(table, COL_PID, act_pid(t));
	if (t->uid != EV_NO_ID) {
		buf_reset(b);
		act_user_text(b, w->state, t->container_id, t->uid);
		table_string(table, COL_USER, buf_view(b));
		table_u64(table, COL_UID, t->uid);
	}
	if (!id.n)
		return;
	table_string(table, COL_CONTAINER_ID, id);
	table_string(table, COL_CONTAINER, act_container_name(w->state, id));
}

static void fd_row(struct fds *o, struct cli_walk *w, const struct state_thread *t,
		   const struct state_fd *fd)
{
	struct table *table = o->view.table;
	const char *type = state_fd_typename(fd);
	struct buf *b = &o->view.scratch;

	process_cells(o, w, t);
	table_i64(table, COL_FD_TEXT, fd->num);
	table_trusted(table, COL_KIND, SV_LIT("fd"));
	table_i64(table, COL_FD, fd->num);
	if (strcmp(type, "<NA>") != 0)
		table_trusted(table, COL_TYPE, sv_of(type));
	open_cells(o, fd);
	if (fd->dev) {
		buf_reset(b);
		buf_addf(b, "%u:%u", state_dev_major(fd->dev), state_dev_minor(fd->dev));
		table_trusted(table, COL_DEVICE, buf_view(b));
	}
	if (fd->ino)
		table_u64(table, COL_INODE, fd->ino);
	name_cell(o, fd);
	table_end_row(table);
	o->shown++;
}

/* What a process holds without a descriptor: its directory, its root, its image. */
static void place_row(struct fds *o, struct cli_walk *w, const struct state_thread *t,
		      const char *fd, const char *type, struct sv path, uint64_t ino)
{
	if (!path.n)
		return;
	process_cells(o, w, t);
	table_trusted(o->view.table, COL_FD_TEXT, sv_of(fd));
	table_trusted(o->view.table, COL_KIND, sv_of(fd));
	table_trusted(o->view.table, COL_TYPE, sv_of(type));
	if (ino)
		table_u64(o->view.table, COL_INODE, ino);
	table_string(o->view.table, COL_PATH, path);
	table_end_row(o->view.table);
}

static void process_rows(struct fds *o, struct cli_walk *w, struct state_thread *t)
{
	bool known = !state_thread_is_invalid(t);
	struct state_fd *fd;

	if (known && view_match(&o->view, w, t, NULL)) {
		place_row(o, w, t, "cwd", "directory", act_directory(state_thread_cwd(t)), 0);
		if (!sv_is(state_sv(t->root), "/"))
			place_row(o, w, t, "rtd", "directory", state_sv(t->root), 0);
		place_row(o, w, t, "txt", "file", state_sv(t->exepath), t->exe_ino);
	}
	for (size_t at = 0; (fd = state_fd_next(t, &at));)
		if (view_match(&o->view, w, t, fd))
			fd_row(o, w, t, fd);
}

static int by_pid(const void *a, const void *b)
{
	const struct state_thread *const *x = a, *const *y = b;

	return ((*x)->tid > (*y)->tid) - ((*x)->tid < (*y)->tid);
}

static void show(void *arg, struct cli_walk *w)
{
	struct fds *o = arg;
	size_t max = state_threads(w->state), n = 0;
	struct state_thread **all = calloc(max + 1, sizeof(struct state_thread *));
	struct state_thread *t;
	char what[64];

	if (!all) {
		view_out_of_memory(&o->view);
		return;
	}
	for (size_t at = 0; n < max && (t = state_thread_next(w->state, &at));)
		if ((state_thread_is_main(t) || state_thread_is_invalid(t)) &&
		    (o->view.pid < 0 || act_pid(t) == o->view.pid))
			all[n++] = t;
	qsort(all, n, sizeof(struct state_thread *), by_pid);
	o->shown = 0;
	for (size_t i = 0; i < n; i++)
		process_rows(o, w, all[i]);
	free(all);
	snprintf(what, sizeof(what), "%zu descriptor%s", o->shown, o->shown == 1 ? "" : "s");
	view_heading(&o->view, w, what);
}

int cmd_fds(int argc, char **argv)
{
	static const struct act_net_options sockets = {.unix_sockets = true, .drop_closed = true};
	struct fds o = {.view = {.columns = fds_columns,
				 .filter_classes = "fd proc thread user group container k8s",
				 .pid = -1,
				 .sockets = &sockets,
				 .show = show}};
	const struct cli_parser parser = {"fds", fds_options, fds_examples, take_option, &o};

	return view_main(&o.view, &parser, argc, argv);
}
