/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "scapfile/build.h"

static const uint8_t key[REDACT_KEY_MIN] = "0123456789abcde";

struct fixture {
	struct redact_policy policy;
	struct arena arena;
	struct redact *r;
	struct ev_build build;
	bool rewrites;
};

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	redact_free(f->r);
	ev_build_done(&f->build);
	arena_done(&f->arena);
	return 0;
}

static void policy(struct fixture *f, const char *text)
{
	struct error err = {0};

	if (redact_policy_parse("p", sv_of(text), &f->arena, &f->policy, &err) < 0 ||
	    redact_new(&f->policy, key, sizeof(key), &f->r, &err) < 0)
		fail_msg("%s", err.msg);
}

/* Take @item in the pass that is on. */
static void take(struct fixture *f, struct ev_item *item)
{
	struct error err = {0};
	int rc = f->rewrites ? redact_item(f->r, item, &err) : redact_gather(f->r, item, &err);

	if (rc < 0)
		fail_msg("%s", err.msg);
}

static void second_pass(struct fixture *f)
{
	assert_int_equal(redact_ready(f->r, NULL), 0);
	f->rewrites = true;
}

/* The name of an openat by thread 7 after the pass. */
static struct sv opened(struct fixture *f, const char *name)
{
	struct ev_item item = {.kind = EV_ITEM_EVENT, .ev = &f->build.ev};

	ev_build_begin(&f->build, EV_OPENAT_2_X, 1700000000000000000u, 7);
	ev_build_int(&f->build, 3);
	ev_build_int(&f->build, (uint64_t)EV_FD_CWD);
	ev_build_text(&f->build, sv_of(name));
	assert_int_equal(ev_build_end(&f->build, NULL), 0);
	take(f, &item);
	return ev_str(item.ev, 2);
}

static struct ev_thread_entry thread(struct fixture *f, struct ev_thread_entry t)
{
	struct ev_item item = {.kind = EV_ITEM_THREAD, .thread = &t};

	take(f, &item);
	return *item.thread;
}

static void paths_keep_their_slashes_and_what_comes_before_the_pattern(void **state)
{
	struct fixture *f = *state;
	char first[64] = "";
	struct sv s;

	policy(f, "paths: ['/home/*']");
	opened(f, "/home/alice/plan");
	second_pass(f);
	s = opened(f, "/home/alice/plan");
	assert_int_equal(s.n, strlen("/home/alice/plan"));
	assert_memory_equal(s.p, "/home/", 6);
	assert_memory_not_equal(s.p + 6, "alice", 5);
	assert_int_equal(s.p[11], '/');
	memcpy(first, s.p, s.n);
	s = opened(f, "/home/alice/else");
	assert_memory_equal(s.p, first, 12); /* the directory is the same one */
	assert_memory_not_equal(s.p + 12, first + 12, 4);
	assert_true(sv_is(opened(f, "/etc/passwd"), "/etc/passwd"));
	assert_true(sv_is(opened(f, "/home/../etc/passwd"), "/home/../etc/passwd"));
	assert_false(sv_contains(opened(f, "/etc/../home/alice"), SV_LIT("alice")));
}

static void relative_paths_are_judged_by_where_they_begin(void **state)
{
	struct fixture *f = *state;
	const struct ev_thread_entry home = {.tid = 7, .pid = 7, .cwd = SV_LIT("/home/alice/")};
	const struct ev_thread_entry etc = {.tid = 7, .pid = 7, .cwd = SV_LIT("/etc/")};

	policy(f, "paths: ['/home/*']");
	second_pass(f);
	assert_false(sv_is(opened(f, "notes"), "notes")); /* nobody knows */
	thread(f, home);
	assert_false(sv_is(opened(f, "notes"), "notes"));
	assert_true(sv_is(opened(f, "../../etc/passwd"), "../../etc/passwd"));
	tear_down(state);
	set_up(state);
	policy(f, "paths: ['/home/*']");
	second_pass(f);
	thread(f, etc);
	assert_true(sv_is(opened(f, "notes"), "notes"));
	assert_false(sv_contains(opened(f, "../home/alice"), SV_LIT("alice")));
}

static void arguments_are_hidden_and_looked_for_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct ev_thread_entry t = {.tid = 7,
				    .pid = 7,
				    .comm = SV_LIT("login"),
				    .exe = SV_LIT("login -p"),
				    .cwd = SV_LIT("/tmp/x-hunter2hunter2/"),
				    .args = SV_LIT("-u\0hunter2hunter2\0/etc/passwd"),
				    .env = SV_LIT("A=hunter2hunter2\0")};

	policy(f, "arguments: yes");
	thread(f, t);
	opened(f, "/etc/passwd");
	second_pass(f);
	t = thread(f, t);
	assert_true(sv_is(t.comm, "login"));
	assert_memory_equal(t.exe.p, "login ", 6);
	assert_memory_not_equal(t.exe.p + 6, "-p", 2);
	assert_null(memmem(t.args.p, t.args.n, "hunter2", 7));
	assert_null(memmem(t.args.p, t.args.n, "passwd", 6));
	assert_int_equal(t.args.p[2], '\0');
	assert_null(memmem(t.env.p, t.env.n, "hunter2", 7));
	assert_memory_equal(t.env.p, "A=", 2);
	assert_memory_equal(t.env.p + 2, t.args.p + 3, 14); /* equal stays equal */
	assert_null(memmem(t.cwd.p, t.cwd.n, "hunter2", 7));
	assert_true(sv_is(opened(f, "/etc/passwd"), "/etc/passwd")); /* a path that stays visible */
}

/* A process with these arguments, after the pass. */
static struct sv arguments(struct fixture *f, struct sv args)
{
	struct ev_thread_entry t = {.tid = 7, .pid = 7, .comm = SV_LIT("sh"), .args = args};

	return thread(f, t).args;
}

static void hidden_values_that_are_names_stay_there_and_are_counted(void **state)
{
	static const char *const names[] = {"/srv/customers/list", "/x/customers/list/y",
					    "/tmp/customers-x", "/tmp/short"};
	static const bool stay[] = {true, true, false, true};
	struct fixture *f = *state;

	for (unsigned strict = 0; strict < 2; strict++) {
		policy(f, strict ? "{arguments: yes, strict: yes}" : "arguments: yes");
		arguments(f, SV_LIT("customers/list\0customers-x-\0tomers-x\0short\0...../\0"));
		for (size_t i = 0; i < COUNT_OF(names); i++)
			opened(f, names[i]);
		second_pass(f);
		for (size_t i = 0; i < COUNT_OF(names); i++)
			assert_int_equal(sv_is(opened(f, names[i]), names[i]), stay[i] && !strict);
		assert_int_equal(redact_report(f->r)->stay[REDACT_ARGUMENTS], strict ? 0 : 2);
		assert_int_equal(redact_report(f->r)->nplaces, strict ? 0 : 1);
		tear_down(state);
		set_up(state);
	}
}

static void data_says_nothing_of_what_stays(void **state)
{
	struct fixture *f = *state;
	struct ev_item item = {.kind = EV_ITEM_EVENT, .ev = &f->build.ev};

	policy(f, "arguments: yes");
	for (unsigned pass = 0; pass < 2; pass++) {
		arguments(f, SV_LIT("correct horse\0"));
		ev_build_begin(&f->build, EV_READ_X, 1, 7);
		ev_build_int(&f->build, 13);
		ev_build_bytes(&f->build, "correct horse", 13);
		assert_int_equal(ev_build_end(&f->build, NULL), 0);
		item.ev = &f->build.ev;
		take(f, &item);
		if (!pass)
			second_pass(f);
	}
	assert_memory_not_equal(ev_param(item.ev, 1).p, "correct horse", 13);
	assert_int_equal(redact_report(f->r)->hidden[REDACT_VALUES], 1);
}

static void what_is_kept_of_a_path_is_clean_and_holds_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct sv s;

	policy(f, "{paths: ['/home/alice/*'], users: [alice], strings: [ome/]}");
	opened(f, "/home/alice/plan");
	opened(f, "/home/./alice//./plan");
	second_pass(f);
	s = opened(f, "/home/alice/plan");
	assert_false(redact_find(f->r, s.p, s.n));
	s = opened(f, "see /home/alice/plan");
	assert_false(redact_find(f->r, s.p, s.n));
	tear_down(state);
	set_up(state);
	policy(f, "paths: ['/home/*']");
	second_pass(f);
	s = opened(f, "/home//./alice/./plan");
	assert_memory_equal(s.p, "/home//./", 9);
	assert_memory_not_equal(s.p + 9, "alice", 5);
	assert_memory_equal(s.p + 14, "/./", 3);
	assert_memory_not_equal(s.p + 17, "plan", 4);
	s = opened(f, "/tmp/../home/alice");
	assert_memory_not_equal(s.p, "/tmp", 4);
}

static void hidden_paths_are_hidden_within_other_texts(void **state)
{
	struct ev_thread_entry t = {.tid = 7, .pid = 7, .comm = SV_LIT("x/home/al.c/pl")};
	struct fixture *f = *state;

	policy(f, "paths: ['/home/*']");
	opened(f, "/home/al.c/pl");
	second_pass(f);
	assert_false(sv_contains(thread(f, t).comm, SV_LIT("al.c")));
}

static void numbers_are_not_taken_for_texts(void **state)
{
	struct fixture *f = *state;

	policy(f, "strings: [1161, 'all of it']");
	assert_true(redact_find(f->r, "x1161x", 6));
	assert_false(redact_find_long(f->r, "x1161x", 6));
	assert_true(redact_find_long(f->r, "\1all of it", 10));
}

static void names_of_people_and_of_their_homes_are_hidden(void **state)
{
	struct ev_user u = {.uid = 1000,
			    .name = SV_LIT("alice"),
			    .home = SV_LIT("/home/liddell"),
			    .shell = SV_LIT("/bin/sh")};
	struct ev_item item = {.kind = EV_ITEM_USER, .user = &u};
	struct fixture *f = *state;
	struct ev_item copy = item;

	policy(f, "users: yes");
	take(f, &item);
	second_pass(f);
	take(f, &copy);
	assert_false(sv_is(copy.user->name, "alice"));
	assert_false(sv_contains(copy.user->home, SV_LIT("liddell")));
	assert_true(sv_is(copy.user->shell, "/bin/sh"));
	assert_false(sv_contains(opened(f, "/srv/liddell/x"), SV_LIT("liddell")));
}

/* An event of @type with @text and a NUL as its parameter @at, after the pass. */
static struct sv text_of_event(struct fixture *f, unsigned type, unsigned at, const char *text)
{
	struct ev_item item = {.kind = EV_ITEM_EVENT, .ev = &f->build.ev};
	struct ev_value v;

	ev_build_begin(&f->build, (uint16_t)type, 1, 7);
	for (unsigned i = 0; i < at; i++)
		ev_build_empty(&f->build);
	ev_build_bytes(&f->build, text, strlen(text) + 1);
	assert_int_equal(ev_build_end(&f->build, NULL), 0);
	take(f, &item);
	v = ev_param(item.ev, at);
	return sv_make(v.p, v.n);
}

static void arguments_and_environments_of_all_events_are_hidden(void **state)
{
	struct fixture *f = *state;
	unsigned found = 0;

	policy(f, "{arguments: yes, environment: yes}");
	second_pass(f);
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		for (unsigned i = 0; i < ev_table[type].nparams; i++) {
			const char *name = ev_table[type].params[i].name;
			bool env = strcmp(name, "env") == 0;
			struct sv s;

			if (!env && strcmp(name, "args") != 0 && strcmp(name, "argv") != 0 &&
			    strcmp(name, "uargs") != 0)
				continue;
			found++;
			s = text_of_event(f, type, i, "TEXT=VALUE");
			assert_int_equal(s.n, 11);
			if (!env)
				assert_false(sv_starts(s, SV_LIT("T")));
			for (unsigned k = 5; k < 10; k++) /* letters of pseudonyms are small */
				assert_false(s.p[k] >= 'A' && s.p[k] <= 'Z');
		}
	}
	assert_true(found > 10);
}

static void what_is_known_of_a_container_is_hidden_by_kind(void **state)
{
	static const char json[] =
	    "{\"container\":{\"env\":[\"TEXT=VALUE\"],\"name\":\"WEB-SHOP\"}}";
	struct fixture *f = *state;
	struct sv s;

	policy(f, "environment: yes");
	second_pass(f);
	s = text_of_event(f, EV_CONTAINER_JSON_2_E, 0, json);
	assert_true(sv_contains(s, SV_LIT("\"TEXT=")) && sv_contains(s, SV_LIT("WEB-SHOP")));
	assert_false(sv_contains(s, SV_LIT("VALUE")));
	tear_down(state);
	set_up(state);
	policy(f, "containers: yes");
	second_pass(f);
	s = text_of_event(f, EV_CONTAINER_JSON_2_E, 0, json);
	assert_true(sv_contains(s, SV_LIT("\"name\":\"")));
	assert_false(sv_contains(s, SV_LIT("WEB")) || sv_contains(s, SV_LIT("VALUE")));
}

static void what_a_hidden_program_is_called_is_hidden(void **state)
{
	const unsigned comm = (unsigned)ev_param_index(EV_EXECVE_19_X, "comm");
	const unsigned path = (unsigned)ev_param_index(EV_EXECVE_19_X, "trusted_exepath");
	static const char *const paths[] = {"/opt/vendor/x", "/usr/bin/x"};
	struct fixture *f = *state;
	struct ev_item item = {.kind = EV_ITEM_EVENT};

	policy(f, "paths: ['/opt/*']");
	second_pass(f);
	for (unsigned k = 0; k < COUNT_OF(paths); k++) {
		ev_build_begin(&f->build, EV_EXECVE_19_X, 1, 7);
		for (unsigned i = 0; i <= path; i++) {
			if (i == comm)
				ev_build_text(&f->build, SV_LIT("tool"));
			else if (i == path)
				ev_build_text(&f->build, sv_of(paths[k]));
			else
				ev_build_empty(&f->build);
		}
		assert_int_equal(ev_build_end(&f->build, NULL), 0);
		item.ev = &f->build.ev;
		take(f, &item);
		assert_int_equal(sv_is(ev_str(item.ev, comm), "tool"), k);
	}
}

static struct ev_fd_entry socket_of(struct fixture *f, const uint8_t ip[4])
{
	struct ev_fd_entry fd = {.tid = 7, .fd = 3, .type = EV_FD_IPV4_SOCK, .sport = 80};
	struct ev_item item = {.kind = EV_ITEM_FD, .fd = &fd};

	memcpy(fd.sip, ip, 4);
	take(f, &item);
	assert_int_equal(item.fd->sport, 80);
	return *item.fd;
}

static void addresses_stay_of_their_kind_and_in_their_network(void **state)
{
	static const uint8_t same[][4] = {{0}, {127, 0, 0, 1}, {127, 3, 2, 1}, {224, 0, 0, 1}};
	struct fixture *f = *state;
	struct ev_fd_entry a, b;

	policy(f, "addresses: yes");
	second_pass(f);
	for (size_t i = 0; i < COUNT_OF(same); i++)
		assert_memory_equal(socket_of(f, same[i]).sip, same[i], 4);
	for (unsigned i = 0; i < 256; i++) {
		a = socket_of(f, (const uint8_t[]){10, 1, (uint8_t)i, 4});
		b = socket_of(f, (const uint8_t[]){10, 1, (uint8_t)i, 5});
		assert_int_equal(a.sip[0], 10);
		assert_memory_equal(a.sip, b.sip, 3);
		assert_int_not_equal(a.sip[3], b.sip[3]);
		a = socket_of(f, (const uint8_t[]){192, 168, (uint8_t)i, 1});
		assert_true(a.sip[0] == 192 && a.sip[1] == 168);
		a = socket_of(f, (const uint8_t[]){8, (uint8_t)i, 8, 8});
		assert_true(a.sip[0] != 0 && a.sip[0] != 10 && a.sip[0] != 127 && a.sip[0] < 224);
	}
}

static void what_is_not_understood_is_hidden(void **state)
{
	struct fixture *f = *state;
	struct ev_item item = {.kind = EV_ITEM_EVENT, .ev = &f->build.ev};
	struct ev_value v;

	policy(f, "host: yes");
	second_pass(f);
	ev_build_begin(&f->build, EV_OPENAT_2_X, 1, 7);
	ev_build_bytes(&f->build, "a number this is not", 20);
	ev_build_empty(&f->build);
	ev_build_bytes(&f->build, "/etc\0and more\0", 14);
	assert_int_equal(ev_build_end(&f->build, NULL), 0);
	take(f, &item);
	v = ev_param(item.ev, 0);
	assert_int_equal(v.n, 20);
	assert_memory_equal(v.p, (const char[20]){0}, 20);
	v = ev_param(item.ev, 2);
	assert_memory_equal(v.p, "/etc\0\0\0\0\0\0\0\0\0", 14);
	assert_int_equal(redact_report(f->r)->hidden[REDACT_UNKNOWN], 1);
}

static void no_pseudonym_makes_a_text_that_is_to_be_hidden(void **state)
{
	/* Each pair of letters and digits that could end a pseudonym, before what follows it. */
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	struct fixture *f = *state;
	struct buf p = {0};
	struct sv s;

	buf_str(&p, "strings: [secret");
	for (size_t i = 0; i + 6 < sizeof(letters) - 1; i++)
		buf_addf(&p, ", '%c_tail'", letters[i]);
	buf_str(&p, "]");
	policy(f, buf_cstr(&p));
	buf_done(&p);
	second_pass(f);
	s = opened(f, "/x/secret_tail");
	assert_memory_equal(s.p + s.n - 5, "_tail", 5);
	assert_false(redact_find(f->r, s.p, s.n));
}

static void a_policy_tells_where_it_is_wrong(void **state)
{
	static const char *const wrong[][2] = {
	    {"arguments: maybe", "p:1:12: expected true or false"},
	    {"host: yes\nfoo: 1", "p:2:1: expected one of addresses"},
	    {"paths: /home", "p:1:8: expected a list of texts"},
	    {"strings: ['']", "p:1:11: expected a text"},
	    {"[1]", "p:1:1: expected one map"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct redact_policy p = {0};
		struct error err = {0};

		assert_int_equal(redact_policy_parse("p", sv_of(wrong[i][0]), &f->arena, &p, &err),
				 ERR_USAGE);
		assert_memory_equal(err.msg, wrong[i][1], strlen(wrong[i][1]));
	}
	assert_int_equal(redact_new(&f->policy, key, 15, &f->r, NULL), ERR_USAGE);
	policy(f, "{users: [al], arguments: true}");
	assert_true(f->policy.users && f->policy.arguments && f->policy.names.count == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(paths_keep_their_slashes_and_what_comes_before_the_pattern),
	    TEST(relative_paths_are_judged_by_where_they_begin),
	    TEST(arguments_are_hidden_and_looked_for_elsewhere),
	    TEST(hidden_values_that_are_names_stay_there_and_are_counted),
	    TEST(data_says_nothing_of_what_stays),
	    TEST(what_is_kept_of_a_path_is_clean_and_holds_nothing_else),
	    TEST(hidden_paths_are_hidden_within_other_texts),
	    TEST(numbers_are_not_taken_for_texts),
	    TEST(names_of_people_and_of_their_homes_are_hidden),
	    TEST(arguments_and_environments_of_all_events_are_hidden),
	    TEST(what_is_known_of_a_container_is_hidden_by_kind),
	    TEST(what_a_hidden_program_is_called_is_hidden),
	    TEST(addresses_stay_of_their_kind_and_in_their_network),
	    TEST(what_is_not_understood_is_hidden),
	    TEST(no_pseudonym_makes_a_text_that_is_to_be_hidden),
	    TEST(a_policy_tells_where_it_is_wrong),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
