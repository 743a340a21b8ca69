/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What processes did to files, counted per process and path. Most events are about a file that was
 * looked at just before, under a name that the state keeps at the same place: those are found
 * without hashing the path. The files of a process are passed on when it ends, so that the case is
 * not given most of them at the very end; their places are free again once the table was full.
 */
#include <stdlib.h>

#include "replay/gather.h"

#define SLOTS (RUN_FILES_MAX * 2u)

int run_files_init(struct run_files *f, struct error *err)
{
	f->files = malloc(RUN_FILES_MAX * sizeof(*f->files));
	f->slots = calloc(SLOTS, sizeof(*f->slots));
	f->near = calloc(RUN_FILES_NEAR, sizeof(*f->near));
	f->owners = calloc(RUN_FILES_OWNERS, sizeof(*f->owners));
	f->seed = hash_u64((uint64_t)(uintptr_t)f->files ^ (uint64_t)(uintptr_t)f);
	return f->files && f->slots && f->near && f->owners ? 0 : error_nomem(err);
}

void run_files_done(struct run_files *f)
{
	free(f->files);
	free(f->slots);
	free(f->near);
	free(f->owners);
	arena_done(&f->paths);
	*f = (struct run_files){0};
}

bool run_files_full(const struct run_files *f)
{
	return f->count >= RUN_FILES_MAX || f->paths.total > RUN_FILES_BYTES;
}

/* Where the files of a process are chained up, with those of others. */
static uint32_t *owner_of(struct run_files *f, uint64_t process_key)
{
	return &f->owners[process_key % RUN_FILES_OWNERS];
}

static struct run_file *add(struct run_files *f, uint64_t process_key, struct sv path,
			    uint64_t hash, const struct ev *ev)
{
	struct run_file *file = &f->files[f->count];
	struct sv own = arena_sv(&f->paths, path);
	uint32_t *owner = owner_of(f, process_key);

	if (!own.p)
		return NULL;
	*file = (struct run_file){
	    .process_key = process_key,
	    .hash = hash,
	    .next = *owner,
	    .path = own,
	    .first_ts = ev->ts,
	    .first_evt = ev->num,
	};
	*owner = (uint32_t)++f->count;
	return file;
}

static struct run_file *look_up(struct run_files *f, uint64_t process_key, struct sv path,
				const struct ev *ev)
{
	uint64_t hash = hash_bytes(path.p, path.n, f->seed) ^ hash_u64(process_key);
	size_t at = hash & (SLOTS - 1);
	struct run_file *file;

	for (; f->slots[at]; at = (at + 1) & (SLOTS - 1)) {
		file = &f->files[f->slots[at] - 1];
		if (file->hash == hash && file->process_key == process_key &&
		    sv_eq(file->path, path))
			return file;
	}
	file = add(f, process_key, path, hash, ev);
	if (file)
		f->slots[at] = (uint32_t)f->count;
	return file;
}

struct run_file *run_files_get(struct run_files *f, uint64_t process_key, struct sv path,
			       const void *name, const struct ev *ev)
{
	struct run_file_near *near =
	    &f->near[hash_u64(process_key ^ (uint64_t)(uintptr_t)name) & (RUN_FILES_NEAR - 1)];
	struct run_file *file;

	if (LIKELY(name && near->name == name && near->file->process_key == process_key &&
		   sv_eq(near->file->path, path))) {
		file = near->file;
	} else {
		file = look_up(f, process_key, path, ev);
		if (file && name)
			*near = (struct run_file_near){name, file};
	}
	if (file && ev->ts > file->last_ts)
		file->last_ts = ev->ts;
	return file;
}

static int pass_on(const struct run_file *f, struct run_out *out, struct error *err)
{
	const struct qry_fact fact = {
	    .kind = QRY_FACT_FILE,
	    .count = 18,
	    .value = {qry_key(f->process_key), qry_text(f->path), qry_u64(f->opens),
		      qry_u64(f->refused), qry_u64(f->creates), qry_u64(f->reads),
		      qry_u64(f->writes), qry_u64(f->bytes_read), qry_u64(f->bytes_written),
		      qry_u64(f->renames), qry_u64(f->deletes), qry_u64(f->execs),
		      qry_u64(f->first_ts), qry_u64(f->last_ts), qry_u64(f->first_evt),
		      qry_u64_known(f->first_read_ts), qry_u64_known(f->first_write_ts),
		      qry_u64_known(f->last_write_ts)},
	};

	return out->ops->fact(out, &fact, err);
}

int run_files_of_ended(struct run_files *f, uint64_t process_key, struct run_out *out,
		       struct error *err)
{
	uint32_t *link = owner_of(f, process_key);
	int rc = 0;

	while (*link && rc == 0) {
		struct run_file *file = &f->files[*link - 1];

		if (file->process_key != process_key) {
			link = &file->next;
			continue;
		}
		if (out)
			rc = pass_on(file, out, err);
		file->process_key = 0;
		*link = file->next;
	}
	return rc;
}

int run_files_pass_on(struct run_files *f, struct run_out *out, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < f->count && out && rc == 0; i++)
		if (f->files[i].process_key)
			rc = pass_on(&f->files[i], out, err);
	if (f->count) {
		memset(f->slots, 0, SLOTS * sizeof(*f->slots));
		memset(f->near, 0, RUN_FILES_NEAR * sizeof(*f->near));
		memset(f->owners, 0, RUN_FILES_OWNERS * sizeof(*f->owners));
	}
	f->count = 0;
	if (f->paths.total > RUN_FILES_BYTES)
		arena_done(&f->paths);
	else
		arena_reset(&f->paths);
	return rc;
}
