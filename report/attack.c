/* SPDX-License-Identifier: Apache-2.0 */
/* MITRE ATT&CK in the tags of rules. */
#include <string.h>

#include "report/report.h"

const struct rep_tactic rep_tactics[] = {
    {"TA0043", "reconnaissance", "Reconnaissance"},
    {"TA0042", "resource-development", "Resource Development"},
    {"TA0001", "initial-access", "Initial Access"},
    {"TA0002", "execution", "Execution"},
    {"TA0003", "persistence", "Persistence"},
    {"TA0004", "privilege-escalation", "Privilege Escalation"},
    {"TA0005", "defense-evasion", "Defense Evasion"},
    {"TA0006", "credential-access", "Credential Access"},
    {"TA0007", "discovery", "Discovery"},
    {"TA0008", "lateral-movement", "Lateral Movement"},
    {"TA0009", "collection", "Collection"},
    {"TA0011", "command-and-control", "Command and Control"},
    {"TA0010", "exfiltration", "Exfiltration"},
    {"TA0040", "impact", "Impact"},
    {NULL, NULL, NULL},
};

static bool are_digits(struct sv s, size_t n)
{
	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* T1059, T1059.004 */
static bool is_technique(struct sv tag)
{
	if (tag.n < 5 || (tag.p[0] != 'T' && tag.p[0] != 't') || !are_digits(sv_drop(tag, 1), 4))
		return false;
	tag = sv_drop(tag, 5);
	return tag.n == 0 || (tag.n == 4 && tag.p[0] == '.' && are_digits(sv_drop(tag, 1), 3));
}

static void add_technique(struct rep_attack *out, struct sv tag)
{
	char name[sizeof(out->technique[0])] = "T";

	memcpy(name + 1, tag.p + 1, tag.n - 1);
	for (size_t i = 0; i < out->techniques; i++)
		if (strcmp(name, out->technique[i]) == 0)
			return;
	if (out->techniques < REP_TECHNIQUES_MAX)
		memcpy(out->technique[out->techniques++], name, sizeof(name));
}

/* "lateral_movement", also with hyphens; TA0008 */
static const struct rep_tactic *find_tactic(struct sv name)
{
	for (const struct rep_tactic *t = rep_tactics; t->id; t++) {
		if (sv_is(name, t->id))
			return t;
		bool same = strlen(t->short_name) == name.n;

		for (size_t i = 0; same && i < name.n; i++)
			same = t->short_name[i] == (name.p[i] == '_' ? '-' : name.p[i]);
		if (same)
			return t;
	}
	return NULL;
}

static void add_tactic(struct rep_attack *out, const struct rep_tactic *t)
{
	for (size_t i = 0; i < out->tactics; i++)
		if (out->tactic[i] == t)
			return;
	if (t && out->tactics < REP_TECHNIQUES_MAX)
		out->tactic[out->tactics++] = t;
}

static void add_tag(struct rep_attack *out, struct sv tag)
{
	if (is_technique(tag))
		add_technique(out, tag);
	else
		add_tactic(out, find_tactic(tag));
}

void rep_attack_of(struct sv tags, struct rep_attack *out)
{
	struct rep_json j;

	memset(out, 0, sizeof(*out));
	rep_json_open(&j, tags);
	while (rep_json_next(&j)) {
		if (j.kind != REP_JSON_STRING)
			continue;
		if (sv_starts(j.value, SV_LIT("mitre_"))) /* Falco */
			add_tactic(out, find_tactic(sv_drop(j.value, 6)));
		else if (sv_starts(j.value, SV_LIT("attack."))) /* Sigma */
			add_tag(out, sv_drop(j.value, 7));
		else if (j.value.n && j.value.p[0] == 'T')
			add_tag(out, j.value);
	}
	rep_json_done(&j);
}
