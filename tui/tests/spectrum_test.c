/* SPDX-License-Identifier: Apache-2.0 */
/* The spectrogram: rows, counts against events that pass a condition, latencies against sysdig. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/spectrogram.h"
#include "tui/tests/data_place.h"

#define OLD_CAPTURES SOURCE_DIR "/../shared/corpus/public/"
#define NS_PER_S     1000000000ull

static void rows_are_powers_of_ten(void **state)
{
	static const struct {
		enum tui_measure m;
		uint64_t value;
		unsigned row;
	} wanted[] = {
	    {TUI_BYTES, 0, 0},		{TUI_BYTES, 1, 1},
	    {TUI_BYTES, 9, 1},		{TUI_BYTES, 10, 2},
	    {TUI_BYTES, 99, 2},		{TUI_BYTES, 999999, 6},
	    {TUI_BYTES, 1000000, 7},	{TUI_BYTES, UINT64_MAX, 7},
	    {TUI_LATENCY, 0, 0},	{TUI_LATENCY, 999, 0},
	    {TUI_LATENCY, 1000, 1},	{TUI_LATENCY, 9999, 1},
	    {TUI_LATENCY, 10000, 2},	{TUI_LATENCY, NS_PER_S - 1, 6},
	    {TUI_LATENCY, NS_PER_S, 7}, {TUI_LATENCY, UINT64_MAX, 7},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		assert_int_equal(tui_spectrum_row(wanted[i].m, wanted[i].value), wanted[i].row);
	for (unsigned m = 0; m < TUI_MEASURES; m++)
		for (unsigned row = 0; row < TUI_SPECTRUM_ROWS; row++) {
			uint64_t from = tui_spectrum_from((enum tui_measure)m, row);

			assert_int_equal(tui_spectrum_row((enum tui_measure)m, from), row);
			if (row)
				assert_int_equal(tui_spectrum_row((enum tui_measure)m, from - 1),
						 row - 1);
		}
}

static void open_old(struct place *p, const char *name, bool *there)
{
	char from[160];

	snprintf(p->dir, sizeof(p->dir), "/tmp/data-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(setenv("XDG_CACHE_HOME", p->dir, 1), 0);
	snprintf(from, sizeof(from), OLD_CAPTURES "%s", name);
	snprintf(p->capture, sizeof(p->capture), "%s/%s", p->dir, name);
	*there = access(from, R_OK) == 0;
	if (*there)
		copy_file(from, p->capture);
}

static const struct tui_counts *counts_of(struct tui_data *d, uint64_t from, uint64_t to, size_t n)
{
	const struct tui_counts *c;
	struct error err;

	do {
		if (tui_data_counts(d, from, to, n, 0, &c, &err) < 0)
			fail_msg("%s", err.msg);
		(void)tui_data_poll(d);
	} while (!c->complete);
	return c;
}

/* How many events pass @filter, and which is the first? */
static uint64_t passing(struct tui_data *d, const char *filter, uint64_t *first)
{
	const struct tui_events_options opt = {.filter = filter, .pid = -1};
	struct tui_events *e;
	struct flt_pos pos;
	struct error err;
	uint64_t n = 0, at = 1;
	bool more = true;

	*first = 0;
	if (tui_events_open(d, &opt, &e, &pos, &err) < 0)
		fail_msg("%s: %s", filter, err.msg);
	while (more) {
		const struct tui_event *ev;
		int got = tui_events_window(e, at, false, 1000, 0, &ev, &more, &at, &err);

		if (got < 0)
			fail_msg("%s", err.msg);
		if (got && !*first)
			*first = ev[0].num;
		n += (uint64_t)got;
		if (!got)
			break;
		at = ev[got - 1].num + 1;
		more = true;
	}
	tui_events_close(e);
	return n;
}

/* What a cell counts are the events that its condition lets pass. */
static void compare_cells(struct tui_data *d, uint64_t from, uint64_t to, size_t n, bool totals)
{
	struct tui_counts c = {0};
	struct error err;
	uint64_t calls = 0;

	assert_int_equal(tui_counts_copy(&c, counts_of(d, from, to, n), &err), 0);
	for (unsigned kind = 0; kind < 3; kind++)
		for (unsigned row = 0; row < TUI_SPECTRUM_ROWS; row++)
			for (size_t i = 0; i < n; i++) {
				const struct spectrogram s = {.show = SPECTROGRAM_BYTES,
							      .calls = kind};
				struct spectrogram_cell cell = spectrogram_cell(&s, &c, row, i, i);
				struct buf text = {0};
				uint64_t first;

				assert_true(spectrogram_condition(&s, &c, row, &text));
				buf_addf(&text, " and evt.rawtime >= %llu and evt.rawtime < %llu",
					 (unsigned long long)tui_counts_begin(&c, i),
					 (unsigned long long)tui_counts_begin(&c, i + 1));
				assert_int_equal(passing(d, buf_cstr(&text), &first), cell.n);
				assert_int_equal(first, cell.first);
				buf_done(&text);
				calls += cell.n;
			}
	assert_int_equal(c.grid != 0, totals);
	assert_true(calls > 3);
	tui_counts_done(&c);
}

static void cells_of_bytes_are_what_their_condition_says(void **state)
{
	const struct tui_capture *c;
	struct place p;
	struct tui_data *d;
	uint64_t part;

	(void)state;
	make_place(&p, "intrusion.scap", 700);
	d = open_wait(&p);
	c = tui_data_capture(d);
	part = (c->last_ts - c->first_ts) / 1000;
	compare_cells(d, c->first_ts, c->last_ts, 5, true);
	compare_cells(d, c->first_ts + 3 * part, c->last_ts - 7 * part, 4, true);
	compare_cells(d, c->first_ts + 20 * part, c->first_ts + 20 * part + part / 2, 3, false);
	tui_data_close(d);
	drop_place(&p);
}

static void captures_of_now_have_no_latencies(void **state)
{
	const struct tui_capture *c;
	const struct tui_counts *counts;
	struct place p;
	struct tui_data *d;

	(void)state;
	make_place(&p, "intrusion.scap", 700);
	d = open_wait(&p);
	c = tui_data_capture(d);
	counts = counts_of(d, c->first_ts, c->last_ts, 5);
	assert_false(counts->has[TUI_LATENCY]);
	assert_true(counts->has[TUI_BYTES]);
	tui_data_close(d);
	drop_place(&p);
}

/* Latencies of calls that read or write, as sysdig 0.29.3 sees them. */
static bool ask_sysdig(const char *capture, uint32_t out[TUI_CALLS_KINDS][TUI_SPECTRUM_ROWS])
{
	char command[512], type[64];
	unsigned long long latency;
	unsigned lines = 0;
	FILE *f;

	memset(out, 0, sizeof(uint32_t) * TUI_CALLS_KINDS * TUI_SPECTRUM_ROWS);
	snprintf(command, sizeof(command),
		 "command -v sysdig >/dev/null && sysdig -r '%s' -p '%%evt.latency %%fd.type'"
		 " 'evt.is_io = true and evt.dir = <' 2>/dev/null",
		 capture);
	f = popen(command, "r");
	assert_non_null(f);
	for (; fscanf(f, "%llu %63s", &latency, type) == 2; lines++) {
		bool net = strcmp(type, "ipv4") == 0 || strcmp(type, "ipv6") == 0;
		enum tui_calls kind = strcmp(type, "file") == 0 ? TUI_CALLS_FILE
				      : net			? TUI_CALLS_NET
								: TUI_CALLS_REST;

		if (latency) /* it says 0 where it does not know */
			out[kind][tui_spectrum_row(TUI_LATENCY, latency)]++;
	}
	pclose(f);
	return lines;
}

static void compare_with_sysdig(const char *name)
{
	uint32_t wanted[TUI_CALLS_KINDS][TUI_SPECTRUM_ROWS];
	const struct tui_capture *c;
	const struct tui_counts *counts;
	struct place p;
	struct tui_data *d;
	bool there;

	open_old(&p, name, &there);
	if (!there || !ask_sysdig(p.capture, wanted)) {
		drop_place(&p);
		return;
	}
	d = open_wait(&p);
	c = tui_data_capture(d);
	counts = counts_of(d, c->first_ts, c->last_ts, 1);
	assert_true(counts->has[TUI_LATENCY]);
	for (unsigned kind = TUI_CALLS_FILE; kind <= TUI_CALLS_NET; kind++)
		for (unsigned row = 0; row < TUI_SPECTRUM_ROWS; row++)
			if (counts->spectra[TUI_LATENCY][0].n[kind][row] != wanted[kind][row])
				fail_msg("%s, calls %u from %llu ns: %u, sysdig has %u", name, kind,
					 (unsigned long long)tui_spectrum_from(TUI_LATENCY, row),
					 counts->spectra[TUI_LATENCY][0].n[kind][row],
					 wanted[kind][row]);
	tui_data_close(d);
	drop_place(&p);
}

static void latencies_are_those_of_sysdig(void **state)
{
	(void)state;
	compare_with_sysdig("curl_google.scap");
	compare_with_sysdig("cat_write.scap");
	compare_with_sysdig("psp_run_as_user_0_container.scap");
	compare_with_sysdig("single_ipv6_conn.scap");
	compare_with_sysdig("ping_sendto.scap");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_powers_of_ten),
	    cmocka_unit_test(cells_of_bytes_are_what_their_condition_says),
	    cmocka_unit_test(captures_of_now_have_no_latencies),
	    cmocka_unit_test(latencies_are_those_of_sysdig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
