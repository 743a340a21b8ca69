/* SPDX-License-Identifier: Apache-2.0 */
/* syslog.*: messages written to /dev/log, "<priority>text". */
#include "engine/filter/fields.h"

static const char *const severities[] = {"emerg", "alert",  "crit", "err",
					 "warn",  "notice", "info", "debug"};
static const char *const facilities[] = {
    "kern",   "user",	"mail",	    "daemon", "auth",	"syslog",   "lpr",	"news",
    "uucp",   "clock",	"authpriv", "ftp",    "ntp",	"logaudit", "logalert", "cron",
    "local0", "local1", "local2",   "local3", "local4", "local5",   "local6",	"local7"};

/* Split "<priority>text". */
static bool parse_message(struct sv data, uint32_t *priority, struct sv *text)
{
	size_t at = 1;
	uint64_t v = 0;

	if (data.n < 3 || data.p[0] != '<')
		return false;
	for (; at < data.n && data.p[at] >= '0' && data.p[at] <= '9'; at++) {
		v = v * 10 + (unsigned)(data.p[at] - '0');
		if (v > INT32_MAX)
			return false;
	}
	if (at == 1 || at == data.n || data.p[at] != '>')
		return false;
	*priority = (uint32_t)v;
	*text = sv_drop(data, at + 1);
	text->n = strnlen(text->p, text->n);
	return true;
}

bool flt_x_syslog(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = cx->bind->fd;
	uint32_t priority, facility, severity;
	struct ev_value v;
	struct sv text;
	int data;

	if (!fd || !ev_type_is_exit(cx->ev->type) || !(ev_info(cx->ev)->flags & EF_WRITES_TO_FD) ||
	    !sv_contains(state_sv(fd->name), SV_LIT("/dev/log")))
		return false;
	data = ev_param_index(cx->ev->type, "data");
	if (data < 0)
		return false;
	v = ev_param(cx->ev, (unsigned)data);
	if (!parse_message(sv_make(v.p, v.n), &priority, &text))
		return false;
	facility = priority / 8;
	severity = priority % 8;
	switch (f->code) {
	case SYSLOG_FACILITY:
		return flt_yield_u64(out, facility);
	case SYSLOG_FACILITY_TEXT:
		return flt_yield_text(out, facility < COUNT_OF(facilities)
					       ? sv_of(facilities[facility])
					       : SV_LIT("<NA>"));
	case SYSLOG_SEVERITY:
		return flt_yield_u64(out, severity);
	case SYSLOG_SEVERITY_TEXT:
		return flt_yield_text(out, sv_of(severities[severity]));
	default:
		return flt_yield_text(out, text);
	}
}
