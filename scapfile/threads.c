/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of process lists, versions 1 to 9 (scap format, "Process list"). */
#include "scapfile/internal.h"

#define OLD_TAIL_SIZE                                                                              \
	29 /* up to so many bytes behind the root directory are the tail of libs before 0.10 */

static struct sv path(struct sf_list *l, struct cursor *c)
{
	return sf_list_text(l, c, SF_PATH_MAX, "process with a name or path over 1024 bytes");
}

/* NUL-terminated strings back to back; writers may leave the last NUL out, readers of ours may rely
 * on it. */
static struct sv strings(struct sf_list *l, struct cursor *c, unsigned slot)
{
	struct sv s = sf_list_text(
	    l, c, SF_STRINGS_MAX, "process with arguments, environment or cgroups over 4096 bytes");

	if (s.n == 0 || s.n > SF_STRINGS_MAX || s.p[s.n - 1] == '\0')
		return s;
	memcpy(l->terminated[slot], s.p, s.n);
	l->terminated[slot][s.n] = '\0';
	return sv_make(l->terminated[slot], s.n + 1);
}

/* Fields of a tail are there if they fit, each for itself; others keep their defaults. */
static void tail_u64(struct cursor *c, uint64_t *to)
{
	if (c->left >= 8)
		*to = cursor_u64(c);
}

static void tail_u32(struct cursor *c, uint32_t *to)
{
	if (c->left >= 4)
		*to = cursor_u32(c);
}

static void tail_bool(struct cursor *c, bool *to)
{
	if (c->left >= 1)
		*to = cursor_u8(c) != 0;
}

static void parse_tail(struct ev_thread_entry *t, struct cursor *c)
{
	uint64_t pgid = (uint64_t)t->pgid;
	bool current = c->left > OLD_TAIL_SIZE;

	if (current) {
		tail_u64(c, &t->pidns_init_start_ts);
		tail_u32(c, &t->tty);
	}
	tail_u32(c, &t->loginuid);
	tail_bool(c, &t->exe_writable);
	tail_u64(c, &t->cap_inheritable);
	tail_u64(c, &t->cap_permitted);
	tail_u64(c, &t->cap_effective);
	if (!current)
		return;
	tail_bool(c, &t->exe_upper_layer);
	tail_u64(c, &t->exe_ino);
	tail_u64(c, &t->exe_ino_ctime);
	tail_u64(c, &t->exe_ino_mtime);
	tail_bool(c, &t->exe_from_memfd);
	tail_bool(c, &t->exe_lower_layer);
	tail_u64(c, &pgid);
	t->pgid = (int64_t)pgid;
}

void sf_parse_thread(struct sf_list *l, struct cursor *c)
{
	unsigned version = l->info->version;
	struct ev_thread_entry *t = &l->thread;

	*t = (struct ev_thread_entry){
	    .sid = -1, .vpgid = -1, .pgid = -1, .vtid = -1, .vpid = -1, .loginuid = EV_NO_ID};
	t->tid = (int64_t)cursor_u64(c);
	t->pid = (int64_t)cursor_u64(c);
	t->ptid = (int64_t)cursor_u64(c);
	if (version >= 6)
		t->sid = (int64_t)cursor_u64(c);
	if (version >= 8)
		t->vpgid = (int64_t)cursor_u64(c);
	t->comm = path(l, c);
	t->exe = path(l, c);
	if (version >= 7)
		t->exepath = path(l, c);
	t->args = strings(l, c, 0);
	t->cwd = path(l, c);
	t->fdlimit = (int64_t)cursor_u64(c);
	t->flags = cursor_u32(c);
	t->uid = cursor_u32(c);
	t->gid = cursor_u32(c);
	if (version >= 2) {
		t->vmsize_kb = cursor_u32(c);
		t->vmrss_kb = cursor_u32(c);
		t->vmswap_kb = cursor_u32(c);
		t->pfmajor = cursor_u64(c);
		t->pfminor = cursor_u64(c);
	}
	if (version >= 3)
		t->env = strings(l, c, 1);
	if (version >= 4) {
		t->vtid = (int64_t)cursor_u64(c);
		t->vpid = (int64_t)cursor_u64(c);
		t->cgroups = strings(l, c, 2);
	}
	if (version >= 5)
		t->root = path(l, c);
	if (version >= 9)
		parse_tail(t, c);
}
