/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as bytes, cleaning of text, and the queue between the two threads. */
#include "query/tests/case_helper.h"

#include <sched.h>

/* --- rows */

static void a_row_survives_encoding(void **state)
{
	const struct qry_value v[] = {qry_int(INT64_MIN),
				      {0},
				      qry_text(SV_LIT("")),
				      qry_json(SV_LIT("[1]")),
				      qry_u64(UINT64_MAX)};
	uint8_t bytes[256];
	size_t n;
	struct qry_row row;

	(void)state;
	assert_true(qry_row_room(v, COUNT_OF(v)) + qry_row_room(NULL, 0) <= sizeof(bytes));
	n = qry_row_encode(bytes, QRY_OP_ALERT, v, COUNT_OF(v));
	assert_true(n <= qry_row_room(v, COUNT_OF(v)));
	assert_true(qry_row_encode(bytes + n, QRY_OP_EXEC, NULL, 0) <= qry_row_room(NULL, 0));
	qry_row_decode(bytes, &row);
	assert_int_equal(row.op, QRY_OP_ALERT);
	assert_int_equal(row.count, COUNT_OF(v));
	assert_true(row.value[0].i == INT64_MIN);
	assert_int_equal(row.value[1].kind, QRY_NULL);
	assert_int_equal(row.value[2].kind, QRY_TEXT);
	assert_int_equal(row.value[2].s.n, 0);
	assert_int_equal(row.value[3].kind, QRY_JSON);
	assert_true(sv_is(row.value[3].s, "[1]"));
	assert_true(row.value[4].i == INT64_MAX);
	assert_ptr_equal(qry_row_end(bytes), bytes + n);
	qry_row_decode(bytes + n, &row);
	assert_int_equal(row.op, QRY_OP_EXEC);
	assert_int_equal(row.count, 0);
}

static void a_cut_falls_between_characters_wherever_they_lie(void **state)
{
	static const char euro[] = "\xe2\x82\xac";
	char *big = malloc(QRY_TEXT_MAX + 8);

	(void)state;
	assert_non_null(big);
	for (unsigned before = 0; before <= 3; before++) {
		struct qry_value v;

		memset(big, 'a', QRY_TEXT_MAX + 8);
		memcpy(big + QRY_TEXT_MAX - before, euro, 3);
		v = qry_text(sv_make(big, QRY_TEXT_MAX + 8));
		assert_int_equal(qry_row_limit(&v, 1), 1);
		assert_int_equal(v.s.n,
				 before == 1 || before == 2 ? QRY_TEXT_MAX - before : QRY_TEXT_MAX);
	}
	free(big);
}

static void text_without_faults_is_not_copied(void **state)
{
	static const char text[] = "0123456789abcdefgh \xc3\xa4\xc3\xb6 \xf0\x9f\x98\x80 end";
	struct buf scratch = {0};

	(void)state;
	for (size_t n = 0; n < 20; n++) {
		struct sv s = sv_make(text, n);
		struct sv clean = qry_clean_text(s, &scratch);

		assert_ptr_equal(clean.p, s.p);
		assert_int_equal(clean.n, n);
	}
	assert_ptr_equal(qry_clean_text(sv_of(text), &scratch).p, text);
	assert_null(scratch.p);
}

static void a_fault_is_replaced_wherever_it_lies(void **state)
{
	static const char faults[] = {'\0', '\x80', '\xff', '\xc3'};
	struct buf scratch = {0};

	(void)state;
	for (size_t f = 0; f < sizeof(faults); f++) {
		for (size_t at = 0; at < 20; at++) {
			char text[20], expected[22];
			struct sv clean;

			memset(text, 'x', sizeof(text));
			text[at] = faults[f];
			memset(expected, 'x', sizeof(expected));
			memcpy(expected + at, "\xef\xbf\xbd", 3);
			clean = qry_clean_text(sv_make(text, sizeof(text)), &scratch);
			assert_int_equal(clean.n, sizeof(expected));
			assert_memory_equal(clean.p, expected, sizeof(expected));
		}
	}
	buf_done(&scratch);
}

/* --- rows sorted by kind */

static void rows_of_a_kind_come_together_but_pass_no_bound(void **state)
{
	static const enum qry_op ops[] = {
	    QRY_OP_ALERT,	QRY_OP_PROCESS,	     QRY_OP_FACTS + QRY_FACT_FILE,
	    QRY_OP_PROCESS,	QRY_OP_CAPTURE_END,  QRY_OP_PROCESS,
	    QRY_OP_RULE,	QRY_OP_RULE,	     QRY_OP_ALERT,
	    QRY_OP_PROCESS_END, QRY_OP_PROCESS,	     QRY_OP_FINISH,
	    QRY_OP_RULE_FILE,	QRY_OP_CAPTURE_BEGIN};
	struct buf got = {0};
	struct qry_order o = {0};
	uint8_t bytes[COUNT_OF(ops) * 32];
	struct sv batch = sv_make(bytes, 0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		const struct qry_value v = qry_int((int64_t)i);

		batch.n += qry_row_encode(bytes + batch.n, ops[i], &v, 1);
	}
	while (batch.n) {
		OK(qry_order_take(&o, &batch, err));
		for (unsigned op = 0; op < QRY_OPS; op++) {
			const uint8_t *p;

			while ((p = qry_rows_next(&o.rows[op]))) {
				struct qry_row row;

				qry_row_decode(p, &row);
				assert_int_equal(row.op, op);
				buf_addf(&got, "%d ", (int)row.value[0].i);
			}
		}
		buf_char(&got, '|');
	}
	buf_char(&got, '\0');
	assert_string_equal(got.p, "1 3 0 2 |4 |5 |6 |7 |10 9 8 |11 |12 |13 |");
	buf_done(&got);
	qry_order_done(&o);
}

/* --- the queue */

struct consumer {
	struct qry_queue q;
	pthread_t thread;
	uint64_t next, batches;
	uint64_t fail_at; /* 0: never */
	bool in_order;
};

static void *consume(void *arg)
{
	struct consumer *c = arg;
	const struct error e = {.code = ERR_IO, .msg = "the disk is gone"};
	struct qry_batch batch = {0};
	struct qry_row row;

	while (!batch.end) {
		qry_queue_take(&c->q, true, -1, &batch);
		c->batches++;
		for (const uint8_t *p = (const uint8_t *)batch.rows.p, *end = p + batch.rows.n;
		     p < end; p = qry_row_end(p)) {
			qry_row_decode(p, &row);
			c->in_order = c->in_order && (uint64_t)row.value[0].i == c->next;
			if (++c->next == c->fail_at)
				qry_queue_fail(&c->q, &e);
		}
	}
	return NULL;
}

static void consumer_start(struct consumer *c, size_t bytes, uint64_t fail_at)
{
	*c = (struct consumer){.in_order = true, .fail_at = fail_at};
	OK(qry_queue_init(&c->q, bytes, err));
	assert_int_equal(pthread_create(&c->thread, NULL, consume, c), 0);
}

static void consumer_stop(struct consumer *c)
{
	qry_queue_close(&c->q);
	assert_int_equal(pthread_join(c->thread, NULL), 0);
	qry_queue_done(&c->q);
}

static void rows_arrive_once_and_in_order_through_a_small_queue(void **state)
{
	enum { ROWS = 20000 };
	struct consumer c;

	(void)state;
	consumer_start(&c, 256, 0);
	for (uint64_t i = 0; i < ROWS; i++) {
		const struct qry_value v[] = {qry_u64(i), qry_text(SV_LIT("some text"))};

		OK(qry_queue_push(&c.q, QRY_OP_EXEC, v, 1 + i % 2, err));
	}
	OK(qry_queue_flush(&c.q, err));
	consumer_stop(&c);
	assert_int_equal(c.q.settled, ROWS);
	assert_int_equal(c.q.fill.cap + c.q.drain.cap, 256);
	assert_int_equal(c.next, ROWS);
	assert_true(c.in_order);
}

static void a_row_larger_than_the_queue_still_gets_through(void **state)
{
	static char big[10000];
	struct consumer c;

	(void)state;
	consumer_start(&c, 256, 0);
	for (uint64_t i = 0; i < 100; i++) {
		const struct qry_value v[] = {qry_u64(i),
					      qry_text(sv_make(big, i % 10 ? 5 : sizeof(big) - i))};

		OK(qry_queue_push(&c.q, QRY_OP_EXEC, v, 2, err));
	}
	consumer_stop(&c);
	assert_int_equal(c.next, 100);
	assert_true(c.in_order);
}

static void what_is_queued_before_closing_is_delivered(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 50; n++) {
		struct consumer c;

		consumer_start(&c, 4096, 0);
		for (uint64_t i = 0; i < n; i++) {
			const struct qry_value v = qry_u64(i);

			OK(qry_queue_push(&c.q, QRY_OP_EXEC, &v, 1, err));
		}
		consumer_stop(&c);
		assert_int_equal(c.next, n);
	}
}

static void a_failure_frees_a_caller_who_waits_for_room(void **state)
{
	struct error why = {0};
	struct consumer c;
	int rc = 0;

	(void)state;
	consumer_start(&c, 128, 100);
	for (uint64_t i = 0; rc == 0; i++) {
		const struct qry_value v = qry_u64(i);

		assert_true(i < 1000000);
		rc = qry_queue_push(&c.q, QRY_OP_EXEC, &v, 1, &why);
	}
	assert_int_equal(rc, ERR_IO);
	assert_string_equal(why.msg, "the disk is gone");
	assert_int_equal(qry_queue_flush(&c.q, NULL), ERR_IO);
	consumer_stop(&c);
}

static void *take_once(void *arg)
{
	struct qry_batch batch;

	qry_queue_take(arg, true, -1, &batch);
	assert_true(batch.rows.n > 0);
	return NULL;
}

static bool is_waited_on(struct qry_queue *q)
{
	bool yes;

	pthread_mutex_lock(&q->lock);
	yes = q->wake_at != SIZE_MAX;
	pthread_mutex_unlock(&q->lock);
	return yes;
}

static void the_first_row_wakes_a_writer_who_has_nothing_to_do(void **state)
{
	const struct qry_value v = qry_int(1);
	struct qry_queue q;
	pthread_t t;

	(void)state;
	OK(qry_queue_init(&q, 4096, err));
	assert_int_equal(pthread_create(&t, NULL, take_once, &q), 0);
	while (!is_waited_on(&q))
		sched_yield();
	OK(qry_queue_push(&q, QRY_OP_EXEC, &v, 1, err));
	assert_int_equal(pthread_join(t, NULL), 0);
	qry_queue_done(&q);
}

static void few_rows_wait_for_company_until_the_time_is_up(void **state)
{
	struct qry_batch batch;
	struct qry_queue q;
	const struct qry_value v = qry_int(1);

	(void)state;
	OK(qry_queue_init(&q, 4096, err));
	for (int i = 0; i < 10; i++)
		OK(qry_queue_push(&q, QRY_OP_EXEC, &v, 1, err));
	qry_queue_take(&q, true, -1, &batch); /* there are rows: no wait, nor a reason to commit */
	assert_int_equal(batch.rows.n, 10 * qry_row_room(&v, 1));
	assert_false(batch.commit);
	OK(qry_queue_push(&q, QRY_OP_EXEC, &v, 1, err));
	qry_queue_take(&q, false, 1, &batch); /* too few to matter, so the time runs out */
	assert_int_equal(batch.rows.n, qry_row_room(&v, 1));
	assert_true(batch.commit);
	assert_int_equal(q.settled, 0);
	qry_queue_close(&q);
	qry_queue_take(&q, true, -1, &batch);
	assert_int_equal(q.settled, 11);
	assert_int_equal(batch.rows.n, 0);
	assert_true(batch.commit);
	assert_true(batch.end);
	qry_queue_done(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_row_survives_encoding),
	    cmocka_unit_test(a_cut_falls_between_characters_wherever_they_lie),
	    cmocka_unit_test(text_without_faults_is_not_copied),
	    cmocka_unit_test(a_fault_is_replaced_wherever_it_lies),
	    cmocka_unit_test(rows_of_a_kind_come_together_but_pass_no_bound),
	    cmocka_unit_test(rows_arrive_once_and_in_order_through_a_small_queue),
	    cmocka_unit_test(a_row_larger_than_the_queue_still_gets_through),
	    cmocka_unit_test(what_is_queued_before_closing_is_delivered),
	    cmocka_unit_test(a_failure_frees_a_caller_who_waits_for_room),
	    cmocka_unit_test(the_first_row_wakes_a_writer_who_has_nothing_to_do),
	    cmocka_unit_test(few_rows_wait_for_company_until_the_time_is_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
