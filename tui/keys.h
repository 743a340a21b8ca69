/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and what they do. A key is written as itself ("j", "G"), with a name in angle brackets
 * ("<Enter>", "<PgDn>", "<F1>", "<Space>", "<lt>" for '<'), or, if control is held, as "C-" and a
 * small letter. Keys of a script are written one after the other: "2jj<Enter>e"; "<minus>" is a '-'
 * that does not make a "C-" of the 'C' before. Actions are rows of actions.def. Threads:
 * plain values; a map belongs to one thread.
 */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/defs.h"
#include "base/error.h"
#include "base/sv.h"

/* Characters are keys; others are numbers beyond Unicode. Control keys are characters below 32. */
enum tui_key {
	TUI_KEY_NONE = 0,
	TUI_KEY_TAB = 9,
	TUI_KEY_ENTER = 13,
	TUI_KEY_ESC = 27,
	TUI_KEY_FIRST = 0x110000,
	TUI_KEY_UP,
	TUI_KEY_DOWN,
	TUI_KEY_LEFT,
	TUI_KEY_RIGHT,
	TUI_KEY_PAGE_UP,
	TUI_KEY_PAGE_DOWN,
	TUI_KEY_HOME,
	TUI_KEY_END,
	TUI_KEY_INSERT,
	TUI_KEY_DELETE,
	TUI_KEY_BACKSPACE,
	TUI_KEY_BACK_TAB,
	TUI_KEY_F1,
	TUI_KEY_F12 = TUI_KEY_F1 + 11,
	TUI_KEY_END_OF_LIST,
};

enum tui_input_kind { TUI_INPUT_NONE, TUI_INPUT_KEY, TUI_INPUT_RESIZE, TUI_INPUT_MOUSE };
enum tui_mouse {
	TUI_MOUSE_CLICK,
	TUI_MOUSE_DOUBLE,
	TUI_MOUSE_DRAG,
	TUI_MOUSE_UP,
	TUI_MOUSE_WHEEL_UP,
	TUI_MOUSE_WHEEL_DOWN
};

struct tui_input {
	enum tui_input_kind kind;
	uint32_t key;	      /* a character or enum tui_key */
	enum tui_mouse mouse; /* at @y, @x */
	int y, x;	      /* a resize: the new size */
	bool pasted;	      /* a character of text that was pasted: never a command */
};

enum tui_action {
	TUI_NO_ACTION,
#define ACTION(sym, name, keys, group, arg, help) TUI_DO_##sym,
#include "tui/actions.def"
#undef ACTION
	TUI_ACTION_COUNT
};

enum tui_group {
	TUI_GROUP_MOVE,
	TUI_GROUP_GO,
	TUI_GROUP_TIME,
	TUI_GROUP_LOOK,
	TUI_GROUP_FIND,
	TUI_GROUP_MARK,
	TUI_GROUP_OUT,
	TUI_GROUP_PROGRAM,
	TUI_GROUP_COUNT
};

struct tui_action_info {
	const char *name, *keys, *arg, *help;
	enum tui_group group;
};
extern const struct tui_action_info tui_actions[TUI_ACTION_COUNT]; /* [0]: empty texts */
extern const char *const tui_group_names[TUI_GROUP_COUNT];	   /* "moving", ... */

/* The action called @name; TUI_NO_ACTION: there is none. */
enum tui_action tui_action_find(struct sv name);
/* Does it need an argument (when it comes from a key, it is asked for)? */
bool tui_action_needs_argument(enum tui_action a);

/* Take the first key of @text off it. Return: false if it does not begin with one. */
bool tui_key_take(struct sv *text, uint32_t *key);
/* As it is written. */
void tui_key_name(struct buf *out, uint32_t key);

struct tui_keymap;
/* The keys of actions.def. */
MUST_CHECK int tui_keymap_new(struct tui_keymap **out, struct error *err);
void tui_keymap_free(struct tui_keymap *m); /* NULL is fine */
/*
 * Read a file of keys: lines "ACTION KEY KEY ..." replace all keys of the action (none: it has no
 * key), a word that begins with '#' begins a comment (the key is "<hash>"). Return: 0, ERR_IO (not
 * there, too), ERR_SYNTAX (file, line and column in the message: no such action or key, a key that
 * two actions would have), ERR_NOMEM. On failure the map is unchanged.
 */
MUST_CHECK int tui_keymap_load(struct tui_keymap *m, const char *path, struct error *err);
enum tui_action tui_keymap_find(const struct tui_keymap *m, uint32_t key);
/* Its keys as they are written, with blanks between them; nothing if it has none. */
void tui_keymap_keys(const struct tui_keymap *m, enum tui_action a, struct buf *out);
/* The first of them. */
void tui_keymap_key(const struct tui_keymap *m, enum tui_action a, struct buf *out);
/* The same as it is labelled: '<' where files of keys have "<lt>". */
void tui_keymap_label(const struct tui_keymap *m, enum tui_action a, struct buf *out);

#endif
