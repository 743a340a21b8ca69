/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/spectrogram.h"

#define DENSITIES 4

static const struct {
	const char *name, *what;
	unsigned kinds; /* bits of enum tui_calls */
	const char *condition;
} calls[] = {
    {"file", "file I/O", 1u << TUI_CALLS_FILE, "fd.type = file"},
    {"net", "network I/O", 1u << TUI_CALLS_NET, "fd.type in (ipv4, ipv6)"},
    {"all", "all calls", (1u << TUI_CALLS_KINDS) - 1, NULL},
};

static const char *const shows[] = {[SPECTROGRAM_AS_KNOWN] = NULL,
				    [SPECTROGRAM_LATENCY] = "latency",
				    [SPECTROGRAM_BYTES] = "bytes",
				    [SPECTROGRAM_OFF] = "off"};

static const char *const labels[TUI_MEASURES][TUI_SPECTRUM_ROWS] = {
    [TUI_LATENCY] = {"<1us", "1us", "10us", "100us", "1ms", "10ms", "100ms", ">=1s"},
    [TUI_BYTES] = {"0 B", "1 B", "10 B", "100 B", "1 kB", "10 kB", "100 kB", ">=1 MB"},
};

bool spectrogram_measure(const struct spectrogram *s, const struct tui_counts *c,
			 enum tui_measure *m)
{
	*m = s->show == SPECTROGRAM_LATENCY ||
		     (s->show == SPECTROGRAM_AS_KNOWN && c->has[TUI_LATENCY])
		 ? TUI_LATENCY
		 : TUI_BYTES;
	return s->show != SPECTROGRAM_OFF;
}

bool spectrogram_choose(struct spectrogram *s, const struct tui_counts *c, struct sv arg)
{
	enum tui_measure m;

	if (!arg.n) {
		if (!spectrogram_measure(s, c, &m))
			s->show = SPECTROGRAM_AS_KNOWN;
		else
			s->show = m == TUI_LATENCY ? SPECTROGRAM_BYTES : SPECTROGRAM_OFF;
		return true;
	}
	for (size_t i = SPECTROGRAM_LATENCY; i < COUNT_OF(shows); i++)
		if (sv_is(arg, shows[i])) {
			s->show = (enum spectrogram_show)i;
			return true;
		}
	return false;
}

bool spectrogram_choose_calls(struct spectrogram *s, struct sv arg)
{
	if (!arg.n) {
		s->calls = (s->calls + 1) % COUNT_OF(calls);
		return true;
	}
	for (unsigned i = 0; i < COUNT_OF(calls); i++)
		if (sv_is(arg, calls[i].name)) {
			s->calls = i;
			return true;
		}
	return false;
}

struct spectrogram_cell spectrogram_cell(const struct spectrogram *s, const struct tui_counts *c,
					 unsigned row, size_t first, size_t last)
{
	struct spectrogram_cell cell = {0};
	enum tui_measure m;

	(void)spectrogram_measure(s, c, &m);
	for (size_t i = first; i <= last; i++) {
		const struct tui_spectrum *of = &c->spectra[m][i];

		for (unsigned kind = 0; kind < TUI_CALLS_KINDS; kind++) {
			uint64_t num = of->first[kind][row];

			if (!(calls[s->calls].kinds >> kind & 1) || !num)
				continue;
			cell.n += of->n[kind][row];
			if (!cell.first || num < cell.first)
				cell.first = num;
		}
	}
	return cell;
}

void spectrogram_title(const struct spectrogram *s, const struct tui_counts *c, struct buf *out)
{
	enum tui_measure m;

	(void)spectrogram_measure(s, c, &m);
	if (!c->has[TUI_LATENCY] && m == TUI_LATENCY)
		buf_lit(out, "latency: not recorded, events of this capture stand for whole calls");
	else
		buf_addf(out, "%s: %s", m == TUI_LATENCY ? "latency" : "bytes per call",
			 calls[s->calls].what);
}

void spectrogram_label(const struct spectrogram *s, const struct tui_counts *c, unsigned row,
		       struct buf *out)
{
	enum tui_measure m;

	(void)spectrogram_measure(s, c, &m);
	buf_str(out, labels[m][row]);
}

void spectrogram_range(const struct spectrogram *s, const struct tui_counts *c, unsigned row,
		       struct buf *out)
{
	uint64_t from, end;
	enum tui_measure m;

	(void)spectrogram_measure(s, c, &m);
	from = tui_spectrum_from(m, row);
	end = row + 1 < TUI_SPECTRUM_ROWS ? tui_spectrum_from(m, row + 1) : 0;
	if (m == TUI_LATENCY) {
		if (!row || !end)
			buf_str(out, labels[m][row]);
		else
			buf_addf(out, "%s to %s", labels[m][row],
				 row + 2 < TUI_SPECTRUM_ROWS ? labels[m][row + 1] : "1s");
	} else if (!end) {
		buf_addf(out, "%llu bytes or more", (unsigned long long)from);
	} else if (end - from > 1) {
		buf_addf(out, "%llu to %llu bytes", (unsigned long long)from,
			 (unsigned long long)end - 1);
	} else {
		buf_addf(out, "%llu bytes", (unsigned long long)from);
	}
}

bool spectrogram_condition(const struct spectrogram *s, const struct tui_counts *c, unsigned row,
			   struct buf *out)
{
	const char *which = calls[s->calls].condition;
	enum tui_measure m;

	(void)spectrogram_measure(s, c, &m);
	if (which || m == TUI_BYTES)
		buf_lit(out, "evt.is_io = true");
	if (which)
		buf_addf(out, " and %s", which);
	if (m != TUI_BYTES)
		return false;
	buf_addf(out, " and evt.rawres >= %llu", (unsigned long long)tui_spectrum_from(m, row));
	if (row + 1 < TUI_SPECTRUM_ROWS)
		buf_addf(out, " and evt.rawres < %llu",
			 (unsigned long long)tui_spectrum_from(m, row + 1));
	return true;
}

/* --- drawing */

uint64_t spectrogram_most(const struct spectrogram *s, const struct tui_counts *c)
{
	uint64_t most = 0;

	for (unsigned row = 0; row < TUI_SPECTRUM_ROWS; row++)
		for (size_t i = 0; i < c->buckets; i++) {
			uint64_t n = spectrogram_cell(s, c, row, i, i).n;

			most = n > most ? n : most;
		}
	return most;
}

static unsigned bits_of(uint64_t n)
{
	unsigned bits = 0;

	for (; n; n >>= 1)
		bits++;
	return bits;
}

/* How many calls make @density, of 1 to DENSITIES. */
static uint64_t least_of(unsigned density, uint64_t most)
{
	unsigned bits = ((density - 1) * bits_of(most) + DENSITIES - 1) / DENSITIES;

	return UINT64_C(1) << bits;
}

void spectrogram_draw(const struct spectrogram *s, const struct tui_counts *c, unsigned row,
		      uint64_t most, const struct tui_area *a, int y, int x)
{
	for (size_t i = 0; i < c->buckets; i++) {
		uint64_t n = spectrogram_cell(s, c, row, i, i).n;
		unsigned density = n ? DENSITIES : 0;

		while (density > 1 && n < least_of(density, most))
			density--;
		if (density)
			tui_puts(a, y, x + (int)i, TUI_ROLE_BAR, tui_density(a->screen, density));
	}
}

void spectrogram_legend(const struct tui_area *a, uint64_t most, struct buf *out)
{
	for (unsigned density = 1; most && density <= DENSITIES; density++) {
		uint64_t least = least_of(density, most);

		if (least > most || (density < DENSITIES && least_of(density + 1, most) == least))
			continue;
		buf_addf(out, "%s%s", density > 1 ? " " : "", tui_density(a->screen, density));
		tui_count(out, least);
	}
}
