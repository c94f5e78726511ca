/*
 * The stack with which a program starts: from the top, its strings, the auxiliary vector, the
 * pointers to the environment and the arguments, and their number, where the stack pointer stands.
 *
 * The strings go straight from the old address space, which is still the processor's, into pages of
 * the new one. They are looked at twice, once to measure and once to copy; when another thread has
 * changed them meanwhile, the copy stops at the measured size.
 */
#include "include/uapi/auxv.h"
#include "include/uapi/mman.h"
#include "include/uapi/time.h"
#include "kernel/errno.h"
#include "kernel/exec/exec.h"
#include "kernel/machine.h"
#include "kernel/random.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/string.h"
#include "kernel/user.h"

#define STACK_GAP (16 * PAGE_SIZE) /* between the top of the stack and the end of user addresses */
#define STACK_RANDOM_PAGES_MASK 0xfff /* up to 16 MiB lower */
#define STACK_FIRST (128ul << 10)     /* bytes below the strings; the rest comes when it is used */
#define STACK_ROOM_MIN (128ul << 20)  /* bytes that mmap keeps free for the stack, and at most */
#define STACK_ROOM_MAX (16ul << 30)
#define STRINGS_SHARE 4 /* of RLIMIT_STACK, the strings may take one part in so many: execve(2) */
#define RANDOM_BYTES 16 /* AT_RANDOM */
#define PLATFORM "aarch64"
#define WORD sizeof(uint64_t)
#define AUXILIARY_COUNT 20

struct auxiliary {
	uint64_t type, value;
};

/* How many strings a list has, and how many bytes with their NULs. */
struct string_sizes {
	uint64_t count, bytes;
};

/* Looks for the end of a user string. Its length, -EFAULT or -E2BIG. */
static int64_t user_string_length(user_addr_t string)
{
	char bytes[256];
	uint64_t length = 0;

	while (length < EXEC_STRING_MAX) {
		user_addr_t at = string + length;
		/* Not past the end of a page: the next may not be there, and need not. */
		size_t n = MIN(sizeof(bytes), PAGE_SIZE - at % PAGE_SIZE);
		const char *end;

		if (copy_from_user(bytes, at, n))
			return -EFAULT;
		end = memchr(bytes, '\0', n);
		if (end)
			return (int64_t)(length + (uint64_t)(end - bytes));
		length += n;
	}
	return -E2BIG;
}

/* The list's n-th user string: its address, 0 at the end of the array. */
static int user_string(const struct string_list *list, uint64_t n, user_addr_t *string)
{
	*string = 0;
	if (!list->user)
		return 0;
	return copy_from_user(string, list->user + (list->user_skip + n) * WORD, WORD);
}

static int measure(const struct string_list *list, struct string_sizes *sizes)
{
	user_addr_t string;
	int64_t length;

	*sizes = (struct string_sizes){.count = list->kernel_count};
	for (uint32_t i = 0; i < list->kernel_count; i++)
		sizes->bytes += strlen(list->kernel[i]) + 1;
	for (uint64_t i = 0;; i++) {
		if (user_string(list, i, &string))
			return -EFAULT;
		if (!string)
			return 0;
		length = user_string_length(string);
		if (length < 0)
			return (int)length;
		sizes->bytes += (uint64_t)length + 1;
		sizes->count++;
		if (sizes->bytes + sizes->count * WORD > EXEC_STRINGS_MAX)
			return -E2BIG;
	}
}

/*
 * The kernel's view of an address in the new space, and how far it reaches. The page is the
 * caller's to put.
 */
static struct page *page_at(struct vm *vm, user_addr_t address, char **bytes, size_t *room)
{
	struct page *page = vm_get_page(vm, address, VM_WRITE);

	if (!page)
		return NULL;
	*bytes = (char *)page_address(page) + address % PAGE_SIZE;
	*room = PAGE_SIZE - address % PAGE_SIZE;
	return page;
}

static int write_bytes(struct vm *vm, user_addr_t to, const void *from, size_t n)
{
	const char *next = from;

	while (n) {
		char *bytes;
		size_t room;
		struct page *page = page_at(vm, to, &bytes, &room);

		if (!page)
			return -ENOMEM;
		room = MIN(room, n);
		memcpy(bytes, next, room);
		page_put(page);
		next += room;
		to += room;
		n -= room;
	}
	return 0;
}

static int write_from_user(struct vm *vm, user_addr_t to, user_addr_t from, size_t n)
{
	while (n) {
		char *bytes;
		size_t room;
		struct page *page = page_at(vm, to, &bytes, &room);
		int error;

		if (!page)
			return -ENOMEM;
		room = MIN(room, n);
		error = copy_from_user(bytes, from, room);
		page_put(page);
		if (error)
			return error;
		from += room;
		to += room;
		n -= room;
	}
	return 0;
}

/* Where the next string goes, up to where, and where the pointer to it. */
struct string_writer {
	struct vm *vm;
	user_addr_t next, end;
	user_addr_t pointer;
};

/* Writes the word that is next on the way up from the stack pointer. */
static int write_pointer(struct string_writer *writer, uint64_t value)
{
	int error = write_bytes(writer->vm, writer->pointer, &value, sizeof(value));

	writer->pointer += WORD;
	return error;
}

static int write_user_string(struct string_writer *writer, user_addr_t string)
{
	int64_t length = user_string_length(string);
	int error;

	if (length < 0)
		return (int)length;
	if ((uint64_t)length + 1 > writer->end - writer->next)
		return -EFAULT;
	error = write_pointer(writer, writer->next);
	if (!error)
		error = write_from_user(writer->vm, writer->next, string, (size_t)length);
	/*
	 * The NUL is the kernel's: the page was zeroed, but the string may have changed since it
	 * was measured.
	 */
	if (!error)
		error = write_bytes(writer->vm, writer->next + (uint64_t)length, "", 1);
	writer->next += (uint64_t)length + 1;
	return error;
}

static int write_kernel_string(struct string_writer *writer, const char *string)
{
	size_t size = strlen(string) + 1;
	int error = write_pointer(writer, writer->next);

	if (!error)
		error = write_bytes(writer->vm, writer->next, string, size);
	writer->next += size;
	return error;
}

/* Writes a list's strings and pointers, and the NULL that ends the pointers. */
static int write_list(struct string_writer *writer, const struct string_list *list,
		      const struct string_sizes *sizes)
{
	int error = 0;

	for (uint32_t i = 0; i < list->kernel_count && !error; i++)
		error = write_kernel_string(writer, list->kernel[i]);
	for (uint64_t i = 0; i < sizes->count - list->kernel_count && !error; i++) {
		user_addr_t string;

		error = user_string(list, i, &string);
		if (!error)
			error = string ? write_user_string(writer, string) : -EFAULT;
	}
	return error ? error : write_pointer(writer, 0);
}

/* Where everything goes. The random bytes and the platform's name stand above the file's name. */
struct layout {
	struct string_sizes arguments, environment;
	size_t name_size;
	user_addr_t random, platform, name, strings, sp;
};

/* Bytes of all strings and of the pointers to them. */
static uint64_t string_room(const struct layout *layout)
{
	return layout->arguments.bytes + layout->environment.bytes +
	       (layout->arguments.count + layout->environment.count) * WORD;
}

static uint64_t strings_max(void)
{
	uint64_t share = current_process()->limits[RLIMIT_STACK].rlim_cur / STRINGS_SHARE;

	return CLAMP(share, EXEC_STRING_MAX, EXEC_STRINGS_MAX);
}

/* As much as the longest strings need and a little more; it grows down when it is used. */
int exec_stack_map(struct vm *vm, user_addr_t *top)
{
	uint64_t limit = current_process()->limits[RLIMIT_STACK].rlim_cur;
	uint64_t size = ALIGN_UP(strings_max() + STACK_FIRST, PAGE_SIZE);
	int64_t result;

	vm_set_stack_room(vm, CLAMP(limit, STACK_ROOM_MIN, STACK_ROOM_MAX));
	*top = USER_ADDRESS_END - STACK_GAP - (random_u32() & STACK_RANDOM_PAGES_MASK) * PAGE_SIZE;
	result = vm_map(vm, *top - size, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, NULL, 0);
	return result < 0 ? (int)result : 0;
}

static int measure_all(struct layout *layout, const char *file_name,
		       const struct string_list *arguments, const struct string_list *environment)
{
	int error = measure(arguments, &layout->arguments);

	if (!error)
		error = measure(environment, &layout->environment);
	if (error)
		return error;
	layout->name_size = strlen(file_name) + 1;
	return string_room(layout) > strings_max() ? -E2BIG : 0;
}

static void lay_out(struct layout *layout, user_addr_t top)
{
	uint64_t pointers = layout->arguments.count + 1 + layout->environment.count + 1;

	layout->random = top - WORD - RANDOM_BYTES;
	layout->platform = layout->random - sizeof(PLATFORM);
	layout->name = layout->platform - layout->name_size;
	layout->strings = layout->name - layout->environment.bytes - layout->arguments.bytes;
	layout->sp = ALIGN_DOWN(layout->strings - (1 + pointers) * WORD -
					AUXILIARY_COUNT * sizeof(struct auxiliary),
				16);
}

/* Above the number of arguments, the pointers, and the two NULLs that end them. */
static user_addr_t auxiliary_start(const struct layout *layout)
{
	return layout->sp +
	       (1 + layout->arguments.count + 1 + layout->environment.count + 1) * WORD;
}

static int write_auxiliary(struct vm *vm, user_addr_t to, const struct layout *layout,
			   const struct program *program)
{
	const struct process *process = current_process();
	const struct auxiliary vector[AUXILIARY_COUNT] = {
		{AT_PHDR, program->headers},
		{AT_PHENT, program->header_size},
		{AT_PHNUM, program->header_count},
		{AT_PAGESZ, PAGE_SIZE},
		{AT_BASE, program->interpreter},
		{AT_FLAGS, 0},
		{AT_ENTRY, program->entry},
		{AT_UID, process->uid},
		{AT_EUID, program->euid},
		{AT_GID, process->gid},
		{AT_EGID, program->egid},
		{AT_SECURE, process->uid != program->euid || process->gid != program->egid},
		{AT_CLKTCK, USER_HZ},
		{AT_HWCAP, arch_hwcap()},
		{AT_HWCAP2, 0},
		{AT_MINSIGSTKSZ, signal_frame_size()},
		{AT_PLATFORM, layout->platform},
		{AT_RANDOM, layout->random},
		{AT_EXECFN, layout->name},
		{AT_NULL, 0},
	};

	return write_bytes(vm, to, vector, sizeof(vector));
}

/* What stands above the strings of the program. */
static int write_top(struct vm *vm, const struct layout *layout, const char *file_name)
{
	uint8_t random[RANDOM_BYTES];
	int error = write_bytes(vm, layout->name, file_name, layout->name_size);

	random_bytes(random, sizeof(random));
	if (!error)
		error = write_bytes(vm, layout->platform, PLATFORM, sizeof(PLATFORM));
	return error ? error : write_bytes(vm, layout->random, random, sizeof(random));
}

int exec_stack_build(struct vm *vm, user_addr_t top, const struct program *program,
		     const char *file_name, const struct string_list *arguments,
		     const struct string_list *environment, struct exec_stack *stack)
{
	struct string_writer writer;
	struct layout layout;
	int error = measure_all(&layout, file_name, arguments, environment);

	if (error)
		return error;
	lay_out(&layout, top);
	*stack = (struct exec_stack){
		.sp = layout.sp,
		.arguments_start = layout.strings,
		.arguments_end = layout.strings + layout.arguments.bytes,
		.environment_start = layout.strings + layout.arguments.bytes,
		.environment_end = layout.name,
		.auxiliary_start = auxiliary_start(&layout),
		.auxiliary_end = auxiliary_start(&layout) +
				 AUXILIARY_COUNT * sizeof(struct auxiliary),
	};
	writer = (struct string_writer){
		.vm = vm,
		.next = layout.strings,
		.end = layout.name,
		.pointer = layout.sp,
	};
	if ((error = write_pointer(&writer, layout.arguments.count)) ||
	    (error = write_list(&writer, arguments, &layout.arguments)) ||
	    (error = write_list(&writer, environment, &layout.environment)) ||
	    (error = write_auxiliary(vm, writer.pointer, &layout, program)))
		return error;
	return write_top(vm, &layout, file_name);
}
