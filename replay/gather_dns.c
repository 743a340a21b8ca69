/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that were looked up, from the packets of DNS (RFC 1035, section 4) as far as the capture
 * has their bytes: the question is at the front and nearly always there, answers often are not.
 */
#include <arpa/inet.h>
#include <ctype.h>

#include "replay/gather.h"

#define DNS_HEADER	12
#define DNS_NAME_MAX	255
#define DNS_ANSWERS_MAX 64
#define DNS_TYPE_A	1
#define DNS_TYPE_AAAA	28

struct looked_up { /* of one process, name, type and server; texts in the arena */
	uint64_t process_key;
	struct sv name, type, server;
	uint64_t queries, answers, failures, first_ts, last_ts;
};

static unsigned take_u16(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 2);

	return p ? (unsigned)p[0] << 8 | p[1] : 0;
}

/* Labels as text with dots; bytes that are no letters of names as \DDD. Return: false if it has no
 * end here. */
static bool take_name(struct cursor *c, struct buf *out)
{
	buf_reset(out);
	for (;;) {
		unsigned n = cursor_u8(c);
		const uint8_t *p;

		if (c->failed || n > 63)
			return false;
		if (n == 0)
			break;
		p = cursor_bytes(c, n);
		if (!p || out->len + n > DNS_NAME_MAX)
			return false;
		if (out->len)
			buf_char(out, '.');
		for (unsigned i = 0; i < n; i++) {
			if (isalnum(p[i]) || p[i] == '-' || p[i] == '_')
				buf_char(out, (char)tolower(p[i]));
			else
				buf_addf(out, "\\%03u", p[i]);
		}
	}
	if (!out->len)
		buf_char(out, '.');
	return true;
}

/* The name in front of an answer, which may end with a pointer. */
static bool skip_name(struct cursor *c)
{
	for (;;) {
		unsigned n = cursor_u8(c);

		if (c->failed || (n > 63 && n < 0xc0))
			return false;
		if (n == 0)
			return true;
		if (n >= 0xc0)
			return cursor_bytes(c, 1) != NULL;
		if (!cursor_bytes(c, n))
			return false;
	}
}

static void type_text(struct buf *out, unsigned type)
{
	static const struct {
		unsigned type;
		const char *name;
	} names[] = {{1, "A"},	    {2, "NS"},	  {5, "CNAME"}, {6, "SOA"},  {12, "PTR"},
		     {15, "MX"},    {16, "TXT"},  {28, "AAAA"}, {33, "SRV"}, {48, "DNSKEY"},
		     {65, "HTTPS"}, {255, "ANY"}, {10, "NULL"}};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (names[i].type == type) {
			buf_str(out, names[i].name);
			return;
		}
	}
	buf_addf(out, "TYPE%u", type);
}

void run_names_done(struct run_names *n)
{
	smap_done(&n->names);
	arena_done(&n->arena);
	buf_done(&n->text);
	buf_done(&n->key);
}

static struct looked_up *find(struct run_names *n, const struct run_dns *p, struct sv name,
			      unsigned type)
{
	struct looked_up *x;
	size_t type_at, server_at;

	buf_reset(&n->key);
	buf_addf(&n->key, "%llu ", (unsigned long long)p->process_key);
	type_at = n->key.len;
	type_text(&n->key, type);
	buf_char(&n->key, ' ');
	server_at = n->key.len;
	buf_sv(&n->key, p->server);
	buf_char(&n->key, ' ');
	buf_sv(&n->key, name);
	if (n->key.failed)
		return NULL;
	x = smap_get(&n->names, buf_view(&n->key));
	if (x)
		return x;
	x = arena_zalloc(&n->arena, 1, sizeof(*x));
	if (x) {
		struct sv key = arena_sv(&n->arena, buf_view(&n->key));

		if (!key.p || smap_put(&n->names, key, x) < 0)
			return NULL;
		x->process_key = p->process_key;
		x->type = sv_make(key.p + type_at, server_at - type_at - 1);
		x->server = sv_make(key.p + server_at, p->server.n);
		x->name = sv_drop(key, server_at + p->server.n + 1);
		x->first_ts = p->ts;
	}
	return x;
}

static int pass_address(const struct run_dns *p, struct sv name, unsigned type, const uint8_t *ip,
			struct run_out *out, struct error *err)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct qry_fact fact = {.kind = QRY_FACT_DNS_ADDRESS, .count = 3};

	if (!out)
		return 0;
	inet_ntop(type == DNS_TYPE_A ? AF_INET : AF_INET6, ip, text, sizeof(text));
	fact.value[0] = qry_text(sv_of(text));
	fact.value[1] = qry_text(name);
	fact.value[2] = qry_u64(p->ts);
	return out->ops->fact(out, &fact, err);
}

static int take_answers(struct cursor *c, unsigned count, const struct run_dns *p, struct sv name,
			struct run_out *out, struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < count && i < DNS_ANSWERS_MAX && rc == 0; i++) {
		unsigned type, size;
		const uint8_t *data;

		if (!skip_name(c))
			break;
		type = take_u16(c);
		cursor_bytes(c, 6); /* class and lifetime */
		size = take_u16(c);
		data = cursor_bytes(c, size);
		if (c->failed || !data)
			break;
		if ((type == DNS_TYPE_A && size == 4) || (type == DNS_TYPE_AAAA && size == 16))
			rc = pass_address(p, name, type, data, out, err);
	}
	return rc;
}

int run_names_packet(struct run_names *n, const struct run_dns *p, struct run_out *out,
		     struct error *err)
{
	struct cursor c = cursor_of((const uint8_t *)p->data.p, p->data.n);
	unsigned flags, questions, answers, type;
	struct looked_up *x;
	int rc = 0;

	take_u16(&c);
	flags = take_u16(&c);
	questions = take_u16(&c);
	answers = take_u16(&c);
	cursor_bytes(&c, DNS_HEADER - 8);
	/* One question of the ordinary kind. */
	if (c.failed || questions != 1 || (flags >> 11 & 15) != 0 || !take_name(&c, &n->text))
		return 0;
	type = take_u16(&c);
	take_u16(&c);
	if (c.failed)
		return 0;
	if (n->names.count >= RUN_NAMES_MAX)
		rc = run_names_pass_on(n, out, err);
	if (rc < 0)
		return rc;
	x = find(n, p, buf_view(&n->text), type);
	if (!x)
		return error_nomem(err);
	x->last_ts = p->ts;
	if (!(flags & 0x8000)) {
		x->queries++;
		return 0;
	}
	x->answers++;
	x->failures += (flags & 15) != 0;
	return take_answers(&c, answers, p, x->name, out, err);
}

int run_names_pass_on(struct run_names *n, struct run_out *out, struct error *err)
{
	struct smap_slot *slot;
	int rc = 0;

	for (size_t at = 0; out && rc == 0 && (slot = smap_next(&n->names, &at));) {
		const struct looked_up *x = slot->value;
		const struct qry_fact fact = {
		    .kind = QRY_FACT_DNS_NAME,
		    .count = 9,
		    .value = {qry_key(x->process_key), qry_text(x->name), qry_text(x->type),
			      qry_text(x->server), qry_u64(x->queries), qry_u64(x->answers),
			      qry_u64(x->failures), qry_u64(x->first_ts), qry_u64(x->last_ts)},
		};

		rc = out->ops->fact(out, &fact, err);
	}
	smap_clear(&n->names);
	arena_reset(&n->arena);
	return rc;
}
