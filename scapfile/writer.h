/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing capture files: plain, as independent gzip members, or as independent zstd frames with a
 * seek table. Blocks are gathered into frames; a frame holds whole blocks only and, compressed, can
 * be read without those before it. A process that is killed loses the frame in progress, nothing
 * before it. Instead of being written, frames can be kept in memory, the last seconds or bytes of
 * them, until somebody asks for a dump. Facts: scap format, "Order of blocks", "Writing a file the
 * reference accepts"; zstd seekable format 0.1.0. Units: nanoseconds since the epoch; bytes.
 * Ownership: everything handed in is borrowed for the call. Threads: one writer belongs to one
 * thread at a time; it may own threads that compress and write, which the caller never sees.
 */
#ifndef SCAPFILE_WRITER_H
#define SCAPFILE_WRITER_H

#include "scapfile/comments.h"
#include "scapfile/scapfile.h"
#include "scapfile/seal.h"
#include "scapfile/source.h"

#define SF_FRAME_BYTES_DEFAULT (1u << 20)
#define SF_FRAME_BYTES_MAX     (256u << 20)
#define SF_QUEUE_BYTES_DEFAULT (64u << 20)
#define SF_KEEP_BYTES_DEFAULT  (64u << 20)
#define SF_KEEP_BYTES_MIN      (64u << 10)
#define SF_PACKERS_MAX	       16

/* When a file is full. Zero: no such limit. Frames are whole, so the last one may exceed @bytes. */
struct sf_rotation {
	uint64_t bytes;	 /* as stored */
	uint64_t ns;	 /* from the first event's time to the last one's */
	uint64_t events; /* losses count */
	unsigned keep;	 /* files; older ones of this writer are deleted */
};

struct sf_writer_options {
	int level;  /* of compression; 0 selects the container's default */
	bool paced; /* zstd at its default level: where that would take more than a tenth of
		       the time, compress less */
	uint32_t frame_bytes; /* uncompressed; 0 selects SF_FRAME_BYTES_DEFAULT */
	uint64_t frame_ns;    /* end a frame after this time, too; 0: by size only */
	bool background;      /* compress and write on threads behind a bounded queue */
	uint64_t queue_bytes; /* of compressed frames that wait for the disk, besides a few that
				 are not compressed yet; 0 selects SF_QUEUE_BYTES_DEFAULT */
	unsigned packers;     /* threads that compress, in the background; 0 is 1, at most
				 SF_PACKERS_MAX; the file is the same for any number */
	int niceness;	      /* of the threads: 1 to 19 let the rest of the host go first */
	bool replace;	      /* write beside @path, then take its place in one step when closed;
				 without it a file that exists is an error */
	struct sf_rotation
	    rotation; /* any limit: files are NAME.0001.SUFFIX, NAME.0002.SUFFIX, ... */
	bool raw;     /* begin without a section header: it comes by sf_writer_block() */
	/*
	 * Either: write nothing but keep frames in memory: those with the events of the last
	 * @keep_ns (0: of any time), with all that belongs to them in at most @keep_bytes (0
	 * selects SF_KEEP_BYTES_DEFAULT). See sf_writer_dump().
	 */
	uint64_t keep_ns, keep_bytes;
	/* Into the first section header; NULL: none. Other readers may refuse the file. */
	const struct sf_comments *comments;
	/* Looks at the blocks of each frame before it is stored; a failure is the output's. Or
	 * NULL.
	 */
	int (*inspect)(void *arg, const uint8_t *p, size_t n, struct error *err);
	void *inspect_arg;
	/* Write FILE.seal beside each file (seal.h), never for "-"; NULL: none is written, and one
	 * that belongs to a file that is replaced is deleted. */
	const struct sf_seal_options *seal;
};

struct sf_writer_stats {
	uint64_t events, losses; /* of all files */
	uint64_t stream_size;	 /* uncompressed bytes of them */
	uint64_t stored;	 /* bytes written to the current file by finished frames; with
				    frames kept: of all dumps */
	uint64_t frames;	 /* finished, of all files */
	unsigned files;
};

struct sf_kept { /* finished frames in memory */
	uint64_t events;
	uint64_t bytes;	   /* of memory; never over keep_bytes */
	uint64_t from, to; /* times of the first and last event */
	uint64_t dropped_frames, dropped_events, dropped_bytes; /* so far, as they were stored */
	unsigned dumps;
	uint64_t written;     /* bytes of them */
	uint64_t sections;    /* begun so far */
	uint64_t state_bytes; /* of the last one's state */
	uint64_t section_bytes;
	bool section_full; /* it has its share of keep_bytes */
};

struct sf_dump {
	const char *path; /* valid until the next dump is asked for */
	uint64_t bytes, events;
	uint64_t missing;  /* events for which there was no room between the state and those; a
			      loss in the capture */
	uint64_t from, to; /* times of the first and last event */
};

struct sf_writer;

/* The container @path asks for: .gz is gzip, .zst is zstd, everything else plain. */
enum sf_compression sf_compression_of(const char *path);

/**
 * sf_writer_open() - create a capture and write its section header
 * @path: its suffix selects the container; "-" is standard output, plain. The file is created with
 *        mode 0600, never through a symbolic link
 * @opt: NULL selects the defaults
 * @out: receives a writer the caller owns; untouched on failure
 * Return: 0, or ERR_IO (also: the file exists), ERR_NOMEM, ERR_USAGE.
 */
MUST_CHECK int sf_writer_open(const char *path, const struct sf_writer_options *opt,
			      struct sf_writer **out, struct error *err);

/*
 * The state when recording began, before the first event of a section and in this order: machine,
 * interfaces, users and groups, threads, then the fds of one thread after another (threads that
 * were listed; sysdig refuses files of others). Text over the format's limits is cut to them.
 * Return: 0, ERR_USAGE after the section's first event, ERR_LIMIT, or what the output fails with:
 * from then on every call fails alike, and what was written remains readable.
 */
MUST_CHECK int sf_writer_machine(struct sf_writer *w, const struct ev_machine *m,
				 struct error *err);
MUST_CHECK int sf_writer_interface(struct sf_writer *w, const struct ev_interface *i,
				   struct error *err);
MUST_CHECK int sf_writer_user(struct sf_writer *w, const struct ev_user *u, struct error *err);
MUST_CHECK int sf_writer_group(struct sf_writer *w, const struct ev_user *g, struct error *err);
MUST_CHECK int sf_writer_thread(struct sf_writer *w, const struct ev_thread_entry *t,
				struct error *err);
MUST_CHECK int sf_writer_fd(struct sf_writer *w, const struct ev_fd_entry *fd, struct error *err);
/* Begin the fd table of @tid; only needed for a table that is empty. */
MUST_CHECK int sf_writer_fd_table(struct sf_writer *w, int64_t tid, struct error *err);

/* One event of the current version. Other readers refuse a capture without any. */
MUST_CHECK int sf_writer_event(struct sf_writer *w, struct ev *ev, struct error *err);
/*
 * A block as it stands in another capture, section headers included; with sf_writer_options.raw the
 * first is one. The caller minds the order of blocks.
 */
MUST_CHECK int sf_writer_block(struct sf_writer *w, const struct sf_raw_block *b,
			       struct error *err);
/* A gap in what was recorded. Kinds over EV_LOSS_KINDS_MAX are left out: the count has them. */
MUST_CHECK int sf_writer_loss(struct sf_writer *w, const struct ev_loss *loss, struct error *err);
/* Whatever a source delivers. The first section is there already; further ones begin new ones. */
MUST_CHECK int sf_writer_item(struct sf_writer *w, const struct ev_item *item, struct error *err);

/* No event came, but time goes on: end the frame in progress if the first call for it was frame_ns
 * ago. Tells what failed behind the writer, too. */
MUST_CHECK int sf_writer_tick(struct sf_writer *w, uint64_t now, struct error *err);
/* End the frame in progress and wait until the kernel has all of it. */
MUST_CHECK int sf_writer_flush(struct sf_writer *w, struct error *err);

/* Is the current file full? */
bool sf_writer_rotation_due(const struct sf_writer *w);
/* Complete the current file and begin the next one; the caller then writes the state as it is now.
 */
MUST_CHECK int sf_writer_rotate(struct sf_writer *w, struct error *err);

/*
 * With frames kept: should the state be taken once more? Events cannot be dropped without the state
 * before them; so what is kept consists of several sections, of which the oldest go. The caller
 * then delivers EV_ITEM_SECTION and the state as it is now. A moment later is as good; where it
 * never comes, a limit of time is exceeded, and one of bytes makes holes, which dumps tell.
 */
bool sf_writer_state_due(struct sf_writer *w);
/**
 * sf_writer_dump() - write what is kept, as a capture of its own, and go on keeping
 *
 * It holds everything up to the last event given, begins with a state, and is called
 * NAME.0001.SUFFIX or, if there is such a file, by the next number that is free; nothing has that
 * name before it is complete. With a background thread it is only asked for here.
 *
 * Return: 0; what became of it is told by sf_writer_dumped(). ERR_USAGE: that was not called for
 * the one before, or nothing is kept. What the writer failed with.
 */
MUST_CHECK int sf_writer_dump(struct sf_writer *w, struct error *err);
/* Return: 1 with @out filled, once for each dump; 0: none is complete; or what it failed with,
 * once: the writer goes on. */
MUST_CHECK int sf_writer_dumped(struct sf_writer *w, struct sf_dump *out, struct error *err);
/* What is kept. All zero if nothing is. */
void sf_writer_kept(struct sf_writer *w, struct sf_kept *out);

/* Name of the current file; valid until the next rotation. With frames kept: as given. */
const char *sf_writer_path(const struct sf_writer *w);
const struct sf_writer_stats *sf_writer_stats(const struct sf_writer *w);

/*
 * Where the capture comes from, for the end of its seal; once, any time before it is closed. Does
 * nothing without a seal. Return: 0, ERR_LIMIT (too long for a line), ERR_NOMEM.
 */
MUST_CHECK int sf_writer_set_lineage(struct sf_writer *w, const struct sf_lineage *l,
				     struct error *err);
/* Complete the file and free the writer, also on failure. NULL is fine. */
MUST_CHECK int sf_writer_close(struct sf_writer *w, struct error *err);
/* Free the writer after a failure: whole frames stay, the one in progress is dropped; a file that
 * was to replace another is deleted. NULL is fine. */
void sf_writer_abandon(struct sf_writer *w);

#endif
