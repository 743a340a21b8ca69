/* SPDX-License-Identifier: Apache-2.0 */
/* scapula redact: the same capture without what it must not tell. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/surgery.h"
#include "replay/redact.h"

enum {
	OPT_POLICY = OPT_COMMAND_FIRST,
	OPT_ARGUMENTS,
	OPT_ENVIRONMENT,
	OPT_BUFFERS,
	OPT_PATHS,
	OPT_USERS,
	OPT_USER,
	OPT_HOST,
	OPT_ADDRESSES,
	OPT_CONTAINERS,
	OPT_STRING,
	OPT_STRICT,
	OPT_KEY,
	OPT_REPORT,
};

#define RANDOM_KEY 32
#define HIDDEN	   "(hidden)"

static const struct cli_option redact_options[] = {
    SURGERY_OPTIONS,
    {OPT_POLICY, "policy", "FILE", "what to hide, as a YAML map; the options add to it"},
    {OPT_ARGUMENTS, "arguments", NULL, "arguments of processes"},
    {OPT_ENVIRONMENT, "environment", NULL, "values of environment variables"},
    {OPT_BUFFERS, "buffers", NULL, "data that was read, written, sent and received"},
    {OPT_PATHS, "paths", "PATTERN", "paths that match, as in '/home/*'; may be repeated"},
    {OPT_USERS, "users", NULL, "names of people (user ids 1000 to 65533), wherever they stand"},
    {OPT_USER, "user", "NAME", "that name, too; may be repeated"},
    {OPT_HOST, "host", NULL, "the host's name"},
    {OPT_ADDRESSES, "addresses", NULL, "IP addresses; networks stay together"},
    {OPT_CONTAINERS, "containers", NULL, "ids, names, images and labels of containers"},
    {OPT_STRING, "string", "TEXT", "that text, wherever it stands; may be repeated"},
    {OPT_STRICT, "strict", NULL, "no hidden value stays visible, as file names do otherwise"},
    {OPT_KEY, "key", "FILE",
     "makes the same pseudonyms again; without it they are made with a key nobody has"},
    {OPT_REPORT, "report", "FILE", "write what was hidden as JSON"},
    {0, NULL, NULL, NULL},
};

static const char *const redact_examples[] = {
    "redact --arguments --environment --buffers host.scap.zst -o shared.scap.zst",
    "redact --policy policy.yaml --key secret.key host.scap -o shared.scap", NULL};

struct redact_command {
	struct cli_common common;
	struct surgery s;
	struct arena arena;
	struct redact_policy policy;
	const char *key_path, *report;
	uint8_t key[REDACT_KEY_MAX];
	size_t key_len;
	struct redact *redact;
	char **told; /* the command line without what is hidden */
	bool gave_away;
};

static int no_memory(void)
{
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

static int read_policy(struct redact_command *o, const char *path)
{
	struct error err = {0};

	if (redact_policy_read(path, &o->arena, &o->policy, &err) == 0)
		return 0;
	cli_log(CLI_ERROR, "%s", err.msg);
	return err.code == ERR_IO ? CLI_INPUT : err.code == ERR_NOMEM ? CLI_INTERNAL : CLI_USAGE;
}

static int add(struct redact_command *o, struct redact_list *l, const char *value)
{
	if (!*value) {
		cli_log(CLI_ERROR, "an empty text cannot be hidden");
		return CLI_USAGE;
	}
	return redact_list_add(l, &o->arena, value) < 0 ? no_memory() : 0;
}

/* Switches and lists of the policy. Return: 0, a status, or -1: it is none of them. */
static int take_kind(struct redact_command *o, int id, const char *value)
{
	struct redact_policy *p = &o->policy;

	switch (id) {
	case OPT_ARGUMENTS:
		p->arguments = true;
		return 0;
	case OPT_ENVIRONMENT:
		p->environment = true;
		return 0;
	case OPT_BUFFERS:
		p->buffers = true;
		return 0;
	case OPT_USERS:
		p->users = true;
		return 0;
	case OPT_HOST:
		p->host = true;
		return 0;
	case OPT_ADDRESSES:
		p->addresses = true;
		return 0;
	case OPT_CONTAINERS:
		p->containers = true;
		return 0;
	case OPT_STRICT:
		p->strict = true;
		return 0;
	case OPT_PATHS:
		return add(o, &p->paths, value);
	case OPT_USER:
		return add(o, &p->names, value);
	case OPT_STRING:
		return add(o, &p->strings, value);
	default:
		return -1;
	}
}

static int take_option(void *arg, int id, const char *value)
{
	struct redact_command *o = arg;
	int rc;

	switch (id) {
	case OPT_POLICY:
		return read_policy(o, value);
	case OPT_KEY:
		o->key_path = value;
		return 0;
	case OPT_REPORT:
		o->report = value;
		return 0;
	default:
		rc = take_kind(o, id, value);
		return rc < 0 ? surgery_take(&o->s.opt, id, value) : rc;
	}
}

/* ---- before ---- */

static bool hides_nothing(const struct redact_policy *p)
{
	return !(p->arguments || p->environment || p->buffers || p->users || p->host ||
		 p->addresses || p->containers || p->paths.count || p->names.count ||
		 p->strings.count);
}

static int read_key(struct redact_command *o)
{
	int fd = open(o->key_path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, o->key, sizeof(o->key));

	if (n < 0) {
		cli_log(CLI_ERROR, "cannot read the key '%s': %s", o->key_path, strerror(errno));
	} else if (n < REDACT_KEY_MIN || n == sizeof(o->key)) {
		cli_log(CLI_ERROR, "the key '%s': expected %d to %d bytes", o->key_path,
			REDACT_KEY_MIN, REDACT_KEY_MAX - 1);
		n = -1;
	}
	if (fd >= 0)
		close(fd);
	o->key_len = n < 0 ? 0 : (size_t)n;
	return n < 0 ? CLI_INPUT : 0;
}

static int set_key(struct redact_command *o)
{
	if (o->key_path)
		return read_key(o);
	o->key_len = RANDOM_KEY;
	if (getrandom(o->key, RANDOM_KEY, 0) == RANDOM_KEY)
		return 0;
	cli_log(CLI_ERROR, "cannot make a key: %s", strerror(errno));
	return CLI_INTERNAL;
}

static int prepare(struct redact_command *o)
{
	struct error err = {0};
	int status;

	if (o->s.nparents != 1 || strcmp(o->s.parents[0].path, "-") == 0) {
		cli_log(CLI_ERROR, "expected one capture, which is read twice and is no standard "
				   "input");
		return CLI_USAGE;
	}
	if (hides_nothing(&o->policy)) {
		cli_log(CLI_ERROR, "nothing is to be hidden; 'scapula redact --help' lists what "
				   "can be");
		return CLI_USAGE;
	}
	status = set_key(o);
	if (!status && redact_new(&o->policy, o->key, o->key_len, &o->redact, &err) < 0)
		status = cli_fail(&err);
	OPENSSL_cleanse(o->key, sizeof(o->key));
	return status;
}

/* ---- the two passes ---- */

static int gather(struct redact_command *o)
{
	struct sf_reader *r = NULL;
	struct error err = {0};
	struct ev_item item;
	int rc = 0, status = surgery_open_input(&o->s, 0, NULL, &r);

	while (!status && (rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0) {
		rc = redact_gather(o->redact, &item, &err);
		if (rc < 0)
			break;
		status = surgery_tick(&o->s, r);
	}
	if (!status && rc >= 0)
		rc = redact_ready(o->redact, &err);
	if (!status && rc >= 0)
		status = surgery_take_comments(&o->s, r);
	if (!status && rc < 0)
		status = cli_fail(&err);
	surgery_close_input(&o->s, 0, r);
	return status;
}

static int rewrite(struct redact_command *o)
{
	struct sf_reader *r = NULL;
	struct error err = {0};
	struct ev_item item;
	int rc = sf_reader_open(o->s.parents[0].path, NULL, &r, &err), status = 0;

	while (rc >= 0 && !status && (rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0) {
		rc = redact_item(o->redact, &item, &err);
		o->gave_away = rc == ERR_FORMAT;
		if (rc >= 0)
			rc = sf_writer_item(o->s.writer, &item, &err);
		if (rc >= 0)
			status = surgery_tick(&o->s, r);
	}
	if (rc >= 0 && !status) /* the last frame is looked at, too */
		rc = sf_writer_flush(o->s.writer, &err);
	sf_reader_close(r);
	return rc < 0 ? cli_fail(&err) : status;
}

/* What is written is looked at once more: nothing that was to be hidden may be there. */
static int inspect(void *arg, const uint8_t *p, size_t n, struct error *err)
{
	struct redact_command *o = arg;

	if (!redact_find_long(o->redact, p, n))
		return 0;
	o->gave_away = true;
	return error_set(err, ERR_FORMAT,
			 "a text that was to be hidden is still there; no output is left");
}

/* ---- what is told ---- */

static bool tells(const struct redact_command *o, const char *text)
{
	return text && redact_find(o->redact, text, strlen(text));
}

/* The seal holds the command line, the input's name and the reason. */
static int clean_lineage(struct redact_command *o)
{
	struct surgery *s = &o->s;

	if (tells(o, s->opt.reason)) {
		cli_log(CLI_ERROR, "--reason holds a text that is to be hidden");
		return CLI_USAGE;
	}
	o->told = calloc((size_t)s->argc + 1, sizeof(*o->told));
	if (!o->told)
		return no_memory();
	for (int i = 0; i < s->argc; i++) {
		static char hidden[] = HIDDEN;

		o->told[i] = tells(o, s->argv[i]) ? hidden : s->argv[i];
	}
	s->argv = o->told;
	if (tells(o, s->parents[0].path))
		s->parents[0].told = HIDDEN;
	return 0;
}

static void add_kinds(struct buf *b, const uint64_t *counts)
{
	for (unsigned k = 0; k < REDACT_KINDS_COUNT; k++)
		buf_addf(b, "%s\"%s\":%llu", k ? "," : "{", redact_kind_name((enum redact_kind)k),
			 (unsigned long long)counts[k]);
	buf_char(b, '}');
}

static void add_counts(struct buf *b, const struct redact_report *r)
{
	buf_lit(b, ",\"hidden\":");
	add_kinds(b, r->hidden);
	buf_lit(b, ",\"values_that_stay_visible_elsewhere\":");
	add_kinds(b, r->stay);
	buf_addf(b, ",\"texts_hidden_everywhere\":%llu,\"names_too_short\":%llu",
		 (unsigned long long)r->everywhere, (unsigned long long)r->short_names);
}

static void add_digest(struct buf *b, const struct redact_policy *p)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct buf text = {0};
	unsigned n = 0;

	redact_policy_json(&text, p);
	if (text.failed || EVP_Digest(text.p, text.len, digest, &n, EVP_sha256(), NULL) != 1)
		b->failed = true;
	buf_done(&text);
	buf_lit(b, "\"policy_sha256\":\"");
	for (unsigned i = 0; i < n; i++)
		buf_addf(b, "%02x", digest[i]);
	buf_char(b, '"');
}

static void set_details(struct redact_command *o)
{
	struct buf *b = &o->s.details;

	buf_char(b, ',');
	add_digest(b, &o->policy);
	buf_addf(b, ",\"key\":\"%s\"", o->key_path ? "given" : "thrown away");
	add_counts(b, redact_report(o->redact));
}

/* "NAME COUNT, NAME COUNT" */
static void name_counts(struct buf *b, const uint64_t *counts)
{
	for (unsigned k = 0; k < REDACT_KINDS_COUNT; k++) {
		if (!counts[k])
			continue;
		buf_addf(b, "%s%s ", b->len ? ", " : "", redact_kind_name((enum redact_kind)k));
		cli_grouped(b, counts[k]);
	}
}

static void tell_places(const struct redact_report *r)
{
	for (size_t i = 0; i < r->nplaces; i++)
		cli_log(CLI_DEBUG, "values of %s stay visible in '%s': %llu times",
			redact_kind_name(r->places[i].kind), r->places[i].field,
			(unsigned long long)r->places[i].times);
}

static void tell_report(const struct redact_report *r)
{
	struct buf hidden = {0}, stay = {0};

	name_counts(&hidden, r->hidden);
	if (hidden.len)
		cli_log(CLI_NOTE, "hidden: %s", buf_cstr(&hidden));
	else
		cli_log(CLI_NOTE, "nothing to be hidden was there");
	name_counts(&stay, r->stay);
	if (stay.len)
		cli_log(CLI_NOTE,
			"of the hidden values, these also stand in fields that stay visible, such "
			"as file names (--verbose tells which, --strict hides them): %s",
			buf_cstr(&stay));
	tell_places(r);
	buf_done(&hidden);
	buf_done(&stay);
	if (r->short_names)
		cli_log(CLI_WARNING,
			"%llu names are shorter than %d letters and are hidden in lists only, not "
			"within other texts",
			(unsigned long long)r->short_names, REDACT_WORD_MIN);
}

/* The details of the lineage, as a file of their own. */
static int write_report(struct redact_command *o)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (o->s.opt.force ? O_TRUNC : O_EXCL);
	struct buf b = {0};
	int fd, status = 0;

	if (!o->report)
		return 0;
	buf_char(&b, '{');
	buf_sv(&b, sv_drop(buf_view(&o->s.details), 1));
	buf_lit(&b, "}\n");
	fd = open(o->report, flags | O_NOFOLLOW, 0600);
	if (b.failed || fd < 0 || write(fd, b.p, b.len) != (ssize_t)b.len) {
		cli_log(CLI_ERROR, "cannot write '%s': %s", o->report, strerror(errno));
		status = CLI_INPUT;
	}
	if (fd >= 0)
		close(fd);
	buf_done(&b);
	return status;
}

static int redact_capture(struct redact_command *o)
{
	int status = prepare(o);

	if (!status)
		status = gather(o);
	if (!status)
		status = clean_lineage(o);
	o->s.writing.inspect = inspect;
	o->s.writing.inspect_arg = o;
	if (!status)
		status = surgery_create(&o->s);
	if (!status)
		status = rewrite(o);
	if (o->gave_away)
		return CLI_INTERNAL;
	if (status)
		return status;
	tell_report(redact_report(o->redact));
	set_details(o);
	return write_report(o);
}

int cmd_redact(int argc, char **argv)
{
	struct redact_command o = {0};
	const struct cli_parser parser = {"redact", redact_options, redact_examples, take_option,
					  &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (!status) {
		o.s.operation = "redact";
		o.s.common = &o.common;
		o.s.argc = argc;
		o.s.argv = argv;
		status = surgery_begin(&o.s, argv + first, (size_t)(argc - first));
		if (!status)
			status = redact_capture(&o);
		status = surgery_end(&o.s, status);
	} else if (status < 0) {
		status = cli_flush();
	}
	redact_free(o.redact);
	free(o.told);
	arena_done(&o.arena);
	return status;
}
