/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of executed files, on this host: copies of a program are executed while recording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/hasher.h"
#include "capture/tests/recording.h"
#include "capture/wire.h"
#include "scapfile/output.h"

#define FOUND_MAX 16

struct found { /* what was told about files in @dir */
	char dir[64];
	unsigned count;
	struct {
		unsigned status;
		uint8_t sha256[EV_HASH_BYTES];
		uint64_t ino, ctime;
		int64_t tid;
		char path[256];
	} hashes[FOUND_MAX];
	struct { /* and about their execs */
		uint64_t ino, ctime;
	} execs[FOUND_MAX];
	unsigned nexecs;
};

static int make_dir(void **state)
{
	struct found *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/hasher-test-XXXXXX");
	*state = f;
	return mkdtemp(f->dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct found *f = *state;
	char command[128];
	int rc;

	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	rc = system(command);
	free(f);
	return rc;
}

static void path_in(const struct found *f, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", f->dir, name);
}

/* A copy of @from, with @extra behind it, which makes it another file that does the same. */
static void copy_program(const char *from, const char *to, const char *extra)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	static char buffer[65536];
	ssize_t n;

	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, (size_t)n), n);
	assert_int_equal(write(out, extra, strlen(extra)), strlen(extra));
	close(in);
	close(out);
}

static void execute(char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void execute_alone(char *path)
{
	execute((char *[]){path, NULL});
}

static void digest_of(const char *path, uint8_t digest[EV_HASH_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	atomic_bool give_up = false;
	static uint8_t buffer[HASH_BUFFER_BYTES];
	struct stat sb;

	assert_true(fd >= 0 && fstat(fd, &sb) == 0);
	assert_int_equal(hash_read(fd, &sb, &give_up, buffer, digest), EV_HASH_DONE);
	close(fd);
}

/* What the system's own program says. */
static void sha256sum(const char *path, char text[65])
{
	char command[256];
	FILE *f;

	snprintf(command, sizeof(command), "sha256sum %s", path);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%64s", text), 1);
	pclose(f);
}

static void hex(const uint8_t digest[EV_HASH_BYTES], char text[65])
{
	for (int i = 0; i < EV_HASH_BYTES; i++)
		snprintf(text + (ptrdiff_t)2 * i, 3, "%02x", digest[i]);
}

/* --- recording --- */

static struct rec *record(void)
{
	struct rec_options opt = recording_options("execve,execveat,procexit");

	opt.hash_execs = true;
	return recording_open(&opt);
}

static void add_hash(struct found *f, struct ev *ev)
{
	struct ev_hash h;

	assert_true(ev_hash_decode(ev, &h));
	if (h.path.n < strlen(f->dir) || memcmp(h.path.p, f->dir, strlen(f->dir)) != 0)
		return;
	assert_true(f->count < FOUND_MAX && h.path.n < sizeof(f->hashes[0].path));
	f->hashes[f->count].status = h.status;
	f->hashes[f->count].ino = h.ino;
	f->hashes[f->count].ctime = h.ctime;
	f->hashes[f->count].tid = ev->tid;
	memcpy(f->hashes[f->count].path, h.path.p, h.path.n);
	if (h.sha256)
		memcpy(f->hashes[f->count].sha256, h.sha256, EV_HASH_BYTES);
	f->count++;
}

static void add_exec(struct found *f, struct ev *ev)
{
	struct sv path = ev_str(ev, 27);

	if (path.n < strlen(f->dir) || memcmp(path.p, f->dir, strlen(f->dir)) != 0)
		return;
	assert_true(f->nexecs < FOUND_MAX);
	assert_true(ev_u64(ev, 23, &f->execs[f->nexecs].ino));
	assert_true(ev_u64(ev, 24, &f->execs[f->nexecs].ctime));
	f->nexecs++;
}

/* Take what comes until @hashes hashes came and @execs execs; 0, 0: until the end. */
static void take(struct rec *r, struct found *f, unsigned hashes, unsigned execs)
{
	uint64_t last = 0;
	struct error err = {0};
	struct ev_item item;
	int rc;

	while ((!hashes || f->count < hashes || f->nexecs < execs) &&
	       (rc = rec_next(r, &item, 5000, &err)) == 1) {
		if (item.kind != EV_ITEM_EVENT && item.kind != EV_ITEM_HASH)
			continue;
		assert_true(item.ev->ts >= last);
		last = item.ev->ts;
		if (item.kind == EV_ITEM_HASH)
			add_hash(f, item.ev);
		else if (item.ev->type == EV_EXECVE_19_X)
			add_exec(f, item.ev);
	}
	assert_true(f->count >= hashes);
}

static void stop(struct rec *r, struct found *f)
{
	rec_stop(r);
	take(r, f, 0, 0);
	rec_close(r);
}

static void the_first_exec_of_a_file_gives_its_hash_and_the_second_none(void **state)
{
	char path[128], want[65], got[65];
	struct found *f = *state;
	struct rec *r;

	path_in(f, "program", path);
	copy_program("/bin/true", path, "1");
	r = record();
	execute_alone(path);
	take(r, f, 1, 1);
	execute_alone(path);
	stop(r, f);
	assert_int_equal(f->nexecs, 2);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->hashes[0].status, EV_HASH_DONE);
	assert_int_equal(f->hashes[0].ino, f->execs[0].ino);
	assert_int_equal(f->hashes[0].ctime, f->execs[0].ctime);
	assert_string_equal(f->hashes[0].path, path);
	sha256sum(path, want);
	hex(f->hashes[0].sha256, got);
	assert_string_equal(got, want);
}

static void a_changed_file_is_hashed_anew(void **state)
{
	uint8_t before[EV_HASH_BYTES], after[EV_HASH_BYTES];
	struct found *f = *state;
	char path[128];
	struct rec *r;

	path_in(f, "program", path);
	copy_program("/bin/true", path, "1");
	digest_of(path, before);
	r = record();
	execute_alone(path);
	take(r, f, 1, 1);
	copy_program("/bin/true", path, "2");
	digest_of(path, after);
	execute_alone(path);
	stop(r, f);
	assert_int_equal(f->count, 2);
	assert_int_equal(f->hashes[0].ino, f->hashes[1].ino);
	assert_memory_equal(f->hashes[0].sha256, before, EV_HASH_BYTES);
	assert_memory_equal(f->hashes[1].sha256, after, EV_HASH_BYTES);
	assert_memory_not_equal(before, after, EV_HASH_BYTES);
}

/* It deletes itself, then waits until its hash is there. */
static void a_deleted_executable_is_read_through_its_process(void **state)
{
	char path[128], script[384], fifo[128];
	struct found *f = *state;
	uint8_t digest[EV_HASH_BYTES];
	struct rec *r;
	pid_t pid;
	int status;

	path_in(f, "shell", path);
	path_in(f, "fifo", fifo);
	copy_program("/bin/sh", path, "x");
	digest_of(path, digest);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	snprintf(script, sizeof(script), "rm %s; read line < %s", path, fifo);
	r = record();
	pid = fork();
	if (pid == 0) {
		execl(path, path, "-c", script, NULL);
		_exit(127);
	}
	take(r, f, 1, 1);
	close(open(fifo, O_WRONLY | O_CLOEXEC));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	stop(r, f);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->hashes[0].status, EV_HASH_DONE);
	assert_int_equal(f->hashes[0].tid, pid);
	assert_memory_equal(f->hashes[0].sha256, digest, EV_HASH_BYTES);
}

static void another_name_of_a_known_file_is_told_too(void **state)
{
	char path[128], other[128];
	struct found *f = *state;
	struct rec *r;

	path_in(f, "program", path);
	path_in(f, "link", other);
	copy_program("/bin/true", path, "1");
	assert_int_equal(link(path, other), 0);
	r = record();
	execute_alone(path);
	take(r, f, 1, 1);
	execute_alone(other);
	stop(r, f);
	assert_int_equal(f->count, 2);
	assert_string_equal(f->hashes[1].path, other);
	assert_memory_equal(f->hashes[0].sha256, f->hashes[1].sha256, EV_HASH_BYTES);
}

static void a_file_over_the_limit_is_told_once_and_not_read(void **state)
{
	struct found *f = *state;
	char path[128];
	struct rec *r;

	path_in(f, "large", path);
	copy_program("/bin/true", path, "");
	assert_int_equal(truncate(path, (off_t)HASH_SIZE_MAX + 1), 0);
	r = record();
	execute_alone(path);
	take(r, f, 1, 1);
	execute_alone(path);
	stop(r, f);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->hashes[0].status, EV_HASH_SIZE);
}

static void a_new_file_of_the_recording_is_told_again(void **state)
{
	struct found *f = *state;
	struct error err = {0};
	char path[128];
	struct rec *r;

	path_in(f, "program", path);
	copy_program("/bin/true", path, "1");
	r = record();
	execute_alone(path);
	take(r, f, 1, 1);
	assert_int_equal(rec_state_again(r, &err), 0);
	execute_alone(path);
	stop(r, f);
	assert_int_equal(f->count, 2);
}

static void without_the_option_nothing_is_hashed(void **state)
{
	struct rec_options opt = recording_options("execve,execveat,procexit");
	struct found *f = *state;
	struct rec *r = recording_open(&opt);
	char path[128];

	path_in(f, "program", path);
	copy_program("/bin/true", path, "1");
	execute_alone(path);
	stop(r, f);
	assert_int_equal(f->nexecs, 1);
	assert_int_equal(f->count, 0);
}

/* --- without recording --- */

static struct hash_exec exec_of(const char *path)
{
	struct hash_exec x = {.pid = 0x7fffffff, .path_n = strlen(path)};
	struct stat sb;

	strcpy(x.path, path);
	if (lstat(path, &sb) == 0) {
		x.ino = sb.st_ino;
		x.ctime = (uint64_t)sb.st_ctim.tv_sec * 1000000000 + (uint64_t)sb.st_ctim.tv_nsec;
		x.mtime = (uint64_t)sb.st_mtim.tv_sec * 1000000000 + (uint64_t)sb.st_mtim.tv_nsec;
	}
	return x;
}

static enum ev_hash_status status_of(const struct hash_exec *x)
{
	enum ev_hash_status status;
	struct stat sb;
	int fd = hash_open(x, &sb, &status);

	assert_true((fd >= 0) == (status == EV_HASH_DONE));
	if (fd >= 0)
		close(fd);
	return status;
}

static void only_the_file_of_the_exec_is_opened(void **state)
{
	struct found *f = *state;
	struct hash_exec x;
	char path[128], other[128];

	path_in(f, "program", path);
	path_in(f, "fifo", other);
	copy_program("/bin/true", path, "1");
	x = exec_of(path);
	assert_int_equal(status_of(&x), EV_HASH_DONE);
	x.ctime++;
	assert_int_equal(status_of(&x), EV_HASH_GONE);
	x = exec_of(path);
	x.ino++;
	assert_int_equal(status_of(&x), EV_HASH_GONE);
	x = exec_of(path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(status_of(&x), EV_HASH_GONE);
	assert_int_equal(mkfifo(other, 0600), 0);
	x = exec_of(other);
	assert_int_equal(status_of(&x), EV_HASH_KIND);
}

static void a_file_that_changes_while_it_is_read_has_no_hash(void **state)
{
	static uint8_t buffer[HASH_BUFFER_BYTES];
	uint8_t digest[EV_HASH_BYTES];
	atomic_bool give_up = false;
	struct found *f = *state;
	struct stat sb;
	char path[128];
	int fd;

	path_in(f, "program", path);
	copy_program("/bin/true", path, "1");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &sb), 0);
	sb.st_size++;
	assert_int_equal(hash_read(fd, &sb, &give_up, buffer, digest), EV_HASH_CHANGED);
	sb.st_size -= 2;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(hash_read(fd, &sb, &give_up, buffer, digest), EV_HASH_CHANGED);
	sb.st_size++;
	sb.st_mtim.tv_nsec ^= 1;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(hash_read(fd, &sb, &give_up, buffer, digest), EV_HASH_CHANGED);
	atomic_store(&give_up, true);
	assert_int_equal(hash_read(fd, &sb, &give_up, buffer, digest), EV_HASH_STOPPED);
	close(fd);
}

/* --- the thread without a recording --- */

#define EXEC_PARAMS 30

/* The event of an exec with @res, as it is in a ring. */
static void offer(struct hasher *h, const struct hash_exec *x, int64_t res)
{
	uint8_t body[WIRE_HEADER_LEN + 2 * EXEC_PARAMS + 256], *lens = body + WIRE_HEADER_LEN;
	struct {
		unsigned param;
		const void *p;
		size_t n;
	} params[] = {{0, &res, 8},	  {4, &x->pid, 8},    {23, &x->ino, 8},
		      {24, &x->ctime, 8}, {25, &x->mtime, 8}, {27, x->path, x->path_n + 1}};
	uint8_t *at = lens + 2 * EXEC_PARAMS;

	memset(body, 0, sizeof(body));
	put_u32(put_u16(body + 20, EV_EXECVEAT_X), EXEC_PARAMS);
	for (size_t i = 0; i < COUNT_OF(params); i++) {
		put_u16(lens + (ptrdiff_t)2 * params[i].param, (unsigned)params[i].n);
		at = put_bytes(at, params[i].p, params[i].n);
	}
	hasher_offer(h, body);
}

struct told {
	uint64_t by_status[EV_HASH_STATUSES], records;
};

static void take_results(struct hasher *h, struct told *t)
{
	const struct hash_result *r;

	while ((r = hasher_next(h, UINT64_MAX - HASH_TELL_NS, UINT64_MAX))) {
		t->by_status[r->hash.status] += r->hash.skipped ? r->hash.skipped : 1;
		assert_int_equal(r->tid == -1, r->hash.skipped != 0);
		assert_int_equal(r->hash.sha256 != NULL, r->hash.status == EV_HASH_DONE);
		t->records++;
		hasher_taken(h, r);
	}
}

static uint64_t sum(const struct told *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < EV_HASH_STATUSES; i++)
		n += t->by_status[i];
	return n;
}

static void what_does_not_fit_into_the_queues_is_counted(void **state)
{
	const unsigned n = 20 * HASH_QUEUE_MAX;
	struct hash_exec x = exec_of("/nowhere/program");
	struct told told = {0};
	struct hasher *h;

	(void)state;
	assert_int_equal(hasher_start(&h, 0, NULL), 0);
	for (unsigned i = 0; i < n; i++)
		offer(h, &x, 0);
	hasher_finish(h, HASH_FINISH_NS);
	take_results(h, &told);
	assert_int_equal(sum(&told), n);
	assert_in_range(told.by_status[EV_HASH_GONE], 1, HASH_QUEUE_MAX);
	assert_int_equal(told.by_status[EV_HASH_QUEUE], n - told.by_status[EV_HASH_GONE]);
	assert_int_equal(told.records, told.by_status[EV_HASH_GONE] + 1);
	hasher_close(h);
}

static void what_is_not_done_at_the_end_is_told_and_not_waited_for(void **state)
{
	struct found *f = *state;
	struct told told = {0};
	struct hash_exec x;
	struct hasher *h;
	char path[128];

	path_in(f, "large", path);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
	assert_int_equal(truncate(path, HASH_SIZE_MAX), 0);
	x = exec_of(path);
	assert_int_equal(hasher_start(&h, 0, NULL), 0);
	for (int i = 0; i < 3; i++)
		offer(h, &x, 0);
	hasher_finish(h, 0);
	take_results(h, &told);
	hasher_close(h);
	assert_int_equal(told.by_status[EV_HASH_STOPPED], 3);
	assert_int_equal(told.records, 1);
}

static void make_file(const struct found *f, unsigned i, char path[128])
{
	char name[16];

	snprintf(name, sizeof(name), "%u", i);
	path_in(f, name, path);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
}

static void files_over_the_rate_are_told_and_not_read(void **state)
{
	const unsigned n = HASH_FILES_PER_S * 12;
	struct found *f = *state;
	struct told told = {0};
	struct hasher *h;
	char path[128];

	for (unsigned i = 0; i < n; i++)
		make_file(f, i, path);
	assert_int_equal(hasher_start(&h, 0, NULL), 0);
	for (unsigned i = 0; i < n; i++) {
		struct hash_exec x;

		make_file(f, i, path);
		x = exec_of(path);
		offer(h, &x, 0);
		offer(h, &x, -2); /* failed */
		while (sum(&told) + HASH_QUEUE_MAX / 2 < i) {
			take_results(h, &told);
			sched_yield();
		}
	}
	hasher_finish(h, HASH_FINISH_NS);
	take_results(h, &told);
	hasher_close(h);
	assert_int_equal(sum(&told), n);
	assert_true(told.by_status[EV_HASH_DONE] > HASH_FILES_PER_S * (HASH_BURST_NS / 1000000000));
	assert_true(told.by_status[EV_HASH_RATE] > 0);
	assert_int_equal(told.by_status[EV_HASH_DONE] + told.by_status[EV_HASH_RATE], n);
}

#define in_a_dir(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_dir(the_first_exec_of_a_file_gives_its_hash_and_the_second_none),
	    in_a_dir(a_changed_file_is_hashed_anew),
	    in_a_dir(a_deleted_executable_is_read_through_its_process),
	    in_a_dir(another_name_of_a_known_file_is_told_too),
	    in_a_dir(a_file_over_the_limit_is_told_once_and_not_read),
	    in_a_dir(a_new_file_of_the_recording_is_told_again),
	    in_a_dir(without_the_option_nothing_is_hashed),
	    in_a_dir(only_the_file_of_the_exec_is_opened),
	    in_a_dir(a_file_that_changes_while_it_is_read_has_no_hash),
	    cmocka_unit_test(what_does_not_fit_into_the_queues_is_counted),
	    in_a_dir(what_is_not_done_at_the_end_is_told_and_not_waited_for),
	    in_a_dir(files_over_the_rate_are_told_and_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
