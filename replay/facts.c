/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/facts.h"

#include <stdlib.h>
#include <string.h>

const struct run_capability_info run_capabilities[RUN_CAPABILITIES] = {
#define CAPABILITY(sym, na, par, list, count, fi, wh)                                              \
	[RUN_CAPABILITY_##sym] = {.name = (na), .fields = (fi), .what = (wh), .param = (par)},
#include "replay/capabilities.def"
#undef CAPABILITY
};

void run_facts_init(struct run_facts *f)
{
	*f = (struct run_facts){.to_sample = RUN_FACTS_SAMPLE};
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		if (ev_type_is_exit(type) && ev_param_index(type, "data") > 0)
			f->closer[type] = (int8_t)ev_param_index(type, "data");
	f->closer[EV_EXECVE_19_X] = f->closer[EV_EXECVEAT_X] = RUN_FACTS_EXEC;
	for (unsigned i = 0; i < RUN_CAPABILITIES; i++)
		f->exec_param[i] =
		    (int8_t)ev_param_index(EV_EXECVE_19_X, run_capabilities[i].param);
}

void run_facts_done(struct run_facts *f)
{
	free(f->containers);
	free(f->people);
	free(f->comments);
	free(f->gaps);
	smap_done(&f->known_containers);
	map_done(&f->known_users);
	arena_done(&f->arena);
	*f = (struct run_facts){0};
}

/* Room for one more in an array that doubles. */
static bool room(struct run_facts *f, void *array, size_t count, size_t size)
{
	void **at = array, *more;

	if (count & (count - 1)) /* no power of two: there is some */
		return true;
	more = reallocarray(*at, count ? 2 * count : 1, size);
	if (more)
		*at = more;
	f->nomem |= !more;
	return more != NULL;
}

static struct sv keep(struct run_facts *f, struct sv s)
{
	struct sv kept = s.n ? arena_sv(&f->arena, s) : SV_LIT("");

	f->nomem |= !kept.p;
	return kept;
}

/* ---- who and where ---- */

static void note_user(struct run_facts *f, uint32_t uid)
{
	if (uid == EV_NO_ID || map_get(&f->known_users, uid))
		return;
	if (f->people_count == RUN_FACTS_USERS_MAX) {
		f->people_more++;
		return;
	}
	if (map_put(&f->known_users, uid, f) < 0 ||
	    !room(f, &f->people, f->people_count, sizeof(*f->people))) {
		f->nomem = true;
		return;
	}
	f->people[f->people_count++] = (struct run_fact_user){.uid = uid};
}

static void note_container(struct run_facts *f, struct sv id)
{
	struct sv kept;

	if (!id.n || smap_get(&f->known_containers, id))
		return;
	if (f->container_count == RUN_FACTS_CONTAINERS_MAX) {
		f->containers_more++;
		return;
	}
	kept = keep(f, id);
	if (!kept.p || smap_put(&f->known_containers, kept, f) < 0 ||
	    !room(f, &f->containers, f->container_count, sizeof(*f->containers))) {
		f->nomem = true;
		return;
	}
	f->containers[f->container_count++] = (struct run_fact_container){.id = kept};
}

static void note_thread(struct run_facts *f, const struct state_thread *t)
{
	note_user(f, t->uid);
	note_container(f, state_sv(t->container_id));
}

static void note_all_threads(struct run_facts *f, const struct state *st)
{
	const struct state_thread *t;

	for (size_t at = 0; (t = state_thread_next(st, &at));)
		if (!state_thread_is_invalid(t))
			note_thread(f, t);
}

/* ---- what comes ---- */

static void note_listed(struct run_facts *f, const struct ev_thread_entry *e)
{
	f->threads++;
	f->processes += e->tid == e->pid;
#define CAPABILITY(sym, na, par, list, count, fi, wh)                                              \
	f->capabilities[RUN_CAPABILITY_##sym].of += sizeof(#list) > 2;                             \
	f->capabilities[RUN_CAPABILITY_##sym].have += (list);
#include "replay/capabilities.def"
#undef CAPABILITY
}

static void note_loss(struct run_losses *l, const struct ev_loss *loss)
{
	uint64_t named = 0;

	if (!l->records || loss->from < l->from)
		l->from = loss->from;
	if (loss->to > l->to)
		l->to = loss->to;
	l->records++;
	l->events += loss->count;
	l->by_reason[loss->reason < EV_LOSS_REASONS ? loss->reason : EV_LOSS_UNKNOWN] +=
	    loss->count;
	for (unsigned i = 0; i < loss->nkinds; i++) {
		if (loss->kinds[i].type >= EV_TYPE_COUNT)
			continue;
		l->by_type[loss->kinds[i].type] += loss->kinds[i].count;
		named += loss->kinds[i].count;
	}
	if (loss->count > named)
		l->of_other_types += loss->count - named;
}

void run_facts_item(struct run_facts *f, const struct ev_item *item)
{
	switch (item->kind) {
	case EV_ITEM_THREAD:
		note_listed(f, item->thread);
		break;
	case EV_ITEM_FD:
		f->fds++;
		break;
	case EV_ITEM_INTERFACE:
		f->interfaces++;
		break;
	case EV_ITEM_USER:
		f->users++;
		break;
	case EV_ITEM_GROUP:
		f->groups++;
		break;
	case EV_ITEM_LOSS:
		note_loss(&f->losses, item->loss);
		break;
	default:
		break;
	}
}

static void note_exec(struct run_facts *f, const struct state_binding *b)
{
	int64_t ret;

	if (!ev_return_value(b->ev, &ret) || ret != 0)
		return;
	for (unsigned i = 0; i < RUN_CAPABILITIES; i++) {
		if (f->exec_param[i] < 0)
			continue;
		f->capabilities[i].of++;
		f->capabilities[i].have += ev_param(b->ev, (unsigned)f->exec_param[i]).n > 0;
	}
	if (b->thread)
		note_thread(f, b->thread);
}

void run_facts_buffer(struct run_facts *f, size_t n, int64_t ret)
{
	f->to_sample = RUN_FACTS_SAMPLE;
	if (ret <= 0)
		return;
	f->buffers++;
	f->buffers_cut += n < (uint64_t)ret;
	if (n > f->buffer_max)
		f->buffer_max = n;
}

static void note_buffer(struct run_facts *f, struct ev *ev, unsigned param)
{
	int64_t ret = 0;

	ev_return_value(ev, &ret);
	run_facts_buffer(f, ev_param(ev, param).n, ret);
}

void run_facts_begin(struct run_facts *f, const struct state *st)
{
	f->began = state_is_complete(st);
	if (f->began)
		note_all_threads(f, st);
}

void run_facts_step_back(struct run_facts *f, unsigned type, uint64_t ts)
{
	uint64_t back = f->last_ts - ts;

	if (ts == UINT64_MAX || ev_table[type].category & EC_METAEVENT)
		return;
	f->last_ts = ts;
	if (back < RUN_FACTS_STEP_NS)
		return;
	f->steps++;
	if (back > f->step_max)
		f->step_max = back;
}

void run_facts_look(struct run_facts *f, const struct state_binding *b)
{
	int8_t closer = f->closer[b->ev->type];

	if (closer == RUN_FACTS_EXEC)
		note_exec(f, b);
	else
		note_buffer(f, b->ev, (unsigned)closer);
}

/* ---- the end ---- */

static int by_uid(const void *a, const void *b)
{
	const struct run_fact_user *x = a, *y = b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

static int by_id(const void *a, const void *b)
{
	const struct run_fact_container *x = a, *y = b;
	size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;
	int cmp = memcmp(x->id.p, y->id.p, n);

	return cmp ? cmp : (x->id.n > y->id.n) - (x->id.n < y->id.n);
}

static void name_people(struct run_facts *f, const struct state *st)
{
	if (f->people_count)
		qsort(f->people, f->people_count, sizeof(*f->people), by_uid);
	for (size_t i = 0; i < f->people_count; i++) {
		const struct state_user *u = state_user_find(st, NULL, f->people[i].uid);

		f->people[i].name = keep(f, u ? state_sv(u->name) : SV_LIT(""));
	}
}

static void describe_containers(struct run_facts *f, const struct state *st)
{
	const struct state_container *c;

	for (size_t at = 0; (c = state_container_next(st, &at));)
		note_container(f, state_sv(c->id));
	if (f->container_count)
		qsort(f->containers, f->container_count, sizeof(*f->containers), by_id);
	for (size_t i = 0; i < f->container_count; i++) {
		struct run_fact_container *one = &f->containers[i];

		c = state_container_find(st, one->id);
		one->name = keep(f, c ? state_sv(c->name) : SV_LIT(""));
		one->image = keep(f, c ? state_sv(c->image) : SV_LIT(""));
		one->type = c ? sv_of(state_container_type_name(c->type)) : SV_LIT("");
	}
}

static void copy_machine(struct run_facts *f, const struct state *st)
{
	const struct state_machine *m = state_machine(st);

	f->machine_known = m->known;
	f->hostname = keep(f, state_sv(m->hostname));
	f->num_cpus = m->num_cpus;
	f->memory_bytes = m->memory_bytes;
	f->boot_ts = m->boot_ts;
}

static void copy_gaps(struct run_facts *f, const struct sf_reader *r)
{
	const struct sf_gap *gaps = sf_reader_gaps(r, &f->gap_count);

	f->gaps = calloc(f->gap_count + 1, sizeof(*f->gaps));
	f->nomem |= !f->gaps;
	if (f->gaps && f->gap_count)
		memcpy(f->gaps, gaps, f->gap_count * sizeof(*gaps));
}

static void copy_comments(struct run_facts *f, const struct sf_reader *r)
{
	const char *comment;

	for (size_t i = 0; (comment = sf_reader_comment(r, i)); i++)
		if (room(f, &f->comments, i, sizeof(*f->comments)))
			f->comments[f->comment_count++] = keep(f, sv_of(comment));
}

static void count_capabilities(struct run_facts *f)
{
#define CAPABILITY(sym, na, par, list, count, fi, wh)                                              \
	if (sizeof(#count) > 2) {                                                                  \
		f->capabilities[RUN_CAPABILITY_##sym].of = 1;                                      \
		f->capabilities[RUN_CAPABILITY_##sym].have = (count) != 0;                         \
	}
#include "replay/capabilities.def"
#undef CAPABILITY
}

int run_facts_end(struct run_facts *f, const struct sf_reader *r, const struct state *st,
		  struct error *err)
{
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		f->visible += f->by_type[type];
	f->stats = *sf_reader_stats(r);
	f->state = *state_stats(st);
	copy_machine(f, st);
	note_all_threads(f, st);
	name_people(f, st);
	describe_containers(f, st);
	copy_gaps(f, r);
	copy_comments(f, r);
	count_capabilities(f);
	return f->nomem ? error_nomem(err) : 0;
}

/* ---- as bytes ---- */

static const struct archive_field stats_fields[] = {
    ARCHIVE_U(struct sf_stats, compression),	ARCHIVE_U(struct sf_stats, file_size),
    ARCHIVE_U(struct sf_stats, stream_size),	ARCHIVE_U(struct sf_stats, sections),
    ARCHIVE_U(struct sf_stats, blocks),		ARCHIVE_U(struct sf_stats, unknown_blocks),
    ARCHIVE_U(struct sf_stats, events),		ARCHIVE_U(struct sf_stats, events_stored),
    ARCHIVE_U(struct sf_stats, events_unknown), ARCHIVE_U(struct sf_stats, losses),
    ARCHIVE_U(struct sf_stats, urings),		ARCHIVE_U(struct sf_stats, hashes),
    ARCHIVE_U(struct sf_stats, hashes_skipped), ARCHIVE_U(struct sf_stats, gaps),
    ARCHIVE_U(struct sf_stats, version_major),	ARCHIVE_U(struct sf_stats, version_minor),
    ARCHIVE_B(struct sf_stats, sha256_valid),
};

static const struct archive_field facts_fields[] = {
    ARCHIVE_U(struct run_facts, visible),
    ARCHIVE_U(struct run_facts, state.events),
    ARCHIVE_U(struct run_facts, state.malformed),
    ARCHIVE_U(struct run_facts, state.threads_dropped),
    ARCHIVE_U(struct run_facts, state.fds_dropped),
    ARCHIVE_U(struct run_facts, state.first_ts),
    ARCHIVE_U(struct run_facts, state.last_ts),
    ARCHIVE_B(struct run_facts, machine_known),
    ARCHIVE_U(struct run_facts, num_cpus),
    ARCHIVE_U(struct run_facts, memory_bytes),
    ARCHIVE_U(struct run_facts, boot_ts),
    ARCHIVE_U(struct run_facts, threads),
    ARCHIVE_U(struct run_facts, processes),
    ARCHIVE_U(struct run_facts, fds),
    ARCHIVE_U(struct run_facts, interfaces),
    ARCHIVE_U(struct run_facts, users),
    ARCHIVE_U(struct run_facts, groups),
    ARCHIVE_U(struct run_facts, buffers),
    ARCHIVE_U(struct run_facts, buffers_cut),
    ARCHIVE_U(struct run_facts, buffer_max),
    ARCHIVE_U(struct run_facts, steps),
    ARCHIVE_U(struct run_facts, step_max),
    ARCHIVE_U(struct run_facts, containers_more),
    ARCHIVE_U(struct run_facts, people_more),
    ARCHIVE_U(struct run_facts, losses.records),
    ARCHIVE_U(struct run_facts, losses.events),
    ARCHIVE_U(struct run_facts, losses.from),
    ARCHIVE_U(struct run_facts, losses.to),
    ARCHIVE_U(struct run_facts, losses.of_other_types),
};

static const struct archive_field gap_fields[] = {
    ARCHIVE_U(struct sf_gap, offset),
    ARCHIVE_U(struct sf_gap, bytes),
    ARCHIVE_U(struct sf_gap, reason),
};

static void text(struct run_facts *f, struct archive *a, struct sv *s)
{
	struct sv v = archive_text(a, *s);

	if (!archive_saves(a))
		*s = keep(f, v);
}

static void numbers(struct archive *a, uint64_t *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		all[i] = archive_u64(a, all[i]);
}

/* Restoring: room for @n of @size, with a limit; saving: what is there. */
static void *array(struct run_facts *f, struct archive *a, void *there, uint64_t n, size_t max,
		   size_t size)
{
	void *p;

	if (archive_saves(a))
		return there;
	if (n > max)
		archive_complain(a, "it describes too much");
	p = calloc(a->trouble ? 1 : n + 1, size);
	f->nomem |= !p;
	return p;
}

static void one_gap(struct archive *a, struct sf_gap *g)
{
	struct sv what = archive_saves(a) ? sv_of(g->what) : SV_NONE;

	ARCHIVE_FIELDS(a, g, gap_fields);
	what = archive_text(a, what);
	if (g->reason > SF_GAP_RECORDED || what.n >= sizeof(g->what))
		archive_complain(a, "a gap makes no sense");
	if (archive_saves(a) || a->trouble)
		return;
	memcpy(g->what, what.p, what.n);
	g->what[what.n] = '\0';
}

static bool fine(const struct run_facts *f, const struct archive *a)
{
	return !f->nomem && !a->trouble;
}

static void archive_arrays(struct run_facts *f, struct archive *a)
{
	uint64_t n = archive_count(a, f->container_count);

	f->containers =
	    array(f, a, f->containers, n, RUN_FACTS_CONTAINERS_MAX, sizeof(*f->containers));
	for (f->container_count = 0; fine(f, a) && f->container_count < n; f->container_count++) {
		struct run_fact_container *c = &f->containers[f->container_count];

		text(f, a, &c->id);
		text(f, a, &c->name);
		text(f, a, &c->image);
		text(f, a, &c->type);
	}
	n = archive_count(a, f->people_count);
	f->people = array(f, a, f->people, n, RUN_FACTS_USERS_MAX, sizeof(*f->people));
	for (f->people_count = 0; fine(f, a) && f->people_count < n; f->people_count++) {
		struct run_fact_user *u = &f->people[f->people_count];

		u->uid = (uint32_t)archive_u64(a, u->uid);
		text(f, a, &u->name);
	}
	n = archive_count(a, f->comment_count);
	f->comments = array(f, a, f->comments, n, SIZE_MAX / 64, sizeof(*f->comments));
	for (f->comment_count = 0; fine(f, a) && f->comment_count < n; f->comment_count++)
		text(f, a, &f->comments[f->comment_count]);
	n = archive_count(a, f->gap_count);
	f->gaps = array(f, a, f->gaps, n, SF_GAPS_MAX, sizeof(*f->gaps));
	for (f->gap_count = 0; fine(f, a) && f->gap_count < n; f->gap_count++)
		one_gap(a, &f->gaps[f->gap_count]);
}

int run_facts_archive(struct run_facts *f, struct archive *a)
{
	ARCHIVE_FIELDS(a, &f->stats, stats_fields);
	if (f->stats.compression > SF_ZSTD)
		archive_complain(a, "it is of no known container");
	archive_bytes(a, f->stats.sha256, sizeof(f->stats.sha256));
	ARCHIVE_FIELDS(a, f, facts_fields);
	text(f, a, &f->hostname);
	numbers(a, f->by_type, COUNT_OF(f->by_type));
	numbers(a, f->losses.by_type, COUNT_OF(f->losses.by_type));
	numbers(a, f->losses.by_reason, COUNT_OF(f->losses.by_reason));
	for (unsigned i = 0; i < RUN_CAPABILITIES; i++) {
		f->capabilities[i].of = archive_u64(a, f->capabilities[i].of);
		f->capabilities[i].have = archive_u64(a, f->capabilities[i].have);
	}
	archive_arrays(f, a);
	return f->nomem ? ERR_NOMEM : 0;
}
