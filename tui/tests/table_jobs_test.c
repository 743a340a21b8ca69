/* SPDX-License-Identifier: Apache-2.0 */
/* What a table does over all rows: searching, counting, writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tests/alloc_wrap.h"
#include "tui/table_internal.h"
#include "tui/tests/fake_app.h"
#include "tui/tests/table_model.h"

struct fixture {
	struct tui_app app;
	struct model m;
	struct tui_table *t;
};

static void begin(struct fixture *f, size_t rows)
{
	*f = (struct fixture){.m.count = rows};
	assert_int_equal(
	    tui_table_new(&f->app, model_columns, MODEL_COLUMNS, &model_ops, &f->m, &f->t, NULL),
	    0);
	assert_int_equal(tui_table_refresh(f->t, NULL), 0);
}

static void end(struct fixture *f)
{
	tui_table_free(f->t);
}

static void act_on(struct fixture *f, enum tui_action action, const char *arg)
{
	struct tui_command c = fake_command(action, arg);

	assert_int_equal(tui_table_act(f->t, &c), TUI_DONE);
}

/* Slices of a page each. */
static unsigned work(struct fixture *f)
{
	unsigned slices = 0;

	while (tui_table_work(f->t, 0))
		slices++;
	return slices;
}

static uint64_t cursor(const struct fixture *f)
{
	struct tui_row_key key = {0};

	assert_true(tui_table_cursor(f->t, &key));
	return key.a;
}

/* --- searching */

static void what_is_searched_for_is_found_on_and_back_and_round(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1000000);
	act_on(&f, TUI_DO_SEARCH, "ROW-900000");
	work(&f);
	assert_int_equal(cursor(&f), 900000);
	act_on(&f, TUI_DO_NEXT_FOUND, "");
	work(&f);
	assert_int_equal(cursor(&f), 900000); /* round all others */
	assert_string_equal(f.app.said, "went on at the start");
	act_on(&f, TUI_DO_SEARCH, "row-15");
	work(&f);
	assert_int_equal(cursor(&f), 1500000);
	act_on(&f, TUI_DO_NEXT_FOUND, "");
	assert_int_equal(cursor(&f), 1500003);
	act_on(&f, TUI_DO_PREV_FOUND, "");
	assert_int_equal(cursor(&f), 1500000);
	act_on(&f, TUI_DO_PREV_FOUND, "");
	work(&f);
	assert_int_equal(cursor(&f), 159999);
	f.app.said[0] = 0;
	act_on(&f, TUI_DO_SEARCH, "row-159999"); /* the cursor is there */
	assert_int_equal(work(&f), 0);
	assert_int_equal(cursor(&f), 159999);
	assert_string_equal(f.app.said, "");
	act_on(&f, TUI_DO_SEARCH, "nowhere");
	assert_true(work(&f) > 100); /* in slices */
	assert_int_equal(cursor(&f), 159999);
	assert_string_equal(f.app.said, "not found: nowhere");
	end(&f);
}

static void a_search_ends_also_when_its_rows_go(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100000);
	tui_table_seek(f.t, (struct tui_row_key){.a = 150000, .b = ~UINT64_C(150000)});
	act_on(&f, TUI_DO_SEARCH, "nowhere");
	f.m.count = 300;
	assert_int_equal(tui_table_refresh(f.t, NULL), 0);
	work(&f);
	assert_string_equal(f.app.said, "not found: nowhere");
	assert_int_equal(cursor(&f), 299 * MODEL_STEP);
	end(&f);
}

static void a_key_ends_a_search_and_so_does_cancel(void **state)
{
	struct tui_command c = fake_command(TUI_DO_CANCEL, "");
	struct fixture f;

	(void)state;
	begin(&f, 100000000);
	act_on(&f, TUI_DO_SEARCH, "nowhere");
	assert_true(f.t->find.active);
	act_on(&f, TUI_DO_DOWN, "");
	assert_int_equal(work(&f), 0);
	act_on(&f, TUI_DO_NEXT_FOUND, "");
	assert_true(f.t->find.active);
	act_on(&f, TUI_DO_CANCEL, "");
	assert_int_equal(work(&f), 0);
	assert_int_equal(tui_table_act(f.t, &c), TUI_NOT_MINE);
	assert_int_equal(cursor(&f), MODEL_STEP);
	end(&f);
}

static void what_was_found_is_marked(void **state)
{
	struct tui_screen s = {0};
	struct tui_area a;
	struct fixture f;

	(void)state;
	begin(&f, 3);
	assert_int_equal(tui_screen_resize(&s, 4, 40, NULL), 0);
	a = tui_screen_area(&s);
	act_on(&f, TUI_DO_SEARCH, "W-3");
	tui_table_draw(f.t, &a, true);
	assert_int_equal(cursor(&f), 3);
	for (int y = 1; y < 4; y++)
		for (int x = 0; x < 40; x++)
			assert_int_equal(s.cells[y * 40 + x].role == TUI_ROLE_MATCH,
					 y == 2 && x >= 3 && x <= 5);
	tui_screen_done(&s);
	end(&f);
}

/* --- counting */

static void values_are_counted_the_most_frequent_first(void **state)
{
	const struct tui_frequency *values;
	struct fixture f;
	bool complete;

	(void)state;
	begin(&f, 701);
	act_on(&f, TUI_DO_FREQUENCY, "value");
	work(&f);
	assert_ptr_equal(f.app.pushed, &tui_frequency_ops);
	assert_string_equal(f.app.target, "value");
	assert_int_equal(tui_table_frequency(f.t, &values, &complete), 7);
	assert_true(complete);
	assert_true(sv_is(values[0].value, "0"));
	assert_int_equal(values[0].count, 101);
	for (int i = 1; i < 7; i++)
		assert_int_equal(values[i].count, 100);
	assert_true(sv_is(values[1].value, "1") && sv_is(values[6].value, "6"));
	end(&f);
}

static void values_that_are_too_many_are_others(void **state)
{
	const struct tui_frequency *values;
	uint64_t sum = 0;
	struct fixture f;
	bool complete;
	size_t n;

	(void)state;
	begin(&f, 150000);
	act_on(&f, TUI_DO_FREQUENCY, "name");
	(void)tui_table_frequency(f.t, &values, &complete);
	assert_false(complete);
	work(&f);
	n = tui_table_frequency(f.t, &values, &complete);
	assert_true(complete);
	assert_int_equal(n, 100001);
	assert_true(values[n - 1].others);
	assert_int_equal(values[n - 1].count, 50000);
	for (size_t i = 0; i < n; i++)
		sum += values[i].count;
	assert_int_equal(sum, 150000);
	end(&f);
}

static struct sv some_text(uint64_t id, char room[64])
{
	if (id == 3)
		return SV_NONE;
	return sv_make(room, (size_t)snprintf(room, 64, "v\x1b%d", (int)id / 6));
}

static void a_column_is_described(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 8);
	act_on(&f, TUI_DO_DESCRIBE, "value");
	assert_string_equal(f.app.said, "value: 8 rows, 0 empty, 7 different, least 0, greatest 6, "
					"sum 21, mean 2.62");
	f.m.text = some_text;
	act_on(&f, TUI_DO_DESCRIBE, "value");
	assert_string_equal(f.app.said, "value: 8 rows, 1 empty, 5 different, least v\\x1b0, "
					"greatest v\\x1b3");
	act_on(&f, TUI_DO_DESCRIBE, "nothing");
	assert_int_equal(f.app.failures, 1);
	end(&f);
}

/* --- writing */

static char dir[] = "/tmp/table-test-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static size_t files_in_dir(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* The file's text, and it is gone. */
static const char *take_file(const char *name)
{
	static char text[65536];
	FILE *file = fopen(in_dir(name), "r");
	struct stat sb;
	size_t n;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = 0;
	fclose(file);
	assert_int_equal(unlink(in_dir(name)), 0);
	return text;
}

static struct sv hostile(uint64_t id, char room[64])
{
	const struct sv texts[] = {SV_LIT("=cmd()"), SV_LIT("<script>&\""), SV_LIT("\x1b[2J|\n\r"),
				   SV_LIT("\xe2\x80\xae,`*"), SV_LIT("\xff,\"\0")};

	(void)room;
	return texts[id / MODEL_STEP % COUNT_OF(texts)];
}

static void write_hostile(struct fixture *f, const char *name)
{
	f->m.text = hostile;
	act_on(f, TUI_DO_COLUMNS, "value,name");
	act_on(f, TUI_DO_EXPORT, in_dir(name));
	work(f);
	assert_int_equal(f->app.failures, 0);
}

static void files_hold_rows_and_nothing_that_acts(void **state)
{
	struct fixture f;
	const char *text;

	(void)state;
	begin(&f, 5);
	write_hostile(&f, "a.txt");
	assert_string_equal(take_file("a.txt"), "           VALUE  NAME\n"
						"          =cmd()  row-0\n"
						"      <script>&\"  row-3\n"
						"\\x1b[2J|\\x0a\\x0d  row-6\n"
						"     \\u{202e},`*  row-9\n"
						"      \\xff,\"\\x00  row-12\n");
	write_hostile(&f, "a.csv");
	assert_string_equal(take_file("a.csv"),
			    "value,name\r\n'=cmd(),row-0\r\n\"<script>&\"\"\",row-3\r\n"
			    "\\x1b[2J|\\x0a\\x0d,row-6\r\n\"\\u{202e},`*\",row-9\r\n"
			    "\"\\xff,\"\"\\x00\",row-12\r\n");
	write_hostile(&f, "a.jsonl");
	text = take_file("a.jsonl");
	assert_non_null(strstr(text, "{\"value\":\"=cmd()\",\"name\":\"row-0\"}\n"));
	assert_non_null(strstr(text, "{\"value\":\"\\u001b[2J|\\n\\r\",\"name\":\"row-6\"}\n"));
	assert_non_null(strstr(text, "\\u202e"));
	write_hostile(&f, "a.md");
	text = take_file("a.md");
	assert_non_null(strstr(text, "| VALUE | NAME |\n| ---: | --- |\n"));
	assert_null(strstr(text, "<script>"));
	assert_non_null(strstr(text, "\\|"));
	write_hostile(&f, "a.html");
	text = take_file("a.html");
	assert_non_null(strstr(text, "Content-Security-Policy\" content=\"default-src 'none'"));
	assert_non_null(strstr(text, "<td>&lt;script&gt;&amp;&quot;</td>"));
	assert_null(strstr(text, "<script>"));
	assert_null(strchr(text, 0x1b));
	assert_non_null(strstr(text, "</html>\n"));
	assert_int_equal(files_in_dir(), 0);
	end(&f);
}

static void what_stands_for_other_columns_is_not_written(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	act_on(&f, TUI_DO_EXPORT, in_dir("n.csv"));
	work(&f);
	assert_string_equal(take_file("n.csv"),
			    "name,value,path,wide\r\nrow-0,0,/usr/share/of/0/names,\r\n");
	end(&f);
}

static void tagged_rows_are_written_alone(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 2000);
	tui_table_tag(f.t, (struct tui_row_key){.a = 3000, .b = ~UINT64_C(3000)});
	act_on(&f, TUI_DO_TAG, "");
	act_on(&f, TUI_DO_COLUMNS, "name");
	act_on(&f, TUI_DO_EXPORT, in_dir("t.csv"));
	work(&f);
	assert_string_equal(take_file("t.csv"), "name\r\nrow-0\r\nrow-3000\r\n");
	assert_non_null(strstr(f.app.said, "2 tagged rows written"));
	assert_int_equal(cursor(&f), MODEL_STEP);
	act_on(&f, TUI_DO_UNTAG, "");
	assert_int_equal(tui_table_tagged(f.t), 0);
	end(&f);
}

static void nothing_is_written_over_and_nothing_is_left_in_halves(void **state)
{
	struct fixture f;
	FILE *file;

	(void)state;
	begin(&f, 100000000);
	act_on(&f, TUI_DO_EXPORT, in_dir("x.doc"));
	assert_string_equal(
	    f.app.failed.msg,
	    "the name of a file has to end in one of .txt, .csv, .jsonl, .md, .html");
	act_on(&f, TUI_DO_EXPORT, in_dir("none/x.csv"));
	assert_non_null(strstr(f.app.failed.msg, "/none/x.csv"));
	file = fopen(in_dir("x.csv"), "w");
	assert_non_null(file);
	fclose(file);
	act_on(&f, TUI_DO_EXPORT, in_dir("x.csv"));
	assert_non_null(strstr(f.app.failed.msg, "exists: it is left as it is"));
	assert_int_equal(unlink(in_dir("x.csv")), 0);
	assert_int_equal(symlink("/dev/null", in_dir("x.csv")), 0);
	act_on(&f, TUI_DO_EXPORT, in_dir("x.csv"));
	assert_non_null(strstr(f.app.failed.msg, "exists: it is left as it is"));
	assert_int_equal(f.app.failures, 4);
	/* Made by someone else meanwhile. */
	f.m.count = 1000000;
	act_on(&f, TUI_DO_EXPORT, in_dir("y.csv"));
	assert_non_null(f.t->file);
	assert_int_equal(files_in_dir(), 2);
	assert_int_equal(symlink("/dev/null", in_dir("y.csv")), 0);
	act_on(&f, TUI_DO_SORT, "name"); /* not while rows are written */
	assert_int_equal(f.app.failures, 5);
	work(&f);
	assert_int_equal(f.app.failures, 6);
	assert_non_null(strstr(f.app.failed.msg, "y.csv"));
	assert_int_equal(files_in_dir(), 2);
	assert_int_equal(unlink(in_dir("y.csv")), 0);
	act_on(&f, TUI_DO_EXPORT, in_dir("y.csv"));
	act_on(&f, TUI_DO_CANCEL, "");
	assert_int_equal(files_in_dir(), 1);
	act_on(&f, TUI_DO_EXPORT, in_dir("y.csv"));
	assert_int_equal(files_in_dir(), 2);
	end(&f); /* the program ends */
	assert_int_equal(files_in_dir(), 1);
	assert_int_equal(unlink(in_dir("x.csv")), 0);
}

/* --- memory */

static bool story(struct fixture *f)
{
	static const char *const names[] = {"o.txt", "o.csv", "o.jsonl", "o.md", "o.html"};
	struct error err = {0};
	bool whole;
	int rc;

	*f = (struct fixture){.m.count = 700};
	rc = tui_table_new(&f->app, model_columns, MODEL_COLUMNS, &model_ops, &f->m, &f->t, &err);
	if (rc == 0)
		rc = tui_table_refresh(f->t, &err);
	whole = rc == 0;
	if (rc < 0)
		assert_int_equal(err.code, ERR_NOMEM);
	for (size_t i = 0; i < COUNT_OF(names) && rc == 0; i++) {
		act_on(f, TUI_DO_PAGE_DOWN, "");
		act_on(f, TUI_DO_TAG, "");
		act_on(f, TUI_DO_SEARCH, "row-12");
		act_on(f, TUI_DO_FREQUENCY, "name");
		act_on(f, TUI_DO_EXPORT, in_dir(names[i]));
		work(f);
	}
	return whole && !f->app.failures;
}

static void out_of_memory_is_told_and_leaves_nothing_behind(void **state)
{
	unsigned long n;

	(void)state;
	for (n = 1;; n++) {
		static const char *const names[] = {"o.txt", "o.csv", "o.jsonl", "o.md", "o.html"};
		struct fixture f;
		bool whole;

		alloc = (struct alloc_wrap){.counting = true, .fail_at = n, .once = n % 2};
		whole = story(&f);
		alloc.counting = false;
		if (f.app.failures && f.app.failed.code != ERR_NOMEM)
			assert_int_equal(f.app.failed.code, ERR_USAGE);
		end(&f);
		for (size_t i = 0; i < COUNT_OF(names); i++)
			(void)unlink(in_dir(names[i]));
		assert_int_equal(files_in_dir(), 0);
		if (whole && alloc.calls < n)
			break;
	}
	assert_true(n > 20);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_searched_for_is_found_on_and_back_and_round),
	    cmocka_unit_test(a_search_ends_also_when_its_rows_go),
	    cmocka_unit_test(a_key_ends_a_search_and_so_does_cancel),
	    cmocka_unit_test(what_was_found_is_marked),
	    cmocka_unit_test(values_are_counted_the_most_frequent_first),
	    cmocka_unit_test(values_that_are_too_many_are_others),
	    cmocka_unit_test(a_column_is_described),
	    cmocka_unit_test(files_hold_rows_and_nothing_that_acts),
	    cmocka_unit_test(what_stands_for_other_columns_is_not_written),
	    cmocka_unit_test(tagged_rows_are_written_alone),
	    cmocka_unit_test(nothing_is_written_over_and_nothing_is_left_in_halves),
	    cmocka_unit_test(out_of_memory_is_told_and_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
