/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive/archive.h"

static char dir[] = "/tmp/archive_test.XXXXXX";
static char path_of[8][256];

/* The path of file @name in the test's directory; @slot keeps apart those in use at once. */
static const char *in_dir(int slot, const char *name)
{
	snprintf(path_of[slot], sizeof(path_of[slot]), "%s/%s", dir, name);
	return path_of[slot];
}

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

/* ---- archives made by libarchive itself ---- */

struct entry {
	const char *name;
	const char *text;
	mode_t type;	     /* 0: a file */
	const char *link;    /* target of a hard link, or of a symbolic one */
	int64_t sparse_size; /* a hole of that size behind the text */
};

static void add_entry(struct archive *a, const struct entry *e)
{
	struct archive_entry *h = archive_entry_new();
	size_t n = e->text ? strlen(e->text) : 0;

	archive_entry_set_pathname(h, e->name);
	archive_entry_set_filetype(h, e->type ? e->type : AE_IFREG);
	archive_entry_set_perm(h, 0644);
	archive_entry_set_size(h, (int64_t)n);
	if (e->link && e->type == AE_IFLNK)
		archive_entry_set_symlink(h, e->link);
	else if (e->link)
		archive_entry_set_hardlink(h, e->link);
	if (e->sparse_size) {
		archive_entry_set_size(h, e->sparse_size);
		archive_entry_sparse_add_entry(h, 0, (int64_t)n);
	}
	assert_int_equal(archive_write_header(a, h), ARCHIVE_OK);
	if (n && !e->link)
		assert_int_equal(archive_write_data(a, e->text, n), n);
	archive_entry_free(h);
}

static void make(const char *path, int format, int filter, const struct entry *list)
{
	struct archive *a = archive_write_new();

	archive_write_set_format(a, format);
	archive_write_add_filter(a, filter);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	for (; list->name; list++)
		add_entry(a, list);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
}

static const struct entry two[] = {
    {.name = "./rules/one.yaml", .text = "first"},
    {.name = "data/two.scap", .text = "second text"},
    {0},
};

/* ---- reading ---- */

static char text[1 << 16];

static int read_all(struct arc_file *f, struct error *err)
{
	size_t n = 0;
	int64_t k;

	while ((k = arc_read(f, text + n, sizeof(text) - 1 - n, err)) > 0)
		n += (size_t)k;
	text[n] = '\0';
	return (int)k;
}

static int open_and_read(const char *path, struct error *err)
{
	struct arc_file *f;
	int rc = arc_open(path, &f, err);

	if (rc < 0)
		return rc;
	rc = read_all(f, err);
	arc_close(f);
	return rc;
}

static const struct {
	int format, filter;
	const char *what;
	bool in_place;
} kinds[] = {
    {ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_NONE, "tar", true},
    {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE, "gnu", true},
    {ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP, "tar.gz", false},
    {ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_XZ, "tar.xz", false},
    {ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_ZSTD, "tar.zst", false},
    {ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_BZIP2, "tar.bz2", false},
    {ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_LZ4, "tar.lz4", false},
    {ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "zip", false},
    {ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, "7z", false},
};

static void members_of_every_kind_of_archive_are_read(void **state)
{
	struct arc_file *f;
	struct error err = {0};
	char path[400];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		make(in_dir(0, kinds[i].what), kinds[i].format, kinds[i].filter, two);
		snprintf(path, sizeof(path), "%s//data/two.scap", in_dir(0, kinds[i].what));
		assert_true(arc_is_inside(path));
		if (open_and_read(path, &err) < 0)
			fail_msg("%s: %s", kinds[i].what, err.msg);
		assert_string_equal(text, "second text");
		assert_int_equal(arc_open(path, &f, &err), 0);
		assert_int_equal(arc_is_random(f), kinds[i].in_place);
		arc_close(f);
		snprintf(path, sizeof(path), "%s//rules/one.yaml", in_dir(0, kinds[i].what));
		assert_int_equal(open_and_read(path, &err), 0);
		assert_string_equal(text, "first");
	}
}

static void a_member_can_be_read_in_any_order(void **state)
{
	static const uint64_t limits[] = {0, 3}; /* a copy in memory, and one in a file */
	struct error err = {0};
	char path[400], part[5] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size_t k = 0; k < 2; k++) {
			struct arc_file *f;

			make(in_dir(0, "any"), kinds[i].format, kinds[i].filter, two);
			snprintf(path, sizeof(path), "%s//data/two.scap", in_dir(0, "any"));
			assert_int_equal(arc_open_random(path, limits[k], &f, &err), 0);
			assert_int_equal(arc_size(f), 11);
			assert_int_equal(arc_pread(f, part, 4, 7, &err), 4);
			assert_string_equal(part, "text");
			assert_int_equal(arc_pread(f, part, 4, 9, &err), 2);
			assert_int_equal(arc_pread(f, part, 4, 11, &err), 0);
			arc_close(f);
		}
	}
}

/* What a descriptor of a member of a compressed archive is open for. */
static struct stat copy_of_a_member(uint64_t memory, char *link, size_t room)
{
	struct error err = {0};
	char path[400], name[64];
	struct stat sb;
	ssize_t n;
	int fd;

	make(in_dir(0, "any"), ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, two);
	snprintf(path, sizeof(path), "%s//data/two.scap", in_dir(0, "any"));
	fd = arc_open_fd(path, memory, &err);
	if (fd < 0)
		fail_msg("%s", err.msg);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, link, room - 1);
	assert_true(n > 0);
	link[n] = '\0';
	assert_int_equal(fstat(fd, &sb), 0);
	close(fd);
	return sb;
}

static void a_copy_beyond_the_limit_is_in_a_file_that_nobody_finds(void **state)
{
	char link[400];
	struct stat sb;

	(void)state;
	setenv("TMPDIR", dir, 1);
	copy_of_a_member(0, link, sizeof(link));
	assert_int_equal(strncmp(link, "/memfd:", 7), 0);
	copy_of_a_member(11, link, sizeof(link));
	assert_int_equal(strncmp(link, "/memfd:", 7), 0);
	sb = copy_of_a_member(10, link, sizeof(link));
	assert_int_equal(strncmp(link, dir, strlen(dir)), 0);
	assert_int_equal(sb.st_nlink, 0);
	assert_int_equal(sb.st_mode, S_IFREG | 0600);
	assert_int_equal(sb.st_size, 11);
	arc_set_memory(10); /* what 0 means from now on */
	sb = copy_of_a_member(0, link, sizeof(link));
	assert_int_equal(sb.st_nlink, 0);
	arc_set_memory(ARC_MEMORY_MAX);
	unsetenv("TMPDIR");
}

static void reading_leaves_the_time_of_access_as_it_is(void **state)
{
	int fd;

	(void)state;
	write_file(in_dir(0, "any"), "text", 4);
	fd = arc_open_plain(in_dir(0, "any"));
	assert_true(fd >= 0 && fcntl(fd, F_GETFL) & O_NOATIME);
	close(fd);
	assert_int_equal(arc_open_plain(in_dir(0, "none")), -1);
	assert_int_equal(errno, ENOENT);
}

static void a_compressed_file_in_a_compressed_archive_is_given_uncompressed(void **state)
{
	static const struct entry short_ones[] = {{.name = "one", .text = "x"},
						  {.name = "none", .text = ""}};
	struct error err = {0};
	char path[400], inner[4096];
	struct archive *a = archive_write_new();
	struct archive_entry *h = archive_entry_new();
	struct arc_file *f;
	size_t n;
	FILE *in;

	(void)state;
	make(in_dir(1, "inner.xz"), ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ,
	     (const struct entry[]){{.name = "data", .text = "what it holds"}, {0}});
	in = fopen(in_dir(1, "inner.xz"), "r");
	n = fread(inner, 1, sizeof(inner), in);
	fclose(in);
	archive_write_set_format(a, ARCHIVE_FORMAT_TAR_USTAR);
	archive_write_add_filter(a, ARCHIVE_FILTER_GZIP);
	archive_write_open_filename(a, in_dir(0, "any"));
	archive_entry_set_pathname(h, "n.xz");
	archive_entry_set_filetype(h, AE_IFREG);
	archive_entry_set_size(h, (int64_t)n);
	archive_write_header(a, h);
	archive_write_data(a, inner, n);
	archive_entry_free(h);
	for (size_t i = 0; i < 2; i++)
		add_entry(a, &short_ones[i]);
	archive_write_free(a);
	snprintf(path, sizeof(path), "%s//n.xz", in_dir(0, "any"));
	assert_int_equal(open_and_read(path, &err), 0);
	assert_string_equal(text, "what it holds");
	assert_int_equal(arc_open_stored(path, &f, &err), 0); /* unless that is what is wanted */
	assert_int_equal(arc_read(f, inner, 6, &err), 6);
	assert_memory_equal(inner,
			    "\xfd"
			    "7zXZ",
			    6);
	arc_close(f);
	/* What is looked at is not lost, however short it is. */
	snprintf(path, sizeof(path), "%s//one", in_dir(0, "any"));
	assert_int_equal(open_and_read(path, &err), 0);
	assert_string_equal(text, "x");
	snprintf(path, sizeof(path), "%s//none", in_dir(0, "any"));
	assert_int_equal(open_and_read(path, &err), 0);
	assert_string_equal(text, "");
}

static void archives_in_archives_are_entered_up_to_a_limit(void **state)
{
	struct error err = {0};
	struct arc_list l;
	char path[400];

	(void)state;
	make(in_dir(0, "in.7z"), ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, two);
	for (int i = 0; i < 3; i++) {
		struct archive *a = archive_write_new();
		struct archive_entry *h = archive_entry_new();
		char inner[1 << 14];
		FILE *f = fopen(in_dir(0, i ? "nest" : "in.7z"), "r");
		size_t n = fread(inner, 1, sizeof(inner), f);

		fclose(f);
		archive_write_set_format(a, ARCHIVE_FORMAT_TAR_USTAR);
		archive_write_add_filter(a, i == 1 ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_NONE);
		archive_write_open_filename(a, in_dir(1, "nest"));
		archive_entry_set_pathname(h, "in");
		archive_entry_set_filetype(h, AE_IFREG);
		archive_entry_set_size(h, (int64_t)n);
		archive_write_header(a, h);
		archive_write_data(a, inner, n);
		archive_entry_free(h);
		archive_write_free(a);
		if (i == 1) {
			snprintf(path, sizeof(path), "%s//in//in//data/two.scap",
				 in_dir(1, "nest"));
			assert_int_equal(open_and_read(path, &err), 0);
			assert_string_equal(text, "second text");
			snprintf(path, sizeof(path), "%s//in//in//", in_dir(1, "nest"));
			assert_int_equal(arc_list_directory(path, &l, &err), 1);
			assert_int_equal(l.count, 0); /* only directories that are not listed */
			arc_list_done(&l);
		}
	}
	snprintf(path, sizeof(path), "%s//in//in//in//data/two.scap", in_dir(1, "nest"));
	assert_int_equal(open_and_read(path, &err), ERR_LIMIT);
	assert_non_null(strstr(err.msg, "ARC_NESTING_MAX"));
}

static void a_compressed_file_is_given_uncompressed(void **state)
{
	static const struct {
		int filter;
		bool text_only;
	} filters[] = {{ARCHIVE_FILTER_XZ, false},
		       {ARCHIVE_FILTER_BZIP2, false},
		       {ARCHIVE_FILTER_LZ4, false},
		       {ARCHIVE_FILTER_GZIP, true},
		       {ARCHIVE_FILTER_ZSTD, true}};
	static const struct entry one[] = {{.name = "x", .text = "- rule: wrapped\n"}, {0}};
	struct error err = {0};
	struct arc_file *f;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		make(in_dir(0, "x.xz"), ARCHIVE_FORMAT_RAW, filters[i].filter, one);
		assert_int_equal(arc_open_text(in_dir(0, "x.xz"), &f, &err), 0);
		assert_int_equal(read_all(f, &err), 0);
		assert_string_equal(text, one[0].text);
		arc_close(f);
		assert_int_equal(open_and_read(in_dir(0, "x.xz"), &err), 0);
		assert_int_equal(strcmp(text, one[0].text) == 0, !filters[i].text_only);
	}
	write_file(in_dir(0, "plain"), "just text", 9);
	assert_int_equal(open_and_read(in_dir(0, "plain"), &err), 0);
	assert_string_equal(text, "just text");
}

static void a_path_with_two_slashes_may_be_an_ordinary_one(void **state)
{
	char path[400];

	(void)state;
	write_file(in_dir(0, "plain"), "text", 4);
	snprintf(path, sizeof(path), "%s//plain", dir);
	assert_false(arc_is_inside(path));
	assert_int_equal(open_and_read(path, NULL), 0);
	assert_string_equal(text, "text");
	assert_false(arc_is_inside("//"));
	assert_false(arc_is_inside("no//such"));
}

static void what_is_not_there_is_told_with_what_is(void **state)
{
	static const char zeros[4096];
	struct error err = {0};
	char path[400];

	(void)state;
	make(in_dir(0, "t.zip"), ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, two);
	snprintf(path, sizeof(path), "%s//data/three.scap", in_dir(0, "t.zip"));
	assert_int_equal(open_and_read(path, &err), ERR_IO);
	assert_int_equal(err.sys, ENOENT);
	assert_non_null(strstr(err.msg, "'rules/one.yaml', 'data/two.scap'"));
	write_file(in_dir(0, "none"), "no archive at all", 17);
	snprintf(path, sizeof(path), "%s//x", in_dir(0, "none"));
	assert_int_equal(open_and_read(path, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "is no archive"));
	assert_int_equal(arc_is_archive(in_dir(0, "none"), &err), 0);
	assert_int_equal(arc_is_archive(in_dir(0, "t.zip"), &err), 1);
	write_file(in_dir(0, "zeros"), zeros, sizeof(zeros));
	assert_int_equal(arc_is_archive(in_dir(0, "zeros"), &err), 0);
}

static void directories_are_listed(void **state)
{
	static const struct entry rules[] = {
	    {.name = "r/", .type = AE_IFDIR},	{.name = "r/b.yaml", .text = "b"},
	    {.name = "r/a.yaml", .text = "a"},	{.name = "r/deep/c.yaml", .text = "c"},
	    {.name = "rest.yaml", .text = "x"}, {0},
	};
	struct arc_list l;
	char path[400];

	(void)state;
	make(in_dir(0, "r.tar.gz"), ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, rules);
	snprintf(path, sizeof(path), "%s//r", in_dir(0, "r.tar.gz"));
	assert_int_equal(arc_list_directory(path, &l, NULL), 1);
	assert_int_equal(l.count, 2);
	assert_string_equal(l.members[0].name, "r/b.yaml");
	arc_list_done(&l);
	snprintf(path, sizeof(path), "%s//r/a.yaml", in_dir(0, "r.tar.gz"));
	assert_int_equal(arc_list_directory(path, &l, NULL), 0);
	snprintf(path, sizeof(path), "%s//", in_dir(0, "r.tar.gz"));
	assert_int_equal(arc_list_directory(path, &l, NULL), 1);
	assert_int_equal(l.count, 2); /* r, rest.yaml */
	arc_list_done(&l);
	assert_int_equal(arc_list_directory(in_dir(0, "r.tar.gz"), &l, NULL), 0);
}

/* ---- what is refused ---- */

static int list_code(const char *path, struct error *err)
{
	struct arc_list l;
	int rc = arc_list(path, &l, err);

	if (rc == 0)
		arc_list_done(&l);
	return rc;
}

static void names_that_mislead_are_refused(void **state)
{
	static const struct {
		const char *name, *why;
	} bad[] = {
	    {"../x", "leads elsewhere"},
	    {"a/../x", "leads elsewhere"},
	    {"a/..", "leads elsewhere"},
	    {"/etc/passwd", "absolute"},
	    {"C:/x", "absolute"},
	    {"a//b", "empty part"},
	    {"a/./b", "leads elsewhere"},
	    {"a\\b", "backslash"},
	    {"a\nb", "control"},
	    {"a\x1b[31mb", "control"},
	    {"\xff\xfe", "UTF-8"},
	    {"a\xe2\x80\xae"
	     "b",
	     "control"},
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct entry list[] = {
		    {.name = "good", .text = "1"}, {.name = bad[i].name, .text = "2"}, {0}};

		assert_non_null(arc_name_trouble(bad[i].name, false));
		assert_non_null(strstr(arc_name_trouble(bad[i].name, false), bad[i].why));
		make(in_dir(0, "bad.tar"), ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, list);
		if (list_code(in_dir(0, "bad.tar"), &err) != ERR_FORMAT)
			fail_msg("'%s' was taken", bad[i].name);
		assert_null(strchr(err.msg, '\n'));
		assert_null(strchr(err.msg, '\x1b'));
	}
	assert_null(arc_name_trouble("a/b c/\xc3\xbc.scap", false));
}

static void members_that_are_no_plain_files_are_refused(void **state)
{
	static const struct {
		struct entry e;
		int code;
		const char *why;
	} bad[] = {
	    {{.name = "good", .text = "again"}, ERR_FORMAT, "two of this name"},
	    {{.name = "GOOD", .text = "again"}, ERR_FORMAT, "nothing but case"},
	    {{.name = "dev", .type = AE_IFCHR}, ERR_FORMAT, "special"},
	    {{.name = "fifo", .type = AE_IFIFO}, ERR_FORMAT, "special"},
	    {{.name = "holes", .text = "x", .sparse_size = 1 << 20}, ERR_FORMAT, "sparse"},
	};
	struct error err = {0};
	char path[400];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct entry list[] = {{.name = "good", .text = "1"}, bad[i].e, {0}};

		make(in_dir(0, "bad.tar"), ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_NONE,
		     list);
		/* No member of such an archive is given, not even a good one. */
		snprintf(path, sizeof(path), "%s//good", in_dir(0, "bad.tar"));
		assert_int_equal(open_and_read(path, &err), bad[i].code);
		if (!strstr(err.msg, bad[i].why))
			fail_msg("'%s' does not say '%s'", err.msg, bad[i].why);
	}
}

static void links_are_not_followed(void **state)
{
	static const struct entry links[] = {
	    {.name = "good", .text = "1"},
	    {.name = "soft", .type = AE_IFLNK, .link = "/etc/passwd"},
	    {.name = "hard", .link = "good"},
	    {0},
	};
	struct error err = {0};
	char path[400];

	(void)state;
	make(in_dir(0, "l.tar"), ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, links);
	snprintf(path, sizeof(path), "%s//good", in_dir(0, "l.tar"));
	assert_int_equal(open_and_read(path, &err), 0);
	snprintf(path, sizeof(path), "%s//soft", in_dir(0, "l.tar"));
	assert_int_equal(open_and_read(path, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "link"));
	snprintf(path, sizeof(path), "%s//hard", in_dir(0, "l.tar"));
	assert_int_equal(open_and_read(path, &err), ERR_FORMAT);
}

static void make_zeros(const char *path, int format, int filter, size_t mb)
{
	struct archive *a = archive_write_new();
	struct archive_entry *h = archive_entry_new();
	char *zeros = calloc(1, 1 << 20);

	archive_write_set_format(a, format);
	archive_write_add_filter(a, filter);
	archive_write_open_filename(a, path);
	archive_entry_set_pathname(h, "zeros");
	archive_entry_set_filetype(h, AE_IFREG);
	archive_entry_set_size(h, (int64_t)mb << 20);
	archive_write_header(a, h);
	for (size_t i = 0; i < mb; i++)
		archive_write_data(a, zeros, 1 << 20);
	archive_entry_free(h);
	archive_write_free(a);
	free(zeros);
}

static void bombs_are_refused_before_they_are_read(void **state)
{
	struct error err = {0};
	char path[400];

	(void)state;
	make_zeros(in_dir(0, "bomb.tar.xz"), ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ, 128);
	assert_int_equal(list_code(in_dir(0, "bomb.tar.xz"), &err), ERR_LIMIT);
	assert_non_null(strstr(err.msg, "ARC_RATIO_MAX"));
	make_zeros(in_dir(0, "bomb.zip"), ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, 128);
	snprintf(path, sizeof(path), "%s//zeros", in_dir(0, "bomb.zip"));
	assert_int_equal(open_and_read(path, &err), ERR_LIMIT);
	make_zeros(in_dir(0, "bomb.xz"), ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, 128);
	assert_int_equal(arc_open_fd(in_dir(0, "bomb.xz"), 0, &err), ERR_LIMIT);
	/* Little is no bomb, however well it packs. */
	make_zeros(in_dir(0, "small.tar.xz"), ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ, 32);
	assert_int_equal(list_code(in_dir(0, "small.tar.xz"), &err), 0);
}

static void many_members_are_refused(void **state)
{
	struct archive *a = archive_write_new();
	struct error err = {0};

	(void)state;
	archive_write_set_format(a, ARCHIVE_FORMAT_TAR_USTAR);
	archive_write_add_filter(a, ARCHIVE_FILTER_NONE);
	archive_write_open_filename(a, in_dir(0, "many.tar"));
	for (unsigned i = 0; i <= ARC_MEMBERS_MAX; i++) {
		char name[20];
		struct entry e = {.name = name};

		snprintf(name, sizeof(name), "%u", i);
		add_entry(a, &e);
	}
	archive_write_free(a);
	assert_int_equal(list_code(in_dir(0, "many.tar"), &err), ERR_LIMIT);
	assert_non_null(strstr(err.msg, "ARC_MEMBERS_MAX"));
}

static void an_archive_cut_anywhere_is_no_whole_one(void **state)
{
	static char whole[1 << 14];
	struct error err = {0};
	size_t n;
	FILE *f;
	char path[400];

	(void)state;
	make(in_dir(0, "w.tar"), ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, two);
	f = fopen(in_dir(0, "w.tar"), "r");
	n = fread(whole, 1, sizeof(whole), f);
	fclose(f);
	for (size_t cut = 0; cut < 512 * 3 + 11; cut += 7) { /* up to the last byte of the data */
		write_file(in_dir(0, "cut.tar"), whole, cut);
		snprintf(path, sizeof(path), "%s//data/two.scap", in_dir(0, "cut.tar"));
		if (open_and_read(path, &err) == 0)
			fail_msg("cut at %zu of %zu, it was read", cut, n);
	}
}

/* ---- writing ---- */

static void write_two(const char *path, enum arc_container c)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct error err = {0};
	struct arc_writer *w;

	assert_int_equal(arc_writer_open(fd, c, ARC_EPOCH, &w, NULL), 0);
	assert_int_equal(arc_writer_member(w, "bagit.txt", 5, NULL), 0);
	assert_int_equal(arc_writer_add(w, "hello", 5, NULL), 0);
	if (arc_writer_member(w, "data/\xc3\xbc/long name.scap", 11, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(arc_writer_add(w, "second ", 7, NULL), 0);
	assert_int_equal(arc_writer_add(w, "text", 4, NULL), 0);
	assert_int_equal(arc_writer_end(w, NULL), 0);
	arc_writer_free(w);
	close(fd);
}

static void what_is_written_is_read_and_always_the_same(void **state)
{
	static char a[1 << 14], b[1 << 14];
	struct error err = {0};
	char path[400];

	(void)state;
	for (int c = ARC_TAR; c <= ARC_ZIP; c++) {
		size_t n;
		FILE *f;

		write_two(in_dir(0, "w1"), (enum arc_container)c);
		write_two(in_dir(1, "w2"), (enum arc_container)c);
		f = fopen(in_dir(0, "w1"), "r");
		n = fread(a, 1, sizeof(a), f);
		fclose(f);
		f = fopen(in_dir(1, "w2"), "r");
		assert_int_equal(fread(b, 1, sizeof(b), f), n);
		fclose(f);
		assert_memory_equal(a, b, n);
		snprintf(path, sizeof(path), "%s//data/\xc3\xbc/long name.scap", in_dir(0, "w1"));
		if (open_and_read(path, &err) < 0)
			fail_msg("%s", err.msg);
		assert_string_equal(text, "second text");
	}
}

static void a_writer_keeps_to_what_was_said(void **state)
{
	int fd = open(in_dir(0, "w3"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct arc_writer *w;
	struct error err = {0};

	(void)state;
	assert_int_equal(arc_writer_open(fd, ARC_TAR, 0, &w, &err), 0);
	assert_int_equal(arc_writer_member(w, "../x", 1, &err), ERR_USAGE);
	assert_int_equal(arc_writer_member(w, "x", 2, &err), 0);
	assert_int_equal(arc_writer_add(w, "abc", 3, &err), ERR_USAGE);
	assert_int_equal(arc_writer_add(w, "a", 1, &err), 0);
	assert_int_equal(arc_writer_member(w, "y", 2, &err), ERR_USAGE);
	assert_int_equal(arc_writer_end(w, &err), ERR_USAGE);
	assert_int_equal(arc_writer_add(w, "b", 1, &err), 0);
	assert_int_equal(arc_writer_member(w, "X", 2, &err), ERR_USAGE);
	assert_int_equal(arc_writer_end(w, &err), 0);
	arc_writer_free(w);
	close(fd);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_of_every_kind_of_archive_are_read),
	    cmocka_unit_test(a_member_can_be_read_in_any_order),
	    cmocka_unit_test(a_copy_beyond_the_limit_is_in_a_file_that_nobody_finds),
	    cmocka_unit_test(reading_leaves_the_time_of_access_as_it_is),
	    cmocka_unit_test(a_compressed_file_in_a_compressed_archive_is_given_uncompressed),
	    cmocka_unit_test(archives_in_archives_are_entered_up_to_a_limit),
	    cmocka_unit_test(a_compressed_file_is_given_uncompressed),
	    cmocka_unit_test(a_path_with_two_slashes_may_be_an_ordinary_one),
	    cmocka_unit_test(what_is_not_there_is_told_with_what_is),
	    cmocka_unit_test(directories_are_listed),
	    cmocka_unit_test(names_that_mislead_are_refused),
	    cmocka_unit_test(members_that_are_no_plain_files_are_refused),
	    cmocka_unit_test(links_are_not_followed),
	    cmocka_unit_test(bombs_are_refused_before_they_are_read),
	    cmocka_unit_test(many_members_are_refused),
	    cmocka_unit_test(an_archive_cut_anywhere_is_no_whole_one),
	    cmocka_unit_test(what_is_written_is_read_and_always_the_same),
	    cmocka_unit_test(a_writer_keeps_to_what_was_said),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
