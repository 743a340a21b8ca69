/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of flags: every value of every set, in every parameter that has the set. Sets whose
 * values overlap have their expectations here; those of all others follow from the rows of
 * flags.tsv, which the tests read themselves.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/filter/tests/show.h"

#define ROWS_MAX 1024

struct flag_case { /* parameter @i of an event, with that value */
	unsigned type, i;
	uint32_t value;
	const char *names;
};

struct row { /* of flags.tsv */
	char set[48], name[64];
	uint32_t value;
};

static struct flags_world {
	struct world w;
	struct flt_program *program;
	struct flt_ctx *cx;
	struct buf text;
	struct row rows[ROWS_MAX];
	size_t count;
} fixture;

static void read_rows(struct flags_world *f)
{
	FILE *in = fopen(SOURCE_DIR "/scapfile/schema/flags.tsv", "r");
	char line[256];

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		struct row *r = &f->rows[f->count];

		assert_true(f->count < ROWS_MAX);
		if (sscanf(line, "%47s\t%63s\t%u", r->set, r->name, &r->value) == 3)
			f->count++;
	}
	fclose(in);
	assert_true(f->count > 600);
}

static int setup(void **state)
{
	struct flags_world *f = &fixture;

	*state = f;
	show_init(&f->w);
	read_rows(f);
	assert_int_equal(flt_program_new(NULL, &f->program, NULL), 0);
	assert_int_equal(flt_program_seal(f->program, NULL), 0);
	assert_int_equal(flt_ctx_new(f->program, f->w.st, &f->cx, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	struct flags_world *f = *state;

	flt_ctx_free(f->cx);
	flt_program_free(f->program);
	buf_done(&f->text);
	world_done(&f->w);
	return 0;
}

static bool is_enum(unsigned type)
{
	return type == PT_ENUMFLAGS8 || type == PT_ENUMFLAGS16 || type == PT_ENUMFLAGS32;
}

/* Does @value come back from a parameter of that type? */
static bool fits(unsigned type, uint64_t value)
{
	return value >> 8 * ev_ptype_width(type) == 0;
}

/* A failed call that has nothing but parameter @i. */
static void feed(struct flags_world *f, unsigned type, unsigned i, uint64_t value)
{
	struct arg args[EV_PARAMS_MAX] = {{.kind = ARG_EMPTY}};

	if (ev_type_is_exit(type))
		args[0] = (struct arg)I(-1);
	args[i] = (struct arg)I(value);
	world_event(&f->w, 3200, type, args, i + 1);
	flt_ctx_event(f->cx, &f->w.bind);
	buf_reset(&f->text);
}

/* evt.arg shows the names, or the number if there are none; evt.args both. */
static void check_names(struct flags_world *f, unsigned type, unsigned i, uint32_t value,
			const char *names)
{
	const struct ev_param_info *p = &ev_table[type].params[i];
	struct buf want = {0};
	const char *at;

	feed(f, type, i, value);
	flt_render_args(f->cx, f->w.bind.ev, &f->text);
	if (p->type == PT_MODE)
		buf_addf(&want, " %s=%s%o", p->name, value ? "0" : "", value);
	else
		buf_addf(&want, " %s=%u", p->name, value);
	if (names[0])
		buf_addf(&want, "(%s)", names);
	buf_char(&f->text, ' ');
	at = strstr(buf_cstr(&f->text), buf_cstr(&want) + (i == 0));
	if (!at || at[want.len - (i == 0)] != ' ')
		fail_msg("%s: no '%s' in '%s'", ev_table[type].enum_name, want.p, f->text.p);
	buf_done(&want);
	if (!names[0])
		return;
	buf_reset(&f->text);
	flt_render_param(f->cx, f->w.bind.ev, i, &f->text);
	assert_string_equal(buf_cstr(&f->text), names);
}

static void check_cases(struct flags_world *f, const struct flag_case *cases, size_t n)
{
	for (size_t k = 0; k < n; k++)
		check_names(f, cases[k].type, cases[k].i, cases[k].value, cases[k].names);
}

/* Where the rows of the set of row @first end. */
static size_t set_end(const struct flags_world *f, size_t first)
{
	size_t end = first;

	while (end < f->count && strcmp(f->rows[end].set, f->rows[first].set) == 0)
		end++;
	return end;
}

/* A parameter that has the set; false: there is none. */
static bool user_of(const char *set, unsigned *type, unsigned *i)
{
	const struct ev_flag *flags = ev_flag_set(set);

	assert_non_null(flags);
	for (*type = 0; *type < EV_TYPE_COUNT; ++*type)
		for (*i = 0; *i < ev_table[*type].nparams; ++*i)
			if (ev_table[*type].params[*i].flags == flags)
				return true;
	return false;
}

static void bits_are_taken_in_table_order_and_once(void **state)
{
	static const struct flag_case cases[] = {
	    /* O_RDWR stands before its halves. */
	    {EV_OPEN_X, 2, 1, "O_RDONLY"},
	    {EV_OPEN_X, 2, 2, "O_WRONLY"},
	    {EV_OPEN_X, 2, 3, "O_RDWR"},
	    {EV_OPEN_X, 2, 0, "O_NONE"},
	    {EV_OPEN_X, 2, 0x0c05, "O_LARGEFILE|O_DIRECTORY|O_CREAT|O_RDONLY"},
	    {EV_OPEN_X, 2, 0x1ffff,
	     "O_LARGEFILE|O_DIRECTORY|O_DIRECT|O_TRUNC|O_SYNC|O_NONBLOCK|O_EXCL|O_DSYNC|O_APPEND|"
	     "O_CREAT|O_RDWR|O_CLOEXEC|O_TMPFILE|O_F_CREATED|FD_UPPER_LAYER|FD_LOWER_LAYER"},
	    {EV_OPEN_X, 2, 0xfffe0000, ""},
	    {EV_OPEN_X, 2, 0x80000001, "O_RDONLY"},
	    {EV_PIPE2_X, 4, 0x1000, "O_CLOEXEC"},
	    /* Operations that are numbers, in a set of bits: the largest that fits, then what it
	       left. */
	    {EV_FUTEX_X, 2, 0, "FUTEX_WAIT"},
	    {EV_FUTEX_X, 2, 5, "FUTEX_WAKE_OP"},
	    {EV_FUTEX_X, 2, 9, "FUTEX_WAIT_BITSET"},
	    {EV_FUTEX_X, 2, 13, "FUTEX_CMP_REQUEUE_PI|FUTEX_WAKE"},
	    {EV_FUTEX_X, 2, 0x81, "FUTEX_PRIVATE_FLAG|FUTEX_WAKE"},
	    {EV_FUTEX_X, 2, 0x80, "FUTEX_PRIVATE_FLAG"},
	    {EV_FUTEX_X, 2, 0x18f,
	     "FUTEX_CLOCK_REALTIME|FUTEX_PRIVATE_FLAG|FUTEX_CMP_REQUEUE_PI|FUTEX_REQUEUE"},
	    /* Modes: what equals the whole value comes last, even if its bits are taken. */
	    {EV_MKNOD_X, 2, 0100000, "S_IFREG"},
	    {EV_MKNOD_X, 2, 060000, "S_IFCHR|S_IFBLK"},
	    {EV_MKNOD_X, 2, 060600, "S_IWUSR|S_IRUSR|S_IFCHR"},
	    {EV_MKNOD_X, 2, 0140000, "S_IFREG|S_IFSOCK"},
	    {EV_MKNOD_X, 2, 010644, "S_IROTH|S_IRGRP|S_IWUSR|S_IRUSR|S_IFIFO"},
	    {EV_MKNOD_X, 2, 0, ""},
	    {EV_CHMOD_X, 2, 07777,
	     "S_IXOTH|S_IWOTH|S_IROTH|S_IXGRP|S_IWGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISVTX|S_"
	     "ISGID|"
	     "S_ISUID"},
	    {EV_ITER_TASK_FILE_ANON_INODE_E, 1, 0, "ANON_INODE_FD_TYPE_UNKNOWN"},
	    {EV_ITER_TASK_FILE_ANON_INODE_E, 1, 2, "ANON_INODE_FD_TYPE_EVENTPOLL"},
	    {EV_ITER_TASK_FILE_ANON_INODE_E, 1, 3,
	     "ANON_INODE_FD_TYPE_EVENTFD|ANON_INODE_FD_TYPE_EVENTPOLL"},
	};

	check_cases(*state, cases, COUNT_OF(cases));
}

static void values_of_an_enumeration_show_all_their_names(void **state)
{
	static const struct flag_case cases[] = {
	    {EV_SOCKET_X, 1, 1, "AF_LOCAL|AF_UNIX"},
	    {EV_SOCKET_X, 1, 16, "AF_ROUTE|AF_NETLINK"},
	    {EV_SOCKET_X, 1, 3, "AF_AX25"},
	    {EV_SOCKET_X, 1, 40, ""},
	    {EV_PRCTL_X, 1, 33, "PR_MCE_KILL|PR_MCE_KILL"},
	    {EV_BPF_2_X, 1, 10, "BPF_PROG_TEST_RUN|BPF_PROG_RUN"},
	    {EV_SHUTDOWN_X, 2, 0, "SHUT_RD"},
	    {EV_SHUTDOWN_X, 2, 3, ""},
	    {EV_LSEEK_X, 3, 1, "SEEK_CUR"},
	};

	check_cases(*state, cases, COUNT_OF(cases));
}

/* --- all sets --- */

static bool overlaps(const char *set)
{
	static const char *const sets[] = {"file_flags", "futex_operations", "mknod_mode",
					   "anon_inode_fd_types"};

	for (size_t k = 0; k < COUNT_OF(sets); k++)
		if (strcmp(set, sets[k]) == 0)
			return true;
	return false;
}

/* The names of all rows of @set that are @value. */
static const char *equal_names(const struct flags_world *f, const char *set, uint32_t value,
			       char room[256])
{
	room[0] = '\0';
	for (size_t k = 0; k < f->count; k++)
		if (strcmp(f->rows[k].set, set) == 0 && f->rows[k].value == value)
			snprintf(room + strlen(room), 256 - strlen(room), "%s%s",
				 room[0] ? "|" : "", f->rows[k].name);
	return room;
}

static void every_value_of_every_set_has_its_name_in_every_parameter(void **state)
{
	struct flags_world *f = *state;
	unsigned checked = 0;
	char names[256];

	for (unsigned t = 0; t < EV_TYPE_COUNT; t++)
		for (unsigned i = 0; i < ev_table[t].nparams; i++)
			for (size_t k = 0; k < f->count; k++) {
				const struct ev_param_info *p = &ev_table[t].params[i];
				const struct row *r = &f->rows[k];

				if (!p->flags || p->flags != ev_flag_set(r->set) ||
				    !fits(p->type, r->value))
					continue;
				if (!is_enum(p->type) && strcmp(r->set, "file_flags") != 0 &&
				    overlaps(r->set))
					continue;
				check_names(f, t, i, r->value,
					    equal_names(f, r->set, r->value, names));
				checked++;
			}
	assert_true(checked > 1500);
}

static void all_bits_of_a_set_show_all_its_names(void **state)
{
	struct flags_world *f = *state;
	unsigned type, i, checked = 0;
	struct buf names = {0};

	for (size_t first = 0, end; first < f->count; first = end) {
		const char *set = f->rows[first].set;
		uint32_t all = 0;

		buf_reset(&names);
		end = set_end(f, first);
		for (const struct row *r = &f->rows[first]; r < &f->rows[end]; r++) {
			if (!r->value)
				continue;
			all |= r->value;
			if (names.len)
				buf_char(&names, '|');
			buf_str(&names, r->name);
		}
		if (overlaps(set) || !user_of(set, &type, &i) ||
		    is_enum(ev_table[type].params[i].type))
			continue;
		check_names(f, type, i, all, buf_cstr(&names));
		checked++;
	}
	buf_done(&names);
	assert_int_equal(checked, 37);
}

/* Bits or values that no row has show as a number, beside known bits as nothing. */
static void unknown_bits_have_no_name(void **state)
{
	struct flags_world *f = *state;
	unsigned type, i;

	for (size_t k = 0, end; k < f->count; k = end) {
		const struct row *r = &f->rows[k];
		uint32_t known = 0, unknown;
		const struct ev_param_info *p;
		char names[256];

		end = set_end(f, k);
		if (!user_of(r->set, &type, &i))
			continue;
		p = &ev_table[type].params[i];
		for (size_t n = k; n < end; n++)
			known |= f->rows[n].value;
		for (unknown = 1; unknown && (known & unknown); unknown <<= 1)
			;
		if (unknown && fits(p->type, unknown)) {
			check_names(f, type, i, unknown, "");
			if (!is_enum(p->type) && !overlaps(r->set) && r->value)
				check_names(f, type, i, unknown | r->value, r->name);
		}
		/* Nothing set: the name of nothing, if the set has one. */
		check_names(f, type, i, 0, equal_names(f, r->set, 0, names));
	}
}

static void only_some_sets_belong_to_no_parameter(void **state)
{
	struct flags_world *f = *state;
	unsigned type, i;

	for (size_t k = 0; k < f->count; k++)
		if (!user_of(f->rows[k].set, &type, &i))
			assert_string_equal(f->rows[k].set, "poll_flags");
}

static void parameters_show_raw_flags_as_numbers(void **state)
{
	struct flags_world *f = *state;

	feed(f, EV_OPEN_X, 2, 0x1003);
	assert_shows(&f->w, "%evt.rawarg.flags|%evt.arg.flags", "1003|O_RDWR|O_CLOEXEC");
	assert_json(&f->w, "%evt.rawarg.flags", "\"evt.rawarg.flags\":\"1003\"");
	feed(f, EV_SOCKET_X, 1, 10);
	assert_json(&f->w, "%evt.rawarg.domain", "\"evt.rawarg.domain\":10");
	feed(f, EV_CHMOD_X, 2, 0644);
	assert_json(&f->w, "%evt.rawarg.mode", "\"evt.rawarg.mode\":\"644\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bits_are_taken_in_table_order_and_once),
	    cmocka_unit_test(values_of_an_enumeration_show_all_their_names),
	    cmocka_unit_test(every_value_of_every_set_has_its_name_in_every_parameter),
	    cmocka_unit_test(all_bits_of_a_set_show_all_its_names),
	    cmocka_unit_test(unknown_bits_have_no_name),
	    cmocka_unit_test(only_some_sets_belong_to_no_parameter),
	    cmocka_unit_test(parameters_show_raw_flags_as_numbers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
