/* SPDX-License-Identifier: Apache-2.0 */
/* The synthetic source delivers what was added, whatever happens to the original afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scapfile/source.h"
#include "scapfile/tests/describe.h"

/* Everything @s holds, as text; closes it. */
static void expect_items(struct ev_synth *s, const char *wanted)
{
	struct buf out = {0};
	struct ev_item item;

	while (ev_source_next(ev_synth_source(s), &item, NULL) > 0)
		describe_item(&out, &item);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_done(&out);
	ev_source_close(ev_synth_source(s));
}

static void items_come_back_in_order_and_are_copies(void **state)
{
	char name[] = "eth0", host[] = "box", comm[] = "sh", path[] = "/f", user[] = "bob";
	struct ev_machine machine = {.num_cpus = 4, .hostname = sv_of(host)};
	struct ev_thread_entry thread = {.tid = 5, .comm = sv_of(comm)};
	struct ev_fd_entry fd = {.tid = 5, .fd = 3, .type = EV_FD_FILE, .name = sv_of(path)};
	struct ev_interface interface = {.name = sv_of(name)};
	struct ev_user who = {.uid = 1, .gid = 2, .name = sv_of(user)};
	struct ev_item items[] = {
	    {.kind = EV_ITEM_SECTION},
	    {.kind = EV_ITEM_MACHINE, .machine = &machine},
	    {.kind = EV_ITEM_LISTS_RESET, .list = EV_LIST_USERS},
	    {.kind = EV_ITEM_INTERFACE, .interface = &interface},
	    {.kind = EV_ITEM_USER, .user = &who},
	    {.kind = EV_ITEM_GROUP, .user = &who},
	    {.kind = EV_ITEM_THREAD, .thread = &thread},
	    {.kind = EV_ITEM_FD, .fd = &fd},
	};
	struct ev_synth *s = ev_synth_new();

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < COUNT_OF(items); i++)
		assert_int_equal(ev_synth_add(s, &items[i]), 0);
	name[0] = host[0] = comm[0] = path[0] = user[0] = '!';
	thread.tid = fd.fd = who.uid = 0;
	expect_items(s,
		     "section @0\n"
		     "machine cpus=4 mem=0 maxpid=0 boot=0 host=box\n"
		     "reset users\n"
		     "interface v4 name=eth0 addr=00000000 mask=00000000 bcast=00000000 speed=0\n"
		     "user 1:2 name=bob home= shell=\n"
		     "group 2 name=bob\n"
		     "thread tid=5 comm=sh args= env= cgroups=\n"
		     "fd tid=5 fd=3 ino=0 type=1 name=/f\n");
}

static void numbers_are_as_wide_as_their_parameter(void **state)
{
	struct ev_synth *s = ev_synth_new();

	(void)state;
	assert_non_null(s);
	ev_synth_begin(s, EV_OPEN_X, 9, 8); /* fd, name, flags, mode, dev, ino */
	ev_synth_int(s, -2);
	ev_synth_str(s, "/a");
	ev_synth_int(s, 1);
	ev_synth_empty(s);
	ev_synth_bytes(s, "\x01\x02\x03\x04", 4);
	ev_synth_int(s, 0x1122334455667788);
	assert_int_equal(ev_synth_end(s), 0);
	ev_synth_begin(s, EV_ASYNCEVENT_E, 10, -1); /* plugin id, name, data: with wide lengths */
	ev_synth_int(s, 7);
	ev_synth_str(s, "n");
	ev_synth_int(s, 5); /* a byte buffer */
	assert_int_equal(ev_synth_end(s), 0);
	expect_items(s, "event 3 ts=9 tid=8 cpu=0 feffffffffffffff 2f6100 01000000 - 01020304 "
			"8877665544332211\n"
			"event 402 ts=10 tid=-1 cpu=0 07000000 6e00 0500000000000000\n");
}

static void an_event_with_too_many_parameters_is_an_error(void **state)
{
	struct ev_synth *s = ev_synth_new();

	(void)state;
	assert_non_null(s);
	ev_synth_begin(s, EV_CLOSE_X, 1, 1);
	for (int i = 0; i < 3; i++)
		ev_synth_int(s, i);
	assert_int_equal(ev_synth_end(s), ERR_USAGE);
	ev_synth_begin(s, EV_CLOSE_X, 1, 1);
	for (int i = 0; i < 3; i++)
		ev_synth_empty(s);
	assert_int_equal(ev_synth_end(s), ERR_USAGE);
	ev_synth_begin(s, EV_TYPE_COUNT, 1, 1);
	ev_synth_int(s, 1);
	assert_int_equal(ev_synth_end(s), ERR_USAGE);
	ev_synth_begin(s, EV_CLOSE_X, 1, 1); /* and the next one is not affected */
	ev_synth_int(s, 0);
	ev_synth_int(s, 3);
	assert_int_equal(ev_synth_end(s), 0);
	expect_items(s, "event 5 ts=1 tid=1 cpu=0 0000000000000000 0300000000000000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(items_come_back_in_order_and_are_copies),
	    cmocka_unit_test(numbers_are_as_wide_as_their_parameter),
	    cmocka_unit_test(an_event_with_too_many_parameters_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
