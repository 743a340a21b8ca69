/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/selection.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "capture/wire.h"

#define CGROUP2_MAGIC 0x63677270
#define NAMES_TOLD    8 /* rules named in one warning */

static const char *const cgroup_roots[] = {"", "/sys/fs/cgroup/", "/sys/fs/cgroup/unified/"};

void cli_selection_init(struct cli_selection *s)
{
	*s = (struct cli_selection){0};
	rec_options_init(&s->rec);
}

/* --- options --- */

static int bad(const char *option, const char *value, const char *expected)
{
	cli_log(CLI_ERROR, "--%s %s: expected %s", option, value, expected);
	return CLI_USAGE;
}

static int too_many(const char *option)
{
	cli_log(CLI_ERROR, "--%s was given more than %d times", option, REC_FILTER_MAX);
	return CLI_USAGE;
}

static int take_snaplen(struct cli_selection *s, const char *value)
{
	uint64_t n;

	if (!cli_parse_u64(value, &n) || n > WIRE_SNAPLEN_MAX)
		return bad("snaplen", value, "a number of bytes up to 65000");
	s->rec.snaplen = (uint32_t)n;
	return 0;
}

static bool parse_port(struct sv text, uint16_t *port)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || n > 65535)
			return false;
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	}
	*port = (uint16_t)n;
	return text.n && n >= 1 && n <= 65535;
}

static int take_full_ports(struct cli_selection *s, const char *value)
{
	size_t n = strcspn(value, "-");
	uint16_t *ports = s->rec.full_ports;
	bool ok = parse_port(sv_make(value, n), &ports[0]);

	ports[1] = ports[0];
	if (value[n])
		ok = parse_port(sv_of(value + n + 1), &ports[1]) && ok;
	return ok && ports[0] <= ports[1]
		   ? 0
		   : bad("full-ports", value, "a port, or two with '-' between them");
}

static int take_port(struct cli_selection *s, const char *value)
{
	if (s->rec.nports == REC_FILTER_MAX)
		return too_many("port");
	return parse_port(sv_of(value), &s->rec.ports[s->rec.nports++])
		   ? 0
		   : bad("port", value, "a number from 1 to 65535");
}

static int take_pid(struct cli_selection *s, const char *value)
{
	uint64_t pid;

	if (s->rec.npids == REC_FILTER_MAX)
		return too_many("pid");
	if (!cli_parse_u64(value, &pid) || pid < 1 || pid > INT32_MAX)
		return bad("pid", value, "the number of a process");
	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH) {
		cli_log(CLI_ERROR, "--pid %s: there is no such process", value);
		return CLI_INPUT;
	}
	s->rec.pids[s->rec.npids++] = (int64_t)pid;
	return 0;
}

static int take_comm(struct cli_selection *s, const char *value)
{
	size_t n = strlen(value);

	if (s->rec.ncomms == REC_FILTER_MAX)
		return too_many("comm");
	if (n < 1 || n > 15)
		return bad("comm", value, "a name of 1 to 15 bytes; the kernel keeps no more");
	memcpy(s->rec.comms[s->rec.ncomms++], value, n + 1);
	return 0;
}

/* The id of a cgroup is the inode number of its directory; a number is an id. */
static int take_cgroup(struct cli_selection *s, const char *value)
{
	bool found = false;
	uint64_t id;

	if (s->rec.ncgroups == REC_FILTER_MAX)
		return too_many("cgroup");
	if (cli_parse_u64(value, &id)) {
		s->rec.cgroups[s->rec.ncgroups++] = id;
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(cgroup_roots); i++) {
		char path[4096];
		struct statfs fs;
		struct stat sb;

		snprintf(path, sizeof(path), "%s%s", cgroup_roots[i], value);
		if (stat(path, &sb) != 0 || !S_ISDIR(sb.st_mode))
			continue;
		found = true;
		if (statfs(path, &fs) == 0 && fs.f_type == CGROUP2_MAGIC) {
			s->rec.cgroups[s->rec.ncgroups++] = sb.st_ino;
			return 0;
		}
	}
	cli_log(CLI_ERROR, "--cgroup %s: %s", value,
		found ? "this directory is no cgroup of version 2"
		      : "there is no such directory, here or below /sys/fs/cgroup");
	return CLI_INPUT;
}

static int take_ring_size(struct cli_selection *s, const char *value)
{
	uint64_t bytes, whole = REC_RING_BYTES_MIN;

	if (!cli_parse_size(value, &bytes) || bytes < REC_RING_BYTES_MIN ||
	    bytes > REC_RING_BYTES_MAX)
		return bad("ring-size", value, "a size from 64K to 1G");
	while (whole < bytes)
		whole *= 2;
	s->rec.ring_bytes = whole;
	return 0;
}

static int take_max_cpu(struct cli_selection *s, const char *value)
{
	size_t n = strlen(value);
	uint64_t percent;
	char digits[8];

	if (n && value[n - 1] == '%')
		n--;
	snprintf(digits, sizeof(digits), "%.*s", n < sizeof(digits) ? (int)n : 0, value);
	if (!cli_parse_u64(digits, &percent) || percent < 1 || percent > 1000)
		return bad("max-cpu", value, "percent of one CPU, from 1 to 1000");
	s->max_cpu = (unsigned)percent;
	return 0;
}

int cli_selection_take(struct cli_selection *s, int id, const char *value)
{
	switch (id) {
	case OPT_SYSCALLS:
		s->syscalls = value;
		return 0;
	case 's':
		return take_snaplen(s, value);
	case OPT_DYNAMIC_SNAPLEN:
		s->rec.dynamic_snaplen = true;
		return 0;
	case OPT_FULL_PORTS:
		return take_full_ports(s, value);
	case OPT_PID:
		return take_pid(s, value);
	case OPT_CGROUP:
		return take_cgroup(s, value);
	case OPT_COMM:
		return take_comm(s, value);
	case OPT_PORT:
		return take_port(s, value);
	case OPT_WITH_SELF:
		s->rec.with_self = true;
		return 0;
	case OPT_ENTRY_COPIES:
		s->rec.entry_copies = true;
		return 0;
	case OPT_IO_URING:
		s->rec.io_uring = true;
		return 0;
	case OPT_HASH_EXECS:
		s->rec.hash_execs = true;
		return 0;
	case OPT_RING_SIZE:
		return take_ring_size(s, value);
	case OPT_MEMORY:
		return cli_parse_size(value, &s->rec.memory_bytes)
			   ? 0
			   : bad("memory", value, "a size such as 64M or 1G");
	case OPT_MAX_CPU:
		return take_max_cpu(s, value);
	default:
		return -1;
	}
}

/* --- what conditions need --- */

void cli_selection_add_types(struct cli_selection *s, const struct flt_types *types)
{
	for (size_t i = 0; i < COUNT_OF(types->bits); i++)
		s->types.bits[i] |= types->bits[i];
	s->for_types = true;
}

/* Reads and writes: most of what happens on a busy host. */
static bool is_high_volume(unsigned type)
{
	unsigned category = ev_table[type].category & EC_LOW_MASK;

	return category == EC_IO_READ || category == EC_IO_WRITE;
}

static bool needs_high_volume(const struct rule *r)
{
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		if (flt_types_has(r->types, type) && is_high_volume(type) && ev_type_is_exit(type))
			return true;
	return false;
}

static void tell_high_volume(const struct rule_engine *e)
{
	size_t n, found = 0;
	const struct rule *rules = rule_engine_rules(e, &n);
	struct buf b = {0};

	for (size_t i = 0; i < n; i++) {
		if (!rules[i].enabled || !rules[i].types || !needs_high_volume(&rules[i]))
			continue;
		if (found++ >= NAMES_TOLD)
			continue;
		buf_addf(&b, "%s'", found > 1 ? ", " : "");
		buf_sv(&b, rules[i].name);
		buf_addf(&b, "' (%s:%u)", rules[i].file, rules[i].line);
	}
	if (found > NAMES_TOLD)
		buf_addf(&b, " and %zu more", found - NAMES_TOLD);
	if (found)
		cli_log(
		    CLI_WARNING,
		    "reads and writes are recorded, which are most of what happens, because of %s",
		    buf_cstr(&b));
	buf_done(&b);
}

void cli_selection_add_rules(struct cli_selection *s, const struct rule_engine *e)
{
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		if (rule_engine_wants(e, type))
			s->types.bits[type / 64] |= 1ull << type % 64;
	s->for_types = true;
	tell_high_volume(e);
}

/*
 * A list that starts by removing starts from what would be recorded without it. One that names
 * things is added to the calls that keep the state right, because captures without those cannot say
 * whose file it was; "none" takes them away.
 */
int cli_selection_finish(struct cli_selection *s)
{
	struct rec_set *set = &s->rec.set;
	bool removes = s->syscalls && s->syscalls[0] == '!';
	struct error err = {0};

	*set = (struct rec_set){0};
	s->rec.exact_set = true; /* what the list removes is to be missing */
	rec_set_add_preset(set, REC_SET_STATE);
	if (!s->for_types && (!s->syscalls || removes))
		rec_set_add_preset(set, REC_SET_ALL);
	for (unsigned type = 0; s->for_types && type < EV_TYPE_COUNT; type++)
		if (flt_types_has(&s->types, type))
			rec_set_add_event(set, type);
	if (s->syscalls && rec_set_parse(set, sv_of(s->syscalls), &err) < 0) {
		cli_log(CLI_ERROR, "--syscalls %s: %s", s->syscalls, err.msg);
		return CLI_USAGE;
	}
	if (rec_set_count(set))
		return 0;
	cli_log(CLI_ERROR, "--syscalls %s: nothing is left to record", s->syscalls);
	return CLI_USAGE;
}
