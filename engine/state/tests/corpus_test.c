/* SPDX-License-Identifier: Apache-2.0 */
/* Real captures, where they are at hand: the state stays whole all the way, and repeats itself. */
#include "engine/state/state.h"
#include "scapfile/scapfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define CORPUS SOURCE_DIR "/../shared/corpus/"

static const char *const captures[] = {
    "public/cat_write.scap",   "public/connect_localhost.scap",
    "public/curl_google.scap", "public/ping_sendto.scap",
    "public/sample.scap",      "public/psp_run_as_user_0_container.scap",
    "recorded/build.scap",     "public/single_ipv6_conn.scap",
    "recorded/container.scap", "recorded/intrusion.scap",
    "recorded/network.scap",   "recorded/persist.scap",
};

static void mix(uint64_t *sum, struct sv text)
{
	*sum = hash_bytes(text.p, text.n, *sum);
}

/* A number that stands for all an event was bound to. */
static void mix_binding(uint64_t *sum, const struct state_binding *bind)
{
	*sum += bind->ev->num + bind->visible;
	if (bind->thread) {
		mix(sum, state_sv(bind->thread->comm));
		mix(sum, state_thread_cmdline(bind->thread));
		mix(sum, state_thread_cwd(bind->thread));
		*sum += (uint64_t)bind->thread->ptid + state_fd_count(bind->thread);
	}
	if (bind->fd)
		mix(sum, state_sv(bind->fd->name));
}

static uint64_t replay(const char *path, uint64_t check_every)
{
	struct sf_reader *reader;
	struct state_binding bind;
	struct error err = {0};
	struct ev_source *source;
	struct ev_item item;
	struct state *st;
	uint64_t sum = 0;

	assert_int_equal(sf_reader_open(path, NULL, &reader, &err), 0);
	source = sf_reader_source(reader);
	assert_int_equal(state_new(NULL, &st, NULL), 0);
	while (ev_source_next(source, &item, &err) == 1) {
		if (state_feed(st, &item, &bind, NULL) != 1)
			continue;
		mix_binding(&sum, &bind);
		if (bind.ev->num % check_every == 0 && state_check(st, &err) < 0)
			fail_msg("%s, event %llu: %s", path, (unsigned long long)bind.ev->num,
				 err.msg);
	}
	if (state_check(st, &err) < 0)
		fail_msg("%s, at the end: %s", path, err.msg);
	assert_int_equal(state_stats(st)->malformed, 0);
	assert_true(state_stats(st)->events > 0);
	state_free(st);
	ev_source_close(source);
	return sum;
}

static void real_captures_leave_the_state_whole_and_repeat_exactly(void **arg)
{
	char path[512];
	unsigned seen = 0;

	(void)arg;
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		snprintf(path, sizeof(path), CORPUS "%s", captures[i]);
		if (access(path, R_OK) != 0)
			continue;
		seen++;
		assert_true(replay(path, 500) == replay(path, UINT64_MAX));
	}
	if (!seen)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_captures_leave_the_state_whole_and_repeat_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
