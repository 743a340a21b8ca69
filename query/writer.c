/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's side of writing a case: what is given becomes rows in the queue; and the thread that
 * takes them from there. The order of values in a row is that of the statement it is for
 * (statements.def, store.c).
 */
#include "query/internal.h"

#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "scapfile/index.h"
#include "scapfile/seal.h"

#define HEX_SIZE 64 /* of a SHA-256 */

struct qry_writer {
	struct qry_queue queue;
	struct qry_store store; /* the thread's while it runs, */
	struct qry_order order; /* likewise */
	pthread_t thread;
	struct arena texts;
	const char *path;   /* in @texts, */
	struct qry_run run; /* likewise */
	bool created;	    /* the case was: the thread sets it up */
	int busy_ms, idle_ms;
	bool in_capture;
	uint64_t cut_values; /* of the capture being read */
	bool *known_rules;   /* by index */
	size_t known_cap;
	struct buf tags;
};

/* --- the thread */

static int open_store(struct qry_writer *w, struct error *err)
{
	sqlite3 *db = NULL;
	int rc = qry_db_set_up(w->path, w->created, w->run.version, w->busy_ms, &db, err);

	if (rc < 0)
		return rc;
	/* The store itself knows what there is; looking it up for each row costs a tenth. */
	rc = qry_db_exec(db, w->path, "PRAGMA foreign_keys = OFF", err);
	if (rc < 0)
		sqlite3_close(db);
	return rc < 0 ? rc : qry_store_init(&w->store, db, w->path, &w->run, err);
}

/* Return: false once something failed; then rows are dropped. */
static bool write_batch(struct qry_writer *w, struct qry_batch *batch, struct error *err)
{
	while (batch->rows.n) {
		if (qry_order_take(&w->order, &batch->rows, err) < 0)
			return false;
		for (unsigned op = 0; op < QRY_OPS; op++)
			while (w->order.rows[op].left)
				if (qry_store_take(&w->store, (enum qry_op)op, &w->order.rows[op],
						   err) < 0)
					return false;
		if (qry_store_pace(&w->store, err) < 0)
			return false;
	}
	return !batch->commit || qry_store_commit(&w->store, err) == 0;
}

static void fail(struct qry_writer *w, bool *good, const struct error *err)
{
	*good = false;
	qry_queue_fail(&w->queue, err);
}

static void *write_rows(void *arg)
{
	struct qry_writer *w = arg;
	struct qry_batch batch = {0};
	struct error why = {0};
	bool good = true;

	if (w->created && open_store(w, &why) < 0)
		fail(w, &good, &why);
	while (!batch.end) {
		struct error err = {0};
		bool open;

		if (good && qry_queue_is_idle(&w->queue) &&
		    qry_store_use_pause(&w->store, &err) < 0)
			fail(w, &good, &err);
		open = good && w->store.in_transaction;
		qry_queue_take(&w->queue, good && !open, open ? w->idle_ms : -1, &batch);
		if (good && !write_batch(w, &batch, &err))
			fail(w, &good, &err);
	}
	return NULL;
}

/* Signals are for the program's own threads. */
static int start_thread(struct qry_writer *w, struct error *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, write_rows, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? error_sys(err, rc, "cannot start the thread that writes case '%s'", w->path)
		  : 0;
}

/* --- opening and closing */

void qry_setup(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused, harmlessly, once SQLite runs */
}

static void writer_free(struct qry_writer *w)
{
	qry_store_done(&w->store);
	qry_order_done(&w->order);
	qry_queue_done(&w->queue);
	buf_done(&w->tags);
	free(w->known_rules);
	arena_done(&w->texts);
	free(w);
}

/* Copies of what the thread may need after the call. */
static int keep_run(struct qry_writer *w, const char *path, const struct qry_run *run,
		    struct error *err)
{
	w->path = arena_strdup(&w->texts, path);
	w->run = (struct qry_run){
	    .version = arena_strdup(&w->texts, run->version ? run->version : ""),
	    .command = arena_strdup(&w->texts, run->command ? run->command : ""),
	    .matching = arena_strdup(&w->texts, run->matching ? run->matching : ""),
	    .started_ts = run->started_ts,
	};
	return w->path && w->run.version && w->run.command && w->run.matching ? 0
									      : error_nomem(err);
}

int qry_writer_open_with(const char *path, const struct qry_run *run,
			 const struct qry_writer_options *opt, struct qry_writer **out,
			 struct error *err)
{
	struct qry_writer *w;
	int rc;

	if (!path[0])
		return error_set(err, ERR_USAGE, "the file name of the case is empty");
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_nomem(err);
	rc = qry_queue_init(&w->queue, opt->queue_bytes, err);
	if (rc < 0) {
		free(w);
		return rc;
	}
	w->busy_ms = opt->busy_ms;
	w->idle_ms = opt->idle_ms;
	rc = keep_run(w, path, run, err);
	if (rc == 0)
		rc = qry_db_create(path, err);
	w->created = rc == 1;
	w->queue.pushed = w->created; /* the run, for who flushes */
	/* Setting up a new case takes so long that the caller need not wait. */
	if (rc == 0)
		rc = open_store(w, err);
	if (rc >= 0)
		rc = start_thread(w, err);
	if (rc < 0) {
		if (w->created)
			unlink(path);
		writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

int qry_writer_open(const char *path, const struct qry_run *run, struct qry_writer **out,
		    struct error *err)
{
	const struct qry_writer_options opt = {QRY_QUEUE_BYTES, QRY_BUSY_MS, QRY_IDLE_MS};

	return qry_writer_open_with(path, run, &opt, out, err);
}

static void stop_thread(struct qry_writer *w)
{
	qry_queue_close(&w->queue);
	pthread_join(w->thread, NULL);
}

int qry_writer_close(struct qry_writer *w, int exit_status, struct error *err)
{
	const struct qry_value v[] = {qry_int(exit_status), qry_u64(clock_ns(CLOCK_REALTIME))};
	int rc;

	if (!w)
		return 0;
	rc = qry_queue_push(&w->queue, QRY_OP_FINISH, v, COUNT_OF(v), err);
	if (rc == 0)
		rc = qry_queue_flush(&w->queue, err);
	stop_thread(w);
	writer_free(w);
	return rc;
}

void qry_writer_abort(struct qry_writer *w)
{
	if (!w)
		return;
	stop_thread(w);
	writer_free(w);
}

int qry_writer_flush(struct qry_writer *w, struct error *err)
{
	return qry_queue_flush(&w->queue, err);
}

/* --- rules */

static void to_hex(char hex[HEX_SIZE], const uint8_t digest[HEX_SIZE / 2])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < HEX_SIZE / 2; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
}

int qry_add_rule_file(struct qry_writer *w, const struct rule_result *r, struct error *err)
{
	char hex[HEX_SIZE];
	/* a part of the text would be another text */
	const struct qry_value v[] = {qry_text(sv_of(r->name)), qry_text(sv_make(hex, sizeof(hex))),
				      qry_int(r->ok),
				      qry_text(r->text.n <= QRY_TEXT_MAX ? r->text : SV_NONE)};
	uint8_t digest[HEX_SIZE / 2];

	rule_result_digest(r, digest);
	to_hex(hex, digest);
	return qry_queue_push(&w->queue, QRY_OP_RULE_FILE, v, COUNT_OF(v), err);
}

/* SHA-256 over the texts, each after its length, so that no two rules can run into one another. */
static int digest_texts(const struct qry_value *v, unsigned n, char hex[HEX_SIZE],
			struct error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[HEX_SIZE / 2];
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (unsigned i = 0; i < n && ok; i++) {
		uint64_t head = v[i].kind == QRY_INT ? (uint64_t)v[i].i : v[i].s.n;
		uint8_t le[8];

		for (unsigned b = 0; b < sizeof(le); b++)
			le[b] = (uint8_t)(head >> 8 * b);
		ok = EVP_DigestUpdate(ctx, le, sizeof(le)) == 1 &&
		     EVP_DigestUpdate(ctx, v[i].s.p, v[i].s.n) == 1;
	}
	ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return error_set(err, ERR_NOMEM, "cannot compute SHA-256");
	to_hex(hex, digest);
	return 0;
}

static struct sv tags_json(struct buf *b, const struct rule *r)
{
	buf_reset(b);
	buf_char(b, '[');
	for (size_t i = 0; i < r->tag_count; i++) {
		if (i)
			buf_char(b, ',');
		json_string(b, r->tags[i]);
	}
	buf_char(b, ']');
	return buf_view(b);
}

static int remember_rule(struct qry_writer *w, size_t index, struct error *err)
{
	size_t cap = w->known_cap ? w->known_cap : 64;
	bool *p;

	while (cap <= index)
		cap *= 2;
	if (cap > w->known_cap) {
		p = realloc(w->known_rules, cap);
		if (!p)
			return error_nomem(err);
		memset(p + w->known_cap, 0, cap - w->known_cap);
		w->known_rules = p;
		w->known_cap = cap;
	}
	w->known_rules[index] = true;
	return 0;
}

int qry_add_rule(struct qry_writer *w, const struct rule *r, struct error *err)
{
	char hex[HEX_SIZE];
	struct qry_value v[] = {
	    qry_int(r->index),
	    qry_int(r->enabled),
	    qry_text(sv_of(r->file)),
	    qry_int(r->line),
	    qry_text(sv_make(hex, sizeof(hex))),
	    qry_text(r->name),
	    qry_text(r->desc),
	    qry_text(r->source),
	    qry_int(r->priority),
	    qry_text(r->condition),
	    qry_text(r->compiled),
	    qry_text(r->output),
	    qry_json(tags_json(&w->tags, r)),
	};
	int rc;

	if (w->tags.failed)
		return error_nomem(err);
	rc = digest_texts(v + 5, COUNT_OF(v) - 5, hex, err);
	if (rc == 0)
		rc = remember_rule(w, r->index, err);
	if (rc < 0)
		return rc;
	qry_row_limit(v, COUNT_OF(v));
	return qry_queue_push(&w->queue, QRY_OP_RULE, v, COUNT_OF(v), err);
}

/* --- captures and what happens in them */

struct sv qry_quick_id(const char *path, char out[QRY_QUICK_ID_SIZE])
{
	struct sf_identity id;
	struct error err;
	int n;

	if (sf_identify(path, &id, &err) < 0)
		return SV_NONE;
	n = snprintf(out, QRY_QUICK_ID_SIZE, "%llu-", (unsigned long long)id.size);
	to_hex(out + n, id.ends);
	return sv_make(out, (size_t)n + HEX_SIZE);
}

int qry_capture_begin(struct qry_writer *w, const char *path, struct error *err)
{
	struct sf_seal_status seal = {0};
	char ends[QRY_QUICK_ID_SIZE], hex[HEX_SIZE];
	struct qry_value v[] = {
	    qry_text(sv_of(path)), qry_text(qry_quick_id(path, ends)), {0}, {0}, {0}, {0}};

	if (sf_seal_status(path, &seal, NULL) == 0) {
		v[2] = qry_text(sv_of(sf_seal_verdict_name(seal.verdict)));
		if (seal.verdict != SF_SEAL_NONE)
			v[3] = qry_text(sv_of(sf_seal_origin_name(seal.origin)));
		v[5] = qry_u64_known(seal.made);
	}
	if (seal.verdict == SF_SEAL_INTACT) {
		to_hex(hex, seal.sha256);
		v[4] = qry_text(sv_make(hex, sizeof(hex)));
	}
	w->in_capture = true;
	w->cut_values = 0;
	return qry_queue_push(&w->queue, QRY_OP_CAPTURE_BEGIN, v, COUNT_OF(v), err);
}

/* Queue a row of the capture being read. */
static int push_row(struct qry_writer *w, enum qry_op op, const struct qry_value *v, unsigned n,
		    struct error *err)
{
	struct qry_value within[QRY_VALUES_MAX];

	if (UNLIKELY(!w->in_capture))
		return error_set(err, ERR_USAGE, "case '%s': a row outside of any capture",
				 w->path);
	if (LIKELY(qry_row_is_limited(v, n)))
		return qry_queue_push(&w->queue, op, v, n, err);
	memcpy(within, v, n * sizeof(*v));
	w->cut_values += qry_row_limit(within, n);
	return qry_queue_push(&w->queue, op, within, n, err);
}

static int check_key(const struct qry_writer *w, uint64_t key, uint64_t least, struct error *err)
{
	if (LIKELY(key >= least && key <= QRY_PROCESS_KEY_MAX))
		return 0;
	return error_set(err, ERR_LIMIT, "case '%s': process key %llu, expected %llu to %llu",
			 w->path, (unsigned long long)key, (unsigned long long)least,
			 (unsigned long long)QRY_PROCESS_KEY_MAX);
}

int qry_add_alert(struct qry_writer *w, const struct qry_alert *a, struct error *err)
{
	struct qry_value v[] = {
	    qry_int(a->rule->index),
	    qry_int(qry_fingerprint(a->rule->name, a->output_fields)),
	    qry_u64(a->ts),
	    qry_u64(a->evt_num),
	    qry_u64(a->evt_offset),
	    qry_int_known(a->tid),
	    qry_int_known(a->pid),
	    qry_u64_known(a->process_key),
	    qry_text(a->source),
	    qry_text(a->output),
	    qry_json(a->output_fields),
	};
	size_t index = a->rule->index;
	int rc = check_key(w, a->process_key, 0, err);

	if (rc < 0)
		return rc;
	if (index >= w->known_cap || !w->known_rules[index]) {
		rc = qry_add_rule(w, a->rule, err);
		if (rc < 0)
			return rc;
	}
	return push_row(w, QRY_OP_ALERT, v, COUNT_OF(v), err);
}

static struct qry_value origin_text(enum qry_process_origin origin)
{
	switch (origin) {
	case QRY_FROM_LIST:
		return qry_text(SV_LIT("list"));
	case QRY_FROM_CLONE:
		return qry_text(SV_LIT("clone"));
	case QRY_FROM_EXEC:
		return qry_text(SV_LIT("exec"));
	case QRY_PLACEHOLDER:
		break;
	}
	return qry_text(SV_LIT("placeholder"));
}

int qry_process_start(struct qry_writer *w, const struct qry_process *p, struct error *err)
{
	struct qry_value v[] = {
	    qry_u64(p->key),
	    qry_u64_known(p->parent_key),
	    qry_int_known(p->pid),
	    qry_int_known(p->ppid),
	    qry_int_known(p->vpid),
	    qry_int_known(p->sid),
	    origin_text(p->origin),
	    qry_u64_known(p->start_ts),
	    qry_u64_known(p->start_evt),
	    qry_int(p->uid),
	    qry_int(p->loginuid),
	    qry_int(p->tty),
	    qry_text(p->comm),
	    qry_text(p->exe),
	    qry_text(p->exepath),
	    qry_text(p->cmdline),
	    qry_text(p->cwd),
	    qry_text_known(p->container_id),
	    qry_u64_known(p->clone_ts),
	    qry_int(p->gid),
	};
	int rc = check_key(w, p->key, 1, err);

	if (rc == 0)
		rc = check_key(w, p->parent_key, 0, err);
	return rc < 0 ? rc : push_row(w, QRY_OP_PROCESS, v, COUNT_OF(v), err);
}

int qry_process_exec(struct qry_writer *w, const struct qry_exec *x, struct error *err)
{
	struct qry_value v[] = {
	    qry_u64(x->process_key),
	    qry_int(x->index),
	    qry_u64(x->ts),
	    qry_u64(x->evt_num),
	    qry_u64(x->evt_offset),
	    qry_int(x->uid),
	    qry_text(x->comm),
	    qry_text(x->exe),
	    qry_text(x->exepath),
	    qry_text(x->cmdline),
	    qry_text(x->cwd),
	    qry_json(x->args),
	    qry_int(x->exe_writable),
	    qry_int(x->exe_upper_layer),
	    qry_int(x->exe_from_memfd),
	};
	int rc = check_key(w, x->process_key, 1, err);

	return rc < 0 ? rc : push_row(w, QRY_OP_EXEC, v, COUNT_OF(v), err);
}

/* The wait(2) layout: the low 7 bits are the signal, bit 7 says core, 8 bits of code above. */
static void decode_status(int64_t status, struct qry_value *code, struct qry_value *sig,
			  struct qry_value *core)
{
	int64_t low = status & 0x7f;

	*code = *sig = *core = (struct qry_value){0};
	if (status < 0 || low == 0x7f) /* not recorded; stopped, which is no end */
		return;
	if (low == 0) {
		*code = qry_int(status >> 8 & 0xff);
	} else {
		*sig = qry_int(low);
		*core = qry_int(status >> 7 & 1);
	}
}

int qry_process_end(struct qry_writer *w, uint64_t key, uint64_t ts, uint64_t evt_num,
		    int64_t status, struct error *err)
{
	struct qry_value v[] = {
	    qry_u64(key),
	    qry_text(ts ? SV_LIT("exit") : SV_LIT("vanished")),
	    qry_u64_known(ts),
	    qry_u64_known(evt_num),
	    qry_int_known(status),
	    {0},
	    {0},
	    {0},
	};
	int rc = check_key(w, key, 1, err);

	decode_status(status, &v[5], &v[6], &v[7]);
	return rc < 0 ? rc : push_row(w, QRY_OP_PROCESS_END, v, COUNT_OF(v), err);
}

int qry_add_fact(struct qry_writer *w, const struct qry_fact *f, struct error *err)
{
	const struct qry_value *v = f->value;

	for (unsigned i = 0; i < f->count; i++)
		if (qry_is_number(&v[i]) && check_key(w, (uint64_t)v[i].i, 1, err) < 0)
			return ERR_LIMIT;
	return push_row(w, QRY_OP_FACTS + f->kind, v, f->count, err);
}

static int push_gaps(struct qry_writer *w, const struct qry_capture_end *e, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < e->gap_count && rc == 0; i++) {
		const struct sf_gap *g = &e->gaps[i];
		struct qry_value v[] = {
		    qry_u64(i + 1),
		    qry_u64(g->offset),
		    qry_u64_known(g->bytes),
		    qry_text(sv_of(sf_gap_reason_name(g->reason))),
		    qry_text(sv_make(g->what, strnlen(g->what, sizeof(g->what)))),
		};

		rc = push_row(w, QRY_OP_GAP, v, COUNT_OF(v), err);
	}
	return rc;
}

int qry_capture_end(struct qry_writer *w, const struct qry_capture_end *e, struct error *err)
{
	const struct sf_stats *st = e->stats;
	char hex[HEX_SIZE];
	struct qry_value v[] = {
	    qry_u64(e->events),
	    qry_u64(st->gaps),
	    qry_int(e->interrupted),
	    {0}, /* values cut: counted below */
	    qry_text(st->sha256_valid ? sv_make(hex, sizeof(hex)) : SV_NONE),
	    qry_text(e->hostname),
	    qry_u64_known(e->num_cpus),
	    qry_u64_known(e->boot_ts),
	    qry_u64_known(e->first_ts),
	    qry_u64_known(e->last_ts),
	    qry_text(sv_of(sf_compression_name(st->compression))),
	    qry_int(st->version_major),
	    qry_int(st->version_minor),
	    qry_u64(st->file_size),
	    qry_u64(st->stream_size),
	    qry_int(st->sections),
	    qry_u64(st->blocks),
	    qry_u64(st->unknown_blocks),
	    qry_u64(e->events),
	    qry_u64(st->events_stored),
	    qry_u64(st->events_unknown),
	    qry_u64(st->gaps),
	    qry_int(e->interrupted),
	    qry_u64(e->lost),
	};
	int rc;

	to_hex(hex, st->sha256);
	rc = push_gaps(w, e, err);
	if (rc < 0)
		return rc;
	v[3] = qry_u64(w->cut_values + qry_row_limit(v, COUNT_OF(v)));
	rc = push_row(w, QRY_OP_CAPTURE_END, v, COUNT_OF(v), err);
	w->in_capture = false;
	return rc;
}
