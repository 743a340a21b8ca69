/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/stream.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct sf_hash {
	EVP_MD_CTX *ctx;
	bool failed;
};

int sf_hash_new(struct sf_hash **out, struct error *err)
{
	struct sf_hash *h = calloc(1, sizeof(*h));

	if (!h)
		return error_nomem(err);
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		sf_hash_free(h);
		return error_set(err, ERR_NOMEM, "cannot set up SHA-256");
	}
	*out = h;
	return 0;
}

void sf_hash_add(struct sf_hash *h, const void *p, size_t n)
{
	if (EVP_DigestUpdate(h->ctx, p, n) != 1)
		h->failed = true;
}

bool sf_hash_end(struct sf_hash *h, uint8_t digest[32])
{
	return !h->failed && EVP_DigestFinal_ex(h->ctx, digest, NULL) == 1;
}

void sf_hash_free(struct sf_hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

bool sf_hash_once(const void *p, size_t n, uint8_t digest[32])
{
	return EVP_Digest(p, n, digest, NULL, EVP_sha256(), NULL) == 1;
}
