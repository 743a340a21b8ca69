/* SPDX-License-Identifier: Apache-2.0 */
/* The table of fields, and finding the row and argument that a text names. */
#include "engine/filter/fields.h"

#include <stdio.h>

/* How fields.def spells flags. */
#define OWN    FLT_FIELD_PROCESS
#define TYPE   FLT_FIELD_TYPE_ONLY
#define OLD    FLT_FIELD_DEPRECATED
#define HIDE   FLT_FIELD_HIDDEN
#define SUGG   FLT_FIELD_SUGGESTED
#define FILTER FLT_FIELD_FILTER_ONLY
#define PRINT  FLT_FIELD_PRINT_ONLY
#define LIST   FLT_FIELD_LIST
#define NORHS  (FLT_FIELD_NO_RHS | FLT_FIELD_NO_TRANSFORMER)

/* Whether a form may or must have an argument. */
#define RULE_NONE     FLT_ARG_NONE
#define RULE_INDEX    FLT_ARG_OPTIONAL
#define RULE_ENV      FLT_ARG_OPTIONAL
#define RULE_ABSPATH  FLT_ARG_OPTIONAL
#define RULE_PARAM    FLT_ARG_REQUIRED
#define RULE_RAWPARAM FLT_ARG_REQUIRED
#define RULE_EVENT    FLT_ARG_REQUIRED
#define RULE_TIME     FLT_ARG_REQUIRED
#define RULE_SUBSYS   FLT_ARG_REQUIRED
#define RULE_SELECT   FLT_ARG_REQUIRED
#define RULE_KEY      FLT_ARG_REQUIRED

#define FIELD(name_, cls_, type_, format_, form_, flags_, extract_, code_, arg_help_, help_)       \
	{.name = (name_),                                                                          \
	 .cls = (cls_),                                                                            \
	 .type = PT_##type_,                                                                       \
	 .format = PF_##format_,                                                                   \
	 .arg = RULE_##form_,                                                                      \
	 .flags = (flags_),                                                                        \
	 .arg_help = (arg_help_),                                                                  \
	 .help = (help_)},
const struct flt_field_info flt_field_table[] = {
#include "engine/filter/fields.def"
};
#undef FIELD
const size_t flt_field_count = COUNT_OF(flt_field_table);

/* What listings do not need, row by row. */
static const struct field_impl {
	flt_extract_fn extract;
	uint16_t code;
	uint8_t form, name_len;
} impls[] = {
#define FIELD(name_, cls_, type_, format_, form_, flags_, extract_, code_, arg_help_, help_)       \
	{extract_, (code_), FORM_##form_, sizeof(name_) - 1},
#include "engine/filter/fields.def"
#undef FIELD
};

static const char *const forms_text[] = {
    [FORM_NONE] = "takes no argument",
    [FORM_INDEX] = "takes an index, [N]",
    [FORM_ENV] = "takes [N] or [NAME]",
    [FORM_PARAM] = "needs .NAME or [N] of a parameter",
    [FORM_RAWPARAM] = "needs .NAME of a parameter",
    [FORM_EVENT] = "needs .NAME of an event",
    [FORM_TIME] = "needs a time, [T]",
    [FORM_ABSPATH] = "takes .src or .dst",
    [FORM_SUBSYS] = "needs .NAME of a cgroup subsystem",
    [FORM_SELECT] = "needs [N] or [REGEX]",
    [FORM_KEY] = "needs a key, [KEY]",
};

/* A field text taken apart. */
struct named {
	size_t row;
	bool dotted; /* the argument was written .NAME */
	bool has_arg;
	struct sv arg;
};

static bool find_row(struct sv name, size_t *row)
{
	for (size_t i = 0; i < COUNT_OF(impls); i++)
		if (impls[i].name_len == name.n &&
		    memcmp(flt_field_table[i].name, name.p, name.n) == 0) {
			*row = i;
			return true;
		}
	return false;
}

static bool form_is_dotted(uint8_t form)
{
	return form == FORM_PARAM || form == FORM_RAWPARAM || form == FORM_EVENT ||
	       form == FORM_SUBSYS || form == FORM_ABSPATH;
}

/* Find the row of @name, whose last part may be the argument. */
static bool find_named(struct sv name, bool has_arg, struct sv arg, struct named *out)
{
	const char *dot;

	*out = (struct named){.has_arg = has_arg, .arg = arg};
	if (find_row(name, &out->row))
		return true;
	dot = name.n ? memrchr(name.p, '.', name.n) : NULL;
	if (!dot || has_arg)
		return false;
	out->dotted = out->has_arg = true;
	out->arg = sv_drop(name, (size_t)(dot - name.p) + 1);
	return find_row(sv_make(name.p, (size_t)(dot - name.p)), &out->row) &&
	       form_is_dotted(impls[out->row].form);
}

static bool parse_index(struct sv arg, bool leading_zeros, int64_t *out)
{
	int64_t n = 0;

	if (arg.n == 0 || (!leading_zeros && arg.n > 1 && arg.p[0] == '0'))
		return false;
	for (size_t i = 0; i < arg.n; i++)
		if (arg.p[i] < '0' || arg.p[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, arg.p[i] - '0', &n))
			return false;
	*out = n;
	return true;
}

/* The first event with a parameter called @name; false: there is none. */
static bool first_with_param(struct sv name, unsigned *type, unsigned *index)
{
	for (unsigned t = 0; t < EV_TYPE_COUNT; t++)
		for (unsigned i = 0; i < ev_table[t].nparams; i++)
			if (sv_is(name, ev_table[t].params[i].name)) {
				*type = t;
				*index = i;
				return true;
			}
	return false;
}

static bool first_event(struct sv name, int64_t *type)
{
	for (unsigned t = 0; t < EV_TYPE_COUNT; t++)
		if (!(ev_table[t].flags & EF_UNUSED) && sv_is(name, ev_table[t].name)) {
			*type = t;
			return true;
		}
	return false;
}

static bool is_subsystem(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_' && ((s.p[i] | 0x20) < 'a' || (s.p[i] | 0x20) > 'z'))
			return false;
	return s.n > 0;
}

/* Does the argument (there is one) fit the field's form? *index receives its number, or stays. */
static bool argument_fits(const struct named *n, int64_t *index, bool *is_index)
{
	uint8_t form = impls[n->row].form;
	unsigned type, param;

	switch (form) {
	case FORM_NONE:
		return false;
	case FORM_INDEX:
	case FORM_TIME:
		return *is_index = parse_index(n->arg, true, index);
	case FORM_ENV:
		*is_index = parse_index(n->arg, true, index);
		return true;
	case FORM_SELECT:
		*is_index = parse_index(n->arg, false, index);
		return n->arg.n > 0;
	case FORM_KEY:
		return true;
	case FORM_PARAM:
		if (!n->dotted)
			return *is_index = parse_index(n->arg, true, index);
		return first_with_param(n->arg, &type, &param);
	case FORM_RAWPARAM:
		return n->dotted && first_with_param(n->arg, &type, &param);
	case FORM_EVENT:
		return n->dotted && first_event(n->arg, index);
	case FORM_SUBSYS:
		return n->dotted && is_subsystem(n->arg);
	case FORM_ABSPATH:
		return n->dotted && (sv_is(n->arg, "src") || sv_is(n->arg, "dst"));
	}
	return false;
}

/* "name[arg]" or "name['arg']" split at the bracket. */
static bool split_text(struct sv text, struct sv *name, bool *has_arg, struct sv *arg)
{
	const char *open = text.n ? memchr(text.p, '[', text.n) : NULL;

	*name = text;
	*has_arg = open != NULL;
	*arg = SV_NONE;
	if (!open)
		return true;
	name->n = (size_t)(open - text.p);
	*arg = sv_drop(text, name->n + 1);
	if (arg->n == 0 || arg->p[arg->n - 1] != ']')
		return false;
	arg->n--;
	if (arg->n >= 2 && (arg->p[0] == '"' || arg->p[0] == '\'') &&
	    arg->p[arg->n - 1] == arg->p[0])
		*arg = sv_make(arg->p + 1, arg->n - 2);
	return true;
}

const struct flt_field_info *flt_field_find(struct sv text)
{
	struct sv name, arg;
	struct named n;
	int64_t index;
	bool has_arg, is_index;

	if (!split_text(text, &name, &has_arg, &arg) || !find_named(name, has_arg, arg, &n))
		return NULL;
	if (n.has_arg ? !argument_fits(&n, &index, &is_index)
		      : flt_field_table[n.row].arg == FLT_ARG_REQUIRED)
		return NULL;
	return &flt_field_table[n.row];
}

/* For evt.arg.NAME: where each event type has that parameter, -1 where it does not. */
static const int8_t *param_map(struct arena *arena, const char *name)
{
	int8_t *map = arena_alloc(arena, EV_TYPE_COUNT);

	for (unsigned t = 0; map && t < EV_TYPE_COUNT; t++)
		map[t] = (int8_t)ev_param_index(t, name);
	return map;
}

#define SHOWN_MAX 100 /* bytes of a name or argument in messages */

static int unknown(struct error *err, struct sv name, bool has_arg, struct sv arg, const char *why)
{
	int name_n = (int)(name.n < SHOWN_MAX ? name.n : SHOWN_MAX);
	int arg_n = (int)(arg.n < SHOWN_MAX ? arg.n : SHOWN_MAX);
	char shown[2 * SHOWN_MAX + 3];
	const char *meant;

	snprintf(shown, sizeof(shown), has_arg ? "%.*s[%.*s]" : "%.*s", name_n,
		 name.n ? name.p : "", arg_n, arg.n ? arg.p : "");
	if (why)
		return error_set(err, ERR_COMPILE, "nonexistent field %s: it %s", shown, why);
	meant = flt_field_suggest(name);
	if (meant)
		return error_set(err, ERR_COMPILE, "nonexistent field %s; did you mean %s?", shown,
				 meant);
	return error_set(err, ERR_COMPILE, "nonexistent field %s", shown);
}

/* Give @f what the written name stands for. */
static int fill(struct flt_field *f, const struct named *n, struct arena *arena, struct error *err)
{
	const struct field_impl *impl = &impls[n->row];
	const struct flt_field_info *info = &flt_field_table[n->row];
	unsigned type, param;

	f->info = info;
	f->extract = impl->extract;
	f->code = impl->code;
	f->type = info->type;
	f->format = info->format;
	f->is_list = info->flags & FLT_FIELD_LIST;
	f->has_arg = n->has_arg;
	if (!n->has_arg)
		return 0;
	f->arg = arena_sv(arena, n->arg);
	if (!f->arg.p)
		return error_nomem(err);
	if (impl->form == FORM_SELECT && !f->arg_is_index)
		return flt_mount_pattern_new(f, err);
	if ((impl->form != FORM_PARAM && impl->form != FORM_RAWPARAM) || f->arg_is_index)
		return 0;
	f->data = param_map(arena, f->arg.p);
	if (impl->form == FORM_RAWPARAM && first_with_param(n->arg, &type, &param)) {
		f->type = ev_table[type].params[param].type;
		f->format = ev_table[type].params[param].format;
	}
	return f->data ? 0 : error_nomem(err);
}

static int printed_form(struct flt_field *f, struct arena *arena, struct sv name, bool has_arg,
			struct sv arg)
{
	struct flt_expr e = {.kind = FLT_EXPR_FIELD, .text = name, .has_arg = has_arg, .arg = arg};
	struct buf b = {0};

	flt_print_expr(&b, &e);
	if (!b.failed)
		f->text = arena_sv(arena, buf_view(&b));
	buf_done(&b);
	return f->text.p ? 0 : ERR_NOMEM;
}

static const struct flt_static *find_static(const struct flt_options *opt, struct sv name)
{
	const struct flt_static *s = opt ? opt->statics : NULL;

	if (!sv_starts(name, SV_LIT("static.")))
		return NULL;
	for (; s && s->name; s++)
		if (sv_is(sv_drop(name, strlen("static.")), s->name))
			return s;
	return NULL;
}

/* static.NAME: a row of its own, as the names are the embedding program's. */
static int fill_static(struct flt_field *f, const struct flt_static *s, struct arena *arena,
		       struct sv name, struct error *err)
{
	struct flt_field_info *info = arena_zalloc(arena, 1, sizeof(*info));

	f->data = arena_strdup(arena, s->value ? s->value : "");
	if (!info || !f->data)
		return error_nomem(err);
	info->name = arena_strndup(arena, name.p, name.n);
	if (!info->name)
		return error_nomem(err);
	info->cls = "static";
	info->type = PT_CHARBUF;
	info->flags = FLT_FIELD_SUGGESTED;
	info->arg_help = "";
	info->help = "constant text from the configuration";
	f->info = info;
	f->extract = flt_x_static;
	f->type = info->type;
	return 0;
}

static int resolve(struct flt_field *f, const struct flt_options *opt, struct arena *arena,
		   struct sv name, bool has_arg, struct sv arg, struct error *err)
{
	const struct flt_static *s;
	struct named n;

	if (!find_named(name, has_arg, arg, &n)) {
		s = has_arg ? NULL : find_static(opt, name);
		return s ? fill_static(f, s, arena, name, err)
			 : unknown(err, name, has_arg, arg, NULL);
	}
	if (n.has_arg ? !argument_fits(&n, &f->index, &f->arg_is_index)
		      : flt_field_table[n.row].arg == FLT_ARG_REQUIRED)
		return unknown(err, name, has_arg, arg, forms_text[impls[n.row].form]);
	return fill(f, &n, arena, err);
}

int flt_field_resolve(const struct flt_options *opt, struct arena *arena, struct sv name,
		      bool has_arg, struct sv arg, enum flt_purpose purpose, struct flt_field **out,
		      struct error *err)
{
	struct flt_field *f = arena_zalloc(arena, 1, sizeof(*f));
	int rc;

	if (!f)
		return error_nomem(err);
	f->purpose = purpose;
	rc = resolve(f, opt, arena, name, has_arg, arg, err);
	if (rc < 0)
		return rc;
	if (printed_form(f, arena, name, has_arg, arg) < 0) {
		flt_field_done(f);
		return error_nomem(err);
	}
	*out = f;
	return 0;
}

void flt_field_done(struct flt_field *f)
{
	if (f->extract == flt_x_ct_mount)
		flt_mount_pattern_free(f);
}

bool flt_field_is_stateful(const struct flt_field *f)
{
	return f->extract == flt_x_deltatime || f->extract == flt_x_util_cnt ||
	       f->extract == flt_x_exectime || f->extract == flt_x_totexectime ||
	       f->extract == flt_x_cpu_percent;
}

struct flt_types flt_field_absent(const struct flt_field *f)
{
	bool is_fd = strcmp(f->info->cls, "fd") == 0; /* all of them: see flt_is_fd_event() */
	bool is_param = f->data && (f->extract == flt_x_arg || f->extract == flt_x_rawarg);
	const unsigned on_fds = EF_CREATES_FD | EF_DESTROYS_FD | EF_USES_FD;
	struct flt_types absent = {0};

	for (unsigned type = 0; (is_fd || is_param) && type < EV_TYPE_COUNT; type++)
		if (is_fd ? !(ev_table[type].flags & on_fds) : ((const int8_t *)f->data)[type] < 0)
			absent.bits[type / 64] |= 1ull << type % 64;
	return absent;
}

const char *flt_field_type_name(const struct flt_field_info *f)
{
	static const char *const names[PT_COUNT] = {
	    [PT_INT8] = "int8",	    [PT_INT16] = "int16",      [PT_INT32] = "int32",
	    [PT_INT64] = "int64",   [PT_UINT8] = "uint8",      [PT_UINT16] = "uint16",
	    [PT_UINT32] = "uint32", [PT_UINT64] = "uint64",    [PT_CHARBUF] = "string",
	    [PT_BYTEBUF] = "bytes", [PT_ERRNO] = "errno",      [PT_FD] = "fd",
	    [PT_PID] = "pid",	    [PT_FSPATH] = "path",      [PT_RELTIME] = "duration",
	    [PT_ABSTIME] = "time",  [PT_PORT] = "port",	       [PT_BOOL] = "bool",
	    [PT_DYN] = "parameter", [PT_DOUBLE] = "double",    [PT_IPADDR] = "address",
	    [PT_IPNET] = "network", [PT_IPV4ADDR] = "address", [PT_UID] = "uid",
	    [PT_GID] = "gid",	    [PT_FSRELPATH] = "path",   [PT_IPV6ADDR] = "address",
	};

	return f->type < PT_COUNT && names[f->type] ? names[f->type] : "other";
}
