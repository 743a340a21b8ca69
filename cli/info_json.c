/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/info.h"

static void member_u64(struct buf *b, const char *name, uint64_t v)
{
	buf_addf(b, ",\"%s\":%llu", name, (unsigned long long)v);
}

static void member_time(struct buf *b, const char *name, uint64_t ts)
{
	buf_addf(b, ",\"%s\":", name);
	if (ts == 0 || ts == UINT64_MAX) {
		buf_lit(b, "null");
		return;
	}
	buf_char(b, '"');
	cli_time(b, ts);
	buf_char(b, '"');
}

static void member_text(struct buf *b, const char *name, struct sv text)
{
	buf_addf(b, ",\"%s\":", name);
	if (text.n)
		json_string(b, text);
	else
		buf_lit(b, "null");
}

static void member_said(struct buf *b, const char *name, const char *text)
{
	member_text(b, name, text ? sv_of(text) : SV_NONE);
}

static void member_digest(struct buf *b, const char *name, const uint8_t d[32])
{
	buf_addf(b, ",\"%s\":\"", name);
	for (size_t i = 0; i < 32; i++)
		buf_addf(b, "%02x", d[i]);
	buf_char(b, '"');
}

static void json_gaps(struct buf *b, const struct run_facts *f)
{
	const struct sf_gap *gaps = f->gaps;

	buf_lit(b, ",\"gaps\":[");
	for (size_t i = 0; i < f->gap_count; i++) {
		buf_addf(b, "%s{\"offset\":%llu,\"bytes\":%llu,\"reason\":\"%s\",\"what\":",
			 i ? "," : "", (unsigned long long)gaps[i].offset,
			 (unsigned long long)gaps[i].bytes, sf_gap_reason_name(gaps[i].reason));
		json_string(b, sv_of(gaps[i].what));
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void json_types(struct buf *b, const uint64_t by_type[EV_TYPE_COUNT])
{
	struct cli_type_count *types;
	size_t n = cli_count_by_name(by_type, &types);

	buf_lit(b, ",\"by_type\":{");
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s\"%s\":%llu", i ? "," : "", types[i].name,
			 (unsigned long long)types[i].n);
	buf_char(b, '}');
	free(types);
}

static void json_losses(struct buf *b, const struct run_losses *l)
{
	const char *comma = "";

	buf_addf(b, ",\"losses\":{\"records\":%llu", (unsigned long long)l->records);
	member_u64(b, "events", l->events);
	member_time(b, "from", l->from);
	member_time(b, "to", l->to);
	buf_lit(b, ",\"by_reason\":{");
	for (unsigned i = 0; i < EV_LOSS_REASONS; i++) {
		if (!l->by_reason[i])
			continue;
		buf_addf(b, "%s\"%s\":%llu", comma, ev_loss_reason_name(i),
			 (unsigned long long)l->by_reason[i]);
		comma = ",";
	}
	buf_char(b, '}');
	json_types(b, l->by_type);
	member_u64(b, "of_other_types", l->of_other_types);
	buf_char(b, '}');
}

static void json_people(struct buf *b, const struct run_facts *f)
{
	buf_lit(b, ",\"seen_users\":[");
	for (size_t i = 0; i < f->people_count; i++) {
		buf_addf(b, "%s{\"uid\":%u", i ? "," : "", f->people[i].uid);
		member_text(b, "name", f->people[i].name);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	buf_lit(b, ",\"containers\":[");
	for (size_t i = 0; i < f->container_count; i++) {
		buf_addf(b, "%s{\"id\":", i ? "," : "");
		json_string(b, f->containers[i].id);
		member_text(b, "name", f->containers[i].name);
		member_text(b, "image", f->containers[i].image);
		member_text(b, "type", f->containers[i].type);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void json_fields(struct buf *b, const char *fields)
{
	buf_lit(b, ",\"fields\":[");
	for (const char *p = fields; *p;) {
		size_t n = strcspn(p, " ");

		buf_str(b, p == fields ? "" : ",");
		json_string(b, sv_make(p, n));
		p += n + (p[n] == ' ');
	}
	buf_char(b, ']');
}

static void json_capabilities(struct buf *b, const struct run_facts *f)
{
	buf_lit(b, ",\"capabilities\":[");
	for (unsigned i = 0; i < RUN_CAPABILITIES; i++) {
		buf_addf(b, "%s{\"name\":\"%s\"", i ? "," : "", run_capabilities[i].name);
		member_u64(b, "of", f->capabilities[i].of);
		member_u64(b, "have", f->capabilities[i].have);
		buf_addf(b, ",\"missing\":%s", cli_lacks(f, i) ? "true" : "false");
		json_fields(b, run_capabilities[i].fields);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void json_parents(struct buf *b, const struct sf_seal_lineage *l)
{
	buf_lit(b, ",\"parents\":[");
	for (size_t i = 0; i < l->nparents; i++) {
		buf_addf(b, "%s{\"name\":", i ? "," : "");
		json_string(b, sv_of(l->parents[i].name));
		member_u64(b, "size", l->parents[i].size);
		if (l->parents[i].hashed)
			member_digest(b, "sha256", l->parents[i].sha256);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void json_lineage(struct buf *b, const struct sf_seal_lineage *l)
{
	if (!l->operation || !*l->operation) {
		buf_lit(b, ",\"lineage\":null");
		return;
	}
	buf_lit(b, ",\"lineage\":{\"operation\":");
	json_string(b, sv_of(l->operation));
	member_said(b, "tool", l->tool);
	member_said(b, "reason", l->reason);
	buf_lit(b, ",\"argv\":[");
	for (size_t i = 0; l->argv[i]; i++) {
		buf_str(b, i ? "," : "");
		json_string(b, sv_of(l->argv[i]));
	}
	buf_char(b, ']');
	json_parents(b, l);
	buf_char(b, '}');
}

static void json_seal(struct buf *b, const struct cli_info *o)
{
	const struct sf_seal_status *s = &o->seal;

	buf_addf(b, ",\"seal\":{\"verdict\":\"%s\"", sf_seal_verdict_name(s->verdict));
	if (s->verdict != SF_SEAL_NONE) {
		buf_addf(b, ",\"origin\":\"%s\"", sf_seal_origin_name(s->origin));
		member_time(b, "made", s->made);
		member_u64(b, "frames", s->frames);
		member_u64(b, "clock_steps", s->nsteps);
		buf_addf(b, ",\"tagged\":%s,\"rotated\":%s", s->tagged ? "true" : "false",
			 s->rotated ? "true" : "false");
	}
	buf_char(b, '}');
	json_lineage(b, &o->words.lineage);
	member_said(b, "writer", o->words.facts.tool);
	member_said(b, "kernel", o->words.facts.kernel);
}

static void json_file(struct buf *b, const struct cli_info *o)
{
	const struct run_facts *f = &o->facts;
	const struct sf_stats *s = &f->stats;

	buf_lit(b, "{\"path\":");
	json_string(b, sv_of(o->path));
	buf_addf(b, ",\"version\":\"%u.%u\",\"compression\":\"%s\"", s->version_major,
		 s->version_minor, sf_compression_name(s->compression));
	member_u64(b, "file_size", s->file_size);
	member_u64(b, "stream_size", s->stream_size);
	member_u64(b, "sections", s->sections);
	if (s->sha256_valid)
		member_digest(b, "sha256", s->sha256);
	buf_addf(b, ",\"indexed\":%s", o->indexed ? "true" : "false");
	buf_lit(b, ",\"comments\":[");
	for (size_t i = 0; i < f->comment_count; i++) {
		buf_str(b, i ? "," : "");
		json_string(b, f->comments[i]);
	}
	buf_char(b, ']');
}

static void json_host(struct buf *b, const struct run_facts *f)
{
	buf_lit(b, ",\"hostname\":");
	json_string(b, f->hostname);
	member_u64(b, "cpus", f->num_cpus);
	member_u64(b, "memory", f->memory_bytes);
	member_time(b, "boot", f->boot_ts);
	member_time(b, "first", f->state.first_ts);
	member_time(b, "last", f->state.last_ts);
	member_u64(b, "steps_back", f->steps);
	member_u64(b, "step_back_ns", f->step_max);
}

static void json_counts(struct buf *b, const struct run_facts *f)
{
	const struct sf_stats *s = &f->stats;

	member_u64(b, "processes", f->processes);
	member_u64(b, "threads", f->threads);
	member_u64(b, "fds", f->fds);
	member_u64(b, "interfaces", f->interfaces);
	member_u64(b, "users", f->users);
	member_u64(b, "groups", f->groups);
	member_u64(b, "events", f->state.events);
	member_u64(b, "events_shown", f->visible);
	if (s->urings)
		member_u64(b, "io_uring", s->urings);
	if (s->hashes || s->hashes_skipped) {
		member_u64(b, "hashes", s->hashes);
		member_u64(b, "hashes_skipped", s->hashes_skipped);
	}
	member_u64(b, "events_unknown", s->events_unknown);
	member_u64(b, "blocks_unknown", s->unknown_blocks);
	member_u64(b, "buffers_seen", f->buffers);
	member_u64(b, "buffers_cut", f->buffers_cut);
	member_u64(b, "buffer_max", f->buffer_max);
}

void cli_info_json(struct buf *b, const struct cli_info *o)
{
	const struct run_facts *f = &o->facts;

	json_file(b, o);
	json_seal(b, o);
	json_host(b, f);
	json_people(b, f);
	json_counts(b, f);
	json_types(b, f->by_type);
	json_losses(b, &f->losses);
	json_capabilities(b, f);
	member_u64(b, "gap_count", f->stats.gaps);
	json_gaps(b, f);
	buf_lit(b, "}\n");
}
