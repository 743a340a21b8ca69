/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of events: what each of them is, by type and name. */
#include <string.h>

#include "base/cursor.h"
#include "replay/redact_internal.h"

#define AF_UNIX_  1 /* as events have them */
#define AF_INET_  2
#define AF_INET6_ 10
#define UNIX_PATH 17 /* of a tuple: family and two kernel addresses come first */

struct named_class {
	const char *name;
	enum redact_class class;
};

/* Bytes and texts. Those that are not here are hidden as a whole. */
static const struct named_class classes[] = {
    {"args", RC_ARGUMENTS},
    {"argv", RC_ARGUMENTS},
    {"arg2_str", RC_TEXT},
    {"cgroups", RC_STRINGS},
    {"cmdline", RC_COMMAND},
    {"comm", RC_TEXT},
    {"container_id", RC_CONTAINER},
    {"cwd", RC_PATH},
    {"data", RC_BUFFER},
    {"desc", RC_BUFFER},
    {"description", RC_BUFFER},
    {"dev", RC_PATH},
    {"dir", RC_PATH},
    {"env", RC_ENVIRONMENT},
    {"event_data", RC_BUFFER},
    {"exe", RC_COMMAND},
    {"exepath", RC_PATH},
    {"filename", RC_PATH},
    {"home", RC_USER},
    {"id", RC_CONTAINER},
    {"image", RC_CONTAINER},
    {"img", RC_BUFFER},
    {"json", RC_JSON},
    {"key", RC_TEXT},
    {"linkpath", RC_PATH},
    {"msgcontrol", RC_BUFFER},
    {"name", RC_PATH},
    {"name2", RC_PATH},
    {"name_raw", RC_PATH},
    {"newpath", RC_PATH},
    {"oldpath", RC_PATH},
    {"path", RC_PATH},
    {"pathname", RC_PATH},
    {"quotafilepath", RC_PATH},
    {"root", RC_PATH},
    {"scope", RC_TEXT},
    {"shell", RC_PATH},
    {"source", RC_TEXT},
    {"special", RC_PATH},
    {"sun_path", RC_PATH},
    {"target", RC_PATH},
    {"trusted_exepath", RC_PATH},
    {"type", RC_TEXT},
    {"uargs", RC_ARGUMENTS},
    {"value_bytebuf", RC_BUFFER},
    {"value_charbuf", RC_BUFFER},
};

/* Names that mean something else there. */
static enum redact_class class_of_event(unsigned type, const char *name, enum redact_class c)
{
	switch (type) {
	case EV_ASYNCEVENT_E: /* of a container, or nobody knows */
		return c == RC_BUFFER ? RC_JSON : RC_TEXT;
	case EV_CONTAINER_E:
	case EV_NOTIFICATION_E:
	case EV_INFRASTRUCTURE_EVENT_E:
		return strcmp(name, "name") == 0 ? RC_CONTAINER : c;
	case EV_USER_ADDED_E:
	case EV_USER_DELETED_E:
	case EV_GROUP_ADDED_E:
	case EV_GROUP_DELETED_E:
		return strcmp(name, "name") == 0 ? RC_USER : c;
	default:
		return c;
	}
}

static enum redact_class class_of(unsigned type, const struct ev_param_info *p)
{
	for (size_t i = 0; i < COUNT_OF(classes); i++)
		if (strcmp(p->name, classes[i].name) == 0)
			return class_of_event(type, p->name, classes[i].class);
	return RC_UNKNOWN;
}

/* ---- where relative paths begin ---- */

static struct sv with_exe(const struct state_thread *t)
{
	return t && t->exepath ? state_sv(t->exepath) : SV_NONE;
}

static struct sv base_of(struct redact *r, const struct ev_param_info *p)
{
	struct state_thread *t = r->state ? state_thread_find(r->state, r->ev.tid) : NULL;
	const struct state_fd *fd;
	int dir = p->dirfd_param;
	int64_t num = EV_FD_CWD;

	if (r->ev.type == EV_TYPE_URING)
		dir = strcmp(p->name, "name2") == 0 ? EV_URING_FD2 : EV_URING_FD;
	if (!t)
		return SV_NONE;
	if (dir >= 0 && !ev_i64(&r->ev, (unsigned)dir, &num))
		return SV_NONE;
	if (num == EV_FD_CWD)
		return state_thread_cwd(t);
	fd = state_fd_find(t, num);
	return fd ? state_sv(fd->name) : SV_NONE;
}

static struct sv cwd_of(struct redact *r)
{
	struct state_thread *t = r->state ? state_thread_find(r->state, r->ev.tid) : NULL;

	return t ? state_thread_cwd(t) : SV_NONE;
}

/* Is the program itself something to be hidden? Then so is what it is called. */
static bool exe_is_hidden(struct redact *r)
{
	struct state_thread *t = r->state ? state_thread_find(r->state, r->ev.tid) : NULL;
	size_t keep;

	if (!r->state)
		return false;
	if (r->ev.type < EV_TYPE_COUNT) {
		int i = ev_param_index(r->ev.type, "trusted_exepath");
		struct ev_value v =
		    i < 0 ? (struct ev_value){NULL, 0} : ev_param(&r->ev, (unsigned)i);

		if (v.n > 1)
			return redact_path_matches(r, sv_make(v.p, v.n - 1), &keep);
	}
	return redact_path_matches(r, with_exe(t), &keep);
}

/* ---- values ---- */

static void socket_address(struct redact *r, uint8_t *p, size_t n, size_t path, size_t peer)
{
	size_t width = p[0] == AF_INET_ ? 4 : 16;

	if (p[0] == AF_UNIX_ && n > path) {
		size_t k = strnlen((const char *)p + path, n - path);

		redact_path_value(r, cwd_of(r), RC_PATH, p + path, k);
		memset(p + path + k, 0, n - path - k);
	} else if ((p[0] == AF_INET_ || p[0] == AF_INET6_) &&
		   n == 1 + (peer ? 2 : 1) * (width + 2)) {
		redact_address(r, p + 1, width);
		if (peer)
			redact_address(r, p + 1 + width + 2, width);
	} else {
		redact_value(r, RC_UNKNOWN, p + 1, n - 1);
	}
}

static void dynamic(struct redact *r, const struct ev_param_info *info, uint8_t *p, size_t n)
{
	unsigned type = p[0] < info->dyn_count ? info->dyn[p[0]].type : PT_NONE;

	if (ev_ptype_width(type) != n - 1 || n == 1)
		redact_value(r, type == PT_BYTEBUF || type == PT_CHARBUF ? RC_BUFFER : RC_UNKNOWN,
			     p + 1, n - 1);
}

/* Is it what a program is called, rather than where it is? */
static bool names_exe(const struct ev_param_info *info, const uint8_t *p)
{
	return p[0] != '/' && (strcmp(info->name, "comm") == 0 || strcmp(info->name, "exe") == 0);
}

/* Names of descriptors that are no paths look like anything. */
static bool is_path(const struct redact *r, const uint8_t *p)
{
	return p[0] == '/' || r->ev.type != EV_TYPE_FD_FACTS;
}

/* Text up to its NUL; what follows is no part of it. */
static void text(struct redact *r, const struct ev_param_info *info, enum redact_class c,
		 uint8_t *p, size_t n)
{
	size_t k = strnlen((const char *)p, n);

	if (c == RC_PATH && is_path(r, p))
		redact_path_value(r, base_of(r, info), c, p, k);
	else if (names_exe(info, p) && exe_is_hidden(r))
		redact_well(r, redact_hide, p, k, 0, k);
	else
		redact_value(r, c, p, k);
	memset(p + k, 0, n - k);
}

/* The SHA-256 of a file says which file it is. */
static void digest(struct redact *r, uint8_t *p, size_t n)
{
	struct ev_value path = ev_param(&r->ev, EV_HASH_PARAMS - 2);
	size_t keep;

	if (path.n > 1 && redact_path_matches(r, sv_make(path.p, path.n - 1), &keep))
		redact_hide_bytes(r, p, n);
}

static void bytes(struct redact *r, const struct ev_param_info *info, uint8_t *p, size_t n)
{
	if (r->ev.type == EV_TYPE_HASH)
		digest(r, p, n);
	else
		redact_value(r, class_of(r->ev.type, info), p, n);
}

/* The addresses of a descriptor have room for the longer kind. */
static void fact_address(struct redact *r, uint8_t *p, size_t n)
{
	struct ev_value type = ev_param(&r->ev, EV_FDF_TYPE);
	int kind = type.n == 1 ? (int8_t)type.p[0] : EV_FD_UNKNOWN;

	if (kind == EV_FD_IPV4_SOCK || kind == EV_FD_IPV4_SERVSOCK) {
		redact_address(r, p, 4);
		memset(p + 4, 0, n - 4);
	} else {
		redact_address(r, p, 16);
	}
}

static void number(struct redact *r, const struct ev_param_info *info, uint8_t *p, size_t n)
{
	if (n != ev_ptype_width(info->type))
		redact_value(r, RC_UNKNOWN, p, n);
	else if (r->ev.type == EV_TYPE_FD_FACTS && info->type == PT_IPV6ADDR)
		fact_address(r, p, n);
	else if (info->type == PT_IPV4ADDR || info->type == PT_IPV6ADDR)
		redact_address(r, p, n);
}

static void parameter(struct redact *r, const struct ev_param_info *info, uint8_t *p, size_t n)
{
	r->field = info->name;
	switch (info->type) {
	case PT_CHARBUF:
	case PT_FSPATH:
	case PT_FSRELPATH:
		text(r, info, class_of(r->ev.type, info), p, n);
		break;
	case PT_BYTEBUF:
	case PT_CHARBUFARRAY:
		bytes(r, info, p, n);
		break;
	case PT_SOCKADDR:
		socket_address(r, p, n, 1, 0);
		break;
	case PT_SOCKTUPLE:
		socket_address(r, p, n, UNIX_PATH, 1);
		break;
	case PT_DYN:
		dynamic(r, info, p, n);
		break;
	case PT_FDLIST:
		if (n < 2 || n != 2 + 10u * load_u16(p))
			redact_value(r, RC_UNKNOWN, p, n);
		break;
	default:
		number(r, info, p, n);
		break;
	}
}

void redact_event(struct redact *r)
{
	struct ev *ev = &r->ev;
	const struct ev_info *own = ev_own_info(ev->type);
	const struct ev_info *info = own ? own : &ev_table[ev->type];

	for (unsigned i = 0; i < ev->nparams; i++) {
		size_t n = ev->at[i + 1] - ev->at[i];

		if (n && i < info->nparams)
			parameter(r, &info->params[i], (uint8_t *)r->bytes.p + ev->at[i], n);
	}
}
