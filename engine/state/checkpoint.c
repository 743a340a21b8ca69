/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole state as bytes and back. A text is written once and referred to by its number from then
 * on. Equal states give equal bytes: whatever has no order of its own is sorted.
 *
 * What is restored is not trusted: references must lead somewhere, no thread is in two groups or
 * has two parents, and limits hold as they do for events.
 */
#include "engine/state/checkpoint.h"

#include <stdlib.h>

#define CHECKPOINT_MAGIC   0x74706b63u /* "ckpt" */
#define CHECKPOINT_VERSION 4u

/* ---- threads that are no more ---- */

/* @v, written as the difference to @before: what exits one after another is alike. */
static uint64_t follow(struct checkpoint *c, uint64_t v, uint64_t before)
{
	return before + (uint64_t)archive_i64(&c->a, (int64_t)(v - before));
}

static void exited(struct checkpoint *c)
{
	struct state_exited *x = &c->st->exited;
	uint64_t n = archive_count(&c->a, x->used);
	uint32_t at = x->used == STATE_EXITED_MAX ? x->at : 0;
	struct state_exited_entry before = {0};

	for (uint64_t i = 0; i < n && (ckpt_saves(c) || !ckpt_broken(c)); i++) {
		struct state_exited_entry e = {0};

		if (ckpt_saves(c))
			e = x->ring[(at + i) % STATE_EXITED_MAX];
		e.ptid = (uint32_t)follow(c, e.ptid, before.ptid);
		e.tid = (uint32_t)follow(c, e.tid, before.tid);
		e.ts = follow(c, e.ts, before.ts);
		if (!ckpt_saves(c))
			state_exited_push(x, e.ptid, e.tid, e.ts);
		before = e;
	}
}

static void suppressed(struct checkpoint *c)
{
	struct map *m = &c->st->suppressed_tids;
	struct map_slot *all = ckpt_saves(c) ? ckpt_sorted(c, m) : NULL;
	uint64_t n = archive_count(&c->a, all ? m->count : 0);

	for (uint64_t i = 0; i < n && (ckpt_saves(c) || !ckpt_broken(c)); i++) {
		int64_t tid = archive_i64(&c->a, all ? (int64_t)all[i].key : 0);

		if (!ckpt_saves(c))
			state_suppress_tid(c->st, tid);
	}
	free(all);
}

/* ---- the rest ---- */

static bool one_hash(struct checkpoint *c, void *value, void *arg)
{
	struct state_exe_hash *h = value, read = {0};

	(void)arg;
	if (!h)
		h = &read;
	ckpt_text(c, &h->path);
	h->ino = archive_u64(&c->a, h->ino);
	h->ctime = archive_u64(&c->a, h->ctime);
	archive_bytes(&c->a, h->sha256, sizeof(h->sha256));
	h->ambiguous = archive_bool(&c->a, h->ambiguous);
	return ckpt_saves(c) || state_exe_hash_restore_take(c->st, &read);
}

static void machine(struct checkpoint *c)
{
	struct state_machine *m = &c->st->machine;

	ckpt_text(c, &m->hostname);
	m->num_cpus = (uint32_t)archive_u64(&c->a, m->num_cpus);
	m->memory_bytes = archive_u64(&c->a, m->memory_bytes);
	m->max_pid = archive_u64(&c->a, m->max_pid);
	m->boot_ts = archive_u64(&c->a, m->boot_ts);
	m->known = archive_bool(&c->a, m->known);
}

static void interfaces(struct checkpoint *c, struct state_interfaces *list)
{
	uint64_t n = archive_count(&c->a, list->count);

	for (uint64_t i = 0; i < n && (ckpt_saves(c) || !ckpt_broken(c)); i++) {
		struct state_interface one = {0};

		if (ckpt_saves(c))
			one = list->list[i];
		archive_bytes(&c->a, one.addr, sizeof(one.addr));
		archive_bytes(&c->a, one.netmask, sizeof(one.netmask));
		archive_bytes(&c->a, one.bcast, sizeof(one.bcast));
		one.linkspeed = archive_u64(&c->a, one.linkspeed);
		ckpt_text(c, &one.name);
		if (!ckpt_saves(c))
			state_interface_add_take(c->st, list, &one);
	}
}

/* Ports of listeners: the set bits. */
static void server_ports(struct checkpoint *c)
{
	uint8_t *bits = c->st->server_ports;
	uint64_t n = 0;

	for (unsigned i = 0; i < 65536 / 8; i += 8)
		n += (unsigned)__builtin_popcountll(load_u64(bits + i));
	n = archive_count(&c->a, n);
	for (unsigned i = 0; ckpt_saves(c) && i < 65536 / 8; i += 8)
		for (uint64_t set = load_u64(bits + i); set; set &= set - 1)
			archive_u64(&c->a, 8 * i + (unsigned)__builtin_ctzll(set));
	for (uint64_t i = 0; !ckpt_saves(c) && i < n; i++) {
		unsigned port = archive_u64(&c->a, 0) & 0xffff;

		bits[port / 8] |= (uint8_t)(1u << port % 8);
	}
}

static const struct archive_field state_fields[] = {
    ARCHIVE_B(struct state, pending_exit), ARCHIVE_B(struct state, pending_close),
    ARCHIVE_I(struct state, pending_tid),  ARCHIVE_I(struct state, pending_fd_tid),
    ARCHIVE_I(struct state, pending_fd),
};

static const struct archive_field stats_fields[] = {
    ARCHIVE_U(struct state_stats, events),	ARCHIVE_U(struct state_stats, suppressed),
    ARCHIVE_U(struct state_stats, malformed),	ARCHIVE_U(struct state_stats, threads_dropped),
    ARCHIVE_U(struct state_stats, fds_dropped), ARCHIVE_U(struct state_stats, first_ts),
    ARCHIVE_U(struct state_stats, last_ts),	ARCHIVE_U(struct state_stats, first_event_ts),
};

/*
 * Options that decide what the state holds. What is known of containers can be left out when it is
 * there, but not made up for.
 */
static void options(struct checkpoint *c)
{
	bool has_suppressed = c->st->suppressed_comms.count != 0;
	bool without = archive_bool(&c->a, c->st->no_containers);

	c->drops_containers = c->st->no_containers && !without;
	if ((without && !c->st->no_containers) ||
	    archive_bool(&c->a, has_suppressed) != has_suppressed)
		archive_complain(&c->a, "it was made with other options");
}

static void head(struct checkpoint *c)
{
	if (archive_u64(&c->a, CHECKPOINT_MAGIC) != CHECKPOINT_MAGIC ||
	    archive_u64(&c->a, CHECKPOINT_VERSION) != CHECKPOINT_VERSION)
		archive_complain(&c->a, "it is no checkpoint of this version");
	options(c);
}

static void everything(struct checkpoint *c)
{
	struct state *st = c->st;

	head(c);
	machine(c);
	interfaces(c, &st->ipv4);
	interfaces(c, &st->ipv6);
	server_ports(c);
	ckpt_user_space(c, &st->host);
	ckpt_named_values(c, &st->user_spaces, ckpt_one_space);
	ckpt_named_values(c, &st->containers, ckpt_one_container);
	ckpt_last_container(c);
	ckpt_values(c, &st->exe_hashes, one_hash, NULL);
	suppressed(c);
	exited(c);
	ckpt_threads(c);
	/* Last, because restoring counts and touches. */
	ARCHIVE_FIELDS(&c->a, st, state_fields);
	ARCHIVE_FIELDS(&c->a, &st->stats, stats_fields);
}

static int save(struct checkpoint *c, struct error *err)
{
	if (c->st->phase != STATE_RUN)
		return error_set(err, ERR_USAGE, "the initial state is not complete yet");
	everything(c);
	ckpt_texts_done(c);
	return c->a.out->failed ? error_nomem(err) : 0;
}

int state_save(const struct state *st, struct buf *out, struct error *err)
{
	struct checkpoint c = {.a = archive_to(out), .st = (struct state *)st};

	return save(&c, err);
}

int state_image(const struct state *st, struct buf *out, struct error *err)
{
	struct checkpoint c = {.a = archive_to(out), .st = (struct state *)st, .drops_marks = true};

	return save(&c, err);
}

int state_restore(const struct state_options *opt, const void *p, size_t n, struct state **out,
		  struct error *err)
{
	struct checkpoint c = {.a = archive_from(p, n)};
	int rc = state_new(opt, &c.st, err);

	if (rc < 0)
		return rc;
	c.st->phase = STATE_RUN;
	everything(&c);
	if (!c.a.trouble && c.a.in.left)
		archive_complain(&c.a, "something follows its end");
	ckpt_texts_done(&c);
	if (c.st->nomem)
		rc = error_nomem(err);
	else if (c.a.trouble)
		rc = error_set(err, ERR_FORMAT, "this checkpoint cannot be used: %s", c.a.trouble);
	if (rc < 0) {
		state_free(c.st);
		return rc;
	}
	*out = c.st;
	return 0;
}
