/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of usual events, as they lie in a reader's window, for who wants little of most of them. An
 * event is usual if it is small, of a current version, has as many parameters as its type has now,
 * and there is nothing to complain of: all checks of framing and decoding are made here once more,
 * in one go. What is not usual ends the row; the reader's source delivers it.
 * A row is begun, looked at and taken from event by event, and ended; between its begin and its end
 * nothing else is asked of the reader.
 */
#ifndef SCAPFILE_ROW_H
#define SCAPFILE_ROW_H

#include "scapfile/format.h"
#include "scapfile/scapfile.h"

#define SF_ROW_HEADER 10u			     /* of a block: type, length, CPU */
#define SF_ROW_LENS   (SF_ROW_HEADER + SF_HEADER_V2) /* where the lengths of parameters are */
#define SF_ROW_MIN    (SF_ROW_LENS + 4)		     /* of a block: with its trailing length */
#define SF_ROW_ATONCE 8				     /* lengths that are added at once */
#define SF_ROW_LEFT   64u			     /* bytes in the window that a look may read */

struct sf_usual {	  /* usual events of a type */
	uint64_t lens[2]; /* which of SF_ROW_ATONCE lengths there are: u16 each; none if more */
	uint64_t add;	  /* SF_ROW_ADD(4): in the program it would become shifts and additions */
	uint32_t size;	  /* of header and lengths; SF_USUAL_NONE if more: no event is as long */
	uint32_t nparams; /* SF_USUAL_NONE: no event of the type is usual */
};

#define SF_USUAL_NONE UINT32_MAX

struct sf_row {
	const uint8_t *at, *end; /* the next block; the end of the window */
	uint64_t end_offset;
	uint64_t taken; /* events */
	const struct sf_usual *usual;
};

struct sf_row_event {	  /* the next one */
	const uint8_t *p; /* its block */
	size_t total;	  /* and its length */
	unsigned type;
};

/* Return: false if @r is not between two events of a section, or the next is of another kind. */
bool sf_row_begin(struct sf_reader *r, struct sf_row *row);
/* Is @e, of whose type @usual is, and whose block is all there, usual? */
bool sf_row_look_closely(const struct sf_usual *usual, const struct sf_row_event *e);
/* Go on behind what was taken. */
void sf_row_end(struct sf_reader *r, const struct sf_row *row);
/* End the row with @e, delivered in the reader's own way: as by ev_source_next(). */
void sf_row_deliver(struct sf_reader *r, struct sf_row *row, const struct sf_row_event *e,
		    struct ev_item *item);

static inline uint64_t sf_row_offset(const struct sf_row *row)
{
	return row->end_offset - (uint64_t)(row->end - row->at);
}

/* Eight lengths in which no bit of this is set add up to less than 32768. */
#define SF_ROW_LONG UINT64_C(0xf000f000f000f000)

/*
 * Four lengths, one of 16 bits behind the other, times this are in the uppermost 16 bits the sum
 * of the first @n of them, if it is less than 65536; @n: 1 to 4.
 */
#define SF_ROW_ADD(n) (UINT64_C(0x0001000100010001) << 16 * (4 - (n)))

/* The event that was found at @p. */
static ALWAYS_INLINE struct sf_row_event sf_row_event_at(const uint8_t *p)
{
	return (struct sf_row_event){
	    .p = p,
	    .total = load_u32(p + 4),
	    .type = load_u16(p + SF_ROW_HEADER + 20),
	};
}

/*
 * Is there another usual event? Then @e is about it. Nearly all are short and fill their blocks up
 * to some padding, which bounds their length, too; others get a closer look.
 */
static ALWAYS_INLINE bool sf_row_look(const struct sf_row *row, struct sf_row_event *e)
{
	const uint8_t *p = row->at, *lens = p + SF_ROW_LENS;
	size_t left = (size_t)(row->end - p);
	const struct sf_usual *usual;
	uint64_t first, others;
	uint32_t len;

	if (UNLIKELY(left < SF_ROW_LEFT || load_u32(p) != SF_EV_V2))
		return false;
	*e = sf_row_event_at(p);
	if (UNLIKELY(e->total > left || e->type >= EV_TYPE_COUNT))
		return false;
	usual = &row->usual[e->type];
	len = load_u32(p + SF_ROW_HEADER + 16);
	first = load_u64(lens) & usual->lens[0];
	others = load_u64(lens + 8) & usual->lens[1];
	if (UNLIKELY(((first | others) & SF_ROW_LONG) ||
		     len != usual->size + ((first + others) * usual->add >> 48) ||
		     load_u32(p + SF_ROW_HEADER + 22) != usual->nparams ||
		     e->total - len - (SF_ROW_MIN - SF_HEADER_V2) > 3))
		return sf_row_look_closely(usual, e);
	return LIKELY(load_u32(p + e->total - 4) == e->total);
}

/* When @e was, and whose it is. */
static ALWAYS_INLINE uint64_t sf_row_time(const struct sf_row_event *e)
{
	return load_u64(e->p + SF_ROW_HEADER);
}

static ALWAYS_INLINE int64_t sf_row_tid(const struct sf_row_event *e)
{
	return (int64_t)load_u64(e->p + SF_ROW_HEADER + 8);
}

/* Length of parameter @i of @e, which is there. */
static ALWAYS_INLINE uint16_t sf_row_len(const struct sf_row_event *e, unsigned i)
{
	return load_u16(e->p + SF_ROW_LENS + 2 * i);
}

/*
 * Where in its block the parameter of @e is that stands behind the first one to four; @start: of
 * the first one; @add: SF_ROW_ADD() of their number, or 0 for none.
 */
static ALWAYS_INLINE const uint8_t *sf_row_behind(const struct sf_row_event *e, unsigned start,
						  uint64_t add)
{
	return e->p + start + (load_u64(e->p + SF_ROW_LENS) * add >> 48);
}

/* Its parameters, one behind the other. */
static ALWAYS_INLINE const uint8_t *sf_row_params(const struct sf_row *row,
						  const struct sf_row_event *e)
{
	return e->p + SF_ROW_LENS + 2 * (size_t)row->usual[e->type].nparams;
}

/* The lengths of the first @n (at most 4) parameters, where they are in the first eight bytes. */
static inline uint64_t sf_row_numbers(unsigned n)
{
	return UINT64_MAX >> (64 - 16 * n);
}

/* Has each parameter of @e, which has as many, 8 bytes whose length is in @numbers? */
static ALWAYS_INLINE bool sf_row_has_numbers(const struct sf_row_event *e, uint64_t numbers)
{
	return ((load_u64(e->p + SF_ROW_LENS) ^ UINT64_C(0x0008000800080008)) & numbers) == 0;
}

/* Has each of the first @n (at most 4) parameters of @e, which has as many, 8 bytes? */
static inline bool sf_row_are_numbers(const struct sf_row_event *e, unsigned n)
{
	return sf_row_has_numbers(e, sf_row_numbers(n));
}

/* All of @e, which was found in @row, but for its number; of its parameters the first is located.
 */
static inline void sf_row_decode_some(const struct sf_row *row, const struct sf_row_event *e,
				      struct ev *ev)
{
	uint32_t nparams = row->usual[e->type].nparams;

	ev->ts = sf_row_time(e);
	ev->tid = sf_row_tid(e);
	ev->offset = row->end_offset - (uint64_t)(row->end - e->p);
	ev->lens = e->p + SF_ROW_LENS;
	ev->data = ev->lens + 2 * nparams;
	ev->block_flags = 0;
	ev->type = (uint16_t)e->type;
	ev->cpu = (int16_t)load_u16(e->p + 8);
	ev->nparams = (uint16_t)nparams;
	ev->wide = false;
	ev->located = nparams > 0;
	ev->at[0] = 0;
	ev->at[1] = load_u16(ev->lens);
}

/* The same with all parameters located. */
static inline void sf_row_decode(const struct sf_row *row, const struct sf_row_event *e,
				 struct ev *ev)
{
	uint32_t at = 0;

	sf_row_decode_some(row, e, ev);
	for (uint32_t i = 0; i < ev->nparams; i++) {
		ev->at[i] = at;
		at += load_u16(ev->lens + 2 * i);
	}
	ev->at[ev->nparams] = at;
	ev->located = (uint8_t)ev->nparams;
}

#endif
