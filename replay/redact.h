/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hiding what a capture must not tell. Two passes over the items of a capture: redact_gather()
 * learns which texts are to be hidden wherever they stand, redact_item() rewrites. What is hidden
 * becomes a pseudonym of the same length, made with a key: equal texts stay equal. What is not
 * understood is hidden, whatever the policy says.
 *
 * Hidden everywhere are: strings of the policy, names of people, the host's name, ids of
 * containers, paths that match, addresses as text, and the values of hidden fields of which
 * redact_is_string() holds, but for those that stay visible: values that also are a text which the
 * policy leaves visible, or whole parts of one between slashes or quotes (data is no such text);
 * and values of less than REDACT_VALUE_MIN bytes, which stand in names by chance. With
 * redact_policy.strict there are no exceptions. Values that stay visible are counted.
 * Threads: one redactor belongs to one thread at a time. Ownership: items are borrowed; a rewritten
 * one is valid until the next call.
 */
#ifndef REPLAY_REDACT_H
#define REPLAY_REDACT_H

#include "base/arena.h"
#include "base/buf.h"
#include "scapfile/source.h"

#define REDACT_VALUE_MIN   8	      /* shorter values stay where they are visible */
#define REDACT_STRING_MIN  4	      /* shorter ones occur by chance */
#define REDACT_WORD_MIN	   3	      /* names: as words of their own */
#define REDACT_STRINGS_MAX 2000000    /* texts hidden everywhere */
#define REDACT_BYTES_MAX   (1u << 29) /* that gathering may take */
#define REDACT_KEY_MIN	   16
#define REDACT_KEY_MAX	   4096

struct redact_list {
	const char **items;
	size_t count;
};

struct redact_policy { /* texts are borrowed, or in the arena it was read with */
	bool arguments, environment, buffers, users, host, addresses, containers;
	bool strict;		    /* no value of a hidden field stays visible elsewhere */
	struct redact_list paths;   /* patterns; '*' crosses '/' */
	struct redact_list names;   /* of users, besides those of people */
	struct redact_list strings; /* of any kind, everywhere */
};

/* Read a YAML map. Errors name line and column. Return: 0, ERR_IO, ERR_SYNTAX, ERR_USAGE,
 * ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int redact_policy_read(const char *path, struct arena *arena, struct redact_policy *p,
				  struct error *err);
/* The same of a text; @name is for messages. */
MUST_CHECK int redact_policy_parse(const char *name, struct sv text, struct arena *arena,
				   struct redact_policy *p, struct error *err);
MUST_CHECK int redact_list_add(struct redact_list *l, struct arena *arena, const char *item);
/* The policy as a JSON object with sorted keys, for reports and digests. */
void redact_policy_json(struct buf *b, const struct redact_policy *p);

/* X(symbol, name): what was hidden, counted by value. */
#define REDACT_KINDS(X)                                                                            \
	X(ARGUMENTS, "arguments")                                                                  \
	X(ENVIRONMENT, "environment")                                                              \
	X(BUFFERS, "buffers")                                                                      \
	X(PATHS, "paths")                                                                          \
	X(USERS, "users")                                                                          \
	X(HOST, "host")                                                                            \
	X(ADDRESSES, "addresses")                                                                  \
	X(CONTAINERS, "containers")                                                                \
	X(STRINGS, "strings")                                                                      \
	X(VALUES, "values_elsewhere")                                                              \
	X(UNKNOWN, "not_understood")

enum redact_kind {
#define X(sym, name) REDACT_##sym,
	REDACT_KINDS(X)
#undef X
	    REDACT_KINDS_COUNT
};

#define REDACT_PLACES_MAX 256

struct redact_place { /* where values of a kind stay visible */
	enum redact_kind kind;
	const char *field;
	uint64_t times;
};

struct redact_report {
	uint64_t hidden[REDACT_KINDS_COUNT];
	uint64_t stay[REDACT_KINDS_COUNT]; /* different values that stay visible elsewhere */
	uint64_t everywhere;		   /* texts that are hidden wherever they stand */
	uint64_t short_names;		   /* names too short to be looked for */
	struct redact_place places[REDACT_PLACES_MAX]; /* of those that stay; further ones are not
							  told */
	size_t nplaces;
};

const char *redact_kind_name(enum redact_kind k);

struct redact;

/* @policy is borrowed. Return: 0, ERR_USAGE (a string or the key is too short), ERR_NOMEM. */
MUST_CHECK int redact_new(const struct redact_policy *policy, const void *key, size_t key_len,
			  struct redact **out, struct error *err);
void redact_free(struct redact *r); /* NULL is fine; the key is wiped */
/* Pass one. Return: 0, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int redact_gather(struct redact *r, const struct ev_item *item, struct error *err);
/* Between the passes. */
MUST_CHECK int redact_ready(struct redact *r, struct error *err);
/* Pass two, over the same items: @item then points to what may be told. Return: also ERR_FORMAT: a
 * text that is hidden everywhere is left. */
MUST_CHECK int redact_item(struct redact *r, struct ev_item *item, struct error *err);
/* Is one of the texts that are hidden everywhere in this text? */
bool redact_find(const struct redact *r, const void *p, size_t n);
/* Is one in these bytes of any meaning? Only those are looked for that no number looks like. */
bool redact_find_long(const struct redact *r, const void *p, size_t n);
const struct redact_report *redact_report(const struct redact *r);

#endif
