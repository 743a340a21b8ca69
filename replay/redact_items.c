/* SPDX-License-Identifier: Apache-2.0 */
/* Items: copies of them whose texts are rewritten. */
#include "replay/redact.h"

#include <stdlib.h>
#include <string.h>

#include "replay/redact_internal.h"

#define PEOPLE_FIRST 1000 /* uids of people, as Debian and Fedora give them */
#define PEOPLE_LAST  65533
#define TEXTS_MAX    16 /* of one item */

const char *redact_kind_name(enum redact_kind k)
{
	static const char *const names[] = {
#define X(sym, name) [REDACT_##sym] = (name),
	    REDACT_KINDS(X)
#undef X
	};

	return names[k];
}

/* ---- a redactor ---- */

static int add_strings(struct redact *r, struct error *err)
{
	const struct redact_list *l = &r->policy->strings;

	for (size_t i = 0; i < l->count; i++) {
		if (strlen(l->items[i]) < REDACT_STRING_MIN)
			return error_set(err, ERR_USAGE,
					 "'%s' is too short to be hidden: expected at least %d "
					 "bytes, since fewer occur by chance",
					 l->items[i], REDACT_STRING_MIN);
		redact_secret(r, REDACT_STRINGS, sv_of(l->items[i]), 0, false);
	}
	return 0;
}

static void add_person(struct redact *r, struct sv name)
{
	if (name.n < REDACT_WORD_MIN)
		r->report.short_names += r->gathering && name.n;
	else
		redact_secret(r, REDACT_USERS, name, 0, name.n < REDACT_STRING_MIN);
}

int redact_new(const struct redact_policy *policy, const void *key, size_t key_len,
	       struct redact **out, struct error *err)
{
	const struct state_options opt = {0};
	struct redact *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_nomem(err);
	r->policy = policy;
	r->gathering = true;
	if (key_len < REDACT_KEY_MIN)
		rc = error_set(err, ERR_USAGE, "a key of %zu bytes, expected at least %d", key_len,
			       REDACT_KEY_MIN);
	else
		rc = redact_names_init(&r->names, key, key_len, err);
	if (rc >= 0 && policy->paths.count)
		rc = state_new(&opt, &r->state, err);
	if (rc >= 0)
		rc = add_strings(r, err);
	for (size_t i = 0; rc >= 0 && i < policy->names.count; i++)
		add_person(r, sv_of(policy->names.items[i]));
	if (rc >= 0 && r->failed)
		rc = error_nomem(err);
	if (rc < 0) {
		redact_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	redact_match_done(&r->match);
	redact_match_done(&r->avoid);
	redact_match_done(&r->values);
	redact_names_done(&r->names);
	state_free(r->state);
	smap_done(&r->names_seen);
	arena_done(&r->name_texts);
	map_done(&r->parts);
	buf_done(&r->was);
	buf_done(&r->bytes);
	buf_done(&r->scratch);
	arena_done(&r->arena);
	free(r);
}

const struct redact_report *redact_report(const struct redact *r)
{
	return &r->report;
}

/* ---- copies ---- */

/* Gather the bytes of all texts of an item first: the buffer may move while it grows. */
struct texts {
	struct sv *at[TEXTS_MAX];
	enum redact_class class[TEXTS_MAX];
	const char *field[TEXTS_MAX];
	size_t start[TEXTS_MAX];
	unsigned n;
};

static void add_text(struct redact *r, struct texts *t, const char *field, struct sv *s,
		     enum redact_class c)
{
	t->at[t->n] = s;
	t->field[t->n] = field;
	t->class[t->n] = c;
	t->start[t->n++] = r->bytes.len;
	buf_sv(&r->bytes, *s);
}

static void rewrite_texts(struct redact *r, struct texts *t)
{
	if (r->bytes.failed) {
		r->failed = true;
		return;
	}
	for (unsigned i = 0; i < t->n; i++) {
		size_t n = t->at[i]->n;
		uint8_t *p = n ? (uint8_t *)r->bytes.p + t->start[i] : NULL;

		if (!n)
			continue;
		r->field = t->field[i];
		if (t->class[i] == RC_PATH)
			redact_path_value(r, SV_NONE, RC_PATH, p, n);
		else
			redact_value(r, t->class[i], p, n);
		t->at[i]->p = (const char *)p;
	}
}

/* All of a text, whatever has become of it. */
static void hide_text(struct redact *r, const struct texts *t, unsigned i)
{
	size_t n = t->at[i]->n;

	if (n)
		redact_well(r, redact_hide, (uint8_t *)r->bytes.p + t->start[i], n, 0, n);
}

static void thread_item(struct redact *r, struct ev_item *item)
{
	struct ev_thread_entry *e = &r->thread;
	struct texts t = {0};
	bool hidden;
	size_t keep;

	*e = *item->thread;
	item->thread = e;
	hidden = redact_path_matches(r, e->exepath, &keep);
	add_text(r, &t, "process comm", &e->comm, RC_TEXT);
	add_text(r, &t, "process exe", &e->exe, RC_COMMAND);
	add_text(r, &t, "process exepath", &e->exepath, RC_PATH);
	add_text(r, &t, "process cwd", &e->cwd, RC_PATH);
	add_text(r, &t, "process root", &e->root, RC_PATH);
	add_text(r, &t, "process args", &e->args, RC_ARGUMENTS);
	add_text(r, &t, "process env", &e->env, RC_ENVIRONMENT);
	add_text(r, &t, "process cgroups", &e->cgroups, RC_STRINGS);
	rewrite_texts(r, &t);
	if (hidden && !r->failed) {
		hide_text(r, &t, 0);
		if (e->exe.n && e->exe.p[0] != '/')
			hide_text(r, &t, 1);
	}
}

static void fd_item(struct redact *r, struct ev_item *item)
{
	struct ev_fd_entry *e = &r->fd;
	struct texts t = {0};

	*e = *item->fd;
	item->fd = e;
	add_text(r, &t, "fd name", &e->name, e->name.n && e->name.p[0] == '/' ? RC_PATH : RC_TEXT);
	rewrite_texts(r, &t);
	if (e->type == EV_FD_IPV4_SOCK || e->type == EV_FD_IPV6_SOCK) {
		redact_address(r, e->sip, e->type == EV_FD_IPV4_SOCK ? 4 : 16);
		redact_address(r, e->dip, e->type == EV_FD_IPV4_SOCK ? 4 : 16);
	} else if (e->type == EV_FD_IPV4_SERVSOCK || e->type == EV_FD_IPV6_SERVSOCK) {
		redact_address(r, e->sip, e->type == EV_FD_IPV4_SERVSOCK ? 4 : 16);
	}
}

/* A broadcast address belongs to its network. */
static void interface_item(struct redact *r, struct ev_item *item)
{
	struct ev_interface *e = &r->interface;
	size_t n = item->interface->ipv6 ? 16 : 4;
	struct texts t = {0};

	*e = *item->interface;
	item->interface = e;
	add_text(r, &t, "interface name", &e->name, RC_TEXT);
	rewrite_texts(r, &t);
	redact_address(r, e->addr, n);
	for (size_t i = 0; r->policy->addresses && i < n; i++)
		e->bcast[i] = e->bcast[i] ? e->addr[i] | (uint8_t)~e->netmask[i] : 0;
}

static bool is_person(uint32_t id)
{
	return id >= PEOPLE_FIRST && id <= PEOPLE_LAST;
}

static void user_item(struct redact *r, struct ev_item *item)
{
	bool group = item->kind == EV_ITEM_GROUP;
	struct ev_user *e = &r->user;
	struct texts t = {0};

	*e = *item->user;
	item->user = e;
	if (r->gathering && r->policy->users && is_person(group ? e->gid : e->uid)) {
		const char *slash = e->home.n ? memrchr(e->home.p, '/', e->home.n) : NULL;

		add_person(r, e->name);
		if (slash)
			add_person(r, sv_drop(e->home, (size_t)(slash + 1 - e->home.p)));
	}
	add_text(r, &t, "user name", &e->name, RC_USER);
	add_text(r, &t, "user home", &e->home, RC_USER);
	add_text(r, &t, "user shell", &e->shell, RC_TEXT);
	rewrite_texts(r, &t);
	if (r->policy->users && e->name.n && e->name.n < REDACT_WORD_MIN &&
	    is_person(group ? e->gid : e->uid) && !r->failed)
		hide_text(r, &t, 0);
}

static void machine_item(struct redact *r, struct ev_item *item)
{
	struct texts t = {0};

	r->machine = *item->machine;
	item->machine = &r->machine;
	if (r->gathering && r->policy->host)
		redact_secret(r, REDACT_HOST, r->machine.hostname, 0,
			      r->machine.hostname.n < REDACT_STRING_MIN);
	add_text(r, &t, "host name", &r->machine.hostname, RC_TEXT);
	rewrite_texts(r, &t);
	if (r->policy->host && r->machine.hostname.n < REDACT_WORD_MIN && !r->failed) {
		hide_text(r, &t, 0);
		r->report.short_names += r->gathering && r->machine.hostname.n;
		redact_count(r, REDACT_HOST);
	}
}

/* People who are added later. */
static void gather_added(struct redact *r)
{
	bool user = r->ev.type == EV_USER_ADDED_E;
	uint32_t id;

	if (!r->gathering || !r->policy->users || (!user && r->ev.type != EV_GROUP_ADDED_E) ||
	    !ev_u32(&r->ev, 0, &id) || !is_person(id) || !ev_param(&r->ev, user ? 2 : 1).n)
		return;
	add_person(r, ev_str(&r->ev, user ? 2 : 1));
}

static void event_item(struct redact *r, struct ev_item *item)
{
	struct ev *ev = &r->ev;

	*ev = *item->ev;
	if (ev->nparams) {
		ev_locate(ev, ev->nparams - 1u);
		buf_add(&r->bytes, ev->data, ev->at[ev->nparams]);
		if (r->bytes.failed) {
			r->failed = true;
			return;
		}
	}
	gather_added(r);
	redact_event(r);
	/* Only now: names are looked up by what the parameters said. */
	if (r->bytes.len)
		ev->data = (const uint8_t *)r->bytes.p;
	item->ev = ev;
}

static void rewrite(struct redact *r, struct ev_item *item)
{
	buf_reset(&r->bytes);
	switch (item->kind) {
	case EV_ITEM_EVENT:
	case EV_ITEM_URING:
	case EV_ITEM_HASH:
	case EV_ITEM_FACTS:
		event_item(r, item);
		break;
	case EV_ITEM_THREAD:
		thread_item(r, item);
		break;
	case EV_ITEM_FD:
		fd_item(r, item);
		break;
	case EV_ITEM_INTERFACE:
		interface_item(r, item);
		break;
	case EV_ITEM_USER:
	case EV_ITEM_GROUP:
		user_item(r, item);
		break;
	case EV_ITEM_MACHINE:
		machine_item(r, item);
		break;
	case EV_ITEM_SECTION: /* without its comments */
	case EV_ITEM_LISTS_RESET:
	case EV_ITEM_LOSS: /* numbers */
		break;
	}
}

/* ---- the two passes ---- */

static int outcome(const struct redact *r, struct error *err)
{
	if (r->full)
		return error_set(err, ERR_LIMIT,
				 "over %d texts or %u bytes of them are to be hidden wherever "
				 "they stand",
				 REDACT_STRINGS_MAX, REDACT_BYTES_MAX);
	return r->failed || r->names.failed ? error_nomem(err) : 0;
}

/* The state is behind the item that is rewritten: relative paths are of the time before. */
static int step(struct redact *r, struct ev_item *item, struct error *err)
{
	const struct ev_item was = *item;
	struct state_binding b;
	int rc;

	rewrite(r, item);
	if (r->state) {
		rc = state_feed(r->state, &was, &b, err);
		if (rc < 0)
			return rc;
	}
	return outcome(r, err);
}

int redact_gather(struct redact *r, const struct ev_item *item, struct error *err)
{
	struct ev_item copy = *item;

	return step(r, &copy, err);
}

int redact_ready(struct redact *r, struct error *err)
{
	const struct state_options opt = {0};

	redact_choose(r);
	r->report.everywhere = r->match.texts.count;
	r->gathering = false;
	if (r->state) { /* from the start once more */
		state_free(r->state);
		r->state = NULL;
		if (state_new(&opt, &r->state, err) < 0)
			return ERR_NOMEM;
	}
	return outcome(r, err);
}

int redact_item(struct redact *r, struct ev_item *item, struct error *err)
{
	int rc = step(r, item, err);

	if (rc < 0)
		return rc;
	if (redact_is_left(r, item))
		return error_set(err, ERR_FORMAT, "a text that was to be hidden is still there");
	return rc;
}
