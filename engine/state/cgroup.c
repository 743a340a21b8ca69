/* SPDX-License-Identifier: Apache-2.0 */
/* Which container a cgroup path belongs to: the path shapes of the container runtimes. */
#include "engine/state/internal.h"

#include <ctype.h>
#include <string.h>

#define FULL_ID	 64 /* hex digits of a container id */
#define SHORT_ID 12

static const char *find_last(struct sv s, struct sv what)
{
	if (what.n > s.n)
		return NULL;
	for (const char *p = s.p + (s.n - what.n);; p--) {
		if (memcmp(p, what.p, what.n) == 0)
			return p;
		if (p == s.p)
			return NULL;
	}
}

static const char *find_first(struct sv s, const char *what)
{
	return memmem(s.p, s.n, what, strlen(what));
}

static bool is_full_id(struct sv s)
{
	if (s.n != FULL_ID)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

static bool is_unit(struct sv path)
{
	return sv_ends(path, SV_LIT(".service")) || sv_ends(path, SV_LIT(".slice")) ||
	       sv_ends(path, SV_LIT(".scope"));
}

/* What stands between the last @prefix and the last @suffix; a loose match takes any short name
 * there. */
static struct sv between(struct sv path, struct sv prefix, struct sv suffix, bool loose)
{
	const char *start = find_last(path, prefix);
	const char *end = path.p + path.n;
	struct sv id;

	if (!start)
		return SV_NONE;
	start += prefix.n;
	if (suffix.n)
		end = find_last(path, suffix);
	if (!end || end <= start)
		return SV_NONE;
	id = sv_make(start, (size_t)(end - start));
	if (is_full_id(id))
		return sv_make(id.p, SHORT_ID);
	if (id.n > FULL_ID || !loose || is_unit(path))
		return SV_NONE;
	return sv_make(id.p, id.n < SHORT_ID ? id.n : SHORT_ID);
}

/* podman, docker, CRI runtimes: the shapes in which a full id appears. */
static struct sv match_runtimes(struct sv path)
{
	static const struct {
		const char *prefix, *suffix;
	} shapes[] = {
	    {"/libpod-", ".scope"},
	    {"/libpod-", ".scope/container"},
	    {"/libpod-", ""},
	    {"/libpod-payload-", ".scope"},
	    {"/libpod-payload-", ".scope/container"},
	    {"/libpod-payload-", ""},
	    {"/", ""},
	    {"/docker-", ".scope"},
	    {"/crio-", ""},
	    {"/cri-containerd-", ".scope"},
	    {"/crio-", ".scope"},
	    {":cri-containerd:", ""},
	    {"/nerdctl-", ".scope"},
	};

	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		struct sv id =
		    between(path, sv_of(shapes[i].prefix), sv_of(shapes[i].suffix), false);

		if (id.n)
			return id;
	}
	return SV_NONE;
}

/* Letters and digits in runs joined by single '.', '_' or '-'. */
static bool is_namespace(struct sv s)
{
	bool joined = true;

	for (size_t i = 0; i < s.n; i++) {
		bool separator = s.p[i] == '.' || s.p[i] == '_' || s.p[i] == '-';

		if (separator ? joined : !isalnum((unsigned char)s.p[i]))
			return false;
		joined = separator;
	}
	return !joined;
}

/* containerd: "/NAMESPACE/ID", the namespace being the first component that looks like one. */
static struct sv match_containerd(struct sv path)
{
	const char *end = path.p + path.n;
	const char *slash = memchr(path.p, '/', path.n);

	while (slash) {
		const char *next = memchr(slash + 1, '/', (size_t)(end - slash - 1));

		if (!next)
			break;
		if (is_namespace(sv_make(slash + 1, (size_t)(next - slash - 1))))
			return between(path, sv_make(slash, (size_t)(next - slash + 1)), SV_NONE,
				       true);
		slash = next;
	}
	return SV_NONE;
}

/* Up to the next @stop, or all. */
static struct sv up_to(const char *p, const char *end, const char *stop)
{
	const char *at = find_first(sv_make(p, (size_t)(end - p)), stop);

	return sv_make(p, (size_t)((at ? at : end) - p));
}

static struct sv match_lxc(struct sv path)
{
	static const char *const marks[] = {"/lxc/", "/lxc.payload/", "/lxc.payload."};

	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		const char *at = find_first(path, marks[i]);

		if (at)
			return up_to(at + strlen(marks[i]), path.p + path.n, "/");
	}
	return SV_NONE;
}

static struct sv match_libvirt(struct sv path)
{
	const char suffix[] = ".libvirt-lxc", escaped[] = "-lxc\\x2d", plain[] = "/libvirt/lxc/";
	const char *end = path.p + path.n;
	const char *at = find_first(path, suffix);
	const char *stop;

	if (at && at + strlen(suffix) == end) {
		const char *slash = memrchr(path.p, '/', (size_t)(at - path.p));

		slash = slash ? slash + 1 : path.p;
		return sv_make(slash, (size_t)(at - slash));
	}
	at = find_first(path, escaped);
	if (at) {
		at += strlen(escaped);
		stop = sv_ends(path, SV_LIT(".scope/libvirt")) ? end - strlen(".scope/libvirt")
		       : sv_ends(path, SV_LIT(".scope"))       ? end - strlen(".scope")
							       : NULL;
		if (stop && stop >= at)
			return sv_make(at, (size_t)(stop - at));
	}
	at = find_first(path, plain);
	if (at)
		return sv_make(at + strlen(plain), (size_t)(end - at) - strlen(plain));
	return SV_NONE;
}

static struct sv match_bpm(struct sv path)
{
	const char *at = find_first(path, "bpm-");
	struct sv id;

	if (!at)
		return SV_NONE;
	id = up_to(at + strlen("bpm-"), path.p + path.n, ".scope");
	for (size_t i = 0; i < id.n; i++)
		if (!isalnum((unsigned char)id.p[i]) && !strchr("._-", id.p[i]))
			return SV_NONE;
	return id;
}

struct sv state_cgroup_id(struct sv path, uint16_t *type)
{
	static const struct {
		struct sv (*match)(struct sv path);
		uint16_t type; /* what the path alone tells */
	} matchers[] = {
	    {match_runtimes, STATE_CT_UNKNOWN}, {match_containerd, STATE_CT_UNKNOWN},
	    {match_lxc, STATE_CT_LXC},		{match_libvirt, STATE_CT_LIBVIRT_LXC},
	    {match_bpm, STATE_CT_BPM},
	};

	*type = STATE_CT_UNKNOWN;
	for (size_t i = 0; path.n && i < COUNT_OF(matchers); i++) {
		struct sv id = matchers[i].match(path);

		if (id.n == 0)
			continue;
		*type = matchers[i].type;
		return id;
	}
	return SV_NONE;
}
