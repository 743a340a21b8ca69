/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel describes more than a hundred thousand types. libbpf looks through all of them for
 * each that our programs ask for, so it is handed those alone that bear the name of one of ours.
 * Types of modules are not among them: nothing that we read belongs to one.
 *
 * Where a struct stands inside another it comes along. What only a pointer leads to does not: a
 * chain of pointers asks for each of its structs by name. Format: "BPF Type Format" of the kernel's
 * documentation.
 */
#include "capture/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "base/map.h"

#define DEPTH_MAX     64 /* structs within structs, and names for types; the kernel has fewer */
#define TYPES_MAX     (1u << 22)
#define KERNEL_TYPES  "/sys/kernel/btf/vmlinux"
#define TYPES_AT_ONCE 65536

/* --- the kernel's types as they stand in its file --- */

struct source {
	const char *types, *strings; /* the sections */
	uint32_t types_len, strings_len;
	uint32_t *at; /* place of each type, from 1 on */
	uint32_t n;   /* one more than there are */
};

/* Bytes that follow the twelve of every type, or -1 if its kind is unknown. */
static int extra_bytes(const struct btf_type *t)
{
	int each = -1;

	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC: /* its "length" is its linkage */
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	case BTF_KIND_INT:
		return sizeof(uint32_t);
	case BTF_KIND_VAR:
		return sizeof(struct btf_var);
	case BTF_KIND_DECL_TAG:
		return sizeof(struct btf_decl_tag);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		each = sizeof(struct btf_member);
		break;
	case BTF_KIND_ENUM:
		each = sizeof(struct btf_enum);
		break;
	case BTF_KIND_ENUM64:
		each = sizeof(struct btf_enum64);
		break;
	case BTF_KIND_FUNC_PROTO:
		each = sizeof(struct btf_param);
		break;
	case BTF_KIND_DATASEC:
		each = sizeof(struct btf_var_secinfo);
		break;
	default:
		return -1;
	}
	return btf_vlen(t) * each;
}

static const struct btf_type *type_at(const struct source *s, uint32_t at)
{
	return (const struct btf_type *)(const void *)(s->types + at);
}

static int index_types(struct source *s)
{
	uint32_t at = 0, room = 0;

	for (s->n = 1; at < s->types_len; s->n++) {
		uint32_t left = s->types_len - at;
		int extra = left < sizeof(struct btf_type) ? -1 : extra_bytes(type_at(s, at));

		if (extra < 0 || left - sizeof(struct btf_type) < (uint32_t)extra ||
		    s->n == TYPES_MAX)
			return -EINVAL;
		if (s->n >= room) {
			uint32_t *grown = realloc(s->at, (room + TYPES_AT_ONCE) * sizeof(uint32_t));

			if (!grown)
				return -ENOMEM;
			s->at = grown;
			room += TYPES_AT_ONCE;
		}
		s->at[s->n] = at;
		at += (uint32_t)sizeof(struct btf_type) + (uint32_t)extra;
	}
	return 0;
}

/* @data is aligned as the header's and the types' numbers are, and those are in this machine's
 * order. */
static int read_sections(struct source *s, const char *data, size_t size)
{
	const struct btf_header *h = (const void *)data;
	size_t left;

	if (size < sizeof(*h) || h->magic != BTF_MAGIC || h->version != BTF_VERSION)
		return -EINVAL;
	if (h->hdr_len < sizeof(*h) || h->hdr_len > size || h->hdr_len % 4 || h->type_off % 4)
		return -EINVAL;
	left = size - h->hdr_len;
	if (h->type_off > left || h->type_len > left - h->type_off || h->str_off > left ||
	    h->str_len > left - h->str_off || !h->str_len)
		return -EINVAL;
	s->types = data + h->hdr_len + h->type_off;
	s->types_len = h->type_len;
	s->strings = data + h->hdr_len + h->str_off;
	s->strings_len = h->str_len;
	return s->strings[s->strings_len - 1] ? -EINVAL : 0;
}

/* Return: NULL for void and for a number that is none of a type. */
static const struct btf_type *type_of(const struct source *s, uint32_t id)
{
	return id > 0 && id < s->n ? type_at(s, s->at[id]) : NULL;
}

static const char *string_at(const struct source *s, uint32_t at)
{
	return at < s->strings_len ? s->strings + at : "";
}

/* What a type is under its other names and qualifiers. */
static uint32_t plain_type(const struct source *s, uint32_t id)
{
	const struct btf_type *t = type_of(s, id);

	for (unsigned i = 0; i < DEPTH_MAX && t && (btf_is_mod(t) || btf_is_typedef(t)); i++) {
		id = t->type;
		t = type_of(s, id);
	}
	return id;
}

/* --- which are wanted --- */

/* Without what follows a triple underscore, as libbpf compares names: variants of one type. */
static struct sv plain_name(const char *name)
{
	size_t n = strlen(name);

	for (size_t at = n; at-- > 4;)
		if (name[at] != '_' && !memcmp(name + at - 3, "___", 3) && name[at - 4] != '_')
			return sv_make(name, at - 3);
	return sv_make(name, n);
}

/* The kinds of types that have fields or values to be found. */
static bool is_wanted_kind(const struct btf_type *t)
{
	return t->name_off && (btf_is_composite(t) || btf_is_any_enum(t));
}

static int add_names(struct smap *names, const struct btf *ours)
{
	for (uint32_t id = 1; id < btf__type_cnt(ours); id++) {
		const struct btf_type *t = btf__type_by_id(ours, id);
		const char *name = btf__name_by_offset(ours, t->name_off);

		if (is_wanted_kind(t) && smap_put(names, plain_name(name), names) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- copying a type and what it consists of --- */

struct reduction {
	struct source from;
	struct btf *to;
	int *ids; /* in @to of each type of @from; 0: not copied */
	int pointer;
};

static int copy_type(struct reduction *r, uint32_t id, unsigned depth);

static int copy_array(struct reduction *r, const struct btf_type *t, unsigned depth)
{
	const struct btf_array *a = btf_array(t);
	int element = copy_type(r, a->type, depth + 1);
	int index = element < 0 ? element : copy_type(r, a->index_type, depth + 1);

	return index < 0 ? index : btf__add_array(r->to, index, element, a->nelems);
}

static int copy_composite(struct reduction *r, const struct btf_type *t, unsigned depth)
{
	const char *name = string_at(&r->from, t->name_off);
	const struct btf_member *m = btf_members(t);
	int id, rc = 0;

	/* Members are added to the type that is last: theirs are to be there by then. */
	for (uint32_t i = 0; i < btf_vlen(t) && rc >= 0; i++)
		rc = copy_type(r, m[i].type, depth + 1);
	if (rc < 0)
		return rc;
	id = btf_is_union(t) ? btf__add_union(r->to, name, t->size)
			     : btf__add_struct(r->to, name, t->size);
	for (uint32_t i = 0; i < btf_vlen(t) && id >= 0 && rc >= 0; i++)
		rc = btf__add_field(r->to, string_at(&r->from, m[i].name_off),
				    copy_type(r, m[i].type, depth + 1), btf_member_bit_offset(t, i),
				    btf_member_bitfield_size(t, i));
	return rc < 0 ? rc : id;
}

static int copy_enum(struct reduction *r, const struct btf_type *t)
{
	int id = btf__add_enum(r->to, string_at(&r->from, t->name_off), t->size), rc = 0;

	for (uint32_t i = 0; i < btf_vlen(t) && id >= 0 && rc >= 0; i++) {
		const struct btf_enum *e = btf_enum(t) + i;

		rc = btf__add_enum_value(r->to, string_at(&r->from, e->name_off),
					 btf_kflag(t) ? e->val : (int64_t)(uint32_t)e->val);
	}
	return rc < 0 ? rc : id;
}

static int copy_enum64(struct reduction *r, const struct btf_type *t)
{
	int id = btf__add_enum64(r->to, string_at(&r->from, t->name_off), t->size, btf_kflag(t));
	int rc = 0;

	for (uint32_t i = 0; i < btf_vlen(t) && id >= 0 && rc >= 0; i++) {
		const struct btf_enum64 *e = btf_enum64(t) + i;

		rc = btf__add_enum64_value(r->to, string_at(&r->from, e->name_off),
					   btf_enum64_value(e));
	}
	return rc < 0 ? rc : id;
}

static int copy_pointer(struct reduction *r)
{
	if (!r->pointer)
		r->pointer = btf__add_ptr(r->to, 0);
	return r->pointer;
}

static int copy_kind(struct reduction *r, const struct btf_type *t, unsigned depth)
{
	const char *name = string_at(&r->from, t->name_off);

	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return copy_composite(r, t, depth);
	case BTF_KIND_ARRAY:
		return copy_array(r, t, depth);
	case BTF_KIND_PTR:
		return copy_pointer(r);
	case BTF_KIND_INT:
		return btf__add_int(r->to, name, t->size, btf_int_encoding(t));
	case BTF_KIND_FLOAT:
		return btf__add_float(r->to, name, t->size);
	case BTF_KIND_ENUM:
		return copy_enum(r, t);
	case BTF_KIND_ENUM64:
		return copy_enum64(r, t);
	default:
		return -EINVAL; /* not the type of anything in a struct */
	}
}

/* Return: its id in the copy; 0: void; or a negative errno. */
static int copy_type(struct reduction *r, uint32_t id, unsigned depth)
{
	const struct btf_type *t;
	int rc;

	id = plain_type(&r->from, id);
	if (id == 0)
		return 0;
	t = type_of(&r->from, id);
	if (!t || depth > DEPTH_MAX)
		return -EINVAL;
	if (r->ids[id])
		return r->ids[id];
	rc = copy_kind(r, t, depth);
	if (rc > 0)
		r->ids[id] = rc;
	return rc;
}

static int copy_wanted(struct reduction *r, const struct smap *names)
{
	int rc = 0;

	for (uint32_t id = 1; id < r->from.n && rc >= 0; id++) {
		const struct btf_type *t = type_of(&r->from, id);

		if (is_wanted_kind(t) &&
		    smap_get(names, plain_name(string_at(&r->from, t->name_off))))
			rc = copy_type(r, id, 0);
	}
	return rc;
}

static int reduce(struct reduction *r, const struct btf *ours)
{
	struct smap names = {0};
	int rc = index_types(&r->from);

	if (rc < 0)
		return rc;
	r->to = btf__new_empty();
	r->ids = calloc(r->from.n, sizeof(*r->ids));
	rc = r->ids && r->to ? add_names(&names, ours) : -ENOMEM;
	if (rc >= 0)
		rc = copy_wanted(r, &names);
	smap_done(&names);
	return rc;
}

struct btf *types_reduce(const void *kernel, size_t size, const struct btf *ours)
{
	struct reduction r = {0};
	int rc = read_sections(&r.from, kernel, size);

	if (rc >= 0)
		rc = reduce(&r, ours);
	free(r.from.at);
	free(r.ids);
	if (rc >= 0)
		return r.to;
	btf__free(r.to);
	errno = -rc;
	return NULL;
}

/* --- files --- */

int types_file(void)
{
	int fd = memfd_create("kernel types", MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			return -errno;
		p += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
	return 0;
}

static int read_all(int fd, char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = read(fd, p, n);

		if (done == 0)
			return -EIO;
		if (done < 0 && errno != EINTR)
			return -errno;
		p += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
	return 0;
}

/* Kernels before 6.16 cannot map it. Return: @size bytes to be unmapped, or MAP_FAILED. */
static void *map_types(size_t *size)
{
	int rc, fd = open(KERNEL_TYPES, O_RDONLY | O_CLOEXEC);
	void *p = MAP_FAILED;
	struct stat sb;

	if (fd < 0 || fstat(fd, &sb) < 0 || sb.st_size <= 0)
		goto out;
	*size = (size_t)sb.st_size;
	p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p != MAP_FAILED)
		goto out;
	p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	rc = p != MAP_FAILED ? read_all(fd, p, *size) : 0;
	if (rc < 0) {
		munmap(p, *size);
		errno = -rc;
		p = MAP_FAILED;
	}
out:
	if (fd >= 0) {
		rc = errno;
		close(fd);
		errno = rc;
	}
	return p;
}

int types_fill(int fd, const struct btf *ours)
{
	size_t kernel_size = 0;
	void *kernel = map_types(&kernel_size);
	const void *data = NULL;
	struct btf *reduced;
	uint32_t size = 0;
	int rc;

	if (kernel == MAP_FAILED)
		return -errno;
	reduced = types_reduce(kernel, kernel_size, ours);
	rc = reduced ? 0 : -errno;
	munmap(kernel, kernel_size);
	if (reduced) {
		data = btf__raw_data(reduced, &size);
		rc = data ? write_all(fd, data, size) : -ENOMEM;
	}
	btf__free(reduced);
	return rc;
}
