/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: sections, events, frames, and the files they go to one after another. */
#include "scapfile/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scapfile/writing.h"

#define VERSION_MAJOR 1
#define VERSION_MINOR 2

static const char *const suffixes[] = {
    [SF_PLAIN] = ".scap",
    [SF_GZIP] = ".scap.gz",
    [SF_ZSTD] = ".scap.zst",
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && memcmp(s + n - k, end, k) == 0;
}

enum sf_compression sf_compression_of(const char *path)
{
	if (ends_with(path, ".gz"))
		return SF_GZIP;
	return ends_with(path, ".zst") ? SF_ZSTD : SF_PLAIN;
}

/* ---- failures ---- */

int sf_writer_failed(const struct sf_writer *w, struct error *err)
{
	if (err)
		*err = w->err;
	return w->rc;
}

/* The output failed: remember it, so that nothing is written behind a hole. */
static int latch(struct sf_writer *w, int rc, const struct error *e, struct error *err)
{
	if (rc >= 0 || w->rc < 0)
		return rc;
	w->rc = rc;
	w->err = *e;
	return sf_writer_failed(w, err);
}

/* ---- frames ---- */

/* A frame is as large as frames become from the start; one block may make it larger. */
int sf_writer_grow(struct sf_writer *w, size_t n, struct error *err)
{
	size_t whole = (size_t)w->opt.frame_bytes + SF_SMALL_EVENT_MAX;

	return sf_frame_grow(&w->frame, !w->frame.cap && n < whole ? whole : n, err);
}

/* What the sink needs to know of the frame that is complete now. */
static void note_frame(struct sf_writer *w)
{
	w->frame.note = (struct sf_note){
	    .first = w->is_first,
	    .events = w->in_events,
	    .has_time = w->has_first_frame_ts,
	    .from = w->frame_ts,
	    .to = w->last_ts,
	    .count = w->stats.events - w->frame_events,
	    .lost = w->frame_lost,
	};
	w->frame_events = w->stats.events;
	w->frame_lost = 0;
	w->is_first = false;
	w->has_first_frame_ts = w->ages = false;
}

/* Without a thread: compress and store at once. */
static int store_here(struct sf_writer *w, const struct sf_frame *f, struct error *err)
{
	struct sf_packed *packed;
	const uint8_t *p;
	size_t n;
	int rc;

	if (f->note.clock && !w->keeps)
		return sf_output_clock(&w->out, f->note.clock, err);
	if (w->keeps) {
		rc = sf_packed_new(&w->packer, f, &packed, err);
		return rc < 0 ? rc : sf_ring_take(&w->ring, packed, err);
	}
	rc = sf_pack(&w->packer, f, &p, &n, err);
	return rc < 0 ? rc : sf_output_write(&w->out, p, n, f->len, &f->note, err);
}

/* @f is empty storage then. */
static int store(struct sf_writer *w, struct sf_frame *f, struct error *err)
{
	struct error e = {0};
	int rc;

	if (w->queue.running) {
		rc = sf_queue_push(&w->queue, f, &w->stats.stored, &e);
	} else {
		rc = store_here(w, f, &e);
		w->stats.stored = sf_sink_stored(&w->sink);
	}
	f->len = 0;
	return latch(w, rc, &e, err);
}

/* End the frame in progress, which holds whole blocks. */
static int end_frame(struct sf_writer *w, struct error *err)
{
	struct error e = {0};
	int rc = 0;

	if (!w->frame.len)
		return 0;
	if (w->opt.inspect)
		rc = w->opt.inspect(w->opt.inspect_arg, w->frame.p, w->frame.len, &e);
	if (rc < 0)
		return latch(w, rc, &e, err);
	w->stats.stream_size += w->frame.len;
	w->stats.frames++;
	note_frame(w);
	return store(w, &w->frame, err);
}

int sf_writer_end_block(struct sf_writer *w, struct error *err)
{
	return w->frame.len >= w->opt.frame_bytes ? end_frame(w, err) : 0;
}

/* Padding, and the length at both ends of the block that starts at @at in the frame. */
static void close_block(struct sf_writer *w, size_t at)
{
	struct sf_frame *f = &w->frame;
	size_t pad = -(f->len - at) & 3;
	uint32_t total = (uint32_t)(f->len - at + pad + 4);

	memset(f->p + f->len, 0, pad);
	put_u32(f->p + f->len + pad, total);
	put_u32(f->p + at + 4, total);
	f->len += pad + 4;
}

int sf_writer_end_list(struct sf_writer *w, struct error *err)
{
	int rc;

	if (!w->open_type)
		return 0;
	rc = sf_writer_room(w, 3 + 4, err);
	if (rc < 0)
		return rc;
	close_block(w, w->open_at);
	w->open_type = 0;
	return sf_writer_end_block(w, err);
}

/* In place of the section header that is behind the frame's end. */
static int add_comments(struct sf_writer *w, struct error *err)
{
	struct buf b = {0};
	int rc = sf_comments_put(&b, w->frame.p + w->frame.len, SF_SHB_MIN, w->opt.comments, err);

	if (rc >= 0)
		rc = sf_writer_room(w, b.len, err);
	if (rc >= 0)
		w->frame.len =
		    (size_t)(put_bytes(w->frame.p + w->frame.len, b.p, b.len) - w->frame.p);
	buf_done(&b);
	return rc;
}

static int begin_section(struct sf_writer *w, struct error *err)
{
	uint8_t *p;
	int rc;

	if (w->rc < 0)
		return sf_writer_failed(w, err);
	rc = sf_writer_end_list(w, err);
	if (rc >= 0 && w->keeps)
		rc = end_frame(w, err); /* sections are dropped as a whole */
	if (rc >= 0)
		rc = sf_writer_room(w, SF_SHB_MIN, err);
	if (rc < 0)
		return rc;
	p = put_u32(w->frame.p + w->frame.len, SF_SHB);
	p = put_u32(p, SF_SHB_MIN);
	p = put_u32(p, SF_SHB_MAGIC);
	p = put_u16(p, VERSION_MAJOR);
	p = put_u16(p, VERSION_MINOR);
	p = put_u64(p, UINT64_MAX); /* the section's length: not known */
	put_u32(p, SF_SHB_MIN);
	if (w->opt.comments && w->opt.comments->count && !w->sections)
		rc = add_comments(w, err);
	else
		w->frame.len += SF_SHB_MIN;
	if (rc < 0)
		return rc;
	w->in_events = false;
	w->has_contents = false;
	w->is_first = true;
	w->sections++;
	if (w->keeps)
		w->has_first_ts = false;
	return 0;
}

/* ---- events ---- */

/* Times that make no sense, or go backwards, end neither frames nor files. */
static bool passed(bool has_from, uint64_t from, uint64_t ts, uint64_t limit)
{
	return limit && has_from && ts != UINT64_MAX && ts >= from && ts - from >= limit;
}

static void note_time(struct sf_writer *w, uint64_t ts)
{
	if (ts == UINT64_MAX)
		return;
	if (!w->has_first_frame_ts)
		w->frame_ts = ts;
	if (!w->has_first_ts)
		w->first_ts = w->last_ts = ts;
	w->has_first_frame_ts = w->has_first_ts = true;
	if (ts > w->last_ts)
		w->last_ts = ts;
}

/* What must be so before an event of @total bytes at @ts is written. */
static inline int begin_event(struct sf_writer *w, size_t total, uint64_t ts, struct error *err)
{
	int rc = 0;

	if (UNLIKELY(w->rc < 0))
		return sf_writer_failed(w, err);
	if (UNLIKELY(w->open_type))
		rc = sf_writer_end_list(w, err);
	if (UNLIKELY(rc >= 0 && w->keeps && !w->in_events))
		rc = end_frame(w, err); /* no state and events in one frame */
	if (UNLIKELY(rc >= 0 && passed(w->has_first_frame_ts, w->frame_ts, ts, w->opt.frame_ns)))
		rc = end_frame(w, err);
	if (rc >= 0)
		rc = sf_writer_room(w, total, err);
	if (rc < 0)
		return rc;
	note_time(w, ts);
	w->in_events = true;
	w->file_events++;
	return 0;
}

static uint8_t *put_header(uint8_t *p, uint64_t ts, int64_t tid, uint32_t len, uint16_t type,
			   uint32_t nparams)
{
	p = put_u64(p, ts);
	p = put_u64(p, (uint64_t)tid);
	p = put_u32(p, len);
	p = put_u16(p, type);
	return put_u32(p, nparams);
}

/* Padding from @p to the trailing length. */
static inline void finish_block(uint8_t *p, uint8_t *trailer, uint32_t total)
{
	for (; p < trailer; p++)
		*p = 0;
	put_u32(trailer, total);
}

/* The block of @total bytes is complete but for what is behind @p. */
static int end_event(struct sf_writer *w, uint8_t *p, uint32_t total, struct error *err)
{
	finish_block(p, w->frame.p + w->frame.len + total - 4, total);
	w->frame.len += total;
	return sf_writer_end_block(w, err);
}

static uint32_t padded(uint64_t n)
{
	return (uint32_t)((n + 3) & ~3ull);
}

/* Types with wide lengths have blocks of their own; others use those when they are too long. */
static uint32_t event_block(const struct ev *ev, uint32_t total)
{
	bool large = ev->wide || total > SF_SMALL_EVENT_MAX;

	if (ev->block_flags)
		return large ? SF_EVF_V2_LARGE : SF_EVF_V2;
	return large ? SF_EV_V2_LARGE : SF_EV_V2;
}

int sf_writer_event(struct sf_writer *w, struct ev *ev, struct error *err)
{
	uint32_t lens = (uint32_t)ev->nparams * (ev->wide ? 4 : 2), data = 0, total;
	unsigned prefix = ev->block_flags ? 6 : 2;
	uint64_t len;
	uint8_t *p;
	int rc;

	if (ev->nparams) {
		if (ev->located < ev->nparams)
			ev_locate(ev, ev->nparams - 1u);
		data = ev->at[ev->nparams];
	}
	len = (uint64_t)SF_HEADER_V2 + lens + data;
	if (UNLIKELY(len > SF_LIST_MAX))
		return error_set(err, ERR_LIMIT, "event of type %u with %u bytes", ev->type, data);
	total = padded(SF_BLOCK_MIN + prefix + len);
	rc = begin_event(w, total, ev->ts, err);
	if (UNLIKELY(rc < 0))
		return rc;
	p = put_u32(w->frame.p + w->frame.len, event_block(ev, total));
	p = put_u32(p, total);
	p = put_u16(p, (uint16_t)ev->cpu);
	if (prefix > 2)
		p = put_u32(p, ev->block_flags);
	p = put_header(p, ev->ts, ev->tid, (uint32_t)len, ev->type, ev->nparams);
	p = put_bytes(p, ev->lens, lens);
	p = put_bytes(p, ev->data, data);
	w->stats.events++;
	return end_event(w, p, total, err);
}

/* What must be so before a block of @b's kind, when it is no event. */
static int begin_block(struct sf_writer *w, const struct sf_raw_block *b, struct error *err)
{
	int rc;

	if (w->rc < 0)
		return sf_writer_failed(w, err);
	rc = sf_writer_end_list(w, err);
	if (rc >= 0 && b->is_section && w->keeps)
		rc = end_frame(w, err); /* sections are dropped as a whole */
	if (rc < 0)
		return rc;
	if (b->is_section) {
		w->in_events = false;
		w->is_first = true;
		w->sections++;
	}
	w->has_contents = !b->is_section;
	return sf_writer_room(w, b->total, err);
}

int sf_writer_block(struct sf_writer *w, const struct sf_raw_block *b, struct error *err)
{
	int rc = b->is_event ? begin_event(w, b->total, b->ts, err) : begin_block(w, b, err);

	if (UNLIKELY(rc < 0))
		return rc;
	put_bytes(w->frame.p + w->frame.len, b->p, b->total);
	w->frame.len += b->total;
	w->stats.events += b->is_event;
	return sf_writer_end_block(w, err);
}

/* The lengths and values of a loss's parameters, @kinds bytes of them for the kinds. */
static uint8_t *put_loss(uint8_t *p, const struct ev_loss *loss, unsigned kinds)
{
	p = put_u16(put_u16(put_u16(p, 8), 8), 8);
	p = put_u16(put_u16(p, 2), kinds);
	p = put_u64(put_u64(put_u64(p, loss->count), loss->from), loss->to);
	p = put_u16(p, loss->reason);
	for (unsigned i = 0; i < kinds / SF_LOSS_KIND; i++)
		p = put_u64(put_u16(p, loss->kinds[i].type), loss->kinds[i].count);
	return p;
}

static uint32_t loss_size(unsigned nkinds)
{
	return padded(SF_BLOCK_MIN + 2 + SF_LOSS_LEN + nkinds * SF_LOSS_KIND);
}

/* The block but for its padding and trailing length. Return: where they go. */
static uint8_t *put_loss_block(uint8_t *p, const struct ev_loss *loss, unsigned nkinds)
{
	unsigned kinds = nkinds * SF_LOSS_KIND;

	p = put_u32(p, SF_EV_V2);
	p = put_u32(p, loss_size(nkinds));
	p = put_u16(p, (uint16_t)loss->cpu);
	p = put_header(p, loss->to, -1, SF_LOSS_LEN + kinds, EV_TYPE_LOSS, SF_LOSS_PARAMS);
	return put_loss(p, loss, kinds);
}

uint32_t sf_loss_block(uint8_t *p, const struct ev_loss *loss, unsigned nkinds)
{
	uint32_t total = loss_size(nkinds);

	finish_block(put_loss_block(p, loss, nkinds), p + total - 4, total);
	return total;
}

int sf_writer_loss(struct sf_writer *w, const struct ev_loss *loss, struct error *err)
{
	unsigned n = loss->nkinds < EV_LOSS_KINDS_MAX ? loss->nkinds : EV_LOSS_KINDS_MAX;
	uint32_t total = loss_size(n);
	int rc = begin_event(w, total, loss->to, err);

	if (rc < 0)
		return rc;
	w->stats.losses++;
	w->frame_lost += loss->count;
	return end_event(w, put_loss_block(w->frame.p + w->frame.len, loss, n), total, err);
}

static int begin_named_list(struct sf_writer *w, enum ev_list list, struct error *err)
{
	return sf_writer_begin_list(w, list == EV_LIST_USERS ? SF_UL_V2 : SF_IL_V2, 0, 0, err);
}

int sf_writer_item(struct sf_writer *w, const struct ev_item *item, struct error *err)
{
	switch (item->kind) {
	case EV_ITEM_EVENT:
	case EV_ITEM_URING:
	case EV_ITEM_HASH:
	case EV_ITEM_FACTS:
		return sf_writer_event(w, item->ev, err);
	case EV_ITEM_SECTION:
		return w->has_contents || w->in_events ? begin_section(w, err) : 0;
	case EV_ITEM_MACHINE:
		return sf_writer_machine(w, item->machine, err);
	case EV_ITEM_THREAD:
		return sf_writer_thread(w, item->thread, err);
	case EV_ITEM_FD:
		return sf_writer_fd(w, item->fd, err);
	case EV_ITEM_INTERFACE:
		return sf_writer_interface(w, item->interface, err);
	case EV_ITEM_USER:
		return sf_writer_user(w, item->user, err);
	case EV_ITEM_GROUP:
		return sf_writer_group(w, item->user, err);
	case EV_ITEM_LISTS_RESET:
		return begin_named_list(w, item->list, err);
	case EV_ITEM_LOSS:
		return sf_writer_loss(w, item->loss, err);
	}
	return error_set(err, ERR_USAGE, "item of unknown kind %d", (int)item->kind);
}

/* The clocks are read, and noted, behind the frames that are complete. */
static int note_clock(struct sf_writer *w, enum sf_clock_why why, struct error *err)
{
	struct sf_frame mark = {.note = {.clock = why}};
	int rc;

	if (!w->watches_clocks || !why)
		return 0;
	rc = store(w, &mark, err);
	sf_frame_done(&mark);
	return rc;
}

int sf_writer_tick(struct sf_writer *w, uint64_t now, struct error *err)
{
	struct error e = {0};
	int rc = 0;

	if (w->rc < 0)
		return sf_writer_failed(w, err);
	if (w->watches_clocks)
		rc = note_clock(w, sf_clock_watch_look(&w->clocks), err);
	if (rc >= 0 && w->queue.running)
		rc = latch(w, sf_queue_look(&w->queue, &w->stats.stored, &e), &e, err);
	if (rc < 0 || !w->frame.len || (w->open_type && !sf_writer_splits(w->open_type)))
		return rc;
	/* Not from its first event's time: while the caller is behind, each event is old when it
	 * comes, and frames would become ever smaller just then. */
	if (!w->ages)
		w->aged_from = now;
	w->ages = true;
	if (!passed(true, w->aged_from, now, w->opt.frame_ns))
		return 0;
	rc = sf_writer_end_list(w, err);
	return rc < 0 ? rc : end_frame(w, err);
}

int sf_writer_flush(struct sf_writer *w, struct error *err)
{
	struct error e = {0};
	int rc;

	if (w->rc < 0)
		return sf_writer_failed(w, err);
	rc = sf_writer_end_list(w, err);
	if (rc >= 0)
		rc = end_frame(w, err);
	if (rc < 0 || !w->queue.running)
		return rc;
	return latch(w, sf_queue_drain(&w->queue, &w->stats.stored, &e), &e, err);
}

/* ---- files ---- */

/* The name of file @n, which the caller owns; NULL when out of memory. */
static char *file_name(const struct sf_writer *w, unsigned n)
{
	char *name = NULL;

	if (!w->rotates)
		return strdup(w->base);
	if (asprintf(&name, "%s.%04u%s", w->stem, n, w->suffix) < 0)
		return NULL;
	return name;
}

static int start_queue(struct sf_writer *w, struct error *err)
{
	if (!w->opt.background)
		return 0;
	return sf_queue_start(&w->queue, &w->sink, &w->packer, w->opt.packers, w->opt.queue_bytes,
			      w->opt.niceness, err);
}

static int open_file(struct sf_writer *w, struct error *err)
{
	enum sf_placing placing = w->opt.replace ? SF_PLACE_REPLACE : SF_PLACE_NEW;
	int rc;

	free(w->path);
	w->path = file_name(w, w->stats.files + 1);
	if (!w->path)
		return error_nomem(err);
	rc = sf_output_open(&w->out, w->path, placing, w->compression,
			    w->opt.seal ? &w->sealer : NULL, err);
	if (rc >= 0)
		rc = start_queue(w, err);
	if (rc >= 0)
		rc = note_clock(w, SF_CLOCK_START, err);
	if (rc < 0)
		return rc;
	w->stats.files++;
	w->stats.stored = 0;
	w->file_events = 0;
	w->has_first_ts = false;
	return w->opt.raw ? 0 : begin_section(w, err);
}

/* No file before somebody asks for one. */
static int open_ring(struct sf_writer *w, struct error *err)
{
	int rc;

	w->path = strdup(w->base);
	if (!w->path)
		return error_nomem(err);
	rc = start_queue(w, err);
	if (rc >= 0)
		rc = note_clock(w, SF_CLOCK_START, err);
	return rc < 0 ? rc : begin_section(w, err);
}

/*
 * Complete the current file. After a failure it keeps its whole frames; the table of what is there
 * is added if it fits, so that a recording that ran out of space can still be read from anywhere.
 */
static int finish_file(struct sf_writer *w, enum sf_seal_ending ending, struct error *err)
{
	int rc = sf_writer_flush(w, err);

	sf_queue_stop(&w->queue);
	if (rc >= 0 && w->watches_clocks)
		rc = sf_output_clock(&w->out, SF_CLOCK_END, err);
	w->out.seal.ending = rc < 0 ? SF_SEAL_CUT : ending;
	if (rc >= 0)
		rc = sf_output_finish(&w->out, err);
	else if (w->out.own_fd && !w->out.partial)
		(void)!sf_output_finish(&w->out, NULL);
	w->stats.stored = w->out.stored;
	sf_output_done(&w->out);
	return rc;
}

/* Split the path into what comes before the number of a rotated file, and what comes behind. */
static int name_files(struct sf_writer *w, const char *path, struct error *err)
{
	const char *end = suffixes[w->compression];
	size_t n = strlen(path);

	w->base = strdup(path);
	if (!w->base)
		return error_nomem(err);
	if (!ends_with(path, end)) {
		end = w->compression == SF_GZIP ? ".gz" : w->compression == SF_ZSTD ? ".zst" : "";
	}
	w->suffix = w->base + n - strlen(end);
	w->stem = strndup(path, n - strlen(end));
	return w->stem ? 0 : error_nomem(err);
}

static void writer_free(struct sf_writer *w)
{
	if (w->keeps)
		sf_ring_done(&w->ring);
	if (w->opt.seal)
		sf_sealer_done(&w->sealer);
	sf_packer_done(&w->packer);
	sf_frame_done(&w->frame);
	free(w->stem);
	free(w->base);
	free(w->path);
	free(w);
}

static int check_options(const struct sf_writer *w, const char *path, struct error *err)
{
	if (w->opt.frame_bytes > SF_FRAME_BYTES_MAX)
		return error_set(err, ERR_USAGE, "frames of %u bytes, expected at most %u",
				 w->opt.frame_bytes, SF_FRAME_BYTES_MAX);
	if (w->rotates && strcmp(path, "-") == 0)
		return error_set(err, ERR_USAGE, "standard output cannot be rotated");
	if (!w->keeps)
		return 0;
	if (w->rotates || w->opt.replace || strcmp(path, "-") == 0)
		return error_set(err, ERR_USAGE,
				 "frames that are kept cannot go to standard output, be rotated, "
				 "or replace a file");
	if (w->opt.keep_bytes < SF_KEEP_BYTES_MIN)
		return error_set(err, ERR_USAGE, "%llu bytes to keep, expected at least %u",
				 (unsigned long long)w->opt.keep_bytes, SF_KEEP_BYTES_MIN);
	return 0;
}

static void set_options(struct sf_writer *w, const struct sf_writer_options *opt)
{
	if (opt)
		w->opt = *opt;
	if (!w->opt.frame_bytes)
		w->opt.frame_bytes = SF_FRAME_BYTES_DEFAULT;
	if (w->opt.packers > SF_PACKERS_MAX)
		w->opt.packers = SF_PACKERS_MAX;
	if (!w->opt.queue_bytes)
		w->opt.queue_bytes = SF_QUEUE_BYTES_DEFAULT;
	w->rotates = w->opt.rotation.bytes || w->opt.rotation.ns || w->opt.rotation.events;
	w->keeps = w->opt.keep_ns || w->opt.keep_bytes;
	if (w->keeps && !w->opt.keep_bytes)
		w->opt.keep_bytes = SF_KEEP_BYTES_DEFAULT;
}

static int start_sealing(struct sf_writer *w, struct error *err)
{
	if (!w->opt.seal)
		return 0;
	w->watches_clocks = w->opt.seal->origin == SF_SEAL_RECORDING;
	sf_clock_watch_start(&w->clocks);
	return sf_sealer_init(&w->sealer, w->opt.seal, err);
}

int sf_writer_open(const char *path, const struct sf_writer_options *opt, struct sf_writer **out,
		   struct error *err)
{
	struct sf_writer *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return error_nomem(err);
	w->out.fd = -1;
	w->sink.out = &w->out;
	set_options(w, opt);
	w->compression = sf_compression_of(path);
	rc = name_files(w, path, err);
	if (w->keeps) {
		w->sink.ring = &w->ring;
		sf_ring_init(&w->ring, &w->opt, w->compression, w->stem, w->suffix,
			     w->opt.seal ? &w->sealer : NULL);
	}
	if (rc >= 0)
		rc = check_options(w, path, err);
	if (rc >= 0)
		rc = sf_packer_init(&w->packer, w->compression, w->opt.level, err);
	w->packer.paced = w->opt.paced;
	if (rc >= 0)
		rc = start_sealing(w, err);
	if (rc >= 0)
		rc = w->keeps ? open_ring(w, err) : open_file(w, err);
	if (rc < 0) {
		sf_sealer_forget_key(&w->sealer);
		sf_writer_abandon(w);
		return rc;
	}
	*out = w;
	return 0;
}

bool sf_writer_rotation_due(const struct sf_writer *w)
{
	const struct sf_rotation *r = &w->opt.rotation;
	uint64_t size = w->stats.stored + (w->compression == SF_PLAIN ? w->frame.len : 0);

	return w->in_events &&
	       ((r->bytes && size >= r->bytes) || (r->events && w->file_events >= r->events) ||
		(r->ns && w->has_first_ts && w->last_ts - w->first_ts >= r->ns));
}

/* Delete the file that is one too old. That it is gone already is as good. */
static int forget_oldest(struct sf_writer *w, struct error *err)
{
	char *name;

	if (!w->opt.rotation.keep || w->stats.files <= w->opt.rotation.keep)
		return 0;
	name = file_name(w, w->stats.files - w->opt.rotation.keep);
	if (!name)
		return error_nomem(err);
	(void)unlink(name);
	(void)!sf_seal_forget(name, NULL);
	free(name);
	return 0;
}

int sf_writer_rotate(struct sf_writer *w, struct error *err)
{
	struct error e = {0};
	int rc;

	if (w->rc < 0)
		return sf_writer_failed(w, err);
	if (!w->rotates)
		return error_set(err, ERR_USAGE, "'%s' was not opened for rotation", w->path);
	rc = finish_file(w, SF_SEAL_ROTATED, &e);
	if (rc >= 0)
		rc = open_file(w, &e);
	if (rc >= 0)
		rc = forget_oldest(w, &e);
	return latch(w, rc, &e, err);
}

/* ---- frames in memory ---- */

bool sf_writer_state_due(struct sf_writer *w)
{
	struct sf_kept kept;
	uint64_t share = w->opt.keep_ns / SF_RING_SECTIONS;

	if (!w->keeps || !w->in_events)
		return false;
	if (share && w->has_first_ts && w->last_ts - w->first_ts >= share)
		return true;
	sf_ring_told(&w->ring, &kept);
	return kept.sections == w->sections && kept.section_full;
}

int sf_writer_dump(struct sf_writer *w, struct error *err)
{
	struct sf_frame mark = {.note = {.dump = true}};
	int rc;

	if (w->rc < 0)
		return sf_writer_failed(w, err);
	if (!w->keeps)
		return error_set(err, ERR_USAGE, "'%s': nothing is kept", w->path);
	rc = sf_ring_begin_dump(&w->ring, err);
	if (rc >= 0 && w->in_events)
		rc = end_frame(w, err);
	if (rc < 0)
		return rc;
	rc = store(w, &mark, err);
	sf_frame_done(&mark);
	return rc;
}

int sf_writer_dumped(struct sf_writer *w, struct sf_dump *out, struct error *err)
{
	return w->keeps ? sf_ring_dumped(&w->ring, out, err) : 0;
}

void sf_writer_kept(struct sf_writer *w, struct sf_kept *out)
{
	*out = (struct sf_kept){0};
	if (w->keeps)
		sf_ring_told(&w->ring, out);
}

/* ---- the end ---- */

const char *sf_writer_path(const struct sf_writer *w)
{
	return w->path;
}

const struct sf_writer_stats *sf_writer_stats(const struct sf_writer *w)
{
	return &w->stats;
}

int sf_writer_set_lineage(struct sf_writer *w, const struct sf_lineage *l, struct error *err)
{
	return w->opt.seal ? sf_sealer_lineage(&w->sealer, l, err) : 0;
}

/* What was not asked for is gone. */
static int end_keeping(struct sf_writer *w, struct error *err)
{
	int rc = sf_writer_flush(w, err);

	sf_queue_stop(&w->queue);
	return rc;
}

int sf_writer_close(struct sf_writer *w, struct error *err)
{
	int rc;

	if (!w)
		return 0;
	if (w->keeps)
		rc = end_keeping(w, err);
	else if (w->out.fd >= 0)
		rc = finish_file(w, SF_SEAL_COMPLETE, err);
	else /* a rotation failed before */
		rc = sf_writer_failed(w, err);
	sf_output_done(&w->out);
	writer_free(w);
	return rc;
}

void sf_writer_abandon(struct sf_writer *w)
{
	if (!w)
		return;
	sf_queue_stop(&w->queue);
	sf_output_done(&w->out);
	writer_free(w);
}
