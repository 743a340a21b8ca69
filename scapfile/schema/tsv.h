/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of tab-separated text, for the programs that turn them into C during the build. Lines that
 * start with # are comments, the first other line is the heading. Any failure ends the program with
 * a message; nothing is freed.
 */
#ifndef SCAPFILE_SCHEMA_TSV_H
#define SCAPFILE_SCHEMA_TSV_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TSV_COLUMNS_MAX 16
#define TSV_LINE_MAX	65536

struct table {	      /* all rows but the heading */
	char **cells; /* rows x columns */
	size_t rows, columns;
	size_t *lines; /* where each row stands in its file */
};

static inline void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static inline void *must(void *p)
{
	if (!p)
		die("gen: out of memory or cannot open a file");
	return p;
}

static inline FILE *open_in(const char *dir, const char *name, const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, mode);
	if (!f)
		die("gen: cannot open %s", path);
	return f;
}

static inline size_t split(char *line, char **cells)
{
	size_t n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	for (char *p = line; p && n < TSV_COLUMNS_MAX;) {
		char *tab = strchr(p, '\t');

		if (tab)
			*tab++ = '\0';
		cells[n++] = p;
		p = tab;
	}
	return n;
}

static inline void table_add(struct table *t, char **cells, size_t line)
{
	size_t n = t->columns;

	if (t->rows % 512 == 0) {
		t->cells = must(realloc(t->cells, (t->rows + 512) * n * sizeof(char *)));
		t->lines = must(realloc(t->lines, (t->rows + 512) * sizeof(*t->lines)));
	}
	for (size_t i = 0; i < n; i++)
		t->cells[t->rows * n + i] = must(strdup(cells[i]));
	t->lines[t->rows++] = line;
}

static inline struct table read_table(const char *dir, const char *name)
{
	static char line[TSV_LINE_MAX];
	char *cells[TSV_COLUMNS_MAX];
	FILE *f = open_in(dir, name, "r");
	struct table t = {0};

	for (size_t at = 1; fgets(line, sizeof(line), f); at++) {
		size_t n;

		if (line[0] == '#')
			continue;
		n = split(line, cells);
		if (!t.columns) {
			t.columns = n;
			continue;
		}
		if (n != t.columns)
			die("gen: %s:%zu: %zu columns instead of %zu", name, at, n, t.columns);
		table_add(&t, cells, at);
	}
	fclose(f);
	return t;
}

static inline const char *cell(const struct table *t, size_t row, size_t column)
{
	return t->cells[row * t->columns + column];
}

/* "PPME_SYSCALL_OPEN_X" -> "OPEN_X" */
static inline const char *short_name(const char *name)
{
	static const char *const prefixes[] = {"PPME_SYSCALL_", "PPME_SOCKET_", "PPME_"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return name + strlen(prefixes[i]);
	return name;
}

#endif
