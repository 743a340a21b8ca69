/* SPDX-License-Identifier: Apache-2.0 */
/* Every field on every event type, with parameters of sizes that no recorder would write. */
#include "engine/filter/tests/show.h"

struct renderer {
	struct flt_program *program;
	struct flt_format *format;
	struct flt_ctx *cx;
	struct buf text;
};

static const char *const with_arguments[] = {
    "%evt.arg[0] %evt.arg[1] %evt.arg[31] %evt.arg.fd %evt.arg.name %evt.arg.data %evt.rawarg.res ",
    "%evt.rawarg.fd %evt.rawarg.data %evt.rawarg.tuple %evt.rawarg.fds %evt.rawarg.name ",
    "%evt.rawarg.val %evt.rawarg.mode %evt.rawarg.timeout %evt.rawarg.sigmask %evt.rawarg.addr ",
    "%evt.abspath.src %evt.abspath.dst %evt.type.is.open %thread.cgroup.cpu %proc.args[0] ",
    "%proc.aname[1000000] %proc.aname[1] %proc.env[HOME] %proc.aenv[HOME] %proc.aenv[3] ",
    "%fd.types[3] %container.label[a] %container.mount[0] %container.mount.source[.*] ",
    "%container.mount.dest[b] %container.mount.mode[0] %container.mount.rdwr[0] ",
    "%container.mount.propagation[0] %k8s.pod.label[a] %evt.around[5]",
};

static void open_renderer(struct renderer *r, const struct state *st)
{
	struct buf all = {0};

	*r = (struct renderer){0};
	buf_char(&all, '*');
	for (size_t i = 0; i < flt_field_count; i++)
		if (flt_field_table[i].arg != FLT_ARG_REQUIRED)
			buf_addf(&all, "%%%s ", flt_field_table[i].name);
	for (size_t i = 0; i < COUNT_OF(with_arguments); i++)
		buf_str(&all, with_arguments[i]);
	assert_int_equal(flt_program_new(NULL, &r->program, NULL), 0);
	assert_int_equal(flt_format_new(r->program, buf_view(&all), &r->format, NULL), 0);
	assert_int_equal(flt_program_seal(r->program, NULL), 0);
	assert_int_equal(flt_ctx_new(r->program, st, &r->cx, NULL), 0);
	buf_done(&all);
}

static void close_renderer(struct renderer *r)
{
	flt_ctx_free(r->cx);
	flt_program_free(r->program);
	buf_done(&r->text);
}

/* The size of parameter @i in sweep @round. */
static size_t size_of(unsigned type, unsigned i, unsigned round)
{
	static const size_t fixed[] = {0, 1, 2, 7, 9, 38, 300};
	size_t width = ev_ptype_width(ev_table[type].params[i].type);

	if (round < COUNT_OF(fixed))
		return fixed[round];
	if (!width)
		width = 8 + i;
	return round % 2 ? width : width - (i == round % 5);
}

#define ROUNDS 12

static void one_event(struct world *w, struct renderer *r, unsigned type, unsigned round)
{
	static const uint8_t fills[] = {0x00, 0xff, 0x01, 0x2f, 0x02, 0x0a, 0x81};
	unsigned n = ev_table[type].nparams;
	struct arg args[EV_PARAMS_MAX];
	uint8_t bytes[EV_PARAMS_MAX][320];

	for (unsigned i = 0; i < n; i++) {
		memset(bytes[i], fills[(round + i * (round > 6)) % COUNT_OF(fills)],
		       sizeof(bytes[i]));
		args[i] =
		    (struct arg){.kind = ARG_BYTES, .p = bytes[i], .n = size_of(type, i, round)};
	}
	/* Fewer parameters than the table has, now and then. */
	world_event(w, round % 4 ? 3200 : -1, type, args, round % 3 ? n : n / 2);
	flt_ctx_event(r->cx, &w->bind);
	buf_reset(&r->text);
	assert_true(flt_format_text(r->cx, r->format, &r->text));
	assert_true(flt_format_json(r->cx, r->format, &r->text) > 250);
	assert_false(r->text.failed);
}

static void no_field_reads_past_a_parameter(void **state)
{
	struct renderer r;
	struct world w;

	(void)state;
	show_init(&w);
	open_renderer(&r, w.st);
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		for (unsigned round = 0; round < ROUNDS; round++)
			one_event(&w, &r, type, round);
	close_renderer(&r);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_field_reads_past_a_parameter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
