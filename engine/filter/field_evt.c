/* SPDX-License-Identifier: Apache-2.0 */
/* evt.*: what an event is. */
#include "engine/filter/fields.h"

bool flt_x_evt_num(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return flt_yield_u64(out, cx->ev->num);
}

bool flt_x_cpu(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return flt_yield_i64(out, cx->ev->cpu);
}

bool flt_x_dir(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return flt_yield_text(out, ev_type_is_exit(cx->ev->type) ? SV_LIT("<") : SV_LIT(">"));
}

bool flt_x_count_exit(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return ev_type_is_exit(cx->ev->type) && flt_yield_u64(out, 1);
}

bool flt_x_count_threadinfo(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return flt_yield_u64(out, cx->ev->type == EV_PROCINFO_E);
}

bool flt_x_count_procinfo(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return flt_yield_u64(out, cx->ev->type == EV_PROCINFO_E && t && state_thread_is_main(t));
}

/* The name of a system call that has no event of its own. */
static struct sv generic_name(struct ev *ev)
{
	uint16_t code, native;

	if (!ev_u16(ev, 0, &code))
		code = 0;
	if (code != 0 && code < EV_SYSCALL_COUNT)
		return sv_of(ev_syscalls[code].name);
	/* Captures do not name their architecture: take the more common one. */
	if (ev_u16(ev, 1, &native))
		for (code = 1; code < EV_SYSCALL_COUNT; code++)
			if (ev_syscalls[code].x86_64 == native)
				return sv_of(ev_syscalls[code].name);
	return sv_of(ev_syscall_name(0));
}

struct sv flt_event_name(struct ev *ev)
{
	switch (ev->type) {
	case EV_GENERIC_E:
	case EV_GENERIC_X:
		return generic_name(ev);
	case EV_ASYNCEVENT_E:
		return ev_str(ev, 1);
	default:
		return sv_of(ev_info(ev)->name);
	}
}

bool flt_x_type(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return flt_yield_text(out, flt_event_name(cx->ev));
}

bool flt_x_syscall_type(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return ev_info(cx->ev)->category & EC_SYSCALL &&
	       flt_yield_text(out, flt_event_name(cx->ev));
}

/* Not printable: a leftover that only old filters use. */
bool flt_x_type_is(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	return f->purpose == FLT_FOR_FILTER &&
	       flt_yield_u64(out, cx->ev->type == f->index || cx->ev->type == f->index + 1);
}

bool flt_x_is_async(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return flt_yield_u64(out, (ev_info(cx->ev)->category & EC_METAEVENT) != 0);
}

bool flt_x_asynctype(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return ev_info(cx->ev)->category & EC_METAEVENT &&
	       flt_yield_text(out, flt_event_name(cx->ev));
}

/* Events of plugins name their plugin in parameter 0; without plugins there is no source for them.
 */
bool flt_x_source(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	uint32_t plugin;

	(void)f;
	if ((cx->ev->type == EV_PLUGINEVENT_E || cx->ev->type == EV_ASYNCEVENT_E) &&
	    ev_u32(cx->ev, 0, &plugin) && plugin != 0)
		return false;
	return flt_yield_text(out, SV_LIT("syscall"));
}

bool flt_x_hostname(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_machine *m = state_machine(cx->st);

	(void)f;
	return flt_yield_text(out, m ? state_sv(m->hostname) : SV_LIT(""));
}

static struct sv category_of_fd(const struct state_fd *fd)
{
	switch (fd ? fd->type : EV_FD_UNKNOWN) {
	case EV_FD_FILE:
	case EV_FD_FILE_V2:
	case EV_FD_DIRECTORY:
		return SV_LIT("file");
	case EV_FD_IPV4_SOCK:
	case EV_FD_IPV6_SOCK:
		return SV_LIT("net");
	case EV_FD_FIFO:
	case EV_FD_UNIX_SOCK:
	case EV_FD_EVENT:
	case EV_FD_SIGNALFD:
	case EV_FD_INOTIFY:
	case EV_FD_USERFAULTFD:
		return SV_LIT("ipc");
	default:
		return SV_LIT("unknown");
	}
}

bool flt_x_category(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	static const char *const words[] = {[EC_UNKNOWN] = "unknown",
					    [EC_OTHER] = "other",
					    [EC_FILE] = "file",
					    [EC_NET] = "net",
					    [EC_IPC] = "IPC",
					    [EC_MEMORY] = "memory",
					    [EC_PROCESS] = "process",
					    [EC_SLEEP] = "sleep",
					    [EC_SYSTEM] = "system",
					    [EC_SIGNAL] = "signal",
					    [EC_USER] = "user",
					    [EC_TIME] = "time",
					    [EC_PROCESSING] = "processing"};
	unsigned category = ev_info(cx->ev)->category & EC_LOW_MASK;

	(void)f;
	switch (category) {
	case EC_IO_READ:
	case EC_IO_WRITE:
	case EC_IO_OTHER:
		return flt_yield_text(out, category_of_fd(cx->bind->fd));
	case EC_WAIT:
		return flt_yield_text(out, SV_LIT("wait"));
	case EC_SCHEDULER:
		return flt_yield_text(out, SV_LIT("scheduler"));
	case EC_INTERNAL:
		return flt_yield_text(out, SV_LIT("internal"));
	default:
		return category < COUNT_OF(words) && flt_yield_text(out, sv_of(words[category]));
	}
}
