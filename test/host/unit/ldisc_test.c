/*
 * The line discipline: bytes are typed at it, and the test looks at what a program would read, what
 * the terminal would show and which signals are sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "include/uapi/signal.h"
#include "kernel/tty/ldisc.h"

#define CTRL(letter) ((letter) - '@')

struct terminal {
	struct ldisc ldisc;
	struct termios termios;
	uint8_t screen[4 * LDISC_BUFFER];
	size_t shown;
	int signal;
	bool stopped;
	bool discarded;
};

static struct terminal terminal;

static void echo(struct ldisc *ldisc, const uint8_t *bytes, size_t n)
{
	(void)ldisc;
	assert_true(terminal.shown + n <= sizeof(terminal.screen));
	memcpy(terminal.screen + terminal.shown, bytes, n);
	terminal.shown += n;
}

static void note_signal(struct ldisc *ldisc, int signal)
{
	(void)ldisc;
	terminal.signal = signal;
}

static void note_stopped(struct ldisc *ldisc, bool stopped)
{
	(void)ldisc;
	terminal.stopped = stopped;
}

static void note_discarded(struct ldisc *ldisc)
{
	(void)ldisc;
	terminal.discarded = true;
}

static const struct ldisc_ops ops = {
	.echo = echo,
	.signal = note_signal,
	.output_stopped = note_stopped,
	.discard_output = note_discarded,
};

static int set_up(void **state)
{
	(void)state;
	memset(&terminal, 0, sizeof(terminal));
	ldisc_default_termios(&terminal.termios);
	ldisc_init(&terminal.ldisc, &terminal.termios, &ops);
	return 0;
}

static void type_bytes(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_true(ldisc_receive(&terminal.ldisc, (uint8_t)bytes[i]));
}

static void type(const char *text)
{
	type_bytes(text, strlen(text));
}

static void expect_read(const char *expected)
{
	uint8_t line[LDISC_BUFFER];
	bool ended;
	size_t n = ldisc_read(&terminal.ldisc, line, sizeof(line), &ended);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(line, expected, n);
}

static void expect_screen(const char *expected)
{
	assert_int_equal(terminal.shown, strlen(expected));
	assert_memory_equal(terminal.screen, expected, terminal.shown);
	terminal.shown = 0;
}

static void set_raw(void)
{
	struct termios before = terminal.termios;
	terminal.termios.c_lflag &= ~(uint32_t)(ICANON | ECHO | ISIG);
	terminal.termios.c_iflag &= ~(uint32_t)(ICRNL | IXON);
	ldisc_termios_changed(&terminal.ldisc, &before);
}

static void set_canonical(void)
{
	struct termios before = terminal.termios;
	ldisc_default_termios(&terminal.termios);
	ldisc_termios_changed(&terminal.ldisc, &before);
}

static void a_line_is_readable_when_it_ends(void **state)
{
	(void)state;
	type("ls");
	assert_false(ldisc_readable(&terminal.ldisc));
	type("\r");
	assert_true(ldisc_readable(&terminal.ldisc));
	expect_screen("ls\r\n");
	expect_read("ls\n");
	assert_false(ldisc_readable(&terminal.ldisc));
}

static void a_read_takes_one_line(void **state)
{
	(void)state;
	type("one\ntwo\n");
	expect_read("one\n");
	expect_read("two\n");
}

static void a_short_read_leaves_the_rest(void **state)
{
	uint8_t bytes[2];
	bool ended;
	(void)state;
	type("abc\n");
	assert_int_equal(ldisc_read(&terminal.ldisc, bytes, 2, &ended), 2);
	assert_false(ended);
	expect_read("c\n");
}

static void erase_takes_a_character_back(void **state)
{
	(void)state;
	type("ax\x7f"
	     "b\n");
	expect_screen("ax\b \bb\r\n");
	expect_read("ab\n");
}

static void erase_stops_at_the_beginning(void **state)
{
	(void)state;
	type("\x7f\x7f"
	     "a\n");
	expect_screen("a\r\n");
	expect_read("a\n");
}

static void erase_takes_a_whole_utf8_character(void **state)
{
	(void)state;
	type("\xc3\xa4\x7f"
	     "b\n");
	expect_screen("\xc3\xa4\b \bb\r\n");
	expect_read("b\n");
}

static void erase_knows_the_width_of_controls_and_tabs(void **state)
{
	(void)state;
	type("\x01\x7f");
	expect_screen("^A\b \b\b \b");
	type("ab\t\x7f");
	expect_screen("ab\t\b \b\b \b\b \b\b \b\b \b\b \b");
}

static void kill_takes_the_line_back(void **state)
{
	(void)state;
	type("abc");
	terminal.shown = 0;
	type("\x15"
	     "d\n");
	expect_screen("\b \b\b \b\b \bd\r\n");
	expect_read("d\n");
}

static void kill_without_echoke_starts_a_new_line(void **state)
{
	(void)state;
	terminal.termios.c_lflag &= ~(uint32_t)ECHOKE;
	type("abc");
	terminal.shown = 0;
	type("\x15");
	expect_screen("^U\r\n");
}

static void word_erase_takes_a_word_and_the_space_behind_it(void **state)
{
	(void)state;
	type("rm file.c  \x17\n");
	expect_read("rm file.\n");
}

static void literal_next_takes_anything(void **state)
{
	(void)state;
	type("\x16\x03\x16\n\n");
	assert_int_equal(terminal.signal, 0);
	expect_read("\x03\n\n");
}

static void reprint_shows_the_line_again(void **state)
{
	(void)state;
	type("ab\x12");
	expect_screen("ab^R\r\nab");
}

static void eof_ends_a_read_without_a_byte(void **state)
{
	(void)state;
	type("\x04");
	assert_true(ldisc_readable(&terminal.ldisc));
	expect_read("");
	assert_false(ldisc_readable(&terminal.ldisc));
	expect_screen("");
}

static void eof_after_text_hands_the_text_over(void **state)
{
	(void)state;
	type("ab\x04");
	expect_read("ab");
	assert_false(ldisc_readable(&terminal.ldisc));
}

static void eof_goes_with_a_read_that_ends_before_it(void **state)
{
	uint8_t bytes[2];
	bool ended;
	(void)state;
	type("ab\x04");
	assert_int_equal(ldisc_read(&terminal.ldisc, bytes, 2, &ended), 2);
	assert_true(ended);
	assert_false(ldisc_readable(&terminal.ldisc));
}

static void control_characters_send_signals_and_flush(void **state)
{
	(void)state;
	type("abc\x03");
	assert_int_equal(terminal.signal, SIGINT);
	assert_true(terminal.discarded);
	expect_screen("abc^C");
	type("\n");
	expect_read("\n");
	type("\x1c");
	assert_int_equal(terminal.signal, SIGQUIT);
	type("\x1a");
	assert_int_equal(terminal.signal, SIGTSTP);
}

static void noflsh_keeps_what_was_typed(void **state)
{
	(void)state;
	terminal.termios.c_lflag |= NOFLSH;
	type("abc\x03\n");
	expect_read("abc\n");
	assert_false(terminal.discarded);
}

static void stop_and_start(void **state)
{
	(void)state;
	type("\x13");
	assert_true(terminal.stopped);
	type("\x11");
	assert_false(terminal.stopped);
	type("\x13\x03"); /* an interrupt lets the output go on, too */
	assert_false(terminal.stopped);
	type("\n");
	expect_read("\n");
}

static void carriage_returns_by_the_flags(void **state)
{
	(void)state;
	terminal.termios.c_iflag &= ~(uint32_t)ICRNL;
	terminal.termios.c_iflag |= IGNCR;
	type("a\rb\n");
	expect_read("ab\n");
	terminal.termios.c_iflag &= ~(uint32_t)IGNCR;
	terminal.termios.c_iflag |= INLCR;
	type("c\n\x04");
	expect_read("c\r");
}

static void no_echo_but_newlines(void **state)
{
	(void)state;
	terminal.termios.c_lflag &= ~(uint32_t)ECHO;
	terminal.termios.c_lflag |= ECHONL;
	type("secret\x7f\n");
	expect_screen("\r\n");
	expect_read("secre\n");
}

static void raw_mode_hands_over_every_byte(void **state)
{
	(void)state;
	set_raw();
	type("a");
	assert_int_equal(ldisc_available(&terminal.ldisc), 1);
	type("\x03\x04\r");
	expect_read("a\x03\x04\r");
	expect_screen("");
	assert_int_equal(terminal.signal, 0);
}

static void a_half_typed_line_is_readable_in_raw_mode(void **state)
{
	(void)state;
	type("ab");
	set_raw();
	expect_read("ab");
}

static void raw_bytes_count_as_a_line_in_canonical_mode(void **state)
{
	(void)state;
	set_raw();
	type("ab");
	set_canonical();
	type("cd\n");
	expect_read("ab");
	expect_read("cd\n");
}

static void a_line_that_is_too_long_can_still_be_ended(void **state)
{
	uint8_t line[LDISC_BUFFER];
	bool ended;
	(void)state;
	for (uint32_t i = 0; i < LDISC_BUFFER + 100; i++)
		type("x");
	assert_int_equal(terminal.screen[terminal.shown - 1], '\a');
	type("\n");
	assert_int_equal(ldisc_read(&terminal.ldisc, line, sizeof(line), &ended), LDISC_BUFFER);
	assert_true(ended);
}

static void typing_ahead_is_held_back_not_lost(void **state)
{
	(void)state;
	uint32_t taken = 0;
	while (ldisc_receive(&terminal.ldisc, taken % 4 == 3 ? '\n' : 'y'))
		taken++;
	assert_in_range(taken, LDISC_BUFFER - 1, LDISC_BUFFER);
	expect_read("yyy\n");
	assert_true(ldisc_receive(&terminal.ldisc, 'z'));
	/* Signals get through whatever waits. */
	assert_true(ldisc_receive(&terminal.ldisc, CTRL('C')));
	assert_int_equal(terminal.signal, SIGINT);
}

static void raw_mode_holds_back_when_full(void **state)
{
	(void)state;
	set_raw();
	for (uint32_t i = 0; i < LDISC_BUFFER; i++)
		type("x");
	assert_false(ldisc_receive(&terminal.ldisc, 'x'));
}

static void output_gets_carriage_returns_and_columns(void **state)
{
	uint8_t out[LDISC_EXPANSION];
	(void)state;
	assert_int_equal(ldisc_output(&terminal.ldisc, '\n', out), 2);
	assert_memory_equal(out, "\r\n", 2);
	terminal.termios.c_oflag |= XTABS;
	assert_int_equal(ldisc_output(&terminal.ldisc, 'a', out), 1);
	assert_int_equal(ldisc_output(&terminal.ldisc, '\t', out), 7);
	assert_memory_equal(out, "       ", 7);
	terminal.termios.c_oflag = 0;
	assert_int_equal(ldisc_output(&terminal.ldisc, '\n', out), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_is_readable_when_it_ends, set_up),
		cmocka_unit_test_setup(a_read_takes_one_line, set_up),
		cmocka_unit_test_setup(a_short_read_leaves_the_rest, set_up),
		cmocka_unit_test_setup(erase_takes_a_character_back, set_up),
		cmocka_unit_test_setup(erase_stops_at_the_beginning, set_up),
		cmocka_unit_test_setup(erase_takes_a_whole_utf8_character, set_up),
		cmocka_unit_test_setup(erase_knows_the_width_of_controls_and_tabs, set_up),
		cmocka_unit_test_setup(kill_takes_the_line_back, set_up),
		cmocka_unit_test_setup(kill_without_echoke_starts_a_new_line, set_up),
		cmocka_unit_test_setup(word_erase_takes_a_word_and_the_space_behind_it, set_up),
		cmocka_unit_test_setup(literal_next_takes_anything, set_up),
		cmocka_unit_test_setup(reprint_shows_the_line_again, set_up),
		cmocka_unit_test_setup(eof_ends_a_read_without_a_byte, set_up),
		cmocka_unit_test_setup(eof_after_text_hands_the_text_over, set_up),
		cmocka_unit_test_setup(eof_goes_with_a_read_that_ends_before_it, set_up),
		cmocka_unit_test_setup(control_characters_send_signals_and_flush, set_up),
		cmocka_unit_test_setup(noflsh_keeps_what_was_typed, set_up),
		cmocka_unit_test_setup(stop_and_start, set_up),
		cmocka_unit_test_setup(carriage_returns_by_the_flags, set_up),
		cmocka_unit_test_setup(no_echo_but_newlines, set_up),
		cmocka_unit_test_setup(raw_mode_hands_over_every_byte, set_up),
		cmocka_unit_test_setup(a_half_typed_line_is_readable_in_raw_mode, set_up),
		cmocka_unit_test_setup(raw_bytes_count_as_a_line_in_canonical_mode, set_up),
		cmocka_unit_test_setup(a_line_that_is_too_long_can_still_be_ended, set_up),
		cmocka_unit_test_setup(typing_ahead_is_held_back_not_lost, set_up),
		cmocka_unit_test_setup(raw_mode_holds_back_when_full, set_up),
		cmocka_unit_test_setup(output_gets_carriage_returns_and_columns, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
