/* SPDX-License-Identifier: Apache-2.0 */
/* Where reports go, and the texts that all of them have. */
#include "report/report.h"

#include <time.h>

static int put(struct rep_out *o, struct error *err)
{
	int rc;

	if (o->b.failed)
		return error_nomem(err);
	if (!o->b.len)
		return 0;
	rc = o->write(o->arg, o->b.p, o->b.len, err);
	o->bytes += o->b.len;
	buf_reset(&o->b);
	return rc;
}

int rep_out_row(struct rep_out *o, struct error *err)
{
	return o->b.failed || o->b.len >= REP_OUT_AT ? put(o, err) : 0;
}

int rep_out_end(struct rep_out *o, struct error *err)
{
	return put(o, err);
}

void rep_time(struct buf *b, int64_t ts)
{
	time_t s = (time_t)(ts / 1000000000);
	struct tm tm;

	if (ts <= 0 || !gmtime_r(&s, &tm)) {
		buf_char(b, '-');
		return;
	}
	buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ts % 1000000000));
}
