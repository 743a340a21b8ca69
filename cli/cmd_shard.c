/* SPDX-License-Identifier: Apache-2.0 */
/* scapula shard: captures into lists of work of about the same size. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/map.h"
#include "cli/custody.h"
#include "cli/rule_run.h"
#include "cli/worklist.h"
#include "scapfile/files.h"

#define MANIFEST   "manifest"
#define STOP_EVERY 4096u /* blocks between two looks at whether to stop */

enum { OPT_INTO = OPT_COMMAND_FIRST, OPT_BY, OPT_FORCE };

static const struct cli_option shard_options[] = {
    {OPT_INTO, "into", "N", "how many lists"},
    {OPT_BY, "by", "bytes|events", "what makes a capture heavy; default bytes"},
    {'o', "output", "DIR", "where the lists are to be; created if need be"},
    {OPT_FORCE, "force", NULL, "replace the lists of another job in DIR"},
    {0, NULL, NULL, NULL},
};

static const char *const shard_examples[] = {
    "shard /var/captures --into 100 -o job",
    "shard --into 16 --by events -o job a.scap.zst b.scap.zst",
    "shard captures.lst --into 100 -o job",
    NULL,
};

struct shard {
	struct cli_common common;
	unsigned into;
	bool force;
	const char *dir;
	struct reg_list list;
	size_t room;	   /* of list.trace */
	struct smap known; /* by hash */
	uint64_t bytes;	   /* of all */
};

static int take_option(void *arg, int id, const char *value)
{
	struct shard *o = arg;
	uint64_t n;
	int yes;

	switch (id) {
	case OPT_INTO:
		if (!cli_parse_u64(value, &n) || n < 1 || n > REG_SHARDS_MAX) {
			cli_log(CLI_ERROR, "--into %s: expected a number from 1 to %u", value,
				REG_SHARDS_MAX);
			return CLI_USAGE;
		}
		o->into = (unsigned)n;
		return 0;
	case OPT_BY:
		if (cli_take_choice("by", value, "bytes", "events", &yes))
			return CLI_USAGE;
		o->list.by_events = yes;
		return 0;
	case OPT_FORCE:
		o->force = true;
		return 0;
	default:
		o->dir = value;
		return 0;
	}
}

static int out_of_memory(void)
{
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

/* --- which captures there are */

/* @path is borrowed; @sha256 is empty if it is not known. */
static int add_path(struct shard *o, const char *path, const char *sha256)
{
	struct reg_list *l = &o->list;
	struct reg_trace *t;

	if (l->count == REG_TRACES_MAX) {
		cli_log(CLI_ERROR, "more than %u captures", REG_TRACES_MAX);
		return CLI_USAGE;
	}
	if (!path[0] || strlen(path) > REG_PATH_MAX) {
		cli_log(CLI_ERROR, "'%.100s': that is no name of a capture", path);
		return CLI_USAGE;
	}
	if (l->count == o->room) {
		size_t room = o->room ? 2 * o->room : 256;

		t = realloc(l->trace, room * sizeof(*t));
		if (!t)
			return out_of_memory();
		l->trace = t;
		o->room = room;
	}
	t = &l->trace[l->count];
	*t = (struct reg_trace){.path = arena_strdup(&l->arena, path)};
	if (!t->path)
		return out_of_memory();
	memcpy(t->sha256, sha256, strlen(sha256) + 1);
	l->count++;
	return 0;
}

static bool has_suffix(const char *path, const char *const *suffixes)
{
	for (; *suffixes; suffixes++)
		if (sv_ends(sv_of(path), sv_of(*suffixes)))
			return true;
	return false;
}

static bool is_capture_name(const char *path)
{
	static const char *const suffixes[] = {".scap", ".scap.gz", ".scap.zst", NULL};

	return has_suffix(path, suffixes);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add_entry(struct shard *o, const FTSENT *e)
{
	switch (e->fts_info) {
	case FTS_F:
		return is_capture_name(e->fts_path) ? add_path(o, e->fts_path, "") : 0;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		cli_log(CLI_ERROR, "cannot read '%s': %s", e->fts_path, strerror(e->fts_errno));
		return CLI_INPUT;
	default:
		return 0;
	}
}

/* Everything below a directory whose name is that of a capture, in the order of names. */
static int add_directory(struct shard *o, const char *path)
{
	char *root = strdup(path), *roots[] = {root, NULL};
	FTS *walk = root ? fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name) : NULL;
	FTSENT *e;
	int status = walk ? 0 : out_of_memory();

	/* "captures/" names what "captures" does. */
	while (root && root[0] && root[1] && root[strlen(root) - 1] == '/')
		root[strlen(root) - 1] = '\0';
	while (!status && !cli_interrupted() && (e = fts_read(walk)))
		status = add_entry(o, e);
	if (walk)
		fts_close(walk);
	free(root);
	return status;
}

static int add_list(struct shard *o, const char *path)
{
	struct buf text = {0};
	struct error err = {0};
	struct reg_named named;
	struct sv rest;
	uint64_t line = 0;
	int rc = 0, status = cli_read_text(path, REG_LIST_MAX, &text);

	rest = buf_view(&text);
	while (!status && (rc = reg_paths_next(&rest, &line, &o->list.arena, &named, &err)) > 0)
		status = add_path(o, named.path, named.sha256);
	if (rc < 0) {
		cli_log(CLI_ERROR, "%s: %s", path, err.msg);
		status = cli_exit_of(rc);
	}
	buf_done(&text);
	return status;
}

static int add_operand(struct shard *o, const char *path)
{
	static const char *const suffixes[] = {".lst", ".txt", ".sha256", NULL};
	struct stat sb;

	if (strcmp(path, "-") == 0 || has_suffix(path, suffixes))
		return add_list(o, path);
	if (stat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
		return add_directory(o, path);
	return add_path(o, path, "");
}

/* --- what is in them */

static void take_digest(struct reg_trace *t, const uint8_t digest[32])
{
	for (unsigned i = 0; i < REG_HEX / 2; i++)
		snprintf(t->sha256 + 2 * i, 3, "%02x", digest[i]);
}

/* Blocks of events, whole ones: what a worker has to go through. */
static int count_events(struct sf_reader *r, struct reg_trace *t, struct error *err)
{
	struct sf_raw_block block;
	uint64_t n = 0;
	int rc;

	while ((rc = sf_reader_next_block(r, &block, err)) > 0) {
		t->events += block.is_event;
		if (++n % STOP_EVERY == 0 && cli_interrupted())
			break;
	}
	return rc < 0 ? rc : sf_reader_drain(r, err);
}

/* Return: 0, CLI_PARTIAL: it could not be counted, or another exit status. */
static int look_into(struct reg_trace *t)
{
	const struct sf_options opt = {.want_hash = true, .hash_aside = true};
	struct custody_file f = {.name = t->path};
	struct sf_reader *r = NULL;
	struct error err = {0};
	int status = 0;

	if (sf_reader_open(t->path, &opt, &r, &err) == 0 && count_events(r, t, &err) == 0 &&
	    sf_reader_stats(r)->sha256_valid) {
		t->counted = true;
		t->bytes = sf_reader_stats(r)->file_size;
		take_digest(t, sf_reader_stats(r)->sha256);
	} else if (!cli_interrupted()) {
		cli_log(CLI_WARNING, "its events are not counted: %s", err.msg);
		status = cli_custody_hash(&f);
		t->events = 0;
		t->bytes = f.size;
		take_digest(t, f.sha256);
	}
	sf_reader_close(r);
	return status ? status : t->counted ? 0 : CLI_PARTIAL;
}

static int look_at(struct shard *o, struct reg_trace *t)
{
	struct custody_file f = {.name = t->path};
	struct error err = {0};
	enum arc_kind kind;
	int status;

	if (o->list.by_events)
		return look_into(t);
	if (t->sha256[0]) {
		if (arc_look(t->path, &kind, &t->bytes, &err) < 0)
			return cli_fail(&err);
		if (kind == ARC_FILE)
			return 0;
		cli_log(CLI_ERROR, "'%s' is no file", t->path);
		return CLI_INPUT;
	}
	status = cli_custody_hash(&f);
	t->bytes = f.size;
	take_digest(t, f.sha256);
	return status;
}

/* The same capture under two names is replayed once. Return: 1: it is new, 0, or -1 (told). */
static int note_new(struct shard *o, const struct reg_trace *t)
{
	struct sv hash = {0};
	const char *other = smap_get(&o->known, sv_make(t->sha256, REG_HEX));

	if (other) {
		cli_log(CLI_NOTE, "%s is the same capture as %s: left out", t->path, other);
		return 0;
	}
	hash = arena_sv(&o->list.arena, sv_make(t->sha256, REG_HEX));
	if (hash.p && smap_put(&o->known, hash, (void *)(uintptr_t)t->path) == 0)
		return 1;
	out_of_memory();
	return -1;
}

static void progress(const struct shard *o, uint64_t events, size_t done)
{
	struct run_progress p = {.events = events, .file_done = done, .file_size = o->list.count};

	cli_progress(NULL, &p);
}

static int look_at_all(struct shard *o)
{
	struct reg_list *l = &o->list;
	uint64_t events = 0;
	size_t kept = 0;
	int status = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct reg_trace t = l->trace[i];
		int one = look_at(o, &t), is_new;

		if (cli_interrupted())
			return cli_interrupted();
		status = cli_worse(status, one);
		if (one && one != CLI_PARTIAL)
			continue; /* the others are told, too */
		is_new = note_new(o, &t);
		if (is_new < 0)
			return CLI_INTERNAL;
		t.seq = kept + 1;
		o->bytes += is_new ? t.bytes : 0;
		if (is_new)
			l->trace[kept++] = t;
		progress(o, events += t.events, i + 1);
	}
	cli_progress_done();
	l->count = kept;
	l->traces = kept;
	return status;
}

/* --- the lists */

static int pack(struct shard *o)
{
	struct reg_list *l = &o->list;
	uint64_t *weight = calloc(l->count + 1, sizeof(*weight));
	unsigned *shard = calloc(l->count + 1, sizeof(*shard));
	struct error err = {0};
	int rc = weight && shard ? 0 : error_nomem(&err);

	for (size_t i = 0; i < l->count && rc == 0; i++)
		weight[i] = l->by_events ? l->trace[i].events : l->trace[i].bytes;
	if (rc == 0)
		rc = reg_pack(weight, l->count, o->into, shard, &err);
	for (size_t i = 0; i < l->count && rc == 0; i++)
		l->trace[i].shard = shard[i];
	l->shards = o->into;
	if (rc == 0)
		rc = reg_list_seal(l, &err);
	free(weight);
	free(shard);
	return rc < 0 ? cli_fail(&err) : 0;
}

/* Of the list of @shard, or of the manifest; to be freed. */
static char *name_of(const struct shard *o, int shard)
{
	char *name = NULL;
	int n = shard == REG_MANIFEST ? asprintf(&name, "%s/" MANIFEST, o->dir)
				      : asprintf(&name, "%s/shard-%04d.lst", o->dir, shard);

	return n < 0 ? NULL : name;
}

static int write_file(const char *path, struct buf *text)
{
	char *partial = NULL;
	struct error err = {0};
	int fd = sf_file_create_partial(path, &partial, &err), status = 0;

	if (fd < 0)
		return cli_fail(&err);
	/* What is in a list is no secret of whoever made it: workers may be others. */
	if (fchmod(fd, 0644) != 0 || sf_file_write(fd, text->p, text->len) != text->len) {
		cli_log(CLI_ERROR, "cannot write '%s': %s", partial, strerror(errno));
		status = CLI_INPUT;
	}
	close(fd);
	if (!status && rename(partial, path) != 0) {
		cli_log(CLI_ERROR, "cannot rename '%s' to '%s': %s", partial, path,
			strerror(errno));
		status = CLI_INPUT;
	}
	if (status)
		unlink(partial);
	free(partial);
	return status;
}

static int write_list(const struct shard *o, int shard)
{
	char *path = name_of(o, shard);
	struct buf text = {0};
	int status;

	reg_list_write(&o->list, shard, &text);
	status = path && !text.failed ? write_file(path, &text) : out_of_memory();
	buf_done(&text);
	free(path);
	return status;
}

/* Lists of a job that had more of them would be taken for lists of this one. */
static void remove_list(const struct shard *o, int shard)
{
	char *path = name_of(o, shard);

	if (path)
		unlink(path);
	free(path);
}

static int make_directory(const struct shard *o)
{
	char *manifest = name_of(o, REG_MANIFEST);
	int status = 0;

	if (mkdir(o->dir, 0777) != 0 && errno != EEXIST) {
		cli_log(CLI_ERROR, "cannot create the directory '%s': %s", o->dir, strerror(errno));
		status = CLI_INPUT;
	} else if (!manifest) {
		status = out_of_memory();
	} else if (access(manifest, F_OK) == 0 && !o->force) {
		cli_log(CLI_ERROR, "'%s' holds the lists of a job; --force replaces them", o->dir);
		status = CLI_INPUT;
	}
	free(manifest);
	return status;
}

/* The manifest comes last: where there is one, all lists are there. */
static int write_all(struct shard *o)
{
	int status = 0;

	remove_list(o, REG_MANIFEST);
	for (int i = (int)o->into; i < (int)REG_SHARDS_MAX && o->force; i++)
		remove_list(o, i);
	for (int i = 0; i < (int)o->into && !status; i++)
		status = write_list(o, i);
	return status ? status : write_list(o, REG_MANIFEST);
}

static void tell(const struct shard *o)
{
	struct buf b = {0};

	buf_addf(&b, "job %.12s: ", o->list.job);
	cli_grouped(&b, o->list.count);
	buf_addf(&b, " capture%s, ", o->list.count == 1 ? "" : "s");
	cli_bytes(&b, o->bytes);
	buf_addf(&b, ", in %u list%s in %s", o->into, o->into == 1 ? "" : "s", o->dir);
	cli_log(CLI_NOTE, "%s", buf_cstr(&b));
	buf_done(&b);
}

static int work(struct shard *o, char **operands, int count)
{
	int status = 0, looked;

	if (!count || !o->into || !o->dir) {
		cli_log(CLI_ERROR, "%s",
			!count	   ? "no capture, directory or list given"
			: !o->into ? "--into N is missing"
				   : "--output DIR is missing");
		return CLI_USAGE;
	}
	for (int i = 0; i < count && !status; i++)
		status = add_operand(o, operands[i]);
	if (!status && !o->list.count) {
		cli_log(CLI_ERROR, "there is no capture among what was given");
		status = CLI_INPUT;
	}
	if (!status)
		status = make_directory(o);
	if (status)
		return status;
	looked = look_at_all(o);
	if (cli_interrupted() || (looked && looked != CLI_PARTIAL))
		return looked;
	status = pack(o);
	if (!status)
		status = write_all(o);
	if (!status)
		tell(o);
	return cli_worse(status, looked);
}

int cmd_shard(int argc, char **argv)
{
	struct shard o = {.list = {.shard = REG_MANIFEST}};
	const struct cli_parser parser = {"shard", shard_options, shard_examples, take_option, &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	cli_catch_signals();
	cli_catch_timeout(&o.common);
	status = work(&o, argv + first, argc - first);
	smap_done(&o.known);
	free(o.list.trace);
	reg_list_done(&o.list);
	return status;
}
