/* The kernel command line: words between blanks, where "..." keeps blanks within a word. Pure. */
#ifndef USERLAND_LIB_COMMAND_LINE_H
#define USERLAND_LIB_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies the next word, without its quotes and cut to `size` bytes with the NUL, and moves *cursor
 * behind it. False at the end.
 */
bool command_line_next(const char **cursor, char *word, size_t size);

/* The text behind "KEY=" if `word` begins with that, else NULL. */
const char *command_line_value(const char *word, const char *key);

/*
 * %41 becomes A, in place. False, and nothing promised about the text, for %00 or a % without two
 * digits.
 */
bool percent_decode(char *text);

#endif
