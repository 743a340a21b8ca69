/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/step.h"

#include "base/clock.h"

#define SLICE_NS 20000000u /* before the key that began it returns */

void tui_step_end(struct tui_step *s)
{
	tui_events_close(s->events);
	s->events = NULL;
}

bool tui_step_work(struct tui_step *s, struct tui_app *app, uint64_t deadline_ns)
{
	const struct tui_event *ev;
	struct error err = {0};
	bool more = false;
	int n;

	if (!s->events)
		return false;
	n = tui_events_window(s->events, s->at, s->back, 1, deadline_ns, &ev, &more, &s->at, &err);
	if (n == 0 && more) {
		tui_app_say(app, TUI_ROLE_DIM, "looking at event %llu",
			    (unsigned long long)tui_key_num(s->at));
		return true;
	}
	if (n < 0)
		tui_app_fail(app, &err);
	else if (n == 0)
		tui_app_say(app, TUI_ROLE_NOTICE, "no event of this process %s",
			    s->back ? "before" : "after");
	else
		tui_app_goto_event(app, ev->num);
	tui_step_end(s);
	return false;
}

void tui_step_begin(struct tui_step *s, struct tui_app *app, int64_t pid, const char *filter,
		    uint64_t num, bool back)
{
	const struct tui_events_options opt = {.pid = pid, .filter = filter, .through_all = true};
	struct error err = {0};

	tui_step_end(s);
	if (tui_events_open(tui_app_data(app), &opt, &s->events, NULL, &err) < 0) {
		tui_app_fail(app, &err);
		return;
	}
	s->back = back;
	s->at = back ? num : num + 1;
	(void)tui_step_work(s, app, clock_ns(CLOCK_MONOTONIC) + SLICE_NS);
}

bool tui_step_act(struct tui_step *s, struct tui_app *app, const struct tui_command *c, int64_t pid)
{
	uint64_t num;

	if (c->action != TUI_DO_NEXT_OF_PROCESS && c->action != TUI_DO_PREV_OF_PROCESS)
		return false;
	(void)tui_data_time(tui_app_data(app), &num);
	if (pid >= 0)
		tui_step_begin(s, app, pid, NULL, num, c->action == TUI_DO_PREV_OF_PROCESS);
	else
		tui_app_say(app, TUI_ROLE_NOTICE, "there is no process under the cursor");
	return true;
}
