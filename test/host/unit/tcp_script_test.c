/*
 * Plays the scripts of test/host/scripts/, each of them twice: with ISNs as the stack chooses them,
 * and with numbers that wrap. docs/scripts.md is the manual of their notation.
 *
 * usage: tcp_script_test [SCRIPT...]	(without: all, from the top of the source tree)
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/host/player/player.h"
#include "test/host/unit/fixture.h"

#define SCRIPTS "test/host/scripts"
#define SUFFIX ".tcp"
#define SCRIPTS_MAX 512
#define REPORT_MAX 16384

static char *paths[SCRIPTS_MAX];
static size_t path_count;

static void play(const char *path, enum player_numbers numbers, const char *how)
{
	static char report[REPORT_MAX];

	if (!player_play(path, numbers, report, sizeof(report)))
		fail_msg("%s%s", report, how);
}

static void test_script(void **state)
{
	play(*state, PLAYER_NUMBERS_ANY, "");
	play(*state, PLAYER_NUMBERS_WRAP, "\n  (with sequence numbers from 0xFFFFFF00 on)");
}

static void add(const char *path)
{
	char *copy = strdup(path);

	if (!copy || path_count == SCRIPTS_MAX)
		exit(1);
	paths[path_count++] = copy;
}

static int is_script(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > strlen(SUFFIX) &&
	       strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static void add_all(void)
{
	struct dirent **entries;
	int count = scandir(SCRIPTS, &entries, is_script, alphasort);

	if (count < 0)
		fprintf(stderr, "tcp_script_test: there is no %s here\n", SCRIPTS);
	for (int i = 0; i < count; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", SCRIPTS, entries[i]->d_name);
		add(path);
		free(entries[i]);
	}
	free(count < 0 ? NULL : entries);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[SCRIPTS_MAX];

	for (int i = 1; i < argc; i++)
		add(argv[i]);
	if (argc == 1)
		add_all();
	for (size_t i = 0; i < path_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = paths[i], .test_func = test_script, .initial_state = paths[i]};
	int failed = _cmocka_run_group_tests("tcp scripts", tests, path_count, NULL, NULL);

	for (size_t i = 0; i < path_count; i++)
		free(paths[i]);
	if (failed) { /* a script that failed has left its stack behind: no search for leaks */
		fflush(NULL);
		_exit(1);
	}
	return path_count == 0;
}
