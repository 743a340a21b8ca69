/* SPDX-License-Identifier: Apache-2.0 */
/* What one thread found, in blocks of records, until another passes it on. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "replay/internal.h"

enum record_kind { RECORD_ALERT, RECORD_START, RECORD_EXEC, RECORD_END, RECORD_FACT };

/* A record: this head, the struct as it was put, the bytes of its texts one after the other. */
struct record {
	uint32_t kind;
	uint32_t size; /* of all three, rounded up */
};

#define TEXTS_MAX 6

static const struct shape {
	uint16_t size;
	uint16_t texts[TEXTS_MAX]; /* where texts are that do not outlive the call; 0: no more */
} shapes[] = {
    [RECORD_ALERT] = {sizeof(struct run_alert),
		      {offsetof(struct run_alert, hostname), offsetof(struct run_alert, message),
		       offsetof(struct run_alert, line), offsetof(struct run_alert, fields)}},
    [RECORD_START] = {sizeof(struct qry_process),
		      {offsetof(struct qry_process, comm), offsetof(struct qry_process, exe),
		       offsetof(struct qry_process, exepath), offsetof(struct qry_process, cmdline),
		       offsetof(struct qry_process, cwd),
		       offsetof(struct qry_process, container_id)}},
    [RECORD_EXEC] = {sizeof(struct qry_exec),
		     {offsetof(struct qry_exec, comm), offsetof(struct qry_exec, exe),
		      offsetof(struct qry_exec, exepath), offsetof(struct qry_exec, cmdline),
		      offsetof(struct qry_exec, cwd), offsetof(struct qry_exec, args)}},
    [RECORD_END] = {sizeof(struct run_process_end), {0}},
};

struct run_log_block {
	struct run_log_block *next;
	size_t used, cap;
	_Alignas(max_align_t) char records[];
};

/* --- records --- */

static struct sv *text_of(void *what, uint16_t at)
{
	return (struct sv *)(void *)((char *)what + at);
}

static size_t round_up(size_t n)
{
	return (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

static size_t record_size(const struct shape *s, void *what)
{
	size_t n = sizeof(struct record) + s->size;

	for (unsigned i = 0; i < TEXTS_MAX && s->texts[i]; i++)
		n += text_of(what, s->texts[i])->n;
	return round_up(n);
}

static void write_record(char *to, enum record_kind kind, size_t size, void *what)
{
	const struct shape *s = &shapes[kind];
	char *body = to + sizeof(struct record), *at = body + s->size;

	*(struct record *)(void *)to = (struct record){kind, (uint32_t)size};
	memcpy(body, what, s->size);
	for (unsigned i = 0; i < TEXTS_MAX && s->texts[i]; i++) {
		struct sv *text = text_of(body, s->texts[i]);

		if (text->n)
			memcpy(at, text->p, text->n);
		if (text->p)
			text->p = at; /* no text stays none */
		at += text->n;
	}
}

/* A fact has as many values, and texts, as it says. */
static size_t fact_size(const struct qry_fact *f)
{
	return offsetof(struct qry_fact, value) + f->count * sizeof(f->value[0]);
}

static size_t fact_record_size(const struct qry_fact *f)
{
	size_t n = sizeof(struct record) + fact_size(f);

	for (unsigned i = 0; i < f->count; i++)
		n += qry_is_text(&f->value[i]) ? f->value[i].s.n : 0;
	return round_up(n);
}

static void write_fact(char *to, size_t size, const struct qry_fact *f)
{
	struct qry_fact *copy = (void *)(to + sizeof(struct record));
	char *at = (char *)copy + fact_size(f);

	*(struct record *)(void *)to = (struct record){RECORD_FACT, (uint32_t)size};
	memcpy(copy, f, fact_size(f));
	for (unsigned i = 0; i < f->count; i++) {
		struct sv *text = &copy->value[i].s;

		if (!qry_is_text(&copy->value[i]))
			continue;
		if (text->n)
			memcpy(at, text->p, text->n);
		text->p = at;
		at += text->n;
	}
}

static int pass_record(char *at, struct run_out *to, struct error *err)
{
	void *body = at + sizeof(struct record);

	switch (((struct record *)(void *)at)->kind) {
	case RECORD_ALERT:
		return to->ops->alert(to, body, err);
	case RECORD_START:
		return to->ops->process_start(to, body, err);
	case RECORD_EXEC:
		return to->ops->process_exec(to, body, err);
	case RECORD_FACT:
		return to->ops->fact(to, body, err);
	default:
		return to->ops->process_end(to, body, err);
	}
}

static int pass_block(struct run_log_block *b, struct run_out *to, struct error *err)
{
	int rc = 0;

	for (size_t at = 0; at < b->used && rc >= 0;) {
		size_t size = ((struct record *)(void *)(b->records + at))->size;

		rc = pass_record(b->records + at, to, err);
		at += size;
	}
	return rc < 0 ? rc : 0;
}

/* --- filling --- */

/* Hand over the block being filled, when there is room. Return: 0 or ERR_INTERRUPTED. */
static int hand_over(struct run_log *l)
{
	struct run_log_block *b = l->filling;
	bool given_up;

	if (!b)
		return 0;
	pthread_mutex_lock(&l->lock);
	while (l->waiting >= RUN_LOG_MAX && !l->given_up)
		pthread_cond_wait(&l->changed, &l->lock);
	given_up = l->given_up;
	if (!given_up) {
		if (l->last)
			l->last->next = b;
		else
			l->first = b;
		l->last = b;
		l->waiting += b->cap;
		l->filling = NULL;
		pthread_cond_broadcast(&l->changed);
	}
	pthread_mutex_unlock(&l->lock);
	return given_up ? ERR_INTERRUPTED : 0;
}

static struct run_log_block *block_new(size_t least)
{
	size_t cap = least > RUN_LOG_BLOCK ? least : RUN_LOG_BLOCK;
	struct run_log_block *b = malloc(sizeof(*b) + cap);

	if (!b)
		return NULL;
	b->next = NULL;
	b->used = 0;
	b->cap = cap;
	return b;
}

static int put(struct run_out *out, enum record_kind kind, const void *what, struct error *err)
{
	struct run_log *l = CONTAINER_OF(out, struct run_log, out);
	size_t size =
	    kind == RECORD_FACT ? fact_record_size(what) : record_size(&shapes[kind], (void *)what);
	struct run_log_block *b = l->filling;

	if (size > UINT32_MAX)
		return error_set(err, ERR_LIMIT, "an alert of %zu bytes", size);
	if (b && size > b->cap - b->used) {
		if (hand_over(l) < 0)
			return error_set(err, ERR_INTERRUPTED, "stopped");
		b = NULL;
	}
	if (!b) {
		b = l->filling = block_new(size);
		if (!b)
			return error_nomem(err);
	}
	if (kind == RECORD_FACT)
		write_fact(b->records + b->used, size, what);
	else
		write_record(b->records + b->used, kind, size, (void *)what);
	b->used += size;
	return 0;
}

static int put_alert(struct run_out *o, const struct run_alert *a, struct error *err)
{
	return put(o, RECORD_ALERT, a, err);
}

static int put_start(struct run_out *o, const struct qry_process *p, struct error *err)
{
	return put(o, RECORD_START, p, err);
}

static int put_exec(struct run_out *o, const struct qry_exec *x, struct error *err)
{
	return put(o, RECORD_EXEC, x, err);
}

static int put_end(struct run_out *o, const struct run_process_end *e, struct error *err)
{
	return put(o, RECORD_END, e, err);
}

static int put_fact(struct run_out *o, const struct qry_fact *f, struct error *err)
{
	return put(o, RECORD_FACT, f, err);
}

static const struct run_out_ops log_ops = {
    .alert = put_alert,
    .process_start = put_start,
    .process_exec = put_exec,
    .process_end = put_end,
    .fact = put_fact,
};

void run_log_close(struct run_log *l)
{
	(void)hand_over(l); /* what is not wanted any more stays, to be freed */
	pthread_mutex_lock(&l->lock);
	l->closed = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

/* --- emptying --- */

/* Wait for a block for at most @ns. Return: the first ones, or NULL; *@over: nothing follows. */
static struct run_log_block *take_blocks(struct run_log *l, uint64_t ns, bool *over)
{
	uint64_t until = clock_ns(CLOCK_MONOTONIC) + ns;
	const struct timespec ts = {.tv_sec = (time_t)(until / 1000000000u),
				    .tv_nsec = (long)(until % 1000000000u)};
	struct run_log_block *b;

	pthread_mutex_lock(&l->lock);
	while (!l->first && !l->closed)
		if (pthread_cond_timedwait(&l->changed, &l->lock, &ts) == ETIMEDOUT)
			break;
	b = l->first;
	l->first = l->last = NULL;
	l->waiting = 0;
	*over = l->closed;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
	return b;
}

static void free_blocks(struct run_log_block *b)
{
	while (b) {
		struct run_log_block *next = b->next;

		free(b);
		b = next;
	}
}

int run_log_pass_on(struct run_log *l, struct run_out *to, uint64_t ns, struct error *err)
{
	bool over;
	struct run_log_block *first = take_blocks(l, ns, &over);
	int rc = 0;

	for (struct run_log_block *b = first; b && rc == 0; b = b->next)
		rc = pass_block(b, to, err);
	free_blocks(first);
	return rc < 0 ? rc : !over;
}

/* --- life --- */

void run_log_give_up(struct run_log *l)
{
	pthread_mutex_lock(&l->lock);
	l->given_up = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

int run_log_init(struct run_log *l, struct error *err)
{
	pthread_condattr_t attr;
	int rc;

	*l = (struct run_log){.out.ops = &log_ops};
	if (pthread_condattr_init(&attr) != 0)
		return error_nomem(err);
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(&l->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (rc != 0)
		return error_nomem(err);
	if (pthread_mutex_init(&l->lock, NULL) == 0)
		return 0;
	pthread_cond_destroy(&l->changed);
	return error_nomem(err);
}

void run_log_reopen(struct run_log *l)
{
	free_blocks(l->first);
	free(l->filling);
	l->first = l->last = l->filling = NULL;
	l->waiting = 0;
	l->closed = l->given_up = false;
}

void run_log_done(struct run_log *l)
{
	if (!l->out.ops)
		return;
	run_log_reopen(l);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->changed);
	*l = (struct run_log){0};
}
