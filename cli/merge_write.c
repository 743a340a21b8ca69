/* SPDX-License-Identifier: Apache-2.0 */
/* The second reading: what the plan says, into the output. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "cli/merge.h"

/* ---- reading a stream ---- */

void cli_merge_close(struct merge_stream *st)
{
	sf_reader_close(st->reader);
	st->reader = NULL;
}

void cli_merge_rewind(struct merge_stream *st)
{
	cli_merge_close(st);
	st->part = st->first;
	st->section = 0;
	st->seen = 0;
}

int cli_merge_next_item(struct merge *m, struct merge_stream *st, struct ev_item *item)
{
	struct error err = {0};
	int rc = 0;

	if (!st->reader) {
		rc = sf_reader_open(m->inputs[st->part->input].path, NULL, &st->reader, &err);
		st->section = 0;
	}
	while (rc >= 0 && st->section <= st->part->section + 1) {
		rc = ev_source_next(sf_reader_source(st->reader), item, &err);
		if (rc <= 0)
			break;
		if (item->kind == EV_ITEM_SECTION) {
			st->section++;
			st->seen = 0;
		}
		if (st->section != st->part->section + 1)
			continue;
		st->seen += cli_merge_is_event(item);
		return 1;
	}
	return rc < 0 ? -cli_fail(&err) : 0;
}

/* Go to the part behind the current one. The reader may be in its section already. */
static void next_part(struct merge_stream *st)
{
	struct merge_part *before = st->part;

	st->part = before->next;
	if (!st->part || st->part->input != before->input || st->section != st->part->section + 1)
		cli_merge_close(st);
}

static int shift_item(struct merge *m, struct merge_stream *st)
{
	struct error err = {0};

	st->shift.ns = m->inputs[st->part->input].skew;
	return sf_shift_item(&st->shift, &st->item, &err) < 0 ? cli_fail(&err) : 0;
}

static int write_item(struct merge *m, const struct ev_item *item)
{
	struct error err = {0};

	return sf_writer_item(m->surgery.writer, item, &err) < 0 ? cli_fail(&err) : 0;
}

/* ---- what is missing ---- */

/* In the place of files of a set that were not given. */
static int write_missing(struct merge *m, const struct merge_part *p)
{
	const struct ev_loss loss = {
	    .from = p->missing_from, .to = p->first_ts, .cpu = -1, .reason = EV_LOSS_DAMAGED};
	struct error err = {0};

	if (!p->missing)
		return 0;
	m->losses++;
	return sf_writer_loss(m->surgery.writer, &loss, &err) < 0 ? cli_fail(&err) : 0;
}

/* ---- streams as sections ---- */

static int copy_part(struct merge *m, struct merge_stream *st)
{
	bool first = st->part == st->first;
	struct merge_part *p = st->part;
	int rc, status = 0;

	while (!status && (rc = cli_merge_next_item(m, st, &st->item)) != 0) {
		bool event;

		if (rc < 0)
			return -rc;
		event = cli_merge_is_event(&st->item);
		if (event ? st->seen <= p->skip : !first)
			continue;
		st->events += event;
		status = shift_item(m, st);
		if (!status)
			status = write_item(m, &st->item);
		if (!status)
			status = surgery_tick(&m->surgery, st->reader);
	}
	return status;
}

static int write_sections(struct merge *m)
{
	int status = 0;

	for (size_t i = 0; i < m->nstreams && !status; i++) {
		struct merge_stream *st = &m->streams[i];

		cli_merge_rewind(st);
		while (st->part && !status) {
			status = write_missing(m, st->part);
			if (!status)
				status = copy_part(m, st);
			next_part(st);
		}
		cli_merge_close(st);
	}
	return status;
}

/* ---- lists of all ---- */

enum round { ROUND_INTERFACES, ROUND_USERS, ROUND_THREADS, ROUND_FDS, ROUND_FACTS, ROUNDS };

static int round_of(const struct ev_item *item)
{
	switch (item->kind) {
	case EV_ITEM_INTERFACE:
		return ROUND_INTERFACES;
	case EV_ITEM_USER:
	case EV_ITEM_GROUP:
		return ROUND_USERS;
	case EV_ITEM_THREAD:
		return ROUND_THREADS;
	case EV_ITEM_FD:
		return ROUND_FDS;
	case EV_ITEM_FACTS:
		return ROUND_FACTS;
	default:
		return -1;
	}
}

struct united { /* entries of lists that are there already */
	struct smap seen;
	struct buf key;
};

/* What makes two entries the same one: the number of a user or group, all of an interface. */
static struct sv key_of(struct united *u, const struct ev_item *item)
{
	const struct ev_interface *i = item->interface;

	buf_reset(&u->key);
	if (item->kind == EV_ITEM_INTERFACE) {
		buf_addf(&u->key, "i%d", i->ipv6);
		buf_add(&u->key, i->addr, i->ipv6 ? 16 : 4);
		buf_add(&u->key, i->netmask, i->ipv6 ? 16 : 4);
		buf_sv(&u->key, i->name);
	} else if (item->kind == EV_ITEM_USER) {
		buf_addf(&u->key, "u%u", item->user->uid);
	} else {
		buf_addf(&u->key, "g%u", item->user->gid);
	}
	return buf_view(&u->key);
}

/* Is an entry of that key there? If not, there is now. Return: 1, 0, or an exit status below 0. */
static int is_there(struct merge *m, struct united *u, const struct ev_item *item)
{
	struct sv key = key_of(u, item);
	struct sv name = item->kind == EV_ITEM_INTERFACE ? SV_NONE : item->user->name;
	const char *there = smap_get(&u->seen, key);

	if (there) {
		m->conflicts += item->kind != EV_ITEM_INTERFACE && !sv_is(name, there);
		return 1;
	}
	key = arena_sv(&m->arena, key);
	there = arena_strndup(&m->arena, name.n ? name.p : "", name.n);
	if (u->key.failed || !key.p || !there || smap_put(&u->seen, key, (void *)there) < 0) {
		cli_log(CLI_ERROR, "out of memory");
		return -CLI_INTERNAL;
	}
	return 0;
}

static int write_lists(struct merge *m, struct merge_stream *st, int round, struct united *u)
{
	int rc, status = 0;

	cli_merge_rewind(st);
	while (!status && (rc = cli_merge_next_item(m, st, &st->item)) != 0) {
		if (rc < 0)
			return -rc;
		if (cli_merge_is_event(&st->item))
			break;
		if (round_of(&st->item) != round)
			continue;
		rc = round <= ROUND_USERS ? is_there(m, u, &st->item) : 0;
		if (rc)
			status = rc < 0 ? -rc : 0;
		else
			status = shift_item(m, st);
		if (!rc && !status)
			status = write_item(m, &st->item);
	}
	cli_merge_close(st);
	return status;
}

static uint64_t boot_of(const struct merge *m, const struct merge_stream *st)
{
	uint64_t ts = st->first->machine.facts.boot_ts;

	return ts ? ts + (uint64_t)m->inputs[st->first->input].skew : 0;
}

/* Of the first stream, with room for the CPUs and ids of all. */
static int write_machine(struct merge *m)
{
	struct merge_part *first = m->streams[0].first;
	struct ev_machine facts = first->machine.facts;
	struct error err = {0};

	if (!first->machine.known)
		return 0;
	facts.boot_ts = boot_of(m, &m->streams[0]);
	for (size_t i = 1; i < m->nstreams; i++) {
		const struct ev_machine *f = &m->streams[i].first->machine.facts;
		uint64_t max = f->max_pid + (uint64_t)m->streams[i].shift.ids;

		if (f->num_cpus > facts.num_cpus)
			facts.num_cpus = f->num_cpus;
		if (f->max_pid && max > facts.max_pid)
			facts.max_pid = max;
	}
	return sf_writer_machine(m->surgery.writer, &facts, &err) < 0 ? cli_fail(&err) : 0;
}

static int write_all_lists(struct merge *m)
{
	struct united u = {0};
	int status = write_machine(m);

	for (int round = 0; round < ROUNDS && !status; round++)
		for (size_t i = 0; i < m->nstreams && !status; i++)
			status = write_lists(m, &m->streams[i], round, &u);
	smap_done(&u.seen);
	buf_done(&u.key);
	return status;
}

/* ---- events by time ---- */

struct heap { /* streams that have an event, the earliest first */
	struct merge_stream **items;
	size_t n;
};

static bool is_before(const struct merge_stream *a, const struct merge_stream *b)
{
	return a->key != b->key ? a->key < b->key : a < b;
}

static void sink(struct heap *h, size_t i)
{
	for (;;) {
		size_t least = i, kid = 2 * i + 1;
		struct merge_stream *st = h->items[i];

		for (size_t k = kid; k < kid + 2 && k < h->n; k++)
			if (is_before(h->items[k], h->items[least]))
				least = k;
		if (least == i)
			return;
		h->items[i] = h->items[least];
		h->items[least] = st;
		i = least;
	}
}

/* The next event of a stream, over the ends of its parts. Return: 1, 0 at the end, or an exit
 * status below 0. */
static int next_event(struct merge *m, struct merge_stream *st)
{
	while (st->part) {
		int rc = cli_merge_next_item(m, st, &st->item);
		uint64_t ts;

		if (rc < 0)
			return rc;
		if (rc == 0) {
			next_part(st);
			rc = st->part ? write_missing(m, st->part) : 0;
			if (rc)
				return -rc;
			continue;
		}
		if (!cli_merge_is_event(&st->item) || st->seen <= st->part->skip)
			continue;
		rc = shift_item(m, st);
		if (rc)
			return -rc;
		ts = cli_merge_time(&st->item);
		if (ts) /* those without a time stay behind the one before */
			st->key = ts;
		return 1;
	}
	return 0;
}

static int take_earliest(struct merge *m, struct heap *h)
{
	struct merge_stream *st = h->items[0];
	int status = 0, rc;

	if (st->reader) {
		status = write_item(m, &st->item);
		st->events++;
		if (!status)
			status = surgery_tick(&m->surgery, st->reader);
	} else { /* its turn begins: not before, so that few are open at a time */
		status = write_missing(m, st->part);
	}
	if (status)
		return status;
	rc = next_event(m, st);
	if (rc == 0) {
		cli_merge_close(st);
		h->items[0] = h->items[--h->n];
	}
	sink(h, 0);
	return rc < 0 ? -rc : 0;
}

static int weave(struct merge *m)
{
	struct heap h = {calloc(m->nstreams, sizeof(struct merge_stream *)), 0};
	int status = 0;

	if (!h.items) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	for (size_t i = 0; i < m->nstreams; i++) { /* by time already */
		cli_merge_rewind(&m->streams[i]);
		m->streams[i].key = m->streams[i].first->first_ts;
		h.items[h.n++] = &m->streams[i];
	}
	while (h.n && !status)
		status = take_earliest(m, &h);
	free(h.items);
	return status;
}

/* Times since a machine's start are counted from the start of the one that the output names. */
static void set_boot_shifts(struct merge *m)
{
	uint64_t to = boot_of(m, &m->streams[0]);

	for (size_t i = 1; to && i < m->nstreams; i++) {
		uint64_t from = boot_of(m, &m->streams[i]);

		if (from)
			m->streams[i].shift.boot_ns = (int64_t)(from - to);
	}
}

int cli_merge_write(struct merge *m)
{
	int status = surgery_create(&m->surgery);

	if (status)
		return status;
	if (!m->woven)
		return write_sections(m);
	set_boot_shifts(m);
	status = write_all_lists(m);
	return status ? status : weave(m);
}
