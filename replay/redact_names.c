/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudonyms: HMAC-SHA-256 of a text, written with letters and digits. A text of digits becomes
 * one of digits. Addresses are mapped bit by bit, each depending on those before it, so that
 * addresses of one network stay in one network and no two become the same.
 */
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "base/cursor.h"
#include "replay/redact_internal.h"
#include "scapfile/output.h"

#define KNOWN_MAX   1000000 /* pseudonyms remembered */
#define TRIES_MAX   16	    /* until one is not itself something that is hidden */
#define SALTS_MAX   64	    /* until one gives nothing away where it stands */
#define REACH_MAX   256	    /* bytes before it where a longer text may begin */
#define ID_PREFIX   12	    /* digits of a container's id that stand for it */
#define BYTES_SHOWN 24	    /* of the pseudonym of data */

int redact_names_init(struct redact_names *s, const void *key, size_t n, struct error *err)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
			       OSSL_PARAM_construct_end()};

	s->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);
	if (!s->mac || EVP_MAC_init(s->mac, key, n, params) != 1)
		return error_set(err, ERR_NOMEM, "cannot set up HMAC-SHA-256");
	return 0;
}

void redact_names_done(struct redact_names *s)
{
	EVP_MAC_CTX_free(s->mac); /* wipes the key */
	smap_done(&s->known);
	map_done(&s->addresses);
	arena_done(&s->texts);
}

static void digest_of(struct redact_names *s, char domain, unsigned attempt, const void *p,
		      size_t n, uint8_t out[REDACT_DIGEST])
{
	uint8_t head[5] = {(uint8_t)domain};
	size_t len = 0;

	put_u32(head + 1, attempt);
	memset(out, 0, REDACT_DIGEST);
	if (EVP_MAC_init(s->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(s->mac, head, sizeof(head)) != 1 || EVP_MAC_update(s->mac, p, n) != 1 ||
	    EVP_MAC_final(s->mac, out, &len, REDACT_DIGEST) != 1)
		s->failed = true;
}

/* ---- texts ---- */

static bool all_of(const uint8_t *p, size_t n, const char *set)
{
	for (size_t i = 0; i < n; i++)
		if (!p[i] || !strchr(set, p[i]))
			return false;
	return n != 0;
}

static void write_name(uint8_t *to, size_t n, const uint8_t digest[REDACT_DIGEST],
		       const char *alphabet, size_t letters)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)alphabet[digest[i % REDACT_DIGEST] % letters];
}

/* Is it what it stands for, or another thing that is hidden, or is there one in it? */
static bool gives_away(const struct redact *r, const uint8_t *name, const uint8_t *was, size_t n)
{
	if (memcmp(name, was, n) == 0 || map_get(&r->parts, hash_bytes(name, n, 0)))
		return true;
	for (size_t i = 0; i < n; i++)
		if (redact_match_at(&r->match, name, n, i) ||
		    redact_match_at(&r->avoid, name, n, i))
			return true;
	return false;
}

static void make_name(struct redact *r, const uint8_t *p, size_t n, uint8_t *to)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	bool digits = all_of(p, n, "0123456789");
	uint8_t digest[REDACT_DIGEST];

	for (unsigned i = 0; i < TRIES_MAX; i++) {
		if (i == TRIES_MAX / 2)
			digits = false; /* there may be no number that is free */
		digest_of(&r->names, 'n', r->salt * TRIES_MAX + i, p, n, digest);
		write_name(to, n, digest, digits ? "0123456789" : letters, digits ? 10 : 32);
		if (!gives_away(r, to, p, n))
			return;
	}
}

/* What is known already is not computed again. */
void redact_hide_part(struct redact *r, uint8_t *p, size_t n)
{
	struct redact_names *s = &r->names;
	const char *known = smap_get(&s->known, sv_make(p, n));
	char *was, *name;

	if (r->gathering || !n)
		return;
	if (known && !r->salt) {
		memcpy(p, known, n);
		return;
	}
	was = arena_strndup(&s->texts, (const char *)p, n);
	name = arena_alloc(&s->texts, n + 1);
	if (!was || !name) {
		r->failed = true;
		memset(p, 'x', n);
		return;
	}
	make_name(r, (const uint8_t *)was, n, (uint8_t *)name);
	memcpy(p, name, n);
	if (r->salt)
		return;
	if (s->known.count < KNOWN_MAX && s->texts.total < REDACT_BYTES_MAX) {
		if (smap_put(&s->known, sv_make(was, n), name) < 0)
			r->failed = true;
	} else {
		smap_clear(&s->known);
		arena_reset(&s->texts);
	}
}

void redact_hide(struct redact *r, uint8_t *p, size_t n)
{
	while (n) {
		uint8_t *slash = memchr(p, '/', n);
		size_t part = slash ? (size_t)(slash - p) : n;

		if (part > 2 || memcmp(p, "..", part) != 0)
			redact_hide_part(r, p, part);
		part += slash != NULL;
		p += part;
		n -= part;
	}
}

void redact_hide_bytes(struct redact *r, uint8_t *p, size_t n)
{
	uint8_t digest[REDACT_DIGEST];
	size_t shown = n < BYTES_SHOWN ? n : BYTES_SHOWN;

	if (r->gathering)
		return;
	digest_of(&r->names, 'b', r->salt, p, n, digest);
	write_name(p, shown, digest, "abcdefghijklmnopqrstuvwxyz234567", 32);
	memset(p + shown, '.', n - shown);
}

void redact_hide_id(struct redact *r, uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t first = n < ID_PREFIX ? n : ID_PREFIX;
	uint8_t digest[REDACT_DIGEST];
	uint8_t rest[REDACT_DIGEST];

	if (r->gathering)
		return;
	if (!all_of(p, n, digits)) {
		redact_hide(r, p, n);
		return;
	}
	digest_of(&r->names, 'i', 2 * r->salt, p, first, digest);
	digest_of(&r->names, 'i', 2 * r->salt + 1, p, n, rest);
	write_name(p, first, digest, digits, 16);
	for (size_t i = first; i < n; i++) /* two digits of each byte */
		p[i] = (uint8_t)
		    digits[rest[(i - first) / 2 % REDACT_DIGEST] >> ((i - first) % 2 * 4) & 15];
}

/* An address as text: digits become digits, what is between them stays. */
void redact_hide_digits(struct redact *r, uint8_t *p, size_t n)
{
	uint8_t digest[REDACT_DIGEST];

	if (r->gathering)
		return;
	digest_of(&r->names, 'd', r->salt, p, n, digest);
	for (size_t i = 0; i < n; i++)
		if (p[i] >= '0' && p[i] <= '9')
			p[i] = (uint8_t)('0' + digest[i % REDACT_DIGEST] % 10);
		else if (p[i] >= 'a' && p[i] <= 'f')
			p[i] = (uint8_t)('a' + digest[i % REDACT_DIGEST] % 6);
}

/* ---- pseudonyms in their place ---- */

/* Does one of the texts stand at @from to @from + @n, or begin before and reach there? */
static bool is_touched(const struct redact_match *m, const uint8_t *text, size_t len, size_t from,
		       size_t n)
{
	size_t i = from > REACH_MAX ? from - REACH_MAX : 0;

	for (; i < from + n; i++) {
		const struct redact_text *t = redact_match_at(m, text, len, i);

		if (t && i + t->text.n > from)
			return true;
	}
	return false;
}

void redact_well(struct redact *r, void (*hide)(struct redact *r, uint8_t *p, size_t n),
		 uint8_t *text, size_t len, size_t from, size_t n)
{
	struct buf *was = &r->was;

	if (r->gathering || !n)
		return;
	buf_reset(was);
	buf_add(was, text + from, n);
	r->failed |= was->failed;
	hide(r, text + from, n);
	for (r->salt = 1; !was->failed && r->salt < SALTS_MAX; r->salt++) {
		if (!is_touched(&r->match, text, len, from, n) &&
		    !is_touched(&r->avoid, text, len, from, n))
			break;
		memcpy(text + from, was->p, n);
		hide(r, text + from, n);
	}
	r->salt = 0;
}

/* ---- addresses ---- */

/* Each bit from @from on is turned or not, as the bits before it say. */
static void turn_bits(struct redact_names *s, uint8_t *p, unsigned from, unsigned bits)
{
	uint8_t was[16], prefix[17] = {0}, digest[REDACT_DIGEST];

	memcpy(was, p, bits / 8);
	for (unsigned i = from; i < bits; i++) {
		prefix[16] = (uint8_t)i;
		memset(prefix, 0, 16);
		memcpy(prefix, was, i / 8);
		if (i % 8)
			prefix[i / 8] = was[i / 8] & (uint8_t)(0xff << (8 - i % 8));
		digest_of(s, bits == 32 ? '4' : '6', 0, prefix, sizeof(prefix), digest);
		if (digest[0] & 1)
			p[i / 8] ^= (uint8_t)(0x80 >> i % 8);
	}
}

/* Bits that tell what kind of address it is, which it stays; 32: one that everybody has. */
static unsigned ipv4_fixed(const uint8_t p[4])
{
	uint32_t a = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];

	if (p[0] == 0 || p[0] == 127 || p[0] >= 224)
		return 32;
	if (p[0] == 10)
		return 8;
	if (a >> 20 == 0xac1)
		return 12;
	if (a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe)
		return 16;
	return 0;
}

bool redact_hide_ipv4(struct redact *r, uint8_t p[4])
{
	unsigned fixed = ipv4_fixed(p);
	uint64_t was = load_u32(p);
	const uint8_t *known;
	uint8_t *to;

	if (fixed == 32)
		return false;
	if (r->gathering)
		return true;
	known = map_get(&r->names.addresses, was);
	if (known) {
		memcpy(p, known, 4);
		return true;
	}
	do /* of a public address, until it is one again */
		turn_bits(&r->names, p, fixed, 32);
	while (ipv4_fixed(p) != fixed && !r->names.failed);
	to = arena_alloc(&r->arena, 4);
	if (!to || map_put(&r->names.addresses, was, to) < 0)
		r->failed = true;
	if (to)
		memcpy(to, p, 4);
	return true;
}

bool redact_hide_ipv6(struct redact *r, uint8_t p[16])
{
	static const uint8_t zero[16], mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(p, mapped, 12) == 0)
		return redact_hide_ipv4(r, p + 12);
	if (memcmp(p, zero, 15) == 0 || p[0] == 0xff) /* ::, ::1, multicast */
		return false;
	if (r->gathering)
		return true;
	turn_bits(&r->names, p, p[0] == 0xfe ? 64 : (p[0] & 0xfe) == 0xfc ? 8 : 3, 128);
	return true;
}
