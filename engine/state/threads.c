/* SPDX-License-Identifier: Apache-2.0 */
/* The table of threads and what one record holds. */
#include "engine/state/internal.h"

#include <string.h>

struct state_thread *state_thread_find(const struct state *st, int64_t tid)
{
	const struct state_thread *t = st->cache[(uint64_t)tid % STATE_CACHE];

	if (t && t->tid == tid)
		return (struct state_thread *)t;
	return map_get(&st->threads, (uint64_t)tid);
}

uint64_t state_threads(const struct state *st)
{
	return st->threads.count;
}

struct state_thread *state_thread_next(const struct state *st, size_t *at)
{
	struct map_slot *slot = map_next(&st->threads, at);

	return slot ? slot->value : NULL;
}

struct map_slot *state_threads_sorted(const struct state *st, size_t *count)
{
	struct map_slot *all = map_sorted_signed(&st->threads);

	*count = all ? st->threads.count : 0;
	return all;
}

bool state_threads_full(const struct state *st)
{
	return st->threads.count >= st->threads_max;
}

struct state_thread *state_thread_new(struct state *st, int64_t tid)
{
	struct state_thread *t = pool_zalloc(&st->pool, sizeof(*t));

	if (!t) {
		st->nomem = true;
		return NULL;
	}
	t->tid = tid;
	t->pid = t->ptid = t->vtid = t->vpid = t->sid = t->vpgid = t->pgid = -1;
	t->reaper_tid = -1;
	t->fdlimit = -1;
	t->uid = t->gid = t->loginuid = EV_NO_ID;
	t->flags = STATE_CL_NAME_CHANGED;
	t->lastevent_type = STATE_NO_TYPE;
	state_touch(st, t);
	return t;
}

void state_thread_drop_stored(struct state *st, struct state_thread *t)
{
	if (t->stored)
		pool_release(&st->pool, t->stored, t->stored->size);
	t->stored = NULL;
}

void state_thread_free(struct state *st, struct state_thread *t)
{
	struct state_str *texts[] = {t->comm, t->exe,	  t->exepath,	  t->cwd,
				     t->root, t->cmdline, t->container_id};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		state_str_unref(st, texts[i]);
	state_list_clear(st, &t->args);
	state_list_clear(st, &t->env);
	state_list_clear(st, &t->cgroups);
	state_thread_drop_stored(st, t);
	state_fds_free(st, t->fds);
	pool_release(&st->pool, t, sizeof(*t));
}

/* Tell the observer of @tid now, if that was still due. */
static void announce_if_due(struct state *st, const struct state_thread *t)
{
	for (unsigned i = 0; i < st->added_count; i++) {
		if (st->added[i] != t->tid)
			continue;
		st->added[i] = st->added[--st->added_count];
		st->observer.thread_added(st->observer.arg, st, t, st->current);
		return;
	}
}

void state_thread_retire(struct state *st, struct state_thread *t)
{
	if (st->observed) {
		announce_if_due(st, t);
		st->observer.thread_removed(st->observer.arg, st, t);
	}
	state_tree_unlink(st, t);
	state_thread_free(st, t);
}

void state_thread_erase(struct state *st, struct state_thread *t)
{
	struct state_thread **slot = &st->cache[(uint64_t)t->tid % STATE_CACHE];

	map_take(&st->threads, (uint64_t)t->tid);
	if (*slot == t)
		*slot = NULL;
	state_thread_retire(st, t);
}

bool state_thread_insert_take(struct state *st, struct state_thread *t, bool link)
{
	struct state_thread *old;

	if (state_threads_full(st)) {
		st->stats.threads_dropped++;
		state_thread_free(st, t);
		return false;
	}
	/* Link first: a replaced main thread must not leave its group empty in between. */
	old = map_get(&st->threads, (uint64_t)t->tid);
	if (link)
		state_tree_link(st, t);
	if (map_put(&st->threads, (uint64_t)t->tid, t) < 0) {
		st->nomem = true;
		state_tree_unlink(st, t);
		state_thread_free(st, t);
		return false;
	}
	st->cache[(uint64_t)t->tid % STATE_CACHE] = t;
	if (old)
		state_thread_retire(st, old);
	if (st->observed && st->phase == STATE_RUN) {
		if (st->added_count < STATE_ADDED_MAX)
			st->added[st->added_count++] = t->tid;
		else
			st->observer.thread_added(st->observer.arg, st, t, st->current);
	}
	return true;
}

struct state_thread *state_find_any(struct state *st, int64_t tid)
{
	struct state_thread *t = map_get(&st->threads, (uint64_t)tid);

	if (t)
		st->cache[(uint64_t)tid % STATE_CACHE] = t;
	return t;
}

struct state_thread *state_get(struct state *st, int64_t tid)
{
	struct state_thread *t = state_find(st, tid);

	if (LIKELY(t))
		return t;
	if (state_threads_full(st)) {
		st->stats.threads_dropped++;
		return NULL;
	}
	t = state_thread_new(st, tid);
	if (!t)
		return NULL;
	t->comm = state_str_new(st, SV_LIT("<NA>"));
	t->exe = state_str_ref(t->comm);
	t->cmdline = state_str_ref(t->comm);
	return state_thread_insert_take(st, t, false) ? t : NULL;
}

/* --- attributes with rules --- */

/* comm and the arguments, blanks between; nothing without comm. Shared with @like if it reads
 * alike. */
static void rebuild_cmdline(struct state *st, struct state_thread *t, struct state_str *like)
{
	struct state_str *old = t->cmdline;
	struct buf *b = &st->scratch;
	char *nul;
	size_t at;

	buf_reset(b);
	buf_sv(b, state_sv(t->comm));
	if (t->args.block)
		buf_char(b, ' ');
	at = b->len;
	buf_sv(b, state_sv(t->args.block));
	while (at < b->len && (nul = memchr(b->p + at, '\0', b->len - at))) {
		*nul = ' ';
		at = (size_t)(nul + 1 - b->p);
	}
	st->nomem |= st->scratch.failed;
	t->cmdline = state_str_like(st, buf_view(&st->scratch), like);
	state_str_unref(st, old);
}

void state_thread_set_comm(struct state *st, struct state_thread *t, struct sv comm,
			   const struct state_thread *like)
{
	struct state_str *new;

	if (sv_eq(state_sv(t->comm), comm))
		return;
	new = state_str_like(st, comm, like ? like->comm : NULL);
	state_str_unref(st, t->comm);
	t->comm = new;
	if (!t->cmdline_cached)
		rebuild_cmdline(st, t, like ? like->cmdline : NULL);
}

void state_thread_set_args(struct state *st, struct state_thread *t, struct sv args,
			   const struct state_thread *like)
{
	struct sv block = args;

	if (block.n && block.p[block.n - 1] == '\0')
		block.n--;
	if (like && like->args.block && sv_eq(state_sv(like->args.block), block))
		state_list_share(st, &t->args, &like->args);
	else
		state_list_set(st, &t->args, args);
	t->cmdline_cached = t->comm != NULL;
	rebuild_cmdline(st, t, like ? like->cmdline : NULL);
}

struct sv state_exepath(struct sv path)
{
	const struct sv deleted = SV_LIT(" (deleted)");

	if (path.n > deleted.n && sv_ends(path, deleted))
		path.n -= deleted.n;
	return path;
}

void state_thread_set_exepath(struct state *st, struct state_thread *t, struct sv path)
{
	state_str_set(st, &t->exepath, state_exepath(path));
}

/* A subsystem's name as fields spell it: without "_cgroup", and some under their longer name. */
static void add_subsystem(struct buf *b, struct sv name)
{
	static const char *const renamed[][2] = {
	    {"perf", "perf_event"},
	    {"mem", "memory"},
	    {"io", "blkio"},
	};
	const struct sv drop = SV_LIT("_cgroup");
	const char *at = memmem(name.p, name.n, drop.p, drop.n);
	size_t start = b->len;

	if (at) {
		buf_add(b, name.p, (size_t)(at - name.p));
		buf_sv(b, sv_drop(name, (size_t)(at - name.p) + drop.n));
	} else {
		buf_sv(b, name);
	}
	for (size_t i = 0; i < COUNT_OF(renamed); i++) {
		if (b->failed || !sv_is(sv_make(b->p + start, b->len - start), renamed[i][0]))
			continue;
		b->len = start;
		buf_str(b, renamed[i][1]);
		return;
	}
}

/* The normalised block in st->scratch; false if an element lacks its '='. */
static bool normalise_cgroups(struct state *st, struct sv block)
{
	struct buf *b = &st->scratch;

	buf_reset(b);
	if (block.n && block.p[block.n - 1] == '\0')
		block.n--;
	for (bool first = true;; first = false) {
		size_t n = strnlen(block.p, block.n);
		const char *eq = memchr(block.p, '=', n);

		if (!eq)
			return false;
		if (!first)
			buf_char(b, '\0');
		add_subsystem(b, sv_make(block.p, (size_t)(eq - block.p)));
		buf_add(b, eq, n - (size_t)(eq - block.p));
		if (n == block.n)
			break;
		block = sv_drop(block, n + 1);
	}
	st->nomem |= b->failed;
	return !b->failed;
}

void state_thread_set_cgroups(struct state *st, struct state_thread *t, struct sv block,
			      const struct state_thread *like)
{
	struct sv text;

	if (block.n == 0) {
		state_list_clear(st, &t->cgroups);
		return;
	}
	if (!normalise_cgroups(st, block))
		return;
	text = buf_view(&st->scratch);
	if (like && like->cgroups.block && sv_eq(state_sv(like->cgroups.block), text)) {
		state_list_share(st, &t->cgroups, &like->cgroups);
		return;
	}
	/* state_list_set() drops one final NUL: give it one, as the last path may be empty. */
	buf_char(&st->scratch, '\0');
	state_list_set(st, &t->cgroups, buf_view(&st->scratch));
}

void state_thread_update_cwd(struct state *st, struct state_thread *t, struct sv path)
{
	struct state_thread *main = state_main(t);
	char text[STATE_PATH_MAX + 1];
	char joined[STATE_PATH_MAX];
	struct sv cwd;

	if (!main)
		return;
	cwd = state_path_concat(joined, state_sv(t->cwd), path);
	memcpy(text, cwd.p, cwd.n);
	if (cwd.n == 0 || cwd.p[cwd.n - 1] != '/')
		text[cwd.n++] = '/';
	if (state_str_set(st, &main->cwd, sv_make(text, cwd.n)))
		state_touch(st, main);
}

/* --- what others ask of a thread --- */

struct sv state_thread_cwd(const struct state_thread *t)
{
	const struct state_thread *main = state_main(t);

	return main ? state_sv(main->cwd) : SV_LIT("./");
}

struct sv state_thread_cmdline(const struct state_thread *t)
{
	return state_sv(t->cmdline);
}

static struct sv strip_blanks(struct sv s)
{
	while (s.n && s.p[0] == ' ')
		s = sv_drop(s, 1);
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

bool state_thread_env(const struct state_thread *t, struct sv name, struct sv *value)
{
	const struct state_thread *main = state_main(t);
	const struct state_list *env = main ? &main->env : &t->env;
	struct sv item;

	for (size_t at = 0; state_list_next(env, &at, &item);) {
		if (item.n < name.n + 2 || item.p[name.n] != '=' || !sv_starts(item, name))
			continue;
		*value = strip_blanks(sv_drop(item, name.n + 1));
		return true;
	}
	return false;
}

bool state_thread_cgroup(const struct state_thread *t, struct sv subsys, struct sv *path)
{
	struct sv item;

	for (size_t at = 0; state_list_next(&t->cgroups, &at, &item);) {
		if (item.n <= subsys.n || item.p[subsys.n] != '=' || !sv_starts(item, subsys))
			continue;
		*path = sv_drop(item, subsys.n + 1);
		return true;
	}
	return false;
}
