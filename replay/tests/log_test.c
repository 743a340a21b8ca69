/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of what a thread found: order, texts, bounds, and how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "replay/internal.h"

#define RECORDS 20000u
#define SECOND	1000000000u

/* Writes down what arrives; fails at record number @fail_at. */
struct recorder {
	struct run_out out;
	struct buf text;
	uint64_t count, fail_at;
	size_t most_waiting;
	struct run_log *log;
};

static int arrived(struct recorder *r, struct error *err)
{
	if (r->log && r->log->waiting > r->most_waiting)
		r->most_waiting = r->log->waiting;
	return ++r->count == r->fail_at ? error_set(err, ERR_IO, "full") : 0;
}

static int on_alert(struct run_out *o, const struct run_alert *a, struct error *err)
{
	struct recorder *r = (struct recorder *)o;

	if (r->text.cap)
		buf_addf(&r->text, "alert %llu %.*s|%.*s|%.*s|%.*s %d;",
			 (unsigned long long)a->evt_num, (int)a->message.n, a->message.p,
			 (int)a->line.n, a->line.p, (int)a->fields.n, a->fields.p,
			 (int)a->hostname.n, a->hostname.p, a->rule == NULL);
	else
		assert_int_equal(a->evt_num, r->count);
	return arrived(r, err);
}

static int on_start(struct run_out *o, const struct qry_process *p, struct error *err)
{
	struct recorder *r = (struct recorder *)o;

	buf_addf(&r->text, "start %llu %.*s %.*s %s;", (unsigned long long)p->key, (int)p->comm.n,
		 p->comm.p, (int)p->container_id.n, p->container_id.p, p->cwd.p ? "cwd" : "none");
	return arrived(r, err);
}

static int on_exec(struct run_out *o, const struct qry_exec *x, struct error *err)
{
	struct recorder *r = (struct recorder *)o;

	buf_addf(&r->text, "exec %u %.*s;", x->index, (int)x->args.n, x->args.p);
	return arrived(r, err);
}

static int on_end(struct run_out *o, const struct run_process_end *e, struct error *err)
{
	struct recorder *r = (struct recorder *)o;

	buf_addf(&r->text, "end %llu %lld;", (unsigned long long)e->key, (long long)e->status);
	return arrived(r, err);
}

static int on_fact(struct run_out *o, const struct qry_fact *f, struct error *err)
{
	struct recorder *r = (struct recorder *)o;

	buf_addf(&r->text, "fact %u %.*s %lld;", (unsigned)f->kind, (int)f->value[1].s.n,
		 f->value[1].s.p, (long long)f->value[2].i);
	return arrived(r, err);
}

static const struct run_out_ops recorder_ops = {on_alert, on_start, on_exec, on_end, on_fact};

static int put_number(struct run_log *l, uint64_t n, struct error *err)
{
	char text[300] = {0};
	struct run_alert a = {.evt_num = n, .message = {text, sizeof(text)}};

	return l->out.ops->alert(&l->out, &a, err);
}

static void what_goes_in_comes_out_in_order_with_its_texts(void **state)
{
	struct recorder r = {.out.ops = &recorder_ops};
	char text[16] = "first";
	struct run_alert a = {.evt_num = 7,
			      .message = sv_of(text),
			      .line = SV_LIT("l"),
			      .fields = SV_LIT("\"f\":1"),
			      .hostname = SV_LIT("h")};
	struct qry_process p = {.key = 3, .comm = sv_of(text), .container_id = SV_LIT("c")};
	struct qry_exec x = {.index = 2, .args = SV_LIT("[]")};
	struct run_process_end e = {.key = 3, .status = -1};
	struct qry_fact fact = {
	    .kind = QRY_FACT_USER, .count = 3, .value = {qry_key(9), {0}, qry_int(-5)}};
	struct run_log l;
	struct error err;

	(void)state;
	assert_int_equal(run_log_init(&l, &err), 0);
	assert_non_null(buf_room(&r.text, 1));
	assert_int_equal(l.out.ops->process_start(&l.out, &p, &err), 0);
	snprintf(text, sizeof(text), "2nd.."); /* it was copied */
	assert_int_equal(l.out.ops->alert(&l.out, &a, &err), 0);
	assert_int_equal(l.out.ops->process_exec(&l.out, &x, &err), 0);
	assert_int_equal(l.out.ops->process_end(&l.out, &e, &err), 0);
	fact.value[1] = qry_text(sv_of(text));
	assert_int_equal(l.out.ops->fact(&l.out, &fact, &err), 0);
	snprintf(text, sizeof(text), "gone.");
	assert_int_equal(run_log_pass_on(&l, &r.out, 0, &err), 1);
	assert_int_equal(r.count, 0); /* not handed over yet */
	run_log_close(&l);
	assert_int_equal(run_log_pass_on(&l, &r.out, SECOND, &err), 0);
	assert_string_equal(buf_cstr(&r.text), "start 3 first c none;alert 7 2nd..|l|\"f\":1|h 1;"
					       "exec 2 [];end 3 -1;fact 5 2nd.. -5;");
	buf_done(&r.text);
	run_log_done(&l);
}

static void a_record_larger_than_a_block_passes(void **state)
{
	struct recorder r = {.out.ops = &recorder_ops};
	size_t size = 3 * RUN_LOG_BLOCK;
	char *big = calloc(1, size);
	struct run_alert a = {.evt_num = 1, .message = {big, size}};
	struct run_log l;
	struct error err;

	(void)state;
	assert_non_null(big);
	assert_int_equal(run_log_init(&l, &err), 0);
	assert_int_equal(put_number(&l, 0, &err), 0);
	assert_int_equal(l.out.ops->alert(&l.out, &a, &err), 0);
	assert_int_equal(put_number(&l, 2, &err), 0);
	run_log_close(&l);
	assert_int_equal(run_log_pass_on(&l, &r.out, SECOND, &err), 0);
	assert_int_equal(r.count, 3);
	free(big);
	run_log_done(&l);
}

static void *fill(void *arg)
{
	struct run_log *l = arg;
	struct error err;
	int rc = 0;

	for (uint64_t n = 0; n < RECORDS && rc == 0; n++)
		rc = put_number(l, n, &err);
	run_log_close(l);
	return rc == ERR_INTERRUPTED ? l : NULL;
}

/* 20,000 records of 300 bytes are more than a log may hold. */
static void who_fills_a_full_log_waits(void **state)
{
	struct run_log l;
	struct recorder r = {.out.ops = &recorder_ops, .log = &l};
	struct error err;
	pthread_t thread;
	void *ended;
	int rc;

	(void)state;
	assert_int_equal(run_log_init(&l, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, fill, &l), 0);
	do {
		rc = run_log_pass_on(&l, &r.out, SECOND, &err);
	} while (rc > 0);
	assert_int_equal(rc, 0);
	pthread_join(thread, &ended);
	assert_null(ended);
	assert_int_equal(r.count, RECORDS);
	run_log_done(&l);
}

static void a_log_that_is_given_up_ends_who_fills_it(void **state)
{
	struct recorder r = {.out.ops = &recorder_ops, .fail_at = 5};
	struct run_log l;
	struct error err;
	pthread_t thread;
	void *ended;
	int rc;

	(void)state;
	assert_int_equal(run_log_init(&l, &err), 0);
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(pthread_create(&thread, NULL, fill, &l), 0);
		do {
			rc = run_log_pass_on(&l, &r.out, SECOND, &err);
		} while (rc > 0);
		assert_int_equal(rc, ERR_IO);
		assert_string_equal(err.msg, "full");
		run_log_give_up(&l);
		pthread_join(thread, &ended);
		assert_ptr_equal(ended, &l);
		r.count = 0;
		run_log_reopen(&l);
	}
	assert_int_equal(put_number(&l, 0, &err), 0); /* as if nothing had been */
	run_log_close(&l);
	assert_int_equal(run_log_pass_on(&l, &r.out, SECOND, &err), 0);
	assert_int_equal(r.count, 1);
	run_log_done(&l);
}

static void a_log_holds_no_more_than_its_limit(void **state)
{
	struct run_log l;
	struct recorder r = {.out.ops = &recorder_ops};
	struct error err;
	pthread_t thread;
	size_t waiting = 0;

	(void)state;
	assert_int_equal(run_log_init(&l, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, fill, &l), 0);
	while (waiting < RUN_LOG_MAX) {
		pthread_mutex_lock(&l.lock);
		waiting = l.waiting;
		pthread_mutex_unlock(&l.lock);
	}
	assert_in_range(waiting, RUN_LOG_MAX, RUN_LOG_MAX + RUN_LOG_BLOCK);
	while (run_log_pass_on(&l, &r.out, SECOND, &err) > 0)
		;
	pthread_join(thread, NULL);
	assert_int_equal(r.count, RECORDS);
	run_log_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_in_comes_out_in_order_with_its_texts),
	    cmocka_unit_test(a_record_larger_than_a_block_passes),
	    cmocka_unit_test(who_fills_a_full_log_waits),
	    cmocka_unit_test(a_log_that_is_given_up_ends_who_fills_it),
	    cmocka_unit_test(a_log_holds_no_more_than_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
