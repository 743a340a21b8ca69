/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks before the events: machine, interfaces, users, threads and their fds, in the versions
 * today's writers use. Each entry is measured before it is written, so that one that does not fit
 * leaves no trace.
 */
#include "scapfile/writing.h"

#define THREAD_FIXED   200u /* bytes of an entry without its texts, all tail fields included */
#define LIST_HEAD      16u  /* type, length, and the thread of an fd list */
#define BLOCK_TAIL     7u   /* padding and trailing length */
#define INTERFACE_IPV4 1
#define INTERFACE_IPV6 2
#define KIND_USER      0
#define KIND_GROUP     1

static struct sv cut(struct sv s, size_t max)
{
	return s.n > max ? sv_make(s.p, max) : s;
}

/*
 * Strings over the limit: the last one is cut and ends in NUL like the others. One byte too many
 * that is the last NUL is merely left out, as the format allows.
 */
static struct sv cut_strings(struct sv s, size_t *nul)
{
	*nul = 0;
	if (s.n <= SF_STRINGS_MAX)
		return s;
	if (s.n == SF_STRINGS_MAX + 1 && s.p[SF_STRINGS_MAX] == '\0')
		return sv_make(s.p, SF_STRINGS_MAX);
	*nul = 1;
	return sv_make(s.p, SF_STRINGS_MAX - 1);
}

static uint8_t *put_text(uint8_t *p, struct sv s)
{
	return put_bytes(put_u16(p, (unsigned)s.n), s.p, s.n);
}

static uint8_t *put_strings(uint8_t *p, struct sv s)
{
	size_t nul;

	s = cut_strings(s, &nul);
	p = put_bytes(put_u16(p, (unsigned)(s.n + nul)), s.p, s.n);
	return nul ? put_u8(p, 0) : p;
}

int sf_writer_begin_list(struct sf_writer *w, uint32_t type, int64_t tid, size_t n,
			 struct error *err)
{
	uint8_t *p;
	int rc;

	if (w->rc < 0)
		return sf_writer_failed(w, err);
	if (w->in_events)
		return error_set(err, ERR_USAGE,
				 "block type 0x%x behind the first event of a section", type);
	rc = sf_writer_end_list(w, err);
	if (rc >= 0)
		rc = sf_writer_room(w, LIST_HEAD + n + BLOCK_TAIL, err);
	if (rc < 0)
		return rc;
	w->has_contents = true;
	w->open_type = type;
	w->open_tid = tid;
	w->open_at = w->frame.len;
	p = put_u32(w->frame.p + w->frame.len, type);
	p = put_u32(p, 0); /* the length, when it is known */
	if (type == SF_FDL_V2)
		p = put_u64(p, (uint64_t)tid);
	w->frame.len = (size_t)(p - w->frame.p);
	return 0;
}

/* Room for an entry of at most @n bytes in a list of @type, in the open block if it is one.
 * Return: where it goes through *to; 0, or ERR_*. */
static int begin_entry(struct sf_writer *w, uint32_t type, int64_t tid, size_t n, uint8_t **to,
		       struct error *err)
{
	size_t len = w->open_type ? w->frame.len - w->open_at : 0;
	int rc;

	if (w->rc < 0)
		return sf_writer_failed(w, err);
	if (w->open_type != type || (type == SF_FDL_V2 && w->open_tid != tid) ||
	    (sf_writer_splits(type) && len + n > SF_LIST_SPLIT)) {
		rc = sf_writer_begin_list(w, type, tid, n, err);
		if (rc < 0)
			return rc;
	} else if (len + n > SF_LIST_MAX) {
		return error_set(err, ERR_LIMIT, "list block type 0x%x over %u bytes", type,
				 SF_LIST_MAX);
	}
	rc = sf_writer_room(w, n + BLOCK_TAIL, err);
	*to = w->frame.p + w->frame.len;
	return rc;
}

/* The entry from the frame's end to @end is complete; its length counts itself or does not. */
static void end_entry(struct sf_writer *w, uint8_t *end, bool counts_itself)
{
	uint8_t *begin = w->frame.p + w->frame.len;

	put_u32(begin, (uint32_t)(end - begin - (counts_itself ? 0 : 4)));
	w->frame.len = (size_t)(end - w->frame.p);
}

int sf_writer_machine(struct sf_writer *w, const struct ev_machine *m, struct error *err)
{
	struct sv host = cut(m->hostname, SF_HOSTNAME_SIZE);
	uint8_t *p;
	int rc = sf_writer_begin_list(w, SF_MI, 0, SF_MACHINE_SIZE, err);

	if (rc < 0)
		return rc;
	p = put_u32(w->frame.p + w->frame.len, m->num_cpus);
	p = put_u64(p, m->memory_bytes);
	p = put_u64(p, m->max_pid);
	memset(p, 0, SF_HOSTNAME_SIZE);
	put_bytes(p, host.p, host.n);
	p = put_u64(p + SF_HOSTNAME_SIZE, m->boot_ts);
	memset(p, 0, 24); /* flags, of which none is defined, and two reserved words */
	w->frame.len += SF_MACHINE_SIZE;
	return sf_writer_end_list(w, err);
}

int sf_writer_interface(struct sf_writer *w, const struct ev_interface *i, struct error *err)
{
	struct sv name = cut(i->name, SF_INTERFACE_MAX);
	size_t width = i->ipv6 ? 16 : 4;
	uint8_t *p;
	int rc = begin_entry(w, SF_IL_V2, 0, 8 + 3 * width + 8 + name.n, &p, err);

	if (rc < 0)
		return rc;
	p = put_u16(p + 4, i->ipv6 ? INTERFACE_IPV6 : INTERFACE_IPV4);
	p = put_u16(p, (unsigned)name.n);
	p = put_bytes(p, i->addr, width);
	p = put_bytes(p, i->netmask, width);
	p = put_bytes(p, i->bcast, width);
	p = put_u64(p, i->linkspeed);
	end_entry(w, put_bytes(p, name.p, name.n), false);
	return 0;
}

int sf_writer_user(struct sf_writer *w, const struct ev_user *u, struct error *err)
{
	uint8_t *p;
	int rc = begin_entry(w, SF_UL_V2, 0, 13 + 3 * (2 + SF_USER_MAX), &p, err);

	if (rc < 0)
		return rc;
	p = put_u8(p + 4, KIND_USER);
	p = put_u32(p, u->uid);
	p = put_u32(p, u->gid);
	p = put_text(p, cut(u->name, SF_USER_MAX));
	p = put_text(p, cut(u->home, SF_USER_MAX));
	end_entry(w, put_text(p, cut(u->shell, SF_USER_MAX)), true);
	return 0;
}

int sf_writer_group(struct sf_writer *w, const struct ev_user *g, struct error *err)
{
	uint8_t *p;
	int rc = begin_entry(w, SF_UL_V2, 0, 9 + 2 + SF_USER_MAX, &p, err);

	if (rc < 0)
		return rc;
	p = put_u8(p + 4, KIND_GROUP);
	p = put_u32(p, g->gid);
	end_entry(w, put_text(p, cut(g->name, SF_USER_MAX)), true);
	return 0;
}

static uint8_t *put_thread_tail(uint8_t *p, const struct ev_thread_entry *t)
{
	p = put_u64(p, t->pidns_init_start_ts);
	p = put_u32(p, t->tty);
	p = put_u32(p, t->loginuid);
	p = put_u8(p, t->exe_writable);
	p = put_u64(p, t->cap_inheritable);
	p = put_u64(p, t->cap_permitted);
	p = put_u64(p, t->cap_effective);
	p = put_u8(p, t->exe_upper_layer);
	p = put_u64(p, t->exe_ino);
	p = put_u64(p, t->exe_ino_ctime);
	p = put_u64(p, t->exe_ino_mtime);
	p = put_u8(p, t->exe_from_memfd);
	p = put_u8(p, t->exe_lower_layer);
	return put_u64(p, (uint64_t)t->pgid);
}

static uint8_t *put_thread(uint8_t *p, const struct ev_thread_entry *t)
{
	p = put_u64(p, (uint64_t)t->tid);
	p = put_u64(p, (uint64_t)t->pid);
	p = put_u64(p, (uint64_t)t->ptid);
	p = put_u64(p, (uint64_t)t->sid);
	p = put_u64(p, (uint64_t)t->vpgid);
	p = put_text(p, cut(t->comm, SF_PATH_MAX));
	p = put_text(p, cut(t->exe, SF_PATH_MAX));
	p = put_text(p, cut(t->exepath, SF_PATH_MAX));
	p = put_strings(p, t->args);
	p = put_text(p, cut(t->cwd, SF_PATH_MAX));
	p = put_u64(p, (uint64_t)t->fdlimit);
	p = put_u32(p, t->flags);
	p = put_u32(p, t->uid);
	p = put_u32(p, t->gid);
	p = put_u32(p, t->vmsize_kb);
	p = put_u32(p, t->vmrss_kb);
	p = put_u32(p, t->vmswap_kb);
	p = put_u64(p, t->pfmajor);
	p = put_u64(p, t->pfminor);
	p = put_strings(p, t->env);
	p = put_u64(p, (uint64_t)t->vtid);
	p = put_u64(p, (uint64_t)t->vpid);
	p = put_strings(p, t->cgroups);
	p = put_text(p, cut(t->root, SF_PATH_MAX));
	return put_thread_tail(p, t);
}

int sf_writer_thread(struct sf_writer *w, const struct ev_thread_entry *t, struct error *err)
{
	size_t most = THREAD_FIXED + 5 * SF_PATH_MAX + 3 * SF_STRINGS_MAX;
	uint8_t *p;
	int rc = begin_entry(w, SF_PL_V9, 0, most, &p, err);

	if (rc < 0)
		return rc;
	end_entry(w, put_thread(p + 4, t), true);
	return 0;
}

static uint8_t *put_socket(uint8_t *p, const struct ev_fd_entry *fd, size_t width)
{
	p = put_bytes(p, fd->sip, width);
	p = put_bytes(p, fd->dip, width);
	p = put_u16(p, fd->sport);
	p = put_u16(p, fd->dport);
	return put_u8(p, fd->l4proto);
}

static uint8_t *put_server(uint8_t *p, const struct ev_fd_entry *fd, size_t width)
{
	p = put_bytes(p, fd->sip, width);
	p = put_u16(p, fd->sport);
	return put_u8(p, fd->l4proto);
}

/* What follows the type of an fd. */
static uint8_t *put_fd(uint8_t *p, const struct ev_fd_entry *fd)
{
	struct sv name = cut(fd->name, SF_FD_NAME_MAX);

	switch (fd->type) {
	case EV_FD_UNKNOWN:
		return p;
	case EV_FD_IPV4_SOCK:
		return put_socket(p, fd, 4);
	case EV_FD_IPV6_SOCK:
		return put_socket(p, fd, 16);
	case EV_FD_IPV4_SERVSOCK:
		return put_server(p, fd, 4);
	case EV_FD_IPV6_SERVSOCK:
		return put_server(p, fd, 16);
	case EV_FD_UNIX_SOCK:
		p = put_u64(p, fd->unix_source);
		p = put_u64(p, fd->unix_dest);
		return put_text(p, name);
	case EV_FD_FILE_V2:
		p = put_text(put_u32(p, fd->openflags), name);
		return put_u32(p, fd->dev);
	default:
		return put_text(p, name);
	}
}

int sf_writer_fd_table(struct sf_writer *w, int64_t tid, struct error *err)
{
	return sf_writer_begin_list(w, SF_FDL_V2, tid, 0, err);
}

int sf_writer_fd(struct sf_writer *w, const struct ev_fd_entry *fd, struct error *err)
{
	uint8_t *p;
	int rc;

	if (fd->type == EV_FD_UNINITIALIZED)
		return w->rc < 0 ? sf_writer_failed(w, err) : 0;
	if (fd->type < 0 || fd->type > EV_FD_PIDFD)
		return error_set(err, ERR_USAGE, "file of type %d, which the format does not have",
				 fd->type);
	rc = begin_entry(w, SF_FDL_V2, fd->tid, 64 + SF_FD_NAME_MAX, &p, err);
	if (rc < 0)
		return rc;
	p = put_u64(p + 4, (uint64_t)fd->fd);
	p = put_u64(p, fd->ino);
	p = put_u8(p, (unsigned)fd->type);
	end_entry(w, put_fd(p, fd), true);
	return 0;
}
