/*
 * futex(2).
 *
 * A waiter is known by the address space and address it waits at and, unless it said that the futex
 * is private, by the physical page and the offset in it, so that processes which share the page
 * meet. A private page that is copied on write after a fork can make two words look like one for a
 * while; that only causes a wake-up too many, which callers of futex(2) allow for.
 *
 * No locking: the kernel is not preempted, and a page fault taken while the word is read does not
 * sleep.
 */
#include "kernel/proc/futex.h"

#include "include/uapi/futex.h"
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/usage.h"
#include "kernel/semaphore.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define BUCKETS 256

struct futex_key {
	struct vm *vm;
	user_addr_t address;
	struct page *page; /* NULL: private */
};

struct futex_waiter {
	struct list_head link; /* its bucket; empty once it has been woken */
	struct futex_key key;
	uint32_t bitset;
	struct semaphore sem;
};

static struct list_head buckets[BUCKETS];

/* By the offset in the page, which is the same for everybody who shares it. */
static struct list_head *bucket_of(user_addr_t address)
{
	return &buckets[address % PAGE_SIZE / sizeof(uint32_t) % BUCKETS];
}

static int key_get(struct futex_key *key, user_addr_t address, bool private)
{
	if (!IS_ALIGNED(address, sizeof(uint32_t)))
		return -EINVAL;
	*key = (struct futex_key){.vm = current_process()->vm, .address = address};
	if (address >= USER_ADDRESS_END)
		return -EFAULT;
	if (private)
		return 0;
	/*
	 * As written: a page that is copied at its first write would change the key under the
	 * waiter.
	 */
	key->page = vm_get_page(key->vm, address, VM_WRITE);
	if (!key->page)
		key->page = vm_get_page(key->vm, address, VM_READ);
	return key->page ? 0 : -EFAULT;
}

static void key_put(struct futex_key *key)
{
	if (key->page)
		page_put(key->page);
}

static bool same_futex(const struct futex_key *a, const struct futex_key *b)
{
	if (a->vm == b->vm && a->address == b->address)
		return true;
	return a->page && a->page == b->page && a->address % PAGE_SIZE == b->address % PAGE_SIZE;
}

static int64_t wake(const struct futex_key *key, uint32_t count, uint32_t bitset)
{
	struct futex_waiter *waiter, *following;
	uint32_t woken = 0;

	list_for_each_entry_safe(waiter, following, bucket_of(key->address), link) {
		if (woken == count)
			break;
		if (!(waiter->bitset & bitset) || !same_futex(&waiter->key, key))
			continue;
		list_remove(&waiter->link);
		sem_post(&waiter->sem);
		woken++;
	}
	return woken;
}

static int64_t wake_at(user_addr_t address, bool private, uint32_t count, uint32_t bitset)
{
	struct futex_key key;
	int64_t result;

	if (bitset == 0)
		return -EINVAL;
	result = key_get(&key, address, private);
	if (result)
		return result;
	result = wake(&key, count, bitset);
	key_put(&key);
	return result;
}

int64_t futex_wake(user_addr_t address, uint32_t count)
{
	return wake_at(address, false, count, FUTEX_BITSET_MATCH_ANY);
}

static int sleep_until_woken(struct futex_waiter *waiter, uint64_t deadline_us)
{
	int error;

	sem_init(&waiter->sem, 0);
	list_append(bucket_of(waiter->key.address), &waiter->link);
	error = sem_wait_until(&waiter->sem, deadline_us);
	/* Woken and interrupted at once counts as woken: the waker counts on it. */
	if (list_empty(&waiter->link))
		return 0;
	list_remove(&waiter->link);
	return error;
}

static int64_t wait_at(user_addr_t address, bool private, uint32_t expected, uint64_t deadline_us,
		       uint32_t bitset)
{
	struct futex_waiter waiter = {.bitset = bitset};
	uint32_t value;
	int error;

	if (bitset == 0)
		return -EINVAL;
	error = key_get(&waiter.key, address, private);
	if (error)
		return error;
	if (copy_from_user(&value, address, sizeof(value)))
		error = -EFAULT;
	else if (value != expected)
		error = -EAGAIN;
	else
		error = sleep_until_woken(&waiter, deadline_us);
	key_put(&waiter.key);
	return error;
}

/* FUTEX_WAIT's timeout is relative, so that an interrupted wait goes on with what is left of it. */
static int64_t wait_relative(user_addr_t address, bool private, uint32_t expected,
			     const struct timespec *timeout)
{
	uint64_t deadline_us = TIME_NEVER;
	int64_t result;

	if (timeout)
		deadline_us = restart_deadline(clock_now_us() + timespec_to_us(timeout));
	result = wait_at(address, private, expected, deadline_us, FUTEX_BITSET_MATCH_ANY);
	if (result == -ERESTARTSYS && timeout)
		return restart_until(deadline_us);
	return result;
}

static uint64_t absolute_deadline(const struct timespec *timeout, bool realtime)
{
	uint64_t when_us, realtime_us;

	if (!timeout)
		return TIME_NEVER;
	when_us = timespec_to_us(timeout);
	if (!realtime)
		return when_us;
	realtime_us = clock_realtime_ns() / NSEC_PER_USEC;
	return when_us > realtime_us ? clock_now_us() + when_us - realtime_us : 0;
}

/* Moves a waiter to another futex without waking it. Takes a reference on the new key's page. */
static void move_waiter(struct futex_waiter *waiter, const struct futex_key *to)
{
	key_put(&waiter->key);
	waiter->key = *to;
	if (to->page)
		page_get(to->page);
	list_remove(&waiter->link);
	list_append(bucket_of(to->address), &waiter->link);
}

static int64_t requeue(const struct futex_key *from, const struct futex_key *to,
		       uint32_t wake_count, uint32_t move_count)
{
	struct futex_waiter *waiter, *following;
	int64_t done = wake(from, wake_count, FUTEX_BITSET_MATCH_ANY);
	uint32_t moved = 0;

	if (same_futex(from, to))
		return done;
	list_for_each_entry_safe(waiter, following, bucket_of(from->address), link) {
		if (moved == move_count)
			break;
		if (!same_futex(&waiter->key, from))
			continue;
		move_waiter(waiter, to);
		moved++;
	}
	return done + moved;
}

static int64_t requeue_at(user_addr_t from_address, user_addr_t to_address, bool private,
			  uint32_t wake_count, uint32_t move_count, const uint32_t *expected)
{
	struct futex_key from, to;
	uint32_t value;
	int64_t result;

	if ((int32_t)wake_count < 0 || (int32_t)move_count < 0)
		return -EINVAL;
	result = key_get(&from, from_address, private);
	if (result)
		return result;
	result = key_get(&to, to_address, private);
	if (result)
		goto put_from;
	if (expected && copy_from_user(&value, from_address, sizeof(value)))
		result = -EFAULT;
	else if (expected && value != *expected)
		result = -EAGAIN;
	else
		result = requeue(&from, &to, wake_count, move_count);
	key_put(&to);
put_from:
	key_put(&from);
	return result;
}

/* A 12-bit field of FUTEX_WAKE_OP's operation, sign-extended. */
static int32_t signed_field(uint32_t operation, uint32_t shift)
{
	return (int32_t)(operation << (20 - shift)) >> 20;
}

/* What FUTEX_WAKE_OP makes of a word. False: no such operation. */
static bool operate(uint32_t operation, uint32_t old, uint32_t *new)
{
	uint32_t argument = (uint32_t)signed_field(operation, 12);

	if (operation >> 28 & FUTEX_OP_OPARG_SHIFT)
		argument = 1u << (argument & 31);
	switch (operation >> 28 & ~(uint32_t)FUTEX_OP_OPARG_SHIFT) {
	case FUTEX_OP_SET:
		*new = argument;
		return true;
	case FUTEX_OP_ADD:
		*new = old + argument;
		return true;
	case FUTEX_OP_OR:
		*new = old | argument;
		return true;
	case FUTEX_OP_ANDN:
		*new = old & ~argument;
		return true;
	case FUTEX_OP_XOR:
		*new = old ^ argument;
		return true;
	default:
		return false;
	}
}

/* Whether the old word compares so. -ENOSYS: no such comparison. */
static int compares(uint32_t operation, int32_t old)
{
	int32_t argument = signed_field(operation, 0);

	switch (operation >> 24 & 0xf) {
	case FUTEX_OP_CMP_EQ:
		return old == argument;
	case FUTEX_OP_CMP_NE:
		return old != argument;
	case FUTEX_OP_CMP_LT:
		return old < argument;
	case FUTEX_OP_CMP_LE:
		return old <= argument;
	case FUTEX_OP_CMP_GT:
		return old > argument;
	case FUTEX_OP_CMP_GE:
		return old >= argument;
	default:
		return -ENOSYS;
	}
}

/* Changes the second word, wakes at the first, and at the second if its old value compares so. */
static int64_t wake_op(user_addr_t address, user_addr_t address2, bool private, uint32_t count,
		       uint32_t count2, uint32_t operation)
{
	uint32_t old, new;
	int64_t woken, more;

	if (!IS_ALIGNED(address2, sizeof(uint32_t)))
		return -EINVAL;
	if (copy_from_user(&old, address2, sizeof(old)))
		return -EFAULT;
	int holds = compares(operation, (int32_t)old);
	if (holds < 0 || !operate(operation, old, &new))
		return -ENOSYS;
	if (copy_to_user(address2, &new, sizeof(new)))
		return -EFAULT;
	woken = wake_at(address, private, count, FUTEX_BITSET_MATCH_ANY);
	if (woken < 0 || !holds)
		return woken;
	more = wake_at(address2, private, count2, FUTEX_BITSET_MATCH_ANY);
	return more < 0 ? more : woken + more;
}

SYSCALL6(futex, user_addr_t, address, uint32_t, operation, uint32_t, value, uint64_t, fourth,
	 user_addr_t, address2, uint32_t, value3)
{
	uint32_t command = operation & (uint32_t)FUTEX_CMD_MASK;
	bool private = operation & FUTEX_PRIVATE_FLAG;
	bool realtime = operation & FUTEX_CLOCK_REALTIME;
	bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
	struct timespec storage, *timeout = NULL;

	if (waits && fourth) {
		timeout = &storage;
		if (copy_from_user(timeout, fourth, sizeof(*timeout)))
			return -EFAULT;
		if (!timespec_valid(timeout))
			return -EINVAL;
	}
	switch (command) {
	case FUTEX_WAIT:
		return wait_relative(address, private, value, timeout);
	case FUTEX_WAIT_BITSET:
		return wait_at(address, private, value, absolute_deadline(timeout, realtime),
			       value3);
	case FUTEX_WAKE:
		return wake_at(address, private, value, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return wake_at(address, private, value, value3);
	case FUTEX_WAKE_OP:
		return wake_op(address, address2, private, value, (uint32_t)fourth, value3);
	case FUTEX_REQUEUE:
		return requeue_at(address, address2, private, value, (uint32_t)fourth, NULL);
	case FUTEX_CMP_REQUEUE:
		return requeue_at(address, address2, private, value, (uint32_t)fourth, &value3);
	default: /* priority inheritance: C libraries say ENOTSUP then */
		return -ENOSYS;
	}
}

void futex_syscalls_init(void)
{
	for (uint32_t i = 0; i < BUCKETS; i++)
		list_init(&buckets[i]);
	syscall_register(SYS_futex, sys_futex);
	robust_list_syscalls_init();
}
