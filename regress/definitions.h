/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rule files define, as text: which rules, macros and lists, where, and what they refer to.
 * For saying what changed between two versions of a rule set; what they mean is engine/rules'
 * matter. Units: lines count from 1.
 */
#ifndef REGRESS_DEFINITIONS_H
#define REGRESS_DEFINITIONS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"

enum reg_kind { REG_RULE, REG_MACRO, REG_LIST, REG_KIND_COUNT };
extern const char *const reg_kind_names[REG_KIND_COUNT];

struct reg_part {	     /* one key of a definition */
	struct sv key, text; /* its value in one line */
	uint32_t line;
	struct reg_part *next;
};

struct reg_definition { /* of one name; what is appended elsewhere belongs to it */
	enum reg_kind kind;
	struct sv name;
	const char *file; /* where it begins */
	uint32_t line;
	struct reg_part *parts, *last;
	const struct sv *items; /* of a list; of others the words in it */
	size_t item_count;
	bool seen; /* while references are followed */
};

struct reg_definitions {
	struct arena arena;
	struct smap names[REG_KIND_COUNT];
};

struct reg_paths {
	const char *const *items;
	size_t count;
};

/* Add those of a file. What is no rule file adds nothing. Return: 0 or ERR_NOMEM. */
MUST_CHECK int reg_definitions_add(struct reg_definitions *d, const char *file, struct sv text);
void reg_definitions_done(struct reg_definitions *d);
const struct reg_definition *reg_definition(const struct reg_definitions *d, enum reg_kind kind,
					    struct sv name);
/*
 * Tell every difference between what @rule is made of in @a and in @b: the rule itself, and the
 * macros and lists it refers to, each as one line of @out such as "list shells (rules.yaml:8):
 * removed dash". Return: how many, or ERR_NOMEM.
 */
MUST_CHECK int reg_definitions_compare(struct reg_definitions *a, struct reg_definitions *b,
				       struct sv rule, struct buf *out);

/* Of two texts, what is between the same beginning and the same end, in whole words. */
void reg_changed_part(struct sv *x, struct sv *y);

#endif
