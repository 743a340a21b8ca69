/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the generator of BPF programs share. */
#ifndef CAPTURE_SCHEMA_GEN_H
#define CAPTURE_SCHEMA_GEN_H

#include "scapfile/schema/tsv.h"

#include <stdbool.h>

#define HEADER_LEN	 26
#define NATIVE_NUMBERS	 512
#define SLOT_FIRST	 504 /* numbers of our own: ia32 calls that have no 64-bit number */
#define PROGRAM_ROWS_MAX 64

enum kind { EXIT, ENTRY, TRACEPOINT };

struct param {
	const char *name, *recipe;
	unsigned width; /* bytes, 0: varies */
};

struct program {
	const char *name, *event; /* without "<" or "@"; without PPME_... */
	const char *file;
	size_t line;
	enum kind kind;
	bool hand;
	const char *condition, *calls;
	const char *lets[PROGRAM_ROWS_MAX];
	struct param params[PROGRAM_ROWS_MAX];
	size_t nlets, count;
};

struct gen {
	struct table events, params, flags, syscalls;
	struct program *programs;
	size_t count;
};

/* gen.c: bytes of a value of this type, 0 when they vary */
unsigned type_width(const char *type);
bool is_x86_only(const struct program *p);

/* gen_recipes.c */
void program_error(const struct program *p, const char *what);
void gen_read(struct gen *g, const char *event_dir, const char *dir, char **recipes);

/* gen_tables.c */
bool has_mapper(const struct gen *g, const char *family, size_t len);
void write_tables(const struct gen *g, const char *dir);
void write_exits(const struct gen *g, const char *dir);

#endif
