/* SPDX-License-Identifier: Apache-2.0 */
/* The eight severities of rules. */
#include <strings.h>

#include "engine/rules/rules.h"

static const struct {
	const char *name, *upper;
} priorities[RULE_PRIORITY_COUNT] = {
    [RULE_EMERGENCY] = {"Emergency", "EMERGENCY"},    [RULE_ALERT] = {"Alert", "ALERT"},
    [RULE_CRITICAL] = {"Critical", "CRITICAL"},	      [RULE_ERROR] = {"Error", "ERROR"},
    [RULE_WARNING] = {"Warning", "WARNING"},	      [RULE_NOTICE] = {"Notice", "NOTICE"},
    [RULE_INFORMATIONAL] = {"Informational", "INFO"}, [RULE_DEBUG] = {"Debug", "DEBUG"},
};

const char *rule_priority_name(enum rule_priority p)
{
	return p < RULE_PRIORITY_COUNT ? priorities[p].name : "";
}

const char *rule_priority_upper(enum rule_priority p)
{
	return p < RULE_PRIORITY_COUNT ? priorities[p].upper : "";
}

static bool same_word(struct sv text, const char *word)
{
	return text.n == strlen(word) && strncasecmp(text.p, word, text.n) == 0;
}

bool rule_priority_parse(struct sv text, enum rule_priority *out)
{
	for (unsigned i = 0; i < RULE_PRIORITY_COUNT; i++) {
		if (!same_word(text, priorities[i].name) && !same_word(text, priorities[i].upper))
			continue;
		*out = (enum rule_priority)i;
		return true;
	}
	return false;
}
