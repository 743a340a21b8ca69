/* SPDX-License-Identifier: Apache-2.0 */
/* What the seals of one writer's files share: origin, lineage, key, and which came before. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "scapfile/files.h"
#include "scapfile/sealing.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define HEX	(2 * SF_SEAL_DIGEST)

/* ---- life ---- */

static int write_key(int fd, const uint8_t key[SF_SEAL_DIGEST])
{
	char text[sizeof(SF_SEAL_KEY_MAGIC) + HEX + 1] = SF_SEAL_KEY_MAGIC;
	size_t at = sizeof(SF_SEAL_KEY_MAGIC) - 1, n = at + HEX + 1;
	bool written;

	for (int i = 0; i < SF_SEAL_DIGEST; i++) {
		static const char digits[] = "0123456789abcdef";

		text[at++] = digits[key[i] >> 4];
		text[at++] = digits[key[i] & 15];
	}
	text[at] = '\n';
	written = sf_file_write(fd, text, n) == n && fsync(fd) == 0;
	OPENSSL_cleanse(text, sizeof(text));
	return written ? 0 : -1;
}

static int create_key(struct sf_sealer *k, const char *path, struct error *err)
{
	int fd, rc = 0;

	if (RAND_bytes(k->key, SF_SEAL_DIGEST) != 1)
		return error_set(err, ERR_IO, "no random numbers for a key");
	fd = sf_file_create(path);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, ERR_IO, "'%s' exists, and no key is ever replaced", path);
	if (fd < 0)
		return error_sys(err, errno, "cannot create '%s'", path);
	if (write_key(fd, k->key) < 0)
		rc = error_sys(err, errno, "cannot write '%s'", path);
	if (close(fd) < 0 && rc == 0)
		rc = error_sys(err, errno, "cannot write '%s'", path);
	if (rc < 0)
		(void)unlink(path);
	k->has_key = rc == 0;
	return rc;
}

int sf_sealer_init(struct sf_sealer *k, const struct sf_seal_options *opt, struct error *err)
{
	*k = (struct sf_sealer){.opt = opt, .heads_fd = -1};
	if (opt->heads_path) {
		k->heads_fd = open(opt->heads_path,
				   O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600);
		if (k->heads_fd < 0)
			return error_sys(err, errno, "cannot open '%s'", opt->heads_path);
	}
	return opt->key_path ? create_key(k, opt->key_path, err) : 0;
}

void sf_sealer_forget_key(struct sf_sealer *k)
{
	if (k->has_key)
		(void)unlink(k->opt->key_path);
}

void sf_sealer_done(struct sf_sealer *k)
{
	OPENSSL_cleanse(k->key, SF_SEAL_DIGEST);
	if (k->opt && k->heads_fd >= 0)
		close(k->heads_fd);
	free(k->previous);
	buf_done(&k->lineage);
	*k = (struct sf_sealer){.heads_fd = -1};
}

/* ---- members ---- */

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "\"%s\":", name);
	json_string_ascii(b, sv_of(text));
}

static void add_argv(struct buf *b, const struct sf_seal_options *opt)
{
	size_t left = SF_SEAL_ARGV_MAX;
	int i;

	buf_lit(b, ",\"argv\":[");
	for (i = 0; i < opt->argc && strlen(opt->argv[i]) < left; i++) {
		if (i)
			buf_char(b, ',');
		json_string_ascii(b, sv_of(opt->argv[i]));
		left -= strlen(opt->argv[i]) + 1;
	}
	buf_char(b, ']');
	if (i < opt->argc)
		sf_seal_add_number(b, "arguments_left_out", (uint64_t)(opt->argc - i));
}

static void read_boot_id(char *id, size_t size)
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, id, size - 1);

	if (fd >= 0)
		close(fd);
	id[n > 0 ? n : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
}

/* The machine this runs on, which is the recorded one only while it is being recorded. */
static void add_machine(struct buf *b, const char *tool)
{
	struct utsname u = {0};
	char boot_id[64];

	(void)uname(&u);
	read_boot_id(boot_id, sizeof(boot_id));
	buf_lit(b, ",\"by\":{");
	add_text(b, "tool", tool);
	buf_char(b, ',');
	add_text(b, "host", u.nodename);
	buf_char(b, ',');
	add_text(b, "boot_id", boot_id);
	buf_char(b, ',');
	add_text(b, "kernel", u.release);
	buf_char(b, ',');
	add_text(b, "machine", u.machine);
	buf_char(b, '}');
}

static void add_zone(struct buf *b)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm))
		return;
	buf_lit(b, ",\"zone\":{");
	add_text(b, "name", tm.tm_zone ? tm.tm_zone : "");
	buf_addf(b, ",\"offset\":%ld}", tm.tm_gmtoff);
}

void sf_sealer_describe(const struct sf_sealer *k, struct buf *b, const char *name,
			enum sf_compression c)
{
	buf_addf(b, ",\"origin\":\"%s\"", sf_seal_origins[k->opt->origin]);
	sf_seal_add_time(b, "made", clock_ns(CLOCK_REALTIME));
	buf_char(b, ',');
	add_text(b, "capture", name);
	buf_char(b, ',');
	add_text(b, "container", sf_compression_name(c));
	if (k->previous) {
		buf_lit(b, ",\"previous\":{");
		add_text(b, "seal", k->previous);
		sf_seal_add_digest(b, "hash", k->previous_hash);
		buf_char(b, '}');
	}
	add_machine(b, k->opt->tool);
	add_argv(b, k->opt);
	if (k->opt->config) {
		buf_lit(b, ",\"config\":");
		buf_str(b, k->opt->config);
	}
	if (k->opt->origin == SF_SEAL_RECORDING)
		add_zone(b);
	if (k->has_key)
		sf_seal_add_number(b, "key_step", k->key_step);
}

/* ---- lineage ---- */

static void add_parent(struct buf *b, const struct sf_lineage_parent *p)
{
	buf_char(b, '{');
	add_text(b, "name", sf_file_base(p->path));
	sf_seal_add_number(b, "size", p->size);
	if (p->sha256)
		sf_seal_add_digest(b, "sha256", p->sha256);
	buf_char(b, '}');
}

int sf_sealer_lineage(struct sf_sealer *k, const struct sf_lineage *l, struct error *err)
{
	struct buf *b = &k->lineage;

	buf_reset(b);
	buf_char(b, '{');
	add_text(b, "operation", l->operation);
	buf_char(b, ',');
	add_text(b, "tool", k->opt->tool);
	add_argv(b, k->opt);
	if (l->reason) {
		buf_char(b, ',');
		add_text(b, "reason", l->reason);
	}
	buf_lit(b, ",\"parents\":[");
	for (size_t i = 0; i < l->nparents; i++) {
		if (i)
			buf_char(b, ',');
		add_parent(b, &l->parents[i]);
	}
	buf_char(b, ']');
	if (l->details)
		buf_str(b, l->details);
	buf_char(b, '}');
	if (b->failed)
		return error_nomem(err);
	if (b->len > SF_SEAL_LINE_MAX / 2)
		return error_set(err, ERR_LIMIT, "a lineage of %zu bytes, expected at most %u",
				 b->len, SF_SEAL_LINE_MAX / 2);
	return 0;
}

void sf_sealer_add_lineage(const struct sf_sealer *k, struct buf *b)
{
	if (!k->lineage.len)
		return;
	buf_lit(b, ",\"lineage\":");
	buf_sv(b, buf_view(&k->lineage));
}

/* ---- the chain ---- */

bool sf_sealer_tag(struct sf_sealer *k, const uint8_t hash[SF_SEAL_DIGEST], struct buf *b)
{
	uint8_t tag[SF_SEAL_DIGEST];

	if (!k->has_key)
		return true;
	if (!sf_seal_tag(k->key, hash, tag) || !sf_seal_next_key(k->key))
		return false;
	k->key_step++;
	sf_seal_add_digest(b, "tag", tag);
	return true;
}

void sf_sealer_tell_head(const struct sf_sealer *k, const char *path, uint64_t line,
			 const uint8_t hash[SF_SEAL_DIGEST])
{
	struct buf b = {0};

	buf_char(&b, '{');
	add_text(&b, "seal", sf_file_base(path));
	sf_seal_add_time(&b, "time", clock_ns(CLOCK_REALTIME));
	sf_seal_add_number(&b, "n", line);
	sf_seal_add_digest(&b, "hash", hash);
	buf_lit(&b, "}\n");
	if (!b.failed)
		(void)!write(k->heads_fd, b.p, b.len);
	buf_done(&b);
}

int sf_sealer_follow(struct sf_sealer *k, const char *path, const uint8_t hash[SF_SEAL_DIGEST],
		     struct error *err)
{
	char *name = strdup(sf_file_base(path));

	if (!name)
		return error_nomem(err);
	free(k->previous);
	k->previous = name;
	memcpy(k->previous_hash, hash, SF_SEAL_DIGEST);
	return 0;
}
