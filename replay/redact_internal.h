/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the redactor: a set of texts that is looked for (redact_match.c), which
 * they are (redact_values.c), pseudonyms (redact_names.c), texts of all kinds (redact_text.c),
 * items (redact_items.c, redact_events.c), and a look at what came of it (redact_check.c).
 */
#ifndef REPLAY_REDACT_INTERNAL_H
#define REPLAY_REDACT_INTERNAL_H

#include "base/map.h"
#include "engine/state/state.h"
#include "replay/redact.h"

/* ---- texts that are looked for (redact_match.c) ---- */

struct redact_text {
	struct sv text;
	uint32_t keep; /* a path: bytes at its start that may be told */
	uint8_t kind;  /* enum redact_kind */
	bool is_word;  /* only where no letter, digit or '_' is beside it */
	bool stays;    /* a hidden value that also stands where it stays visible */
	bool told;     /* and is counted */
};

#define MATCH_WIDTHS 3 /* texts are found by their first 8, 4 or REDACT_WORD_MIN bytes */

struct redact_match_width {
	struct map heads; /* first bytes -> lengths of the texts */
	uint64_t *bits;	  /* a filter before the map */
};

struct redact_match {
	struct smap texts;
	struct redact_match_width widths[MATCH_WIDTHS];
};

/* Add @t, whose storage lives as long as the set, unless its text is there. */
MUST_CHECK int redact_match_add(struct redact_match *m, struct redact_text *t);
/* The longest text of less than @limit bytes that begins at @i. */
struct redact_text *redact_match_below(const struct redact_match *m, const uint8_t *p, size_t n,
				       size_t i, size_t limit);
/* The longest of any length. */
static inline struct redact_text *redact_match_at(const struct redact_match *m, const uint8_t *p,
						  size_t n, size_t i)
{
	return redact_match_below(m, p, n, i, SIZE_MAX);
}
void redact_match_done(struct redact_match *m);

/* ---- pseudonyms (redact_names.c) ---- */

#define REDACT_DIGEST 32

struct redact_names {
	void *mac; /* EVP_MAC_CTX with the key */
	struct smap known;
	struct arena texts;
	struct map addresses; /* of 4 bytes */
	bool failed;	      /* out of memory, or libcrypto refused */
};

MUST_CHECK int redact_names_init(struct redact_names *s, const void *key, size_t n,
				 struct error *err);
void redact_names_done(struct redact_names *s);

/* ---- the redactor ---- */

struct redact {
	const struct redact_policy *policy;
	struct arena arena;
	struct redact_match match;
	struct redact_match avoid; /* hidden values that stay where they are visible: no pseudonym
				      holds one */
	struct redact_names names;
	struct state *state; /* only if paths are to be hidden */
	bool gathering;
	struct redact_match values; /* of hidden fields, while gathering */
	struct smap names_seen;	    /* texts that are left visible, while gathering */
	struct arena name_texts;
	struct map parts; /* hashes of hidden parts of paths, which are no pseudonyms */
	struct redact_report report;
	/* The item in hand: */
	const char *field; /* that the text in hand is of */
	struct buf bytes, scratch, was;
	unsigned salt; /* which of its pseudonyms a text gets; 0 but where that one gives something
			  away */
	struct ev ev;
	union {
		struct ev_thread_entry thread;
		struct ev_fd_entry fd;
		struct ev_machine machine;
		struct ev_interface interface;
		struct ev_user user;
	};
	bool failed; /* out of memory */
	bool full;   /* over REDACT_STRINGS_MAX or REDACT_BYTES_MAX */
};

/*
 * Hide @n bytes at @from of a text of @len bytes so that nothing that is to be hidden comes about
 * by chance, neither in the pseudonym nor with what is beside it.
 */
void redact_well(struct redact *r, void (*hide)(struct redact *r, uint8_t *p, size_t n),
		 uint8_t *text, size_t len, size_t from, size_t n);
/* Overwrite @n bytes with their pseudonym: part by part between '/'. */
void redact_hide(struct redact *r, uint8_t *p, size_t n);
/* The same of one part, whatever is in it. */
void redact_hide_part(struct redact *r, uint8_t *p, size_t n);
/* Of data: all but the first bytes say nothing. */
void redact_hide_bytes(struct redact *r, uint8_t *p, size_t n);
/* A container's id: the first 12 digits stand for all of it. */
void redact_hide_id(struct redact *r, uint8_t *p, size_t n);
void redact_hide_digits(struct redact *r, uint8_t *p, size_t n);
/* Return: false if it is one that everybody has, which is left as it is. */
bool redact_hide_ipv4(struct redact *r, uint8_t p[4]);
bool redact_hide_ipv6(struct redact *r, uint8_t p[16]);

enum redact_class {
	RC_TEXT,
	RC_PATH,
	RC_STRINGS, /* texts back to back */
	RC_ARGUMENTS,
	RC_COMMAND, /* a name and arguments, with blanks between */
	RC_ENVIRONMENT,
	RC_BUFFER,
	RC_JSON, /* of a container */
	RC_CONTAINER,
	RC_USER,
	RC_UNKNOWN,
};

/* A text of some class, in place. */
void redact_value(struct redact *r, enum redact_class c, uint8_t *p, size_t n);
/* A path below @base if it is relative; @base may be empty: not known. Return: was it hidden? */
bool redact_path(struct redact *r, struct sv base, uint8_t *p, size_t n);
/* The same of a text of some class that may be no path. */
void redact_path_value(struct redact *r, struct sv base, enum redact_class c, uint8_t *p, size_t n);
/* Does a pattern of the policy match? *keep: bytes of @path that may be told. */
bool redact_path_matches(const struct redact *r, struct sv path, size_t *keep);
/* An address in its place; @n is 4 or 16. */
void redact_address(struct redact *r, uint8_t *p, size_t n);

/* ---- which texts are looked for (redact_values.c) ---- */

/* While gathering: hide @text everywhere. */
void redact_secret(struct redact *r, enum redact_kind kind, struct sv text, size_t keep,
		   bool is_word);
/* Is there enough in it to tell it from what stands anywhere by chance? */
bool redact_is_string(struct sv text);
/* What was hidden in one place may stand elsewhere, too. */
void redact_note_hidden(struct redact *r, enum redact_kind kind, struct sv text);
/* A text that stays visible. */
void redact_note_name(struct redact *r, struct sv text);
/* Between the passes: what is looked for, and what stays. */
void redact_choose(struct redact *r);
/* In the second pass: count the hidden values that stay visible in a text. */
void redact_note_staying(struct redact *r, const uint8_t *p, size_t n);

/* ---- what came of it (redact_check.c) ---- */

/* Is a text that is hidden everywhere left in one of the texts of an item? */
bool redact_is_left(const struct redact *r, const struct ev_item *item);

void redact_count(struct redact *r, enum redact_kind kind);
/* The parameters of r->ev, whose bytes are in r->bytes. */
void redact_event(struct redact *r);

#endif
