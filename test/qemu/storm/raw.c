/* System calls by hand, and what is shared with the parent. */
#include "test/qemu/storm/storm.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct shared *shared;

int64_t raw_call(long number, const uint64_t arguments[6])
{
	register uint64_t x8 __asm__("x8") = (uint64_t)number;
	register uint64_t x0 __asm__("x0") = arguments[0];
	register uint64_t x1 __asm__("x1") = arguments[1];
	register uint64_t x2 __asm__("x2") = arguments[2];
	register uint64_t x3 __asm__("x3") = arguments[3];
	register uint64_t x4 __asm__("x4") = arguments[4];
	register uint64_t x5 __asm__("x5") = arguments[5];

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return (int64_t)x0;
}

int64_t raw(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	return raw_call(number, (const uint64_t[]){a, b, c, d, e, f});
}

void raw_signal_return(uint64_t stack)
{
	register uint64_t x8 __asm__("x8") = SYS_rt_sigreturn;

	__asm__ volatile("mov sp, %0\n\tsvc #0" : : "r"(stack), "r"(x8) : "memory");
	_exit(1);
}

bool shared_open(bool create)
{
	int fd = open(SHARED_PATH, O_RDWR | (create ? O_CREAT | O_TRUNC : 0), 0666);

	if (fd < 0 || (create && ftruncate(fd, sizeof(*shared))))
		return false;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return shared != MAP_FAILED;
}

bool shared_take_life(void)
{
	return __atomic_sub_fetch(&shared->lives_left, 1, __ATOMIC_RELAXED) >= 0;
}

void shared_note_tid(void)
{
	uint32_t slot = __atomic_fetch_add(&shared->next_tid, 1, __ATOMIC_RELAXED) % TIDS;

	shared->tids[slot] = (int32_t)raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
}
