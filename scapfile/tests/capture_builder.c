/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/tests/capture_builder.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

static void put(struct buf *b, uint64_t v, unsigned width)
{
	for (; width; width--, v >>= 8)
		buf_char(b, (char)(v & 0xff));
	if (b->failed)
		abort();
}

/* Overwrite the 4 bytes at @at. */
static void patch_u32(struct buf *b, size_t at, size_t v)
{
	for (unsigned i = 0; i < 4; i++)
		b->p[at + i] = (char)(v >> (8 * i) & 0xff);
}

void cb_done(struct capture *c)
{
	buf_done(&c->out);
	buf_done(&c->lens);
	buf_done(&c->data);
	*c = (struct capture){0};
}

void cb_reset(struct capture *c)
{
	buf_reset(&c->out);
}

void cb_u8(struct capture *c, unsigned v)
{
	put(&c->out, v, 1);
}

void cb_u16(struct capture *c, unsigned v)
{
	put(&c->out, v, 2);
}

void cb_u32(struct capture *c, uint32_t v)
{
	put(&c->out, v, 4);
}

void cb_u64(struct capture *c, uint64_t v)
{
	put(&c->out, v, 8);
}

void cb_bytes(struct capture *c, const void *p, size_t n)
{
	buf_add(&c->out, p, n);
	if (c->out.failed)
		abort();
}

void cb_fill(struct capture *c, int byte, size_t n)
{
	for (; n; n--)
		buf_char(&c->out, (char)byte);
}

void cb_str16(struct capture *c, const char *text)
{
	cb_u16(c, (unsigned)strlen(text));
	cb_bytes(c, text, strlen(text));
}

static void str16(struct capture *c, struct sv s)
{
	cb_u16(c, (unsigned)s.n);
	cb_bytes(c, s.p, s.n);
}

void cb_begin(struct capture *c, uint32_t type)
{
	c->block = c->out.len;
	cb_u32(c, type);
	cb_u32(c, 0);
}

void cb_end(struct capture *c)
{
	size_t total;

	cb_fill(c, 0, -(c->out.len - c->block) & 3);
	total = c->out.len - c->block + 4;
	cb_u32(c, (uint32_t)total);
	patch_u32(&c->out, c->block + 4, total);
}

void cb_entry_begin(struct capture *c)
{
	c->entry = c->out.len;
	cb_u32(c, 0);
}

void cb_entry_end(struct capture *c, bool counts_itself)
{
	patch_u32(&c->out, c->entry, c->out.len - c->entry - (counts_itself ? 0 : 4));
}

void cb_section(struct capture *c)
{
	cb_begin(c, CB_SHB);
	cb_u32(c, 0x1a2b3c4d);
	cb_u16(c, 1);
	cb_u16(c, 2);
	cb_u64(c, UINT64_MAX);
	cb_end(c);
}

void cb_machine(struct capture *c, uint32_t cpus, const char *hostname)
{
	cb_begin(c, CB_MI);
	cb_u32(c, cpus);
	cb_u64(c, 1ull << 30);
	cb_u64(c, 32768);
	cb_bytes(c, hostname, strlen(hostname));
	cb_fill(c, 0, 128 - strlen(hostname));
	cb_u64(c, 1700000000000000000); /* boot time */
	cb_fill(c, 0, 24);
	cb_end(c);
}

uint32_t cb_thread_block(unsigned version)
{
	static const uint32_t types[] = {0,	0x202, 0x207, 0x209, 0x210,
					 0x211, 0x212, 0x213, 0x214, 0x215};

	return types[version];
}

/* The whole tail of version 9, in the order of today's or of the oldest writers. */
static void thread_tail(struct buf *b, const struct ev_thread_entry *t, bool current)
{
	if (current) {
		put(b, t->pidns_init_start_ts, 8);
		put(b, t->tty, 4);
	}
	put(b, t->loginuid, 4);
	put(b, t->exe_writable, 1);
	put(b, t->cap_inheritable, 8);
	put(b, t->cap_permitted, 8);
	put(b, t->cap_effective, 8);
	put(b, t->exe_upper_layer, 1);
	put(b, t->exe_ino, 8);
	put(b, t->exe_ino_ctime, 8);
	put(b, t->exe_ino_mtime, 8);
	put(b, t->exe_from_memfd, 1);
	put(b, t->exe_lower_layer, 1);
	put(b, (uint64_t)t->pgid, 8);
	for (int i = 0; i < 16; i++)
		put(b, 0xee, 1); /* what a newer writer may append */
}

void cb_thread(struct capture *c, unsigned version, const struct ev_thread_entry *t, size_t tail)
{
	struct buf tail_bytes = {0};

	if (version >= 9)
		cb_entry_begin(c);
	cb_u64(c, (uint64_t)t->tid);
	cb_u64(c, (uint64_t)t->pid);
	cb_u64(c, (uint64_t)t->ptid);
	if (version >= 6)
		cb_u64(c, (uint64_t)t->sid);
	if (version >= 8)
		cb_u64(c, (uint64_t)t->vpgid);
	str16(c, t->comm);
	str16(c, t->exe);
	if (version >= 7)
		str16(c, t->exepath);
	str16(c, t->args);
	str16(c, t->cwd);
	cb_u64(c, (uint64_t)t->fdlimit);
	cb_u32(c, t->flags);
	cb_u32(c, t->uid);
	cb_u32(c, t->gid);
	if (version >= 2) {
		cb_u32(c, t->vmsize_kb);
		cb_u32(c, t->vmrss_kb);
		cb_u32(c, t->vmswap_kb);
		cb_u64(c, t->pfmajor);
		cb_u64(c, t->pfminor);
	}
	if (version >= 3)
		str16(c, t->env);
	if (version >= 4) {
		cb_u64(c, (uint64_t)t->vtid);
		cb_u64(c, (uint64_t)t->vpid);
		str16(c, t->cgroups);
	}
	if (version >= 5)
		str16(c, t->root);
	if (version < 9)
		return;
	thread_tail(&tail_bytes, t, tail > 29);
	cb_bytes(c, tail_bytes.p, tail < tail_bytes.len ? tail : tail_bytes.len);
	buf_done(&tail_bytes);
	cb_entry_end(c, true);
}

void cb_event_begin(struct capture *c, uint32_t block, unsigned type, uint64_t ts, int64_t tid)
{
	c->event_block = block;
	c->type = (uint16_t)type;
	c->ts = ts;
	c->tid = tid;
	c->nparams = 0;
	buf_reset(&c->lens);
	buf_reset(&c->data);
}

/* Lengths are kept as u32 and narrowed at the end. */
void cb_param(struct capture *c, const void *p, size_t n)
{
	put(&c->lens, n, 4);
	buf_add(&c->data, p, n);
	c->nparams++;
}

void cb_param_u64(struct capture *c, uint64_t v)
{
	put(&c->lens, 8, 4);
	put(&c->data, v, 8);
	c->nparams++;
}

void cb_param_u32(struct capture *c, uint32_t v)
{
	put(&c->lens, 4, 4);
	put(&c->data, v, 4);
	c->nparams++;
}

void cb_param_str(struct capture *c, const char *text)
{
	cb_param(c, text, strlen(text) + 1);
}

void cb_event_end_as(struct capture *c, bool wide, int len_error)
{
	uint32_t block = c->event_block;
	bool old = block == CB_EV || block == CB_EVF || block == 0x8010abcd;
	bool flags = block == CB_EVF || block == CB_EVF_V2 || block == CB_EVF_V2_LARGE;
	size_t width = wide ? 4 : 2, len = (old ? 22 : 26) + c->nparams * width + c->data.len;

	cb_begin(c, block);
	cb_u16(c, c->cpu);
	if (flags)
		cb_u32(c, c->flags);
	cb_u64(c, c->ts);
	cb_u64(c, (uint64_t)c->tid);
	cb_u32(c, (uint32_t)len + (uint32_t)len_error);
	cb_u16(c, c->type);
	if (!old)
		cb_u32(c, c->nparams);
	for (uint32_t i = 0; i < c->nparams; i++)
		cb_bytes(c, c->lens.p + 4 * (size_t)i, width);
	cb_bytes(c, c->data.p, c->data.len);
	cb_end(c);
}

void cb_event_end(struct capture *c)
{
	cb_event_end_as(c, c->type < EV_TYPE_COUNT && (ev_table[c->type].flags & EF_LARGE_PAYLOAD),
			0);
}

void cb_stat(struct capture *c, uint64_t ts, int64_t tid)
{
	cb_event_begin(c, CB_EV_V2, EV_STAT_X, ts, tid);
	cb_param_u64(c, 0);
	cb_param_str(c, "/x");
	cb_event_end(c);
}

void cb_group(struct capture *c, uint32_t gid, const char *name)
{
	cb_entry_begin(c);
	cb_u8(c, 1);
	cb_u32(c, gid);
	cb_str16(c, name);
	cb_entry_end(c, true);
}

void cb_pipe_list(struct capture *c)
{
	cb_begin(c, CB_FDL_V2);
	cb_u64(c, 7);
	cb_entry_begin(c);
	cb_u64(c, 3);
	cb_u64(c, 99);
	cb_u8(c, EV_FD_FIFO);
	cb_str16(c, "pipe:[99]");
	cb_entry_end(c, true);
	cb_end(c);
}

const char *cb_mixed(struct capture *c)
{
	struct ev_thread_entry t = {
	    .tid = 7, .pid = 7, .comm = SV_LIT("sh"), .args = SV_LIT("-c\0x")};

	cb_section(c);
	cb_machine(c, 2, "box");
	cb_begin(c, CB_UL_V2);
	cb_group(c, 5, "wheel");
	cb_end(c);
	cb_begin(c, cb_thread_block(9));
	cb_thread(c, 9, &t, 76);
	cb_end(c);
	cb_pipe_list(c);
	cb_stat(c, 10, 7);
	cb_stat(c, 11, 7);
	return "section @0\n"
	       "machine cpus=2 mem=1073741824 maxpid=32768 boot=1700000000000000000 host=box\n"
	       "reset users\n"
	       "group 5 name=wheel\n"
	       "thread tid=7 comm=sh args=-c~x~ env= cgroups=\n"
	       "fd tid=7 fd=3 ino=99 type=7 name=pipe:[99]\n"
	       "event 67 ts=10 tid=7 cpu=0 0000000000000000 2f7800\n"
	       "event 67 ts=11 tid=7 cpu=0 0000000000000000 2f7800\n";
}

void cb_gzip(struct buf *out, const void *p, size_t n)
{
	z_stream z = {0};
	size_t bound;
	char *to;

	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	bound = deflateBound(&z, (uLong)n);
	to = buf_room(out, bound);
	if (!to)
		abort();
	z.next_in = (Bytef *)p;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)bound;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->len += bound - z.avail_out;
	deflateEnd(&z);
}

void cb_zstd(struct buf *out, const void *p, size_t n)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(n), made;
	char *to = buf_room(out, bound);

	if (!z || !to)
		abort();
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	made = ZSTD_compress2(z, to, bound, p, n);
	if (ZSTD_isError(made))
		abort();
	out->len += made;
	ZSTD_freeCCtx(z);
}
