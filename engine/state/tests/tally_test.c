/* SPDX-License-Identifier: Apache-2.0 */
/* What a tally says of events that are passed is what a look at each, fully decoded, says. */
#include "engine/state/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "scapfile/row.h"
#include "scapfile/tests/capture_builder.h"

#define CORPUS SOURCE_DIR "/../shared/corpus/"
#define OWN    SOURCE_DIR "/tests/captures/"
#define EACH   5 /* of so many one is a sample */

static const char *const captures[] = {
    OWN "intrusion.scap",
    OWN "network.scap",
    OWN "sessions.scap",
    OWN "uring.scap",
    CORPUS "public/curl_google.scap",
    CORPUS "recorded/container.scap",
    CORPUS "recorded/network.scap",
    CORPUS "recorded/persist.scap",
};

/* What an observer keeps that looks at each event. */
struct observer {
	struct sf_reader *reader;
	struct state *state;
	uint64_t counts[EV_TYPE_COUNT];
	int64_t threads[STATE_TALLY_THREADS];
	uint64_t latest; /* of those in order */
	unsigned samples;
};

struct pair {
	struct sf_reader *reader;
	struct state *state;
	struct state_tally tally;
	uint8_t tell[EV_TYPE_COUNT];
	unsigned number[EV_TYPE_COUNT]; /* for STATE_TELL_NUMBER */
	struct observer by;
	struct ev_item item; /* of @by, with @bind: what is told, or was refused as a number */
	struct state_binding bind;
	bool refused;
	uint64_t ahead;	  /* events that the observer has seen of those being passed */
	uint64_t told[5]; /* by reason */
	uint64_t devices; /* that reads were told of */
	uint64_t numbers; /* taken */
};

/* ---- the observer ---- */

static bool is_socket(const struct state_fd *fd)
{
	return state_fd_is_ipv4(fd) || state_fd_is_ipv6(fd) || state_fd_is_listener(fd) ||
	       fd->type == EV_FD_UNIX_SOCK;
}

static bool is_asked_for(unsigned tell, const struct state_fd *fd)
{
	struct sv name = fd ? state_sv(fd->name) : SV_LIT("");

	if (tell & STATE_TELL_ALL)
		return true;
	if (!fd)
		return false;
	return (tell & STATE_TELL_SOCKETS && is_socket(fd)) ||
	       (tell & STATE_TELL_MARKED && fd->mark) ||
	       (tell & STATE_TELL_DEVICES && state_fd_is_file(fd) &&
		sv_starts(name, SV_LIT("/dev/")) && name.n > 5);
}

static unsigned look(struct observer *o, unsigned tell, const struct state_binding *bind)
{
	const struct ev *ev = bind->ev;
	int64_t *thread = &o->threads[(uint64_t)ev->tid & (STATE_TALLY_THREADS - 1)];
	unsigned why = is_asked_for(tell, bind->fd) ? STATE_WHY_ASKED : 0;

	if (*thread != ev->tid)
		why |= STATE_WHY_THREAD;
	*thread = ev->tid;
	if (!bind->visible)
		return why | STATE_WHY_HIDDEN;
	o->counts[ev->type]++;
	if (ev->ts == UINT64_MAX || ev->ts <= o->latest)
		why |= STATE_WHY_TIME;
	else
		o->latest = ev->ts;
	if (tell & STATE_TELL_SAMPLE && ++o->samples == EACH) {
		o->samples = 0;
		why |= STATE_WHY_SAMPLE;
	}
	return why;
}

/* A mark on some descriptors, by what both sides see alike. */
static void mark(struct state_fd *fd)
{
	if (fd)
		fd->mark = (uint32_t)(fd->num % 3);
}

/* The next event, which was passed. Return: why it is to be told. */
static unsigned catch_up(struct pair *t, struct state_binding *bind, struct ev_item *item)
{
	assert_int_equal(ev_source_next(sf_reader_source(t->by.reader), item, NULL), 1);
	assert_int_equal(item->kind, EV_ITEM_EVENT);
	assert_int_equal(state_feed(t->by.state, item, bind, NULL), 1);
	t->ahead++;
	return look(&t->by, t->tell[item->ev->type], bind);
}

/* ---- what it is compared with ---- */

static void assert_same_event(const struct state_passed *e, struct ev *looked)
{
	struct ev passed;

	sf_row_decode(e->row, e->event, &passed);
	assert_int_equal(passed.offset, looked->offset);
	assert_int_equal(e->event->type, looked->type);
	assert_int_equal(sf_row_time(e->event), looked->ts);
	assert_int_equal(sf_row_tid(e->event), looked->tid);
	assert_int_equal(passed.nparams, looked->nparams);
	for (unsigned i = 0; i < looked->nparams; i++) {
		struct ev_value x = ev_param(&passed, i), y = ev_param(looked, i);

		assert_int_equal(x.n, y.n);
		assert_memory_equal(x.p, y.p, x.n);
	}
	if (looked->nparams && sf_row_are_numbers(e->event, 1))
		assert_int_equal(load_u64(sf_row_params(e->row, e->event)),
				 load_u64(ev_param(looked, 0).p));
}

/* The next event that is told, for @why. Those in front of it are not. */
static void catch_up_to_told(struct pair *t, unsigned why)
{
	unsigned expected;

	while (!(expected = catch_up(t, &t->bind, &t->item)))
		;
	assert_int_equal(why, expected);
}

static void assert_same_records(const struct pair *t, unsigned type,
				const struct state_thread *thread, const struct state_fd *fd)
{
	assert_int_equal(!thread, !t->bind.thread);
	if (thread)
		assert_int_equal(thread->tid, t->bind.thread->tid);
	if (!(t->tell[type] & STATE_TELL_BY_FD))
		return;
	assert_int_equal(!fd, !t->bind.fd);
	if (fd)
		assert_int_equal(fd->num, t->bind.fd->num);
}

/* Takes some of them. */
static bool told_number(void *arg, unsigned type, const struct state_thread *thread,
			const struct state_fd *fd, uint64_t ts, int64_t value)
{
	struct pair *t = arg;
	struct ev_value v;

	assert_true(t->tell[type] & STATE_TELL_NUMBER);
	catch_up_to_told(t, STATE_WHY_ASKED);
	assert_int_equal(type, t->item.ev->type);
	assert_int_equal(ts, t->item.ev->ts);
	assert_same_records(t, type, thread, fd);
	v = ev_param(t->item.ev, t->number[type]);
	assert_int_equal(v.n, 8);
	assert_int_equal(value, load_u64(v.p));
	t->refused = value % 3 == 0;
	t->numbers += !t->refused;
	return !t->refused;
}

/* Can it be that a number said all of the event that is told? */
static bool was_a_number(const struct pair *t, unsigned why)
{
	struct ev *ev = t->item.ev;

	if (why != STATE_WHY_ASKED || !(t->tell[ev->type] & STATE_TELL_NUMBER))
		return false;
	for (unsigned i = 0; i <= t->number[ev->type]; i++)
		if (ev_param(ev, i).n != 8)
			return false;
	return true;
}

static void told(void *arg, const struct state_passed *e, unsigned why)
{
	struct pair *t = arg;

	if (!t->refused)
		catch_up_to_told(t, why);
	assert_int_equal(t->refused, was_a_number(t, why));
	t->refused = false;
	assert_same_event(e, t->item.ev);
	assert_int_equal(e->visible, t->bind.visible);
	assert_same_records(t, e->event->type, e->thread, e->fd);
	if (t->tell[e->event->type] & STATE_TELL_BY_FD) {
		mark(e->fd);
		mark(t->bind.fd);
	}
	if (why & STATE_WHY_SAMPLE)
		t->tally.to_sample = EACH;
	for (unsigned i = 0; i < COUNT_OF(t->told); i++)
		t->told[i] += why >> i & 1;
	t->devices += e->event->type == EV_READ_X && e->fd && state_fd_is_file(e->fd);
}

static bool looks_at_some(const void *arg, unsigned type)
{
	(void)arg;
	return type % 11 == 0;
}

static void ask(struct pair *t, struct state_passing *p)
{
	static const uint8_t by_turns[] = {0, STATE_TELL_SOCKETS, STATE_TELL_ALL,
					   STATE_TELL_MARKED | STATE_TELL_SAMPLE,
					   STATE_TELL_DEVICES};

	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		t->tell[type] = by_turns[type % COUNT_OF(by_turns)];
	t->tell[EV_READ_X] =
	    STATE_TELL_SOCKETS | STATE_TELL_DEVICES | STATE_TELL_SAMPLE | STATE_TELL_NUMBER;
	t->tell[EV_WRITE_X] = STATE_TELL_SOCKETS | STATE_TELL_SAMPLE;
	t->tell[EV_CLOSE_X] = STATE_TELL_MARKED;
	t->tell[EV_FSTAT_X] = STATE_TELL_ALL | STATE_TELL_NUMBER;
	t->number[EV_FSTAT_X] = 1;
	t->tell[EV_GETUID_X] = 0;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		p->ways[type].tell = t->tell[type];
		if (t->tell[type] & STATE_TELL_NUMBER)
			state_way_tells_number(&p->ways[type], t->number[type]);
	}
}

/* What is delivered is taken by both, without an account. */
static void take_both(struct pair *t, const struct ev_item *item)
{
	struct state_binding bind;
	struct ev_item other;

	assert_int_equal(ev_source_next(sf_reader_source(t->by.reader), &other, NULL), 1);
	assert_int_equal(item->kind, other.kind);
	assert_int_equal(state_feed(t->by.state, &other, &bind, NULL),
			 state_feed(t->state, item, &bind, NULL));
}

static void compare(struct pair *t)
{
	struct state_passing p;
	struct state_binding bind;
	struct ev_item item, passed;
	uint64_t rounds = 0;
	int rc;

	assert_int_equal(state_new(NULL, &t->state, NULL), 0);
	assert_int_equal(state_new(NULL, &t->by.state, NULL), 0);
	state_passing_init(&p, looks_at_some, NULL);
	p.reader = t->reader;
	p.tally = &t->tally;
	t->tally.told = told;
	t->tally.arg = t;
	t->tally.told_number = told_number;
	t->tally.to_sample = EACH;
	ask(t, &p);
	do {
		p.max = rounds % 5 ? 97 : UINT64_MAX;
		if (rounds++ % 4 == 0) {
			state_tally_forget_threads(&t->tally);
			memcpy(t->by.threads, t->tally.threads, sizeof(t->by.threads));
		}
		state_tally_go_on(&t->tally, t->by.latest);
		t->ahead = 0;
		rc = state_pass_on(t->state, &p, &item, NULL);
		while (t->ahead < p.passed)
			assert_int_equal(catch_up(t, &bind, &passed), 0);
		assert_int_equal(t->ahead, p.passed);
		if (rc == 0)
			break;
		assert_int_equal(rc, 1);
		take_both(t, &item);
	} while (true);
	assert_memory_equal(t->tally.counts, t->by.counts, sizeof(t->by.counts));
	state_free(t->state);
	state_free(t->by.state);
	sf_reader_close(t->reader);
	sf_reader_close(t->by.reader);
}

static void captures_are_told_as_an_observer_sees_them(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		struct pair t = {0};

		if (access(captures[i], R_OK) < 0) {
			print_message("%s is not here\n", captures[i]);
			continue;
		}
		assert_int_equal(sf_reader_open(captures[i], NULL, &t.reader, NULL), 0);
		assert_int_equal(sf_reader_open(captures[i], NULL, &t.by.reader, NULL), 0);
		compare(&t);
	}
}

/* ---- made-up events ---- */

struct dice {
	uint64_t now;
	uint32_t x;
};

static uint32_t roll(struct dice *d, uint32_t sides)
{
	d->x ^= d->x << 13;
	d->x ^= d->x >> 17;
	d->x ^= d->x << 5;
	return d->x % sides;
}

/* Mostly in order, but also not, twice the same, or none. */
static uint64_t some_time(struct dice *d)
{
	switch (roll(d, 16)) {
	case 0:
		return d->now - roll(d, 1000);
	case 1:
		return d->now;
	case 2:
		return roll(d, 8) ? d->now : UINT64_MAX;
	default:
		return d->now += 1 + roll(d, 100);
	}
}

/* A descriptor of @tid: a file, a device, a socket. */
static void make_fd(struct capture *c, struct dice *d, int64_t tid, uint64_t num)
{
	static const char *const names[] = {"/tmp/x", "/dev/pts/3", "/dev/", "/devices"};

	if (roll(d, 2)) {
		cb_event_begin(c, CB_EV_V2, EV_SOCKET_X, some_time(d), tid);
		cb_param_u64(c, num);
		cb_param_u32(c, 1 + roll(d, 2)); /* AF_UNIX, AF_INET */
		cb_param_u32(c, 1);
		cb_param_u32(c, 0);
		cb_event_end(c);
		return;
	}
	cb_event_begin(c, CB_EV_V2, EV_OPENAT_2_X, some_time(d), tid);
	cb_param_u64(c, num);
	cb_param_u64(c, UINT64_C(0) - 100);
	cb_param_str(c, names[roll(d, COUNT_OF(names))]);
	cb_param_u32(c, 1); /* to be read */
	cb_param_u32(c, 0);
	cb_param_u32(c, 5);
	cb_param_u64(c, 1000 + num);
	cb_event_end(c);
}

static void use_fd(struct capture *c, struct dice *d, int64_t tid, uint64_t num)
{
	static const uint16_t types[] = {EV_READ_X, EV_WRITE_X, EV_CLOSE_X, EV_FSTAT_X,
					 EV_GETUID_X};
	uint16_t type = types[roll(d, COUNT_OF(types))];

	cb_event_begin(c, CB_EV_V2, type, some_time(d), tid);
	if (type == EV_GETUID_X)
		cb_param_u32(c, 0);
	else
		cb_param_u64(c, roll(d, 8) ? roll(d, 100) : UINT64_C(0) - 11);
	for (int i = 1; i < ev_table[type].nparams; i++)
		if (i == ev_param_index(type, "fd"))
			cb_param_u64(c, num);
		else
			cb_param(c, "data", roll(d, 5));
	cb_event_end(c);
}

static void made_up_events_are_told_as_an_observer_sees_them(void **unused)
{
	struct dice d = {.now = 1000000, .x = 7};
	struct pair t = {0};
	struct capture c = {0};

	(void)unused;
	cb_section(&c);
	cb_machine(&c, 2, "box");
	for (unsigned i = 0; i < 20000; i++) {
		/* Some threads have the same low bits. */
		int64_t tid = 1 + roll(&d, 12) + (roll(&d, 6) ? 0 : STATE_TALLY_THREADS);
		uint64_t num = roll(&d, 6);

		if (roll(&d, 4))
			use_fd(&c, &d, tid, num);
		else
			make_fd(&c, &d, tid, num);
	}
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &t.reader, NULL), 0);
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &t.by.reader, NULL), 0);
	compare(&t);
	/* Each reason came up, but for events that are not visible. */
	for (unsigned i = 0; i < 4; i++)
		assert_true(t.told[i] > 100);
	assert_true(t.devices > 100);
	assert_true(t.numbers > 100);
	cb_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(captures_are_told_as_an_observer_sees_them),
	    cmocka_unit_test(made_up_events_are_told_as_an_observer_sees_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
