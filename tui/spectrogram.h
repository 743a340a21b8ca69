/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which calls are shown by how long they took, or how many bytes they moved: what the time line
 * draws below its lanes. A row is one of tui_spectrum_row(). Threads: plain values.
 */
#ifndef TUI_SPECTROGRAM_H
#define TUI_SPECTROGRAM_H

#include "tui/app.h"

enum spectrogram_show {
	SPECTROGRAM_AS_KNOWN, /* latencies if there are any, else bytes */
	SPECTROGRAM_LATENCY,
	SPECTROGRAM_BYTES,
	SPECTROGRAM_OFF,
};

struct spectrogram { /* zeroed: what is known of I/O on files */
	enum spectrogram_show show;
	unsigned calls; /* which: a row of a table */
};

struct spectrogram_cell { /* or several, side by side */
	uint64_t n;	  /* calls */
	uint64_t first;	  /* number of the first one; 0: none */
};

/* Of what is shown; false: it is off. */
bool spectrogram_measure(const struct spectrogram *s, const struct tui_counts *c,
			 enum tui_measure *m);
/* The next way to show it, or the one called @arg. False: there is none of this name. */
bool spectrogram_choose(struct spectrogram *s, const struct tui_counts *c, struct sv arg);
/* The next kind of calls, or the one called @arg. */
bool spectrogram_choose_calls(struct spectrogram *s, struct sv arg);

struct spectrogram_cell spectrogram_cell(const struct spectrogram *s, const struct tui_counts *c,
					 unsigned row, size_t first, size_t last);
/* "latency: file I/O", or why there is none. */
void spectrogram_title(const struct spectrogram *s, const struct tui_counts *c, struct buf *out);
/* "100us", "10 kB": where the row begins, in few columns. */
void spectrogram_label(const struct spectrogram *s, const struct tui_counts *c, unsigned row,
		       struct buf *out);
/* "100us to 1ms", "10 to 99 bytes". */
void spectrogram_range(const struct spectrogram *s, const struct tui_counts *c, unsigned row,
		       struct buf *out);
/* The condition for calls of a row, which may be none. False: it is for other ones, too, as none
 * says how long calls took. */
bool spectrogram_condition(const struct spectrogram *s, const struct tui_counts *c, unsigned row,
			   struct buf *out);
/* Of all cells. */
uint64_t spectrogram_most(const struct spectrogram *s, const struct tui_counts *c);
/* One character a bucket; the more calls the denser, by powers of what the fullest cell has. */
void spectrogram_draw(const struct spectrogram *s, const struct tui_counts *c, unsigned row,
		      uint64_t most, const struct tui_area *a, int y, int x);
/* ".1 :4 #16 @64": from how many calls on which. */
void spectrogram_legend(const struct tui_area *a, uint64_t most, struct buf *out);

#endif
