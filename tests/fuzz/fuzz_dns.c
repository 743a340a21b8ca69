/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of DNS as a capture has them: a length, then that many bytes, and again. Whatever they
 * hold, what is passed on must be fit for a case: counts that agree, names of a bounded length, and
 * addresses that are addresses.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "replay/gather.h"

#define NAME_TEXT_MAX (4 * 255) /* each byte as \DDD */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
	struct run_out out;
	uint64_t packets, counted;
};

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void look_at_name(struct sv name)
{
	demand(name.n > 0 && name.n <= NAME_TEXT_MAX);
	for (size_t i = 0; i < name.n; i++)
		demand(name.p[i] > ' ' && name.p[i] < 127);
}

static void look_at_address(struct sv s)
{
	char text[INET6_ADDRSTRLEN + 1] = "";
	uint8_t ip[16];

	demand(s.n < sizeof(text));
	memcpy(text, s.p, s.n);
	demand(inet_pton(AF_INET, text, ip) == 1 || inet_pton(AF_INET6, text, ip) == 1);
}

static int take_fact(struct run_out *o, const struct qry_fact *f, struct error *err)
{
	struct sink *s = CONTAINER_OF(o, struct sink, out);

	(void)err;
	if (f->kind == QRY_FACT_DNS_ADDRESS) {
		look_at_address(f->value[0].s);
		look_at_name(f->value[1].s);
		return 0;
	}
	demand(f->kind == QRY_FACT_DNS_NAME);
	look_at_name(f->value[1].s);
	demand(f->value[2].s.n > 0);
	demand(f->value[6].i <= f->value[5].i);
	s->counted += (uint64_t)(f->value[4].i + f->value[5].i);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct run_out_ops ops = {.fact = take_fact};
	struct sink s = {.out.ops = &ops};
	struct run_names names = {0};
	struct error err;

	while (size > 2) {
		size_t n = (size_t)data[0] << 2 | (data[1] & 3);
		/* A copy of its own, so that reading behind it is noticed. */
		char *packet;
		struct run_dns p = {.process_key = 1 + (data[1] >> 6),
				    .ts = ++s.packets,
				    .server = SV_LIT("192.0.2.1")};

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		packet = malloc(n + !n);
		if (!packet)
			abort();
		memcpy(packet, data, n);
		p.data = sv_make(packet, n);
		demand(run_names_packet(&names, &p, &s.out, &err) == 0);
		free(packet);
		data += n;
		size -= n;
	}
	demand(run_names_pass_on(&names, &s.out, &err) == 0);
	demand(s.counted <= s.packets);
	run_names_done(&names);
	return 0;
}
