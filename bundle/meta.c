/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tag files that say something about the payload in words of others: mtree(5), CASE/UCO, BagIt.
 * They are made of nothing but what the bundle holds, so that equal inputs give equal bundles.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "bundle/internal.h"

/* mtree(5): what is not plain ASCII, and its own special characters, as octal. */
static void mtree_name(struct buf *b, const char *name)
{
	buf_lit(b, "./");
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (c <= ' ' || c > '~' || strchr("\\#=", c))
			buf_addf(b, "\\%03o", c);
		else
			buf_char(b, (char)c);
	}
}

void bag_write_mtree(struct buf *b, const struct bag_member *m, size_t n)
{
	buf_lit(b, "#mtree\n");
	for (size_t i = 0; i < n; i++) {
		mtree_name(b, m[i].name);
		buf_addf(b, " type=file size=%" PRIu64 " sha256digest=", m[i].size);
		bag_hex(b, m[i].sha256);
		buf_char(b, '\n');
	}
}

static void jsonld_id(struct buf *b, const char *kind, const struct bag_member *m, size_t i)
{
	buf_addf(b, "\"@id\":\"urn:scapula:%s:", kind);
	bag_hex(b, m->sha256);
	buf_addf(b, ":%zu\"", i);
}

static void jsonld_file(struct buf *b, const struct bag_member *m, size_t i)
{
	buf_lit(b, ",\n {");
	jsonld_id(b, "file", m, i);
	buf_lit(b, ",\"@type\":\"uco-observable:File\",\"uco-core:hasFacet\":[{\"@type\":"
		   "\"uco-observable:FileFacet\",\"uco-observable:filePath\":");
	json_string(b, sv_of(m->name));
	buf_addf(b,
		 ",\"uco-observable:sizeInBytes\":%" PRIu64
		 "},{\"@type\":\"uco-observable:ContentDataFacet\",\"uco-observable:hash\":"
		 "{\"@type\":\"uco-types:Hash\",\"uco-types:hashMethod\":\"SHA256\","
		 "\"uco-types:hashValue\":{\"@type\":\"xsd:hexBinary\",\"@value\":\"",
		 m->size);
	bag_hex(b, m->sha256);
	buf_lit(b, "\"}}}]}");
}

void bag_write_jsonld(struct buf *b, const struct bag_member *m, size_t n, const char *tool)
{
	buf_lit(b, "{\"@context\":{"
		   "\"case-investigation\":"
		   "\"https://ontology.caseontology.org/case/investigation/\","
		   "\"uco-action\":\"https://ontology.unifiedcyberontology.org/uco/action/\","
		   "\"uco-core\":\"https://ontology.unifiedcyberontology.org/uco/core/\","
		   "\"uco-observable\":"
		   "\"https://ontology.unifiedcyberontology.org/uco/observable/\","
		   "\"uco-tool\":\"https://ontology.unifiedcyberontology.org/uco/tool/\","
		   "\"uco-types\":\"https://ontology.unifiedcyberontology.org/uco/types/\","
		   "\"xsd\":\"http://www.w3.org/2001/XMLSchema#\"},\n\"@graph\":[\n "
		   "{\"@id\":\"urn:scapula:tool\",\"@type\":\"uco-tool:Tool\",\"uco-core:name\":");
	json_string(b, sv_of(tool));
	buf_lit(b, "},\n {\"@id\":\"urn:scapula:bundle\",\"@type\":"
		   "\"case-investigation:InvestigativeAction\",\"uco-core:name\":\"bundle\","
		   "\"uco-action:instrument\":{\"@id\":\"urn:scapula:tool\"},"
		   "\"uco-action:result\":{\"@id\":\"urn:scapula:record\"}},\n "
		   "{\"@id\":\"urn:scapula:record\",\"@type\":"
		   "\"case-investigation:ProvenanceRecord\",\"uco-core:object\":[");
	for (size_t i = 0; i < n; i++) {
		buf_str(b, i ? ",{" : "{");
		jsonld_id(b, "file", &m[i], i);
		buf_char(b, '}');
	}
	buf_lit(b, "]}");
	for (size_t i = 0; i < n; i++)
		jsonld_file(b, &m[i], i);
	buf_lit(b, "\n]}\n");
}

/* "2026-03-02", and behind it the time of day. */
static void date(struct buf *b, int64_t made, bool time_of_day)
{
	time_t t = (time_t)made;
	struct tm tm = {0};

	gmtime_r(&t, &tm);
	buf_addf(b, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	if (time_of_day)
		buf_addf(b, "T%02d:%02d:%02dZ", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void bag_write_environment(struct buf *b, const struct bag_making *opt)
{
	buf_lit(b, "{\"bundle\":1,\"tool\":");
	json_string(b, sv_of(opt->tool));
	if (opt->made >= 0) {
		buf_lit(b, ",\"made\":\"");
		date(b, opt->made, true);
		buf_char(b, '"');
	}
	buf_lit(b, "}\n");
}

/* A value of bag-info.txt is one line. */
static void info(struct buf *b, const char *label, const char *value)
{
	if (!value)
		return;
	buf_addf(b, "%s: ", label);
	for (; *value; value++)
		buf_char(b, (unsigned char)*value < ' ' || *value == 0x7f ? ' ' : *value);
	buf_char(b, '\n');
}

void bag_write_info(struct buf *b, const struct bag_making *opt, const struct bag_member *m,
		    size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += m[i].size;
	info(b, BAG_AGENT, opt->tool);
	if (opt->made >= 0) {
		buf_lit(b, "Bagging-Date: ");
		date(b, opt->made, false);
		buf_char(b, '\n');
	}
	info(b, "External-Description", opt->description);
	buf_addf(b, "Payload-Oxum: %" PRIu64 ".%zu\n", bytes, n);
	info(b, "Source-Organization", opt->organization);
	for (size_t i = 0; i < n; i++)
		info(b, BAG_FROM_CASE, m[i].from_case ? m[i].name : NULL);
}
