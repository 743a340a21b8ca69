/* SPDX-License-Identifier: Apache-2.0 */
/* Timestamps as text. Plain arithmetic: no time zone database, no cache, no global state. */
#include "engine/filter/fields.h"

#define SECOND	   1000000000u
#define DAY_LENGTH 86400

struct civil {
	int64_t year;
	unsigned month, day;
};

/*
 * The date of a day counted from 1970-01-01. Years are taken to begin in March, so that the leap
 * day comes last and month lengths follow (153 m + 2) / 5; eras are the 400 years after which the
 * calendar repeats.
 */
static struct civil civil_of(int64_t days)
{
	int64_t shifted = days + 719468; /* from 0000-03-01 */
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned in_era = (unsigned)(shifted - era * 146097);
	unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * in_year + 2) / 153;

	return (struct civil){
	    .year = (int64_t)year + era * 400 + (month >= 10),
	    .month = month < 10 ? month + 3 : month - 9,
	    .day = in_year - (153 * month + 2) / 5 + 1,
	};
}

static char *two_digits(char *p, unsigned v)
{
	p[0] = (char)('0' + v / 10 % 10);
	p[1] = (char)('0' + v % 10);
	return p + 2;
}

static void add_clock(struct buf *out, unsigned in_day)
{
	char text[8], *p = text;

	p = two_digits(p, in_day / 3600);
	*p++ = ':';
	p = two_digits(p, in_day / 60 % 60);
	*p++ = ':';
	two_digits(p, in_day % 60);
	buf_add(out, text, sizeof(text));
}

static void add_date(struct buf *out, int64_t days)
{
	struct civil c = civil_of(days);
	char text[6] = "-";

	buf_u64_padded(out, (uint64_t)c.year, 4);
	two_digits(text + 1, c.month);
	text[3] = '-';
	two_digits(text + 4, c.day);
	buf_add(out, text, sizeof(text));
}

/* Whole days and seconds within the day of @ts, shifted. */
static int64_t split_day(uint64_t ts, int shift, unsigned *in_day)
{
	int64_t s = (int64_t)(ts / SECOND) + shift;
	int64_t day = s / DAY_LENGTH;

	if (s % DAY_LENGTH < 0)
		day--;
	*in_day = (unsigned)(s - day * DAY_LENGTH);
	return day;
}

static void add_fraction(struct buf *out, uint64_t ts)
{
	buf_char(out, '.');
	buf_u64_padded(out, ts % SECOND, 9);
}

void flt_time_of_day(struct buf *out, uint64_t ts, int tz_offset_s)
{
	unsigned in_day;

	split_day(ts, tz_offset_s, &in_day);
	add_clock(out, in_day);
	add_fraction(out, ts);
}

void flt_time_date(struct buf *out, uint64_t ts, int tz_offset_s)
{
	unsigned in_day;
	int64_t day = split_day(ts, tz_offset_s, &in_day);

	add_date(out, day);
	buf_char(out, ' ');
	add_clock(out, in_day);
}

void flt_time_iso8601(struct buf *out, uint64_t ts)
{
	unsigned in_day;
	int64_t day = split_day(ts, 0, &in_day);

	add_date(out, day);
	buf_char(out, 'T');
	add_clock(out, in_day);
	add_fraction(out, ts);
}
