/* SPDX-License-Identifier: Apache-2.0 */
/* proc.* and thread.*: ids, times, the executable and resources. */
#include "engine/filter/fields.h"

static int64_t id_of(const struct state_thread *t, unsigned which)
{
	switch (which) {
	case ID_VPID:
		return t->vpid;
	case ID_VTID:
		return t->vtid;
	case ID_SID:
		return t->sid;
	case ID_VPGID:
		return t->vpgid;
	default:
		return t->pgid;
	}
}

bool flt_x_proc_id(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	int64_t id;

	if (!t)
		return false;
	id = id_of(t, f->code);
	if (id == -1 && (f->code == ID_VPID || f->code == ID_VTID))
		return false;
	return flt_yield_i64(out, id);
}

bool flt_x_is_leader(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	return t &&
	       flt_yield_u64(out, id_of(t, f->code) == (f->code == ID_PGID ? t->pid : t->vpid));
}

bool flt_x_ismain(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_u64(out, state_thread_is_main(t));
}

bool flt_x_tty(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_u64(out, t->tty);
}

/* --- times and the executable --- */

bool flt_x_duration(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && t->clone_ts && flt_yield_u64(out, cx->ev->ts - t->clone_ts);
}

bool flt_x_ppid_duration(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	const struct state_thread *parent = t ? state_thread_ancestor(cx->st, t, 1) : NULL;

	if (!parent)
		return false;
	if (parent->clone_ts)
		return flt_yield_u64(out, cx->ev->ts - parent->clone_ts);
	/* The reference falls through to its next field, whose number is no duration. */
	return !cx->options->corrected && flt_x_fdopencount(cx, f, out);
}

bool flt_x_ppid_ts(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	t = t ? state_thread_find(cx->st, t->ptid) : NULL;
	return t && flt_yield_u64(out, t->clone_ts);
}

static uint64_t recorded(const struct state_thread *t, unsigned which)
{
	switch (which) {
	case SINCE_CLONE:
		return t->clone_ts;
	case SINCE_INO:
		return t->exe_ino;
	case SINCE_CTIME:
		return t->exe_ino_ctime;
	case SINCE_MTIME:
		return t->exe_ino_mtime;
	case SINCE_CTIME_CLONE:
		return t->exe_ino_ctime_duration_clone_ts;
	case SINCE_CTIME_PIDNS:
		return t->exe_ino_ctime_duration_pidns_start;
	default:
		return t->pidns_init_start_ts;
	}
}

/* Numbers for which 0 means that they are not known. */
bool flt_x_proc_since(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	uint64_t v = t ? recorded(t, f->code) : 0;

	return v && flt_yield_u64(out, v);
}

bool flt_x_exe_sha256(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	static const char digits[] = "0123456789abcdef";
	const struct state_thread *t = flt_thread(cx);
	const uint8_t *sha256 = t ? state_thread_exe_sha256(cx->st, t) : NULL;

	(void)f;
	if (!sha256)
		return false;
	buf_reset(&cx->text);
	for (unsigned i = 0; i < EV_HASH_BYTES; i++) {
		buf_char(&cx->text, digits[sha256[i] >> 4]);
		buf_char(&cx->text, digits[sha256[i] & 15]);
	}
	return flt_yield_built(cx, out);
}

bool flt_x_exe_bit(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	if (!t)
		return false;
	switch (f->code) {
	case EXE_WRITABLE:
		return flt_yield_u64(out, t->exe_writable);
	case EXE_UPPER:
		return flt_yield_u64(out, t->exe_upper_layer);
	case EXE_LOWER:
		return flt_yield_u64(out, t->exe_lower_layer);
	default:
		return flt_yield_u64(out, t->exe_from_memfd);
	}
}

/* --- resources --- */

bool flt_x_fdopencount(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_u64(out, state_fd_count(t));
}

static int64_t fd_limit(const struct state_thread *t)
{
	const struct state_thread *main = state_thread_main(t);

	return main ? main->fdlimit : 0;
}

bool flt_x_fdlimit(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_i64(out, fd_limit(t));
}

bool flt_x_fdusage(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	double used, limit;

	(void)f;
	if (!t)
		return false;
	used = (double)state_fd_count(t);
	limit = (double)fd_limit(t);
	out->one = (struct flt_datum){0};
	if (limit > 0)
		out->one.d = used > limit ? 100 : used * 100 / limit;
	return true;
}

static uint64_t memory_of(const struct state_thread *t, unsigned which)
{
	switch (which) {
	case VM_SIZE:
		return t->vmsize_kb;
	case VM_RSS:
		return t->vmrss_kb;
	case VM_SWAP:
		return t->vmswap_kb;
	case VM_PFMAJOR:
		return t->pfmajor;
	default:
		return t->pfminor;
	}
}

bool flt_x_vm(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	return t && flt_yield_u64(out, memory_of(t, f->code));
}

bool flt_x_vm_main(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	uint64_t kb;

	if (!t)
		return false;
	kb = state_thread_is_main(t) ? memory_of(t, f->code & ~(unsigned)VM_BYTES) : 0;
	return flt_yield_u64(out, f->code & VM_BYTES ? kb * 1024 : kb);
}

bool flt_x_nthreads(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_u64(out, state_thread_count(t));
}

bool flt_x_nchilds(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_u64(out, state_thread_count_children(t));
}

bool flt_x_std_type(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	const struct state_fd *fd = t ? state_fd_find(t, f->code) : NULL;

	return fd && flt_yield_text(out, sv_of(state_fd_typename(fd)));
}

bool flt_x_std_name(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	const struct state_fd *fd = t ? state_fd_find(t, f->code) : NULL;

	return fd && flt_yield_text(out, state_sv(fd->name));
}
