/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of hashes, and the keys of tags: what makers and checkers of seals share. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "scapfile/sealing.h"
#include "scapfile/stream.h"

#define DOMAIN "scapulaseg1"

const char *const sf_seal_origins[SF_SEAL_LATER + 1] = {
    [SF_SEAL_RECORDING] = "recording",
    [SF_SEAL_WRITING] = "writing",
    [SF_SEAL_LATER] = "later",
};

const char *const sf_seal_endings[] = {
    [SF_SEAL_COMPLETE] = "complete",
    [SF_SEAL_ROTATED] = "rotated",
    [SF_SEAL_CUT] = "cut",
};

static const char hex_digits[] = "0123456789abcdef";

char *sf_seal_name(const char *path)
{
	char *name;

	return asprintf(&name, "%s" SF_SEAL_SUFFIX, path) < 0 ? NULL : name;
}

bool sf_seal_chain(uint8_t hash[SF_SEAL_DIGEST], struct sv text)
{
	struct sf_hash *h;
	bool ok;

	if (sf_hash_new(&h, NULL) < 0)
		return false;
	sf_hash_add(h, DOMAIN, strlen(DOMAIN));
	sf_hash_add(h, hash, SF_SEAL_DIGEST);
	sf_hash_add(h, text.p, text.n);
	ok = sf_hash_end(h, hash);
	sf_hash_free(h);
	return ok;
}

bool sf_seal_next_key(uint8_t key[SF_SEAL_DIGEST])
{
	uint8_t next[SF_SEAL_DIGEST];
	bool ok = EVP_Digest(key, SF_SEAL_DIGEST, next, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_cleanse(key, SF_SEAL_DIGEST);
	if (ok)
		memcpy(key, next, SF_SEAL_DIGEST);
	OPENSSL_cleanse(next, SF_SEAL_DIGEST);
	return ok;
}

bool sf_seal_tag(const uint8_t key[SF_SEAL_DIGEST], const uint8_t hash[SF_SEAL_DIGEST],
		 uint8_t tag[SF_SEAL_DIGEST])
{
	unsigned n = 0;

	return HMAC(EVP_sha256(), key, SF_SEAL_DIGEST, hash, SF_SEAL_DIGEST, tag, &n) &&
	       n == SF_SEAL_DIGEST;
}

void sf_seal_add_digest(struct buf *b, const char *name, const uint8_t digest[SF_SEAL_DIGEST])
{
	buf_addf(b, ",\"%s\":\"", name);
	for (int i = 0; i < SF_SEAL_DIGEST; i++) {
		buf_char(b, hex_digits[digest[i] >> 4]);
		buf_char(b, hex_digits[digest[i] & 15]);
	}
	buf_char(b, '"');
}

void sf_seal_add_number(struct buf *b, const char *name, uint64_t v)
{
	buf_addf(b, ",\"%s\":", name);
	buf_u64(b, v);
}

/* As text: JSON readers that have only doubles would round it. */
void sf_seal_add_time(struct buf *b, const char *name, uint64_t ns)
{
	buf_addf(b, ",\"%s\":\"", name);
	buf_u64(b, ns / 1000000000u);
	buf_char(b, '.');
	buf_u64_padded(b, ns % 1000000000u, 9);
	buf_char(b, '"');
}
