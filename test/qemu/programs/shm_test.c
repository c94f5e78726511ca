/* System V shared memory, as PostgreSQL and ipcs use it. */
#include "test/qemu/programs/check.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY 4711
#define SIZE 10000
#define NOBODY 65534
#define FAILED ((void *)-1)

static struct shmid_ds status_of_segment(int id)
{
	struct shmid_ds status;

	CHECK(shmctl(id, IPC_STAT, &status) == 0);
	return status;
}

static void two_processes_see_the_same(void)
{
	int id = shmget(IPC_PRIVATE, SIZE, 0600);
	char *memory = shmat(id, NULL, 0);

	CHECK(id >= 0 && memory != FAILED && memory[SIZE - 1] == 0);
	pid_t child = fork();
	if (child == 0) {
		char *other = shmat(id, NULL, 0);

		strcpy(memory, "inherited");
		strcpy(other + 100, "attached");
		_exit(0);
	}
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK(strcmp(memory, "inherited") == 0 && strcmp(memory + 100, "attached") == 0);
	CHECK(status_of_segment(id).shm_nattch == 1 && status_of_segment(id).shm_lpid == child);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK(memory[0] == 'i' && shmdt(memory) == 0);
	CHECK_ERROR(shmdt(memory), EINVAL);
}

static void keys(void)
{
	int id = shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0640);

	CHECK(id >= 0 && shmget(KEY, SIZE, IPC_CREAT) == id && shmget(KEY, 0, 0) == id);
	CHECK_ERROR(shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_ERROR(shmget(KEY, 2 * SIZE, 0), EINVAL);
	CHECK_ERROR(shmget(KEY + 1, SIZE, 0), ENOENT);
	CHECK_ERROR(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	struct shmid_ds status = status_of_segment(id);
	CHECK(status.shm_segsz == SIZE && status.shm_perm.__key == KEY);
	CHECK((status.shm_perm.mode & 0777) == 0640 && status.shm_cpid == getpid());
	CHECK(status.shm_nattch == 0 && status.shm_ctime > 0);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK_ERROR(shmctl(id, IPC_STAT, &status), EINVAL);
	CHECK_ERROR(shmget(KEY, SIZE, 0), ENOENT);
}

static char *read_only;

static int write_there(void)
{
	*(volatile char *)read_only = 1;
	return 0;
}

static void places_and_protection(void)
{
	int id = shmget(IPC_PRIVATE, SIZE, 0600);
	char *memory = shmat(id, NULL, 0);
	char *end = memory + 3 * (ptrdiff_t)4096;

	CHECK(memory != FAILED && shmat(id, memory, 0) == FAILED && errno == EINVAL);
	CHECK(shmat(id, memory + 1, 0) == FAILED && errno == EINVAL);
	CHECK(shmdt(memory) == 0 && shmat(id, memory + 1, SHM_RND) == memory);
	CHECK(shmat(id, memory, SHM_REMAP) == memory && status_of_segment(id).shm_nattch == 1);
	read_only = shmat(id, NULL, SHM_RDONLY);
	CHECK(read_only != FAILED && WTERMSIG(status_of(write_there)) == SIGSEGV);
	CHECK_ERROR(mprotect(read_only, 4096, PROT_READ | PROT_WRITE), EACCES);
	CHECK(mprotect(memory + 4096, 4096, PROT_READ) == 0); /* in three parts now */
	CHECK(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(memory) == 0 && shmdt(read_only) == 0);
	CHECK_ERROR(mprotect(end - 4096, 4096, PROT_READ), ENOMEM);
}

static int key_of_root;

static int as_nobody(void)
{
	struct shmid_ds status;

	if (setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	if (shmat(key_of_root, NULL, 0) != FAILED || errno != EACCES)
		return 2;
	if (shmctl(key_of_root, IPC_RMID, NULL) == 0 || errno != EPERM)
		return 3;
	if (shmctl(key_of_root, IPC_STAT, &status) == 0 || errno != EACCES)
		return 4;
	return shmget(KEY, SIZE, 0600) >= 0 || errno != EACCES ? 5 : 0;
}

static void of_somebody_else(void)
{
	struct shmid_ds status;

	key_of_root = shmget(KEY, SIZE, IPC_CREAT | 0600);
	CHECK(key_of_root >= 0 && status_of(as_nobody) == 0);
	status = status_of_segment(key_of_root);
	status.shm_perm.uid = NOBODY;
	CHECK(shmctl(key_of_root, IPC_SET, &status) == 0);
	CHECK(WEXITSTATUS(status_of(as_nobody)) == 2); /* it is nobody's own now */
	CHECK(shmctl(key_of_root, IPC_RMID, NULL) == 0);
}

/* The list that ipcs(1) reads names it while it is there. */
static void proc_lists_them(void)
{
	char line[300], expected[40];
	int id = shmget(KEY, SIZE, IPC_CREAT | 0600), found = 0;
	FILE *list = fopen("/proc/sysvipc/shm", "r");

	CHECK(id >= 0 && list);
	snprintf(expected, sizeof(expected), "%10d %10d   600", KEY, id);
	while (fgets(line, sizeof(line), list))
		found += strncmp(line, expected, strlen(expected)) == 0;
	fclose(list);
	CHECK(found == 1 && shmctl(id, IPC_RMID, NULL) == 0);
}

#define LARGE (1 << 20)
#define LARGE_MAX 4096

static int *segments; /* seen by parent and child; -1 behind the last */

/* Fills segments and leaves them. Nothing is mapped at any time but one of them. */
static int fill_memory(void)
{
	CHECK(setuid(NOBODY) == 0);
	for (int i = 0; i < LARGE_MAX; i++) {
		segments[i] = shmget(IPC_PRIVATE, LARGE, 0600);
		segments[i + 1] = -1;
		char *memory = shmat(segments[i], NULL, 0);
		CHECK(memory != FAILED);
		memset(memory, 1, LARGE);
		CHECK(shmdt(memory) == 0);
	}
	return 0;
}

/* Who fills all memory with what stays is stopped, before others have to be ended for it. */
static void others_have_memory_left(void)
{
	int status;
	pid_t bystander, child;

	segments = mmap(NULL, (LARGE_MAX + 1) * sizeof(int), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bystander = fork();
	if (bystander == 0) {
		char *memory = malloc(8 * LARGE);

		memset(memory, 1, 8 * LARGE);
		for (;;)
			pause();
	}
	child = fork();
	if (child == 0)
		_exit(fill_memory());
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(waitpid(bystander, NULL, WNOHANG) == 0);
	for (int i = 0; segments[i] >= 0; i++)
		CHECK(shmctl(segments[i], IPC_RMID, NULL) == 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	CHECK(kill(bystander, SIGKILL) == 0 && waitpid(bystander, NULL, 0) == bystander);
	CHECK(munmap(segments, (LARGE_MAX + 1) * sizeof(int)) == 0);
}

RUN_TESTS({"two processes see the same", two_processes_see_the_same}, {"keys", keys},
	  {"places and protection", places_and_protection}, {"of somebody else", of_somebody_else},
	  {"proc lists them", proc_lists_them},
	  {"others have memory left", others_have_memory_left})
