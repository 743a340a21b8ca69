/* SPDX-License-Identifier: Apache-2.0 */
/* Events of our own that tell the SHA-256 of executed files. */
#include "scapfile/event.h"

#include <string.h>

#define PARAM(n, t, f)                                                                             \
	{                                                                                          \
		.name = (n), .type = (t), .format = (f), .dirfd_param = -1                         \
	}

enum { STATUS, DEV, INO, CTIME, SIZE, PID, SHA256 = EV_HASH_DIGEST, PATH, SKIPPED };

static const struct ev_param_info params[EV_HASH_PARAMS] = {
    [STATUS] = PARAM("status", PT_UINT8, PF_DEC),   [DEV] = PARAM("dev", PT_UINT32, PF_HEX),
    [INO] = PARAM("ino", PT_UINT64, PF_DEC),	    [CTIME] = PARAM("ctime", PT_ABSTIME, PF_DEC),
    [SIZE] = PARAM("size", PT_UINT64, PF_DEC),	    [PID] = PARAM("pid", PT_PID, PF_DEC),
    [SHA256] = PARAM("sha256", PT_BYTEBUF, PF_HEX), [PATH] = PARAM("path", PT_FSPATH, PF_NA),
    [SKIPPED] = PARAM("skipped", PT_UINT64, PF_DEC)};

const struct ev_info ev_hash_info = {
    .name = "exe_hash",
    .enum_name = "EV_TYPE_HASH",
    .params = params,
    .category = EC_PROCESS | EC_TRACEPOINT,
    .nparams = EV_HASH_PARAMS,
};

/* A number that may be missing. */
static bool get_number(struct ev *ev, unsigned i, uint64_t *out)
{
	*out = 0;
	return ev_param(ev, i).n == 0 || ev_u64(ev, i, out);
}

bool ev_hash_decode(struct ev *ev, struct ev_hash *out)
{
	struct ev_value sha256 = ev_param(ev, SHA256), path = ev_param(ev, PATH);
	uint64_t pid;
	uint8_t status;

	*out = (struct ev_hash){0};
	if (!ev_u8(ev, STATUS, &status) || (sha256.n && sha256.n != EV_HASH_BYTES) ||
	    (ev_param(ev, DEV).n && !ev_u32(ev, DEV, &out->dev)) ||
	    !get_number(ev, INO, &out->ino) || !get_number(ev, CTIME, &out->ctime) ||
	    !get_number(ev, SIZE, &out->size) || !get_number(ev, PID, &pid) ||
	    !get_number(ev, SKIPPED, &out->skipped) ||
	    (path.n && memchr(path.p, '\0', path.n) != path.p + path.n - 1))
		return false;
	out->status = status;
	out->pid = (int64_t)pid;
	out->sha256 = sha256.n ? sha256.p : NULL;
	if (path.n)
		out->path = sv_make((const char *)path.p, path.n - 1);
	return (status == EV_HASH_DONE) == (out->sha256 != NULL);
}

struct encoder {
	uint8_t *len, *at;
};

static void put_bytes(struct encoder *e, const void *p, size_t n)
{
	*e->len++ = (uint8_t)n;
	*e->len++ = (uint8_t)(n >> 8);
	if (n)
		memcpy(e->at, p, n);
	e->at += n;
}

static void put_number(struct encoder *e, uint64_t v, unsigned width)
{
	uint8_t le[8];

	for (unsigned i = 0; i < width; i++)
		le[i] = (uint8_t)(v >> 8 * i);
	put_bytes(e, le, v ? width : 0);
}

size_t ev_hash_encode(const struct ev_hash *h, uint8_t *to)
{
	struct encoder e = {to, to + 2 * EV_HASH_PARAMS};
	uint8_t status = (uint8_t)h->status;
	size_t n = h->path.n < EV_HASH_PATH_MAX ? h->path.n : 0;

	put_bytes(&e, &status, 1);
	put_number(&e, h->dev, 4);
	put_number(&e, h->ino, 8);
	put_number(&e, h->ctime, 8);
	put_number(&e, h->size, 8);
	put_number(&e, (uint64_t)h->pid, 8);
	put_bytes(&e, h->sha256, h->sha256 ? EV_HASH_BYTES : 0);
	put_bytes(&e, h->path.p, n);
	if (n) { /* its NUL */
		*e.at++ = '\0';
		e.len[-2] = (uint8_t)(n + 1);
		e.len[-1] = (uint8_t)((n + 1) >> 8);
	}
	put_number(&e, h->skipped, 8);
	return (size_t)(e.at - to);
}

const char *ev_hash_status_name(unsigned status)
{
	static const char *const names[EV_HASH_STATUSES] = {
	    [EV_HASH_DONE] = "done",
	    [EV_HASH_RATE] = "over the rate",
	    [EV_HASH_SIZE] = "too large",
	    [EV_HASH_GONE] = "gone",
	    [EV_HASH_KIND] = "no regular file",
	    [EV_HASH_CHANGED] = "changed",
	    [EV_HASH_UNREADABLE] = "unreadable",
	    [EV_HASH_QUEUE] = "queue full",
	    [EV_HASH_STOPPED] = "stopped",
	};

	return status < EV_HASH_STATUSES ? names[status] : "unknown";
}
