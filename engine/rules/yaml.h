/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML text as a tree of nodes with positions. Hostile input is bounded in bytes, depth and nodes;
 * an alias counts as everything below its anchor. Scalars stay text: what is a number or a boolean
 * is decided by who asks. Units: lines, columns and offsets are 0-based and count characters.
 * Ownership: nodes live in the caller's arena. Threads: no shared state. Facts: YAML 1.1 as libyaml
 * reads it; of equal keys in a map the first one counts.
 */
#ifndef ENGINE_RULES_YAML_H
#define ENGINE_RULES_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/sv.h"

#define RULE_YAML_BYTES_MAX (16u << 20)
#define RULE_YAML_DEPTH_MAX 100
#define RULE_YAML_NODES_MAX (1u << 20)
#define RULE_YAML_TEXT_MAX  (64u << 20) /* bytes of all scalars, with what aliases stand for */

struct rule_pos {
	uint32_t line, column, offset;
};

enum rule_yaml_kind { RULE_YAML_NULL, RULE_YAML_SCALAR, RULE_YAML_SEQUENCE, RULE_YAML_MAP };

struct rule_yaml_entry {
	const struct rule_yaml_node *key; /* NULL in sequences */
	const struct rule_yaml_node *value;
	struct rule_yaml_entry *next;
};

struct rule_yaml_node {
	enum rule_yaml_kind kind;
	struct rule_pos pos;
	struct sv text; /* SCALAR; NUL-terminated */
	struct rule_yaml_entry *first;
	uint32_t count;	 /* entries */
	uint32_t weight; /* nodes of the tree below, itself included */
	uint32_t height; /* levels of it */
	uint32_t bytes;	 /* of the scalars in it */
};

/**
 * rule_yaml_read() - parse all documents of a text
 * @out: receives a sequence with one entry per document
 * @pos: on failure receives where; may be NULL
 * Return: 0, ERR_SYNTAX, ERR_LIMIT (too large, deep or many nodes), ERR_NOMEM.
 */
MUST_CHECK int rule_yaml_read(struct sv text, struct arena *arena,
			      const struct rule_yaml_node **out, struct rule_pos *pos,
			      struct error *err);

/* The first value under @key, or NULL if there is none or @map is no map (or NULL). */
const struct rule_yaml_node *rule_yaml_get(const struct rule_yaml_node *map, const char *key);

/* yes/no, on/off, true/false, y/n in lower, upper or Capitalised letters. */
bool rule_yaml_bool(struct sv text, bool *out);
/* Unsigned; 0x and 0 prefixes as in C. False if it is no number or too large. */
bool rule_yaml_u64(struct sv text, uint64_t *out);

#endif
