/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles: captures, cases and rules as one BagIt bag (RFC 8493) in a tar or zip, with a manifest
 * that sha256sum checks. The format is in docs/bundle.md.
 *
 *	bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt meta/... data/...
 *
 * The root of a bundle is the SHA-256 of its tagmanifest, which has the hash of all tag files and
 * with them that of the manifest, which has those of all files of data/.
 * Units: bytes. Threads: everything here is reentrant. Ownership: what is handed in is borrowed for
 * the call unless it says otherwise.
 */
#ifndef BUNDLE_BUNDLE_H
#define BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/archive.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define BAG_DIGEST	  32
#define BAG_TEXT_MAX	  (16u << 20) /* of a manifest or another tag file that is read */
#define BAG_FAULTS_MAX	  1000	      /* told one by one; further ones are counted */
#define BAG_DEPTH_MAX	  64	      /* directories in directories */
#define BAG_DECLARATION	  "bagit.txt"
#define BAG_INFO	  "bag-info.txt"
#define BAG_MANIFEST	  "manifest-sha256.txt"
#define BAG_TAGS	  "tagmanifest-sha256.txt"
#define BAG_CUSTODY	  "meta/custody.jsonl"
#define BAG_STREAMS	  "meta/streams-sha256.txt" /* of captures, uncompressed */
#define BAG_CAPTURES	  "data/captures/"
#define BAG_RESULTS	  "data/results/"
#define BAG_RULES	  "data/rules/"
#define BAG_AGENT	  "Bag-Software-Agent" /* in bag-info.txt: what made the bundle */
#define BAG_FROM_CASE	  "Made-From-Case"     /* a file that says what the case does */
#define BAG_ROOT_SUFFIX	  ".root" /* beside the archive: "ROOT  tagmanifest-sha256.txt" */
#define BAG_SIGNED_SUFFIX ".root.sig"
#define BAG_NAMESPACE	  "scapula-bundle" /* of signatures by ssh-keygen -Y */

/* ---- making ---- */

struct bag_maker;

struct bag_making {
	const char *tool;	  /* name and version of the program */
	const char *description;  /* in words of whoever makes it, or NULL */
	const char *organization; /* or NULL */
	int64_t made;		  /* seconds since the epoch, of SOURCE_DATE_EPOCH; -1: not told */
	void (*progress)(void *arg, uint64_t bytes);
	bool (*stop)(void *arg);
	void *arg;
};

struct bag_made {
	uint8_t root[BAG_DIGEST];
	uint64_t root_size;	    /* of the tagmanifest, whose hash it is */
	uint64_t files, bytes;	    /* in data/ */
	uint8_t sha256[BAG_DIGEST]; /* of the manifest */
};

/* @opt is borrowed for the maker's life. */
MUST_CHECK int bag_maker_new(const struct bag_making *opt, struct bag_maker **out,
			     struct error *err);
/*
 * The file at @path, which may be in an archive, is to be member @name. Return: 0, ERR_USAGE (there
 * is one of that name, or it is none for a member), ERR_NOMEM.
 */
MUST_CHECK int bag_maker_file(struct bag_maker *m, const char *name, const char *path,
			      struct error *err);
/* Likewise a capture: of one that is stored compressed, BAG_STREAMS has what it holds. */
MUST_CHECK int bag_maker_capture(struct bag_maker *m, const char *name, const char *path,
				 struct error *err);
/* Likewise a text, which is copied. */
MUST_CHECK int bag_maker_text(struct bag_maker *m, const char *name, struct sv text,
			      struct error *err);
/*
 * Likewise what @fd is open for, from its first byte on, which says what the case in the bundle
 * does: bag-info.txt has a line that says so. @fd is the maker's then, also on failure.
 */
MUST_CHECK int bag_maker_from_case(struct bag_maker *m, const char *name, int fd,
				   struct error *err);
/* A name under @dir like the last part of @path that is not taken yet; of the maker's arena, or
 * NULL. */
const char *bag_maker_name(struct bag_maker *m, const char *dir, const char *path);
/*
 * Size and SHA-256 of a file, which is read; remembered, so that it is not read again.
 * Return: 0, or as arc_open().
 */
MUST_CHECK int bag_maker_hash(struct bag_maker *m, const char *path, uint64_t *size,
			      uint8_t sha256[BAG_DIGEST], struct error *err);
/*
 * Write the bundle. Every file is read twice: for the manifest, which comes first, and to be
 * copied. Return: 0, ERR_IO (also: a file changed meanwhile), ERR_INTERRUPTED, ERR_NOMEM, ERR_*.
 */
MUST_CHECK int bag_maker_write(struct bag_maker *m, int fd, enum arc_container c,
			       struct bag_made *out, struct error *err);
void bag_maker_free(struct bag_maker *m); /* NULL is fine */

/* ---- checking ---- */

enum bag_fault_kind {
	BAG_ALTERED,   /* other bytes than the manifest has */
	BAG_DAMAGED,   /* it cannot be unpacked as a whole */
	BAG_EXTRA,     /* no manifest has it */
	BAG_MALFORMED, /* a file of the bag itself is not what it must be */
	BAG_MISSING,
};

enum bag_verdict {
	BAG_INTACT,
	BAG_INCOMPLETE, /* what is there is as it was, but not all is */
	BAG_BAD,	/* something is not what it was */
};

struct bag_fault {
	enum bag_fault_kind kind;
	const char *name; /* member */
	char what[160];
};

struct bag_file {
	const char *name;
	uint64_t size;
	uint8_t sha256[BAG_DIGEST]; /* as it is now */
	uint8_t listed[BAG_DIGEST];
	bool is_listed, seen, whole;
};

struct bag_report {
	enum bag_verdict verdict;
	bool cut;	      /* the archive ends too early */
	const char *format;   /* of the archive; "directory" */
	const char *prefix;   /* directory in the archive that the bag is in, with a slash; or "" */
	const char *info;     /* text of bag-info.txt, untrusted; or "" */
	uint64_t files, good; /* in data/: listed; and as listed */
	uint64_t bytes;	      /* of the good ones */
	bool has_root;
	uint8_t root[BAG_DIGEST];
	uint64_t nfaults;
	struct bag_fault *faults; /* the first BAG_FAULTS_MAX */
	struct bag_file *list;	  /* all members that were seen or listed, by name */
	size_t count;
	struct arena arena;
};

struct bag_checking {
	void (*progress)(void *arg, uint64_t bytes);
	bool (*stop)(void *arg);
	void *arg;
};

const char *bag_verdict_name(enum bag_verdict v);  /* "intact", ... */
const char *bag_fault_name(enum bag_fault_kind k); /* "altered", ... */

/* Does @path lead to a bundle: an archive that has a bagit.txt, or a directory with one? Return: 1;
 * 0: it is something else; or ERR_* (an archive that is refused, for one). */
MUST_CHECK int bag_is_bundle(const char *path, struct error *err);
/**
 * bag_check() - compare a bundle with its manifests
 * @opt: may be NULL
 * @out: storage; bag_report_done() must follow, whatever is returned
 * Return: 0, also when it is not intact; ERR_* if it cannot be read or is refused.
 */
MUST_CHECK int bag_check(const char *path, const struct bag_checking *opt, struct bag_report *out,
			 struct error *err);
/* The same over an archive in memory. */
MUST_CHECK int bag_check_memory(const void *p, size_t n, struct bag_report *out, struct error *err);
void bag_report_done(struct bag_report *r);
/* Has the text @info of a bag-info.txt a line "@label: @value"? */
bool bag_info_has(const char *info, const char *label, const char *value);

struct bag_streams { /* of captures that are stored compressed */
	uint64_t same, other;
	char first[160]; /* that is another one: its name, untrusted */
};

/* Uncompress the captures that BAG_STREAMS names and compare. @root: what the names of members are
 * to be put behind: "b.tar//". Return: 0, also if there is no such file; or ERR_*. */
MUST_CHECK int bag_check_streams(const char *root, const struct bag_report *r,
				 const struct bag_checking *opt, struct bag_streams *out,
				 struct error *err);

/* ---- cases ---- */

struct bag_case_file { /* that a case was made from */
	const char *path;
	bool hashed;
	uint8_t sha256[BAG_DIGEST];
};

struct bag_case {
	struct bag_case_file *captures, *rules; /* in their order */
	size_t ncaptures, nrules;
	struct arena arena;
};

/* Is the file at @path a SQLite database? */
bool bag_is_database(const char *path);
/* What the case at @path was made from; bag_case_done() must follow, whatever is returned. */
MUST_CHECK int bag_case_read(const char *path, struct bag_case *out, struct error *err);
void bag_case_done(struct bag_case *c);
/* A copy of the case as of now, without unused pages, to @to, which must not exist. */
MUST_CHECK int bag_case_copy(const char *path, const char *to, struct error *err);
/* Check that a case, which may be inside of an archive, is whole. Return: 0; ERR_FORMAT, with the
 * first thing that is wrong; or ERR_*. @opt: only whether to stop; may be NULL. */
MUST_CHECK int bag_case_check(const char *path, const struct bag_checking *opt, struct error *err);

/* ---- runs of a case, and whether others gave the same ---- */

#define BAG_RUNS_MAX	    10000u /* of a case, and files of a run: beyond, it is refused */
#define BAG_DIFFERENCES_MAX 20u	   /* told one by one; further ones are counted */

struct bag_reading { /* of a capture */
	int64_t id;
	struct bag_case_file capture;
	uint64_t events;
	bool complete;
};

struct bag_run {
	int64_t id;
	const char *version, *command; /* untrusted */
	bool finished;
	struct bag_case_file *rules; /* in the order in which they were loaded */
	struct bag_reading *readings;
	size_t nrules, nreadings;
};

struct bag_runs {
	struct bag_run *list;
	size_t count;
	struct arena arena;
};

/* bag_runs_done() must follow, whatever is returned. @opt as above. */
MUST_CHECK int bag_runs_read(const char *path, const struct bag_checking *opt, struct bag_runs *out,
			     struct error *err);
void bag_runs_done(struct bag_runs *r);

enum bag_difference_kind {
	BAG_ALERT_MISSING, /* only the first case has it */
	BAG_ALERT_ADDED,   /* only the second */
	BAG_ALERT_CHANGED, /* the same event and rule, but it says something else */
};

struct bag_difference {
	enum bag_difference_kind kind;
	uint64_t evt_num;
	const char *rule, *what; /* untrusted; @what: the output of the case that has it */
};

struct bag_comparison { /* zeroed storage; several readings add up */
	uint64_t same, missing, added, changed;
	struct bag_difference first[BAG_DIFFERENCES_MAX];
	size_t ntold;
	struct arena arena;
};

/* Compare the alerts of a reading with those of another one, maybe of another case. */
MUST_CHECK int bag_compare(const char *path, int64_t reading, const char *other_path,
			   int64_t other_reading, const struct bag_checking *opt,
			   struct bag_comparison *out, struct error *err);
void bag_comparison_done(struct bag_comparison *c);

/* ---- texts ---- */

void bag_hex(struct buf *b, const uint8_t digest[BAG_DIGEST]);
bool bag_parse_hex(struct sv text, uint8_t digest[BAG_DIGEST]); /* 64 lower case digits */

#endif
