/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's types, reduced to those that programs ask for: built ones, and the running kernel's,
 * with which every program must become what it becomes with all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "capture/internal.h"

#include "capture/recorder.skel.h"

/* --- types that are made up --- */

struct kernel {
	struct btf *types;
	int u8_, u32_, void_ptr; /* ids */
};

static void begin(struct kernel *k)
{
	k->types = btf__new_empty();
	assert_non_null(k->types);
	k->u8_ = btf__add_int(k->types, "unsigned char", 1, 0);
	k->u32_ = btf__add_int(k->types, "unsigned int", 4, 0);
	k->void_ptr = btf__add_ptr(k->types, 0);
}

static void field(struct kernel *k, const char *name, int type, uint32_t bits, uint32_t width)
{
	assert_int_equal(btf__add_field(k->types, name, type, bits, width), 0);
}

/* Ours: structs without fields and enums without values, which say what is wanted. */
static struct btf *ours(const char *const *structs, const char *const *enums)
{
	struct btf *types = btf__new_empty();

	assert_non_null(types);
	for (; structs && *structs; structs++)
		assert_true(btf__add_struct(types, *structs, 0) > 0);
	for (; enums && *enums; enums++)
		assert_true(btf__add_enum(types, *enums, 4) > 0);
	return types;
}

static struct btf *reduce(struct kernel *k, const char *const *structs, const char *const *enums)
{
	struct btf *wanted = ours(structs, enums), *reduced;
	const void *data;
	uint32_t size;

	data = btf__raw_data(k->types, &size);
	assert_non_null(data);
	reduced = types_reduce(data, size, wanted);
	btf__free(wanted);
	return reduced;
}

static const struct btf_type *find(const struct btf *types, const char *name, uint32_t kind)
{
	return btf__type_by_id(types, (uint32_t)btf__find_by_name_kind(types, name, kind));
}

/* Member @i: its name, place, width if it is a bit field, and the id of its type. */
static uint32_t member(const struct btf *types, const struct btf_type *t, uint32_t i,
		       const char *name, uint32_t bits, uint32_t width)
{
	assert_true(i < btf_vlen(t));
	assert_string_equal(btf__name_by_offset(types, btf_members(t)[i].name_off), name);
	assert_int_equal(btf_member_bit_offset(t, i), bits);
	assert_int_equal(btf_member_bitfield_size(t, i), width);
	return btf_members(t)[i].type;
}

static void a_struct_comes_with_what_stands_inside_it(void **state)
{
	static const char *const names[] = {"wanted", NULL};
	struct kernel k;
	int inner, nameless, array, alias, to_other;
	const struct btf_type *t, *in;
	struct btf *reduced;
	uint32_t id;

	(void)state;
	begin(&k);
	to_other = btf__add_ptr(k.types, k.void_ptr + 2);
	assert_int_equal(btf__add_struct(k.types, "other", 1), k.void_ptr + 2);
	field(&k, "unread", k.u8_, 0, 0);
	inner = btf__add_struct(k.types, "inner", 4);
	field(&k, "low", k.u32_, 0, 3);
	field(&k, "high", k.u32_, 3, 29);
	nameless = btf__add_union(k.types, NULL, 4);
	field(&k, "number", k.u32_, 0, 0);
	field(&k, "byte", k.u8_, 0, 0);
	array = btf__add_array(k.types, k.u32_, inner, 3);
	alias = btf__add_typedef(k.types, "alias", btf__add_const(k.types, array));
	assert_true(btf__add_struct(k.types, "wanted", 28) > 0);
	field(&k, "there", to_other, 0, 0);
	field(&k, "", nameless, 64, 0);
	field(&k, "three", alias, 96, 0);
	reduced = reduce(&k, names, NULL);
	assert_non_null(reduced);

	assert_null(find(reduced, "other", BTF_KIND_STRUCT));
	t = find(reduced, "wanted", BTF_KIND_STRUCT);
	assert_non_null(t);
	assert_int_equal(t->size, 28);
	assert_int_equal(btf_vlen(t), 3);
	id = member(reduced, t, 0, "there", 0, 0);
	assert_true(btf_is_ptr(btf__type_by_id(reduced, id)));
	in = btf__type_by_id(reduced, member(reduced, t, 1, "", 64, 0));
	assert_true(btf_is_union(in));
	assert_int_equal(btf__resolve_size(reduced, member(reduced, in, 0, "number", 0, 0)), 4);
	assert_int_equal(btf__resolve_size(reduced, member(reduced, in, 1, "byte", 0, 0)), 1);
	id = member(reduced, t, 2, "three", 96, 0);
	assert_int_equal(btf__resolve_size(reduced, id), 12);
	in = btf__type_by_id(reduced, id);
	assert_true(btf_is_array(in));
	assert_int_equal(btf_array(in)->nelems, 3);
	in = btf__type_by_id(reduced, btf_array(in)->type);
	assert_string_equal(btf__name_by_offset(reduced, in->name_off), "inner");
	member(reduced, in, 0, "low", 0, 3);
	member(reduced, in, 1, "high", 3, 29);
	btf__free(reduced);
	btf__free(k.types);
}

/* libbpf is to see, and to refuse, what is ambiguous. */
static void all_types_of_a_name_and_their_variants_are_kept(void **state)
{
	static const char *const names[] = {"wanted___before_5", "short___x", NULL};
	static const char *const there[] = {"wanted",	   "wanted",	  "wanted___2",
					    "wanted____x", "wanted___",	  "unwanted",
					    "short",	   "shorter___x", "short___xy"};
	struct kernel k;
	struct btf *reduced;
	unsigned kept[COUNT_OF(there)] = {0};

	(void)state;
	begin(&k);
	for (uint32_t i = 0; i < COUNT_OF(there); i++) /* told by their size */
		assert_true(btf__add_struct(k.types, there[i], i + 1) > 0);
	reduced = reduce(&k, names, NULL);
	assert_non_null(reduced);
	for (uint32_t id = 1; id < btf__type_cnt(reduced); id++)
		kept[btf__type_by_id(reduced, id)->size - 1]++;
	for (size_t i = 0; i < COUNT_OF(there); i++)
		if (kept[i] != (i < 3 || i == 6 || i == 8))
			fail_msg("%s (%zu): kept %u times", there[i], i, kept[i]);
	btf__free(reduced);
	btf__free(k.types);
}

static void enums_keep_their_values(void **state)
{
	static const char *const names[] = {"colour", NULL};
	const struct btf_type *t;
	struct btf *reduced;
	struct kernel k;

	(void)state;
	begin(&k);
	assert_true(btf__add_enum(k.types, "colour", 4) > 0);
	assert_int_equal(btf__add_enum_value(k.types, "red", 7), 0);
	assert_int_equal(btf__add_enum_value(k.types, "blue", -1), 0);
	assert_true(btf__add_enum(k.types, "shape", 4) > 0);
	reduced = reduce(&k, NULL, names);
	assert_non_null(reduced);
	assert_int_equal(btf__type_cnt(reduced), 2);
	t = find(reduced, "colour", BTF_KIND_ENUM);
	assert_int_equal(btf_vlen(t), 2);
	assert_string_equal(btf__name_by_offset(reduced, btf_enum(t)[1].name_off), "blue");
	assert_int_equal(btf_enum(t)[0].val, 7);
	assert_int_equal(btf_enum(t)[1].val, -1);
	assert_true(btf_kflag(t)); /* there are negative ones */
	btf__free(reduced);
	btf__free(k.types);

	begin(&k);
	assert_true(btf__add_enum(k.types, "colour", 4) > 0);
	assert_int_equal(btf__add_enum_value(k.types, "red", 0xffffffff), 0);
	assert_true(btf__add_enum64(k.types, "colour", 8, false) > 0);
	assert_int_equal(btf__add_enum64_value(k.types, "blue", 1ull << 63 | 1), 0);
	reduced = reduce(&k, NULL, names);
	assert_non_null(reduced);
	t = find(reduced, "colour", BTF_KIND_ENUM);
	assert_int_equal(btf_enum(t)[0].val, -1);
	assert_false(btf_kflag(t));
	t = find(reduced, "colour", BTF_KIND_ENUM64);
	assert_false(btf_kflag(t));
	assert_true(btf_enum64_value(btf_enum64(t)) == (1ull << 63 | 1));
	btf__free(reduced);
	btf__free(k.types);
}

static void a_struct_within_itself_is_refused(void **state)
{
	static const char *const names[] = {"endless", NULL};
	struct kernel k;
	int id;

	(void)state;
	begin(&k);
	id = btf__add_struct(k.types, "endless", 4);
	field(&k, "again", id, 0, 0);
	errno = 0;
	assert_null(reduce(&k, names, NULL));
	assert_int_equal(errno, EINVAL);
	btf__free(k.types);
}

static void a_member_of_no_type_is_refused(void **state)
{
	static const char *const names[] = {"broken", NULL};
	const int kinds[] = {BTF_KIND_FUNC_PROTO, 100000};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct kernel k;
		int id = kinds[i];

		begin(&k);
		if (i == 0)
			id = btf__add_func_proto(k.types, 0);
		assert_true(btf__add_struct(k.types, "broken", 4) > 0);
		field(&k, "what", id, 0, 0);
		errno = 0;
		assert_null(reduce(&k, names, NULL));
		assert_int_equal(errno, EINVAL);
		btf__free(k.types);
	}
}

/* The same with the strings before the types, which are the first @types_len bytes of theirs. */
static char *strings_first(const char *data, uint32_t types_len, uint32_t *size)
{
	struct btf_header h;
	uint32_t room;
	char *out;

	memcpy(&h, data, sizeof(h));
	room = (h.str_len + 3) / 4 * 4;
	*size = (uint32_t)sizeof(h) + room + types_len;
	out = calloc(1, *size);
	memcpy(out + sizeof(h), data + sizeof(h) + h.str_off, h.str_len);
	memcpy(out + sizeof(h) + room, data + sizeof(h) + h.type_off, types_len);
	h.str_off = 0;
	h.type_off = room;
	h.type_len = types_len;
	memcpy(out, &h, sizeof(h));
	return out;
}

static void types_cut_short_are_refused(void **state)
{
	static const char *const names[] = {"wanted", "colour", NULL};
	struct btf *wanted = ours(names, NULL), *reduced;
	const struct btf_header *h;
	const char *data;
	struct kernel k;
	uint32_t size, whole = 0;

	(void)state;
	begin(&k);
	assert_true(btf__add_array(k.types, k.u32_, k.u8_, 2) > 0);
	assert_true(btf__add_func_proto(k.types, 0) > 0);
	assert_true(btf__add_enum(k.types, "colour", 4) > 0);
	assert_int_equal(btf__add_enum_value(k.types, "red", 7), 0);
	assert_true(btf__add_struct(k.types, "wanted", 4) > 0);
	field(&k, "number", k.u32_, 0, 0);
	data = btf__raw_data(k.types, &size);
	h = (const void *)data;
	for (uint32_t n = 0; n < size; n++) {
		char *copy = malloc(n ? n : 1);

		memcpy(copy, data, n);
		assert_null(types_reduce(copy, n, wanted));
		free(copy);
	}
	for (uint32_t n = 0; n <= h->type_len; n++) {
		char *copy = strings_first(data, n, &size);

		reduced = types_reduce(copy, size, wanted);
		whole += reduced != NULL; /* cut between two types */
		if (n == h->type_len)
			assert_non_null(find(reduced, "wanted", BTF_KIND_STRUCT));
		btf__free(reduced);
		free(copy);
	}
	assert_int_equal(whole, btf__type_cnt(k.types));
	btf__free(wanted);
	btf__free(k.types);
}

/* Each number of the file is set to each of some values. */
static void types_with_any_number_wrong_are_survived(void **state)
{
	static const uint32_t values[] = {
	    0, 1, 2, 3, 7, 100, 0x7fffffff, 0x80000000, 0xffffffff, 0x04000001, 0x1300ffff};
	static const char *const names[] = {"wanted", "colour", NULL};
	struct btf *wanted = ours(names, NULL);
	const char *data;
	struct kernel k;
	uint32_t size;
	char *copy;

	(void)state;
	begin(&k);
	assert_true(btf__add_array(k.types, k.u32_, k.u8_, 2) > 0);
	assert_true(btf__add_enum(k.types, "colour", 4) > 0);
	assert_int_equal(btf__add_enum_value(k.types, "red", 7), 0);
	assert_true(btf__add_typedef(k.types, "alias", 4) > 0);
	assert_true(btf__add_struct(k.types, "wanted", 12) > 0);
	field(&k, "number", k.u32_, 0, 0);
	field(&k, "two", 6, 32, 0);
	data = btf__raw_data(k.types, &size);
	copy = malloc(size);
	for (uint32_t at = 0; at + 4 <= size; at += 4)
		for (size_t i = 0; i < COUNT_OF(values); i++) {
			memcpy(copy, data, size);
			memcpy(copy + at, &values[i], 4);
			btf__free(types_reduce(copy, size, wanted));
		}
	free(copy);
	btf__free(wanted);
	btf__free(k.types);
}

/* --- the running kernel's --- */

PRINTF_LIKE(2, 0)
static int complain(enum libbpf_print_level level, const char *format, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, ap) : 0;
}

static bool permitted(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "probe", 0, 0, 4096, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

/* Every program that this kernel has a hook for. */
static void select_programs(struct rec_recorder *bpf)
{
	struct bpf_program *p;
	struct rec_options opt;

	rec_options_init(&opt);
	assert_int_equal(rec_set_parse(&opt.set, sv_of("all"), NULL), 0);
	opt.npids = 1;
	opt.entry_copies = true;
	opt.io_uring = check_uring(NULL) >= 0;
	bpf_object__for_each_program(p, bpf->obj)
	{
		bpf_program__set_autoload(p, program_wanted(&opt, bpf_program__name(p)));
	}
}

/* Their fields are found in the types in the file @path; NULL: all the kernel has. */
static struct rec_recorder *load_with(const char *path, int file)
{
	struct bpf_object_open_opts opts = {.sz = sizeof(opts), .btf_custom_path = path};
	struct rec_recorder *bpf = rec_recorder__open_opts(&opts);

	assert_non_null(bpf);
	select_programs(bpf);
	if (path)
		assert_int_equal(types_fill(file, bpf_object__btf(bpf->obj)), 0);
	assert_int_equal(rec_recorder__load(bpf), 0);
	return bpf;
}

/* Descriptors of maps are another object's; what is left is the same code. */
static bool same_instruction(const struct bpf_insn *a, const struct bpf_insn *b)
{
	struct bpf_insn other = *b;

	if (a->code == (BPF_LD | BPF_IMM | BPF_DW) && a->src_reg != BPF_PSEUDO_FUNC)
		other.imm = a->imm;
	return !memcmp(a, &other, sizeof(*a));
}

static void compare_program(const struct bpf_program *few, const struct bpf_program *all)
{
	size_t n = bpf_program__insn_cnt(all);

	if (bpf_program__insn_cnt(few) != n)
		fail_msg("%s: %zu instructions instead of %zu", bpf_program__name(all),
			 bpf_program__insn_cnt(few), n);
	for (size_t i = 0; i < n; i++)
		if (!same_instruction(bpf_program__insns(few) + i, bpf_program__insns(all) + i))
			fail_msg("%s: instruction %zu differs", bpf_program__name(all), i);
}

static void every_program_is_the_same_with_them_and_with_all(void **state)
{
	struct rec_recorder *few, *all;
	struct bpf_program *p;
	unsigned programs = 0;
	char path[32];
	int file;

	(void)state;
	if (!permitted()) {
		print_message("no BPF with types here\n");
		skip();
	}
	libbpf_set_print(complain);
	file = types_file();
	assert_true(file >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	few = load_with(path, file);
	all = load_with(NULL, -1);
	assert_in_range(lseek(file, 0, SEEK_END), 1000, 200000); /* of 5 MB */
	close(file);
	bpf_object__for_each_program(p, all->obj)
	{
		const char *name = bpf_program__name(p);

		if (!bpf_program__autoload(p))
			continue;
		compare_program(bpf_object__find_program_by_name(few->obj, name), p);
		programs++;
	}
	assert_true(programs > 100);
	rec_recorder__destroy(few);
	rec_recorder__destroy(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_struct_comes_with_what_stands_inside_it),
	    cmocka_unit_test(all_types_of_a_name_and_their_variants_are_kept),
	    cmocka_unit_test(enums_keep_their_values),
	    cmocka_unit_test(a_struct_within_itself_is_refused),
	    cmocka_unit_test(a_member_of_no_type_is_refused),
	    cmocka_unit_test(types_cut_short_are_refused),
	    cmocka_unit_test(types_with_any_number_wrong_are_survived),
	    cmocka_unit_test(every_program_is_the_same_with_them_and_with_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
