/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses as text, from the encodings of address and tuple parameters (docs/format.md,
 * "Socket addresses"). A parameter too short for its family shows the family only.
 */
#include <arpa/inet.h>

#include "engine/filter/fields.h"

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10 };

void flt_ipv4_text(struct buf *out, const uint8_t addr[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			buf_char(out, '.');
		buf_u64(out, addr[i]);
	}
}

void flt_ipv6_text(struct buf *out, const uint8_t addr[16])
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(AF_INET6, addr, text, sizeof(text)))
		buf_str(out, text);
}

void flt_addr_text(struct buf *out, struct sv addr)
{
	if (addr.n == 4)
		flt_ipv4_text(out, (const uint8_t *)addr.p);
	else if (addr.n == 16)
		flt_ipv6_text(out, (const uint8_t *)addr.p);
}

/* An IPv4 address inside IPv6; the zero address counts as one, as both families have it. */
static bool is_mapped(const uint8_t a[16])
{
	static const uint8_t zero[16], marker[2] = {0xff, 0xff};

	return memcmp(a, zero, 10) == 0 &&
	       (memcmp(a + 10, marker, 2) == 0 || memcmp(a + 10, zero, 6) == 0);
}

static void end_text(struct buf *out, const uint8_t *addr, size_t n, const uint8_t *port)
{
	flt_addr_text(out, sv_make(addr, n));
	buf_char(out, ':');
	buf_u64(out, load_u16(port));
}

static void family_text(struct buf *out, unsigned family)
{
	buf_lit(out, "family ");
	buf_u64(out, family);
}

void flt_sockaddr_text(struct buf *out, struct sv param)
{
	const uint8_t *p = (const uint8_t *)param.p;

	if (param.n == 0)
		return;
	if (p[0] == FAMILY_INET && param.n >= 7)
		end_text(out, p + 1, 4, p + 5);
	else if (p[0] == FAMILY_INET6 && param.n >= 19)
		end_text(out, p + 1, 16, p + 17);
	else if (p[0] == FAMILY_UNIX && param.n >= 2)
		buf_add(out, p + 1, strnlen((const char *)p + 1, param.n - 1));
	else
		family_text(out, p[0]);
}

void flt_socktuple_text(struct buf *out, struct sv param)
{
	const uint8_t *p = (const uint8_t *)param.p;

	if (param.n == 0)
		return;
	if (p[0] == FAMILY_INET && param.n >= 13) {
		end_text(out, p + 1, 4, p + 5);
		buf_lit(out, "->");
		end_text(out, p + 7, 4, p + 11);
	} else if (p[0] == FAMILY_INET6 && param.n >= 37) {
		unsigned skip = is_mapped(p + 1) && is_mapped(p + 19) ? 12 : 0;

		end_text(out, p + 1 + skip, 16 - skip, p + 17);
		buf_lit(out, "->");
		end_text(out, p + 19 + skip, 16 - skip, p + 35);
	} else if (p[0] == FAMILY_UNIX && param.n >= 17) {
		buf_addf(out, "%llx->%llx ", (unsigned long long)load_u64(p + 1),
			 (unsigned long long)load_u64(p + 9));
		buf_add(out, p + 17, strnlen((const char *)p + 17, param.n - 17));
	} else {
		family_text(out, p[0]);
	}
}
