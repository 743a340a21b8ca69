/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/keys.h"

#include "base/json.h"
#include "tui/text.h"

#define F_KEYS	(TUI_KEY_F12 - TUI_KEY_F1 + 1)
#define CONTROL 0x1f /* the bits of a letter that stay when control is held */

const struct tui_action_info tui_actions[TUI_ACTION_COUNT] = {
    [TUI_NO_ACTION] = {"", "", "", "", TUI_GROUP_PROGRAM},
#define ACTION(sym, act_name, act_keys, act_group, act_arg, act_help)                              \
	[TUI_DO_##sym] = {.name = (act_name),                                                      \
			  .keys = (act_keys),                                                      \
			  .arg = (act_arg),                                                        \
			  .help = (act_help),                                                      \
			  .group = TUI_GROUP_##act_group},
#include "tui/actions.def"
#undef ACTION
};

const char *const tui_group_names[TUI_GROUP_COUNT] = {
    [TUI_GROUP_MOVE] = "moving",       [TUI_GROUP_GO] = "going somewhere",
    [TUI_GROUP_TIME] = "time",	       [TUI_GROUP_LOOK] = "what is shown, and how",
    [TUI_GROUP_FIND] = "finding",      [TUI_GROUP_MARK] = "what you add",
    [TUI_GROUP_OUT] = "what goes out", [TUI_GROUP_PROGRAM] = "the program",
};

enum tui_action tui_action_find(struct sv name)
{
	for (int a = 1; a < TUI_ACTION_COUNT; a++)
		if (sv_is(name, tui_actions[a].name))
			return (enum tui_action)a;
	return TUI_NO_ACTION;
}

bool tui_action_needs_argument(enum tui_action a)
{
	return tui_actions[a].arg[0] && tui_actions[a].arg[0] != '[';
}

/* --- how keys are written */

static const struct {
	const char *name;
	uint32_t key;
	bool only_read; /* there is a shorter way to write it */
} names[] = {
    {"Up", TUI_KEY_UP, false},
    {"Down", TUI_KEY_DOWN, false},
    {"Left", TUI_KEY_LEFT, false},
    {"Right", TUI_KEY_RIGHT, false},
    {"PgUp", TUI_KEY_PAGE_UP, false},
    {"PgDn", TUI_KEY_PAGE_DOWN, false},
    {"Home", TUI_KEY_HOME, false},
    {"End", TUI_KEY_END, false},
    {"Ins", TUI_KEY_INSERT, false},
    {"Del", TUI_KEY_DELETE, false},
    {"Bksp", TUI_KEY_BACKSPACE, false},
    {"Tab", TUI_KEY_TAB, false},
    {"S-Tab", TUI_KEY_BACK_TAB, false},
    {"Enter", TUI_KEY_ENTER, false},
    {"Esc", TUI_KEY_ESC, false},
    {"Space", ' ', false},
    {"lt", '<', false},
    {"hash", '#', true},  /* begins a comment in files of keys */
    {"minus", '-', true}, /* "C<minus>x": three keys */
};

/* "F1" to "F12" */
static bool f_key(struct sv name, uint32_t *key)
{
	uint32_t number = 0;

	if (name.n < 2 || name.n > 3 || name.p[0] != 'F' || name.p[1] == '0')
		return false;
	for (size_t i = 1; i < name.n; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			return false;
		number = 10 * number + (uint32_t)(name.p[i] - '0');
	}
	*key = TUI_KEY_F1 + number - 1;
	return number <= F_KEYS;
}

static bool key_of_name(struct sv name, uint32_t *key)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (sv_is(name, names[i].name)) {
			*key = names[i].key;
			return true;
		}
	}
	return f_key(name, key);
}

static bool is_control_name(struct sv text)
{
	return text.n >= 3 && text.p[0] == 'C' && text.p[1] == '-' && text.p[2] >= 'a' &&
	       text.p[2] <= 'z';
}

bool tui_key_take(struct sv *text, uint32_t *key)
{
	unsigned bad, n;
	uint32_t ch;

	if (!text->n)
		return false;
	if (text->p[0] == '<') {
		const char *end = memchr(text->p, '>', text->n);
		size_t len = end ? (size_t)(end - text->p) : 0;

		if (!len || !key_of_name(sv_make(text->p + 1, len - 1), key))
			return false;
		*text = sv_drop(*text, len + 1);
		return true;
	}
	if (is_control_name(*text)) {
		*key = (uint32_t)text->p[2] & CONTROL;
		*text = sv_drop(*text, 3);
		return true;
	}
	n = utf8_decode(*text, &ch, &bad);
	if (!n || utf8_is_harmful(ch))
		return false;
	*key = ch;
	*text = sv_drop(*text, n);
	return true;
}

void tui_key_name(struct buf *out, uint32_t key)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (names[i].key == key && !names[i].only_read) {
			buf_addf(out, "<%s>", names[i].name);
			return;
		}
	}
	if (key >= TUI_KEY_F1 && key <= TUI_KEY_F12)
		buf_addf(out, "<F%u>", (unsigned)(key - TUI_KEY_F1 + 1));
	else if (key >= 1 && key <= 26)
		buf_addf(out, "C-%c", (int)(key | ('a' & ~CONTROL)));
	else if (key < TUI_KEY_FIRST && !utf8_is_harmful(key))
		tui_char_utf8(out, key);
}
