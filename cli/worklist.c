/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/worklist.h"

#include <string.h>
#include <unistd.h>

#include "archive/archive.h"

#define READ_ROOM (64u << 10)

static int open_text(const char *path, struct arc_file **out, struct error *err)
{
	return strcmp(path, "-") == 0 ? arc_file_from_fd(dup(STDIN_FILENO), path, out, err)
				      : arc_open_text(path, out, err);
}

static int read_text(struct arc_file *f, size_t most, struct buf *out, struct error *err)
{
	for (;;) {
		char *room = buf_room(out, READ_ROOM);
		int64_t n = room ? arc_read(f, room, READ_ROOM, err) : error_nomem(err);

		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
		if (out->len > most)
			return error_set(err, ERR_LIMIT, "it has more than %zu bytes", most);
	}
}

int cli_read_text(const char *path, size_t most, struct buf *out)
{
	struct arc_file *f = NULL;
	struct error err = {0};
	int rc = open_text(path, &f, &err);

	if (rc == 0)
		rc = read_text(f, most, out, &err);
	arc_close(f);
	if (rc == 0)
		return 0;
	cli_log(CLI_ERROR, "cannot read the list '%s': %s", path, err.msg);
	return cli_exit_of(rc);
}

int cli_read_worklist(const char *path, struct reg_list *out)
{
	struct buf text = {0};
	struct error err = {0};
	int status = cli_read_text(path, REG_LIST_MAX, &text);

	if (!status && reg_list_parse(buf_view(&text), out, &err) < 0) {
		cli_log(CLI_ERROR, "%s: %s", path, err.msg);
		status = cli_exit_of(err.code);
	}
	buf_done(&text);
	return status;
}
