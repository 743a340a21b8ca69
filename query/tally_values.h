/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by tally*.c: values as keys and states of aggregates hold them, in the order and with the
 * sums that SQLite has.
 */
#ifndef QUERY_TALLY_VALUES_H
#define QUERY_TALLY_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct sqlite3_context;
struct sqlite3_value;

/* In the order in which SQLite sorts them; all numbers are one kind. */
enum tally_type { TALLY_NULL, TALLY_INT, TALLY_REAL, TALLY_TEXT, TALLY_BLOB };

struct tally_value { /* the state of one aggregate */
	union {
		int64_t i; /* a number, a sum, a count */
		double real;
		uint8_t *bytes;
	};
	uint32_t n;   /* bytes; of sums: how many were added */
	uint8_t type; /* enum tally_type */
	bool inexact; /* of sums of whole numbers: too large for floating point */
};

struct tally_decoded {
	uint8_t type;
	union {
		int64_t i;
		double real;
	};
	const uint8_t *bytes;
	uint32_t n;
};

struct tally_columns {			 /* what keys were met, a bit for each */
	uint32_t whole, whole_fractions; /* 1 and 1.0 */
};

/* Return: false: this cannot be one here. */
bool tally_encode_key(struct buf *to, struct sqlite3_value *v, struct tally_columns *c,
		      unsigned column);
/* @kind: of the aggregate, as qry_tally_shape has it. Return: likewise. */
bool tally_encode_argument(struct buf *to, struct sqlite3_value *v, char kind);
/* Return: behind it. */
const uint8_t *tally_decode(const uint8_t *at, struct tally_decoded *v);
/* As SQLite orders them. */
int tally_compare(const struct tally_decoded *a, const struct tally_decoded *b);
/* The larger value has the larger number, or the same, which @all tells not to be. */
uint64_t tally_prefix(const struct tally_decoded *v, bool *all);

struct tally_decoded tally_value_get(const struct tally_value *v);

enum tally_added {
	TALLY_ADDED,
	TALLY_NOT_SO, /* it depends on the order of what is added */
	TALLY_NEVER,
};

/* @in_order: what is added comes in SQLite's order. */
enum tally_added tally_add(struct tally_value *to, const struct tally_decoded *v, char kind,
			   bool in_order);
/* A sum to a sum. Return: false: as TALLY_NOT_SO. */
bool tally_add_sum(struct tally_value *to, const struct tally_value *from, char kind);

void tally_give(struct sqlite3_context *ctx, const struct tally_decoded *v);
/* The result of the aggregate @kind. */
void tally_give_value(struct sqlite3_context *ctx, const struct tally_value *v, char kind);

#endif
