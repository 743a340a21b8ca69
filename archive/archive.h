/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files inside of archives (tar, zip, 7z; tar compressed by gzip, bzip2, xz, zstd, lz4), read where
 * they are: nothing is unpacked to disk. "rules.tar.gz//falco.yaml" names a file inside of an
 * archive, "a.tar//b.zip//c.scap" one in an archive that is inside of another; a file compressed by
 * xz, bzip2 or lz4 is like an archive that holds just that one. And writing archives whose bytes
 * depend on nothing but what is in them.
 *
 * Archives come from anybody. Before anything of one is used all of it is looked through; one that
 * goes beyond a limit below, or whose members' names could mislead (absolute, with "..", control
 * characters or backslashes, twice the same, different in nothing but case), is refused as a whole.
 * So are members that are sparse, encrypted, devices or other special files. Links are never
 * followed.
 *
 * The work is done by libarchive, which is loaded when the first archive is opened.
 * Units: bytes. Threads: objects belong to one thread at a time; separate ones are independent.
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/defs.h"
#include "base/error.h"

#define ARC_SEPARATOR	 "//"
#define ARC_MEMBERS_MAX	 100000u	/* members of an archive */
#define ARC_NAME_MAX	 4095u		/* bytes of a member's name */
#define ARC_NAMES_MAX	 (8u << 20)	/* bytes of all names of an archive together */
#define ARC_NESTING_MAX	 3u		/* archives in archives */
#define ARC_FILTERS_MAX	 2u		/* compressions around an archive */
#define ARC_UNPACKED_MAX (1ull << 42)	/* bytes that an archive unpacks to */
#define ARC_RATIO_MAX	 1000u		/* so many times the archive's size, once there are more */
#define ARC_RATIO_FREE	 (64ull << 20)	/* bytes than this */
#define ARC_MEMORY_MAX	 (256ull << 20) /* of a member that is needed in no order; then a file */

/* ---- one file, wherever it is ---- */

struct arc_file;

/*
 * How many bytes of a copy stay in memory if nobody says otherwise, instead of ARC_MEMORY_MAX; what
 * has more goes to a file without a name in $TMPDIR. For the whole program: to be called before
 * anything else here, if at all.
 */
void arc_set_memory(uint64_t bytes);
/* Open an ordinary file for reading, so that its time of access stays, if it is ours. Return: a
 * descriptor, or -1 with errno set. */
int arc_open_plain(const char *path);

enum arc_kind { ARC_FILE, ARC_DIRECTORY, ARC_LINK };

/* Does @path lead into an archive: is something before a "//" in it a regular file? */
bool arc_is_inside(const char *path);
/* Do these first bytes of a file (six are enough) belong to a compression that only we undo? */
bool arc_is_wrapped(const uint8_t *p, size_t n);

/**
 * arc_open() - open a file for reading: an ordinary one, or one inside of an archive
 * @path: files compressed by xz, bzip2 or lz4 are given uncompressed
 * Return: 0, ERR_IO (err->sys is ENOENT if there is no such file or member), ERR_FORMAT (refused),
 * ERR_LIMIT, ERR_TRUNCATED, ERR_UNSUPPORTED (encrypted; no libarchive), ERR_NOMEM.
 */
MUST_CHECK int arc_open(const char *path, struct arc_file **out, struct error *err);
/* The same, and what gzip or zstd compressed is given uncompressed, too: for files of text. */
MUST_CHECK int arc_open_text(const char *path, struct arc_file **out, struct error *err);
/* What a descriptor is open for, from its start; @fd is the file's then, also on failure. */
MUST_CHECK int arc_file_from_fd(int fd, const char *name, struct arc_file **out, struct error *err);
/* The same as it is stored, compressed or not. */
MUST_CHECK int arc_open_stored(const char *path, struct arc_file **out, struct error *err);
/*
 * The same, so that it can be read in any order: as it is where it is stored as one piece,
 * otherwise a copy in memory, or, if it has more than @memory bytes (0: as arc_set_memory() said),
 * in a file without a name.
 */
MUST_CHECK int arc_open_random(const char *path, uint64_t memory, struct arc_file **out,
			       struct error *err);
/* A descriptor to read it by from its first byte, for the caller to close: its own, or a copy's as
 * above. Return: the descriptor, or ERR_*. */
MUST_CHECK int arc_open_fd(const char *path, uint64_t memory, struct error *err);
/* A file to write and read that nobody else finds: in $TMPDIR, without a name, 0600. Return: its
 * descriptor, for the caller to close, or ERR_IO. */
MUST_CHECK int arc_nameless(struct error *err);
/* Its kind and size without opening it; links are followed outside of archives only. Return: 0, or
 * as arc_open(). */
MUST_CHECK int arc_look(const char *path, enum arc_kind *kind, uint64_t *size, struct error *err);
void arc_close(struct arc_file *f); /* NULL is fine */

/* Return: bytes, at least one; 0 at the end; or ERR_*. */
MUST_CHECK int64_t arc_read(struct arc_file *f, void *to, size_t room, struct error *err);
/* Can it be read in any order? */
bool arc_is_random(const struct arc_file *f);
uint64_t arc_size(const struct arc_file *f); /* of one that can */
/* At @at, all of @n bytes unless the file ends before; only if it can. Return: bytes, or ERR_*. */
MUST_CHECK int64_t arc_pread(struct arc_file *f, void *to, size_t n, uint64_t at,
			     struct error *err);
/* Go on reading at @at, not behind the end; only if it can. */
void arc_seek(struct arc_file *f, uint64_t at);

/* ---- what is in an archive ---- */

struct arc_member {
	const char *name; /* relative, no "." or ".." in it, printable UTF-8; of a directory: no "/"
			     at its end */
	enum arc_kind kind;
	uint64_t size;
	bool has_size;	 /* unknown in some compressed files until they are read */
	int64_t data_at; /* where it is in the archive, if it is one piece there; or -1 */
};

struct arc_list {
	struct arc_member *members; /* in the order of the archive */
	size_t count;
	bool cut; /* the archive ends too early; there may have been more */
	void *own;
};

/* All members of the archive at @path, which may be inside of another; of one that was cut, those
 * that begin before. */
MUST_CHECK int arc_list(const char *path, struct arc_list *out, struct error *err);
void arc_list_done(struct arc_list *l);
/* The members directly in the directory @path inside of an archive ("a.tar//rules"; "a.tar//": its
 * top). Return: 1, 0: there is no such directory (@path may be a file), or ERR_*. */
MUST_CHECK int arc_list_directory(const char *path, struct arc_list *out, struct error *err);

/* ---- an archive from its start to its end ---- */

struct arc_reader;

/* Is @path (a regular file) an archive: 1 or 0; ERR_*. Nothing is said about what is in it. */
MUST_CHECK int arc_is_archive(const char *path, struct error *err);
MUST_CHECK int arc_reader_open(const char *path, struct arc_reader **out, struct error *err);
/* Over memory that outlives the reader, for tests and fuzzing. */
MUST_CHECK int arc_reader_open_memory(const void *p, size_t n, struct arc_reader **out,
				      struct error *err);
/*
 * The next member; borrowed until the next call. Return: 1, 0 at the end, or ERR_*: ERR_TRUNCATED
 * if the archive ends before it should, ERR_FORMAT if it is damaged or refused, ERR_LIMIT.
 */
MUST_CHECK int arc_reader_next(struct arc_reader *r, struct arc_member *out, struct error *err);
/* The member's next bytes. Return: bytes, 0 at its end, or ERR_*. */
MUST_CHECK int64_t arc_reader_read(struct arc_reader *r, void *to, size_t room, struct error *err);
/* Was the last failure about the member alone: are there more? */
bool arc_reader_can_go_on(const struct arc_reader *r);
/* Was it that the archive is damaged or ends too early, rather than that it was refused? */
bool arc_reader_is_damaged(const struct arc_reader *r);
/* "POSIX ustar format"; after a member. */
const char *arc_reader_format(const struct arc_reader *r);
void arc_reader_close(struct arc_reader *r); /* NULL is fine */

/* ---- writing ---- */

enum arc_container { ARC_TAR, ARC_ZIP };

/* Of every member: the first moment that zip can express, 1980-01-01T00:00:00Z. */
#define ARC_EPOCH 315532800

struct arc_writer;

/*
 * Members are files of mode 0600 that belong to root, have the time @mtime (in a zip always
 * ARC_EPOCH, since there times are local ones), and are not compressed.
 * The descriptor stays the caller's. Names are checked as those of archives that are read.
 */
MUST_CHECK int arc_writer_open(int fd, enum arc_container c, int64_t mtime, struct arc_writer **out,
			       struct error *err);
/* Begin a member, of which exactly @size bytes must follow. */
MUST_CHECK int arc_writer_member(struct arc_writer *w, const char *name, uint64_t size,
				 struct error *err);
MUST_CHECK int arc_writer_add(struct arc_writer *w, const void *p, size_t n, struct error *err);
/* Complete the archive. Return: 0, or ERR_*. The writer is to be freed in any case. */
MUST_CHECK int arc_writer_end(struct arc_writer *w, struct error *err);
void arc_writer_free(struct arc_writer *w); /* NULL is fine */

/* ---- names ---- */

/* What is wrong with a member's name, or NULL. @dir: it may end with a slash. */
const char *arc_name_trouble(const char *name, bool dir);
/* Text of an archive for messages: what is not plain ASCII becomes '?'. */
void arc_plain_text(char *to, size_t room, const char *text);
/* Version of libarchive, or NULL if it is not there. */
const char *arc_library_version(void);

#endif
