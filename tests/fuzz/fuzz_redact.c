/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redaction: a policy, a zero byte, a capture. No text that is hidden everywhere may be left in any
 * item, numbers and lengths stay, and neither the policy nor the capture does any harm.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/redact.h"
#include "scapfile/scapfile.h"

#define POLICY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

/* What is no text stays as it was. */
static void compare(struct ev *before, struct ev *after)
{
	demand(before->ts == after->ts && before->tid == after->tid &&
	       before->type == after->type && before->nparams == after->nparams);
	for (unsigned i = 0; i < before->nparams; i++)
		demand(ev_param(before, i).n == ev_param(after, i).n);
}

static bool has_event(const struct ev_item *item)
{
	return item->kind == EV_ITEM_EVENT || item->kind == EV_ITEM_URING ||
	       item->kind == EV_ITEM_HASH || item->kind == EV_ITEM_FACTS;
}

/* One reading of the capture. Return: 0, or ERR_*. */
static int pass(struct redact *r, const uint8_t *data, size_t size, bool gathers)
{
	const struct sf_options opt = {.memory_limit = 1 << 20};
	struct sf_reader *reader;
	struct ev_item item;
	int rc = sf_reader_open_memory(data, size, &opt, &reader, NULL);

	if (rc < 0)
		return rc;
	while (rc >= 0 && (rc = ev_source_next(sf_reader_source(reader), &item, NULL)) > 0) {
		struct ev_item out = item;

		rc = gathers ? redact_gather(r, &item, NULL) : redact_item(r, &out, NULL);
		demand(rc != ERR_FORMAT); /* something is left */
		if (gathers || rc < 0)
			continue;
		if (has_event(&item))
			compare(item.ev, out.ev);
	}
	sf_reader_close(reader);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[REDACT_KEY_MIN] = "fuzz";
	const uint8_t *end = memchr(data, '\0', size < POLICY_MAX ? size : POLICY_MAX);
	struct redact_policy policy = {0};
	struct arena arena = {0};
	struct redact *r = NULL;
	size_t n = end ? (size_t)(end - data) : 0;

	if (end && redact_policy_parse("policy", sv_make(data, n), &arena, &policy, NULL) == 0 &&
	    redact_new(&policy, key, sizeof(key), &r, NULL) == 0 &&
	    pass(r, end + 1, size - n - 1, true) >= 0 && redact_ready(r, NULL) >= 0)
		(void)!pass(r, end + 1, size - n - 1, false);
	redact_free(r);
	arena_done(&arena);
	return 0;
}
