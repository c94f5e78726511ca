/*
 * Loading ELF programs: see elf.h. The file is not trusted: every number is checked before it is
 * used.
 */
#include "kernel/exec/elf.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/mman.h"
#include "kernel/errno.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/random.h"
#include "kernel/string.h"

#define ELF_MAGIC "\177ELF\2\1\1" /* 64-bit, little-endian, version 1 */
#define ELF_MAGIC_LENGTH 7
#define ELF_MACHINE_ARM64 183
#define ELF_TYPE_FIXED 2  /* ET_EXEC */
#define ELF_TYPE_SHARED 3 /* ET_DYN: a position-independent program, or the interpreter */

#define SEGMENT_LOAD 1
#define SEGMENT_INTERPRETER 3
#define SEGMENT_HEADERS 6

#define SEGMENT_EXECUTE 1
#define SEGMENT_WRITE 2
#define SEGMENT_READ 4

#define SEGMENTS_MAX 64
#define INTERPRETER_PATH_MAX 256
#define ALIGNMENT_MAX (2ul << 20)

/* Nothing is mapped below: a null pointer with an offset faults. */
#define LOWEST_ADDRESS 0x10000ull

/* A position-independent program starts here and up to 4 GiB above, in steps of 64 KiB. */
#define RELOCATED_BASE 0x5500000000ull
#define RELOCATED_STEP_SHIFT 16
#define RELOCATED_STEPS_MASK 0xffff

struct elf_header {
	uint8_t identification[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t segments_offset;
	uint64_t sections_offset;
	uint32_t flags;
	uint16_t header_size;
	uint16_t segment_size;
	uint16_t segment_count;
	uint16_t section_size;
	uint16_t section_count;
	uint16_t names_index;
};

struct elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t physical;
	uint64_t file_size;
	uint64_t memory_size;
	uint64_t alignment;
};

/* A file while it is loaded: the program or its interpreter. */
struct elf_object {
	struct inode *inode;
	struct elf_header header;
	struct elf_segment segments[SEGMENTS_MAX];
	uint64_t lowest, highest; /* addresses of LOAD segments, page-aligned */
	uint64_t alignment;       /* the largest of any */
	uint64_t bias;            /* what is added to every address of the file */
};

static int check_header(const struct elf_header *header)
{
	if (memcmp(header->identification, ELF_MAGIC, ELF_MAGIC_LENGTH) != 0)
		return -ENOEXEC;
	if (header->machine != ELF_MACHINE_ARM64)
		return -ENOEXEC;
	if (header->type != ELF_TYPE_FIXED && header->type != ELF_TYPE_SHARED)
		return -ENOEXEC;
	if (header->segment_size != sizeof(struct elf_segment) || header->segment_count == 0 ||
	    header->segment_count > SEGMENTS_MAX)
		return -ENOEXEC;
	return 0;
}

static bool segment_fits(const struct elf_segment *segment)
{
	if (segment->memory_size > USER_ADDRESS_END || segment->address > USER_ADDRESS_END ||
	    segment->address + segment->memory_size > USER_ADDRESS_END)
		return false;
	if (segment->file_size > segment->memory_size)
		return false;
	return segment->offset % PAGE_SIZE == segment->address % PAGE_SIZE;
}

/* Checks the LOAD segments and finds out how much room they need. */
static int survey(struct elf_object *object)
{
	object->lowest = UINT64_MAX;
	object->highest = 0;
	object->alignment = PAGE_SIZE;
	for (uint32_t i = 0; i < object->header.segment_count; i++) {
		const struct elf_segment *segment = &object->segments[i];

		if (segment->type != SEGMENT_LOAD || segment->memory_size == 0)
			continue;
		if (!segment_fits(segment))
			return -ENOEXEC;
		object->lowest = MIN(object->lowest, ALIGN_DOWN(segment->address, PAGE_SIZE));
		object->highest = MAX(object->highest,
				      ALIGN_UP(segment->address + segment->memory_size, PAGE_SIZE));
		if (segment->alignment <= ALIGNMENT_MAX &&
		    (segment->alignment & (segment->alignment - 1)) == 0)
			object->alignment = MAX(object->alignment, segment->alignment);
	}
	return object->highest ? 0 : -ENOEXEC;
}

static int read_object(struct elf_object *object, struct inode *inode)
{
	struct elf_header *header = &object->header;
	int64_t bytes;
	int error;

	object->inode = inode;
	if (inode_read(inode, header, sizeof(*header), 0) != sizeof(*header))
		return -ENOEXEC;
	error = check_header(header);
	if (error)
		return error;
	bytes = (int64_t)header->segment_count * (int64_t)sizeof(struct elf_segment);
	if (inode_read(inode, object->segments, (uint64_t)bytes, header->segments_offset) != bytes)
		return -ENOEXEC;
	return survey(object);
}

/* A file that can be anywhere is put at a random place. */
static void place_program(struct elf_object *object)
{
	uint64_t steps = random_u32() & RELOCATED_STEPS_MASK;

	object->bias = 0;
	if (object->header.type == ELF_TYPE_SHARED)
		object->bias = ALIGN_UP(RELOCATED_BASE + (steps << RELOCATED_STEP_SHIFT),
					object->alignment) -
			       ALIGN_DOWN(object->lowest, object->alignment);
}

/* The interpreter goes where mmap would put it. */
static int place_interpreter(struct elf_object *object, struct vm *vm)
{
	int64_t base;

	if (object->header.type != ELF_TYPE_SHARED)
		return -ELIBBAD;
	base = vm_map(vm, 0, object->highest - object->lowest, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
	if (base < 0)
		return (int)base;
	object->bias = (uint64_t)base - object->lowest;
	return 0;
}

static uint32_t protection_of(const struct elf_segment *segment)
{
	uint32_t protection = PROT_NONE;

	if (segment->flags & SEGMENT_READ)
		protection |= PROT_READ;
	if (segment->flags & SEGMENT_WRITE)
		protection |= PROT_WRITE;
	if (segment->flags & SEGMENT_EXECUTE)
		protection |= PROT_EXEC;
	return protection;
}

/* Zeroes the rest of the last page that the file fills, where the program's zeroed data begins. */
static int clear_rest_of_page(struct vm *vm, user_addr_t from)
{
	uint64_t offset = from % PAGE_SIZE;
	struct page *page;

	if (offset == 0)
		return 0;
	page = vm_get_page(vm, from, VM_WRITE);
	if (!page)
		return -ENOMEM;
	memset((char *)page_address(page) + offset, 0, PAGE_SIZE - offset);
	page_put(page);
	return 0;
}

static int map_segment(struct vm *vm, const struct elf_object *object,
		       const struct elf_segment *segment)
{
	user_addr_t start = object->bias + segment->address;
	user_addr_t file_end = start + segment->file_size;
	user_addr_t file_pages_end = ALIGN_UP(file_end, PAGE_SIZE);
	user_addr_t end = ALIGN_UP(start + segment->memory_size, PAGE_SIZE);
	uint32_t protection = protection_of(segment);
	int64_t result = 0;

	start = ALIGN_DOWN(start, PAGE_SIZE);
	if (start < LOWEST_ADDRESS || end > USER_ADDRESS_END)
		return -ENOEXEC;
	if (segment->file_size == 0)
		file_pages_end = start;
	else
		result = vm_map(vm, start, file_pages_end - start, protection,
				MAP_PRIVATE | MAP_FIXED, object->inode,
				ALIGN_DOWN(segment->offset, PAGE_SIZE));
	if (result < 0)
		return (int)result;
	if (segment->file_size && segment->memory_size > segment->file_size &&
	    protection & PROT_WRITE) {
		result = clear_rest_of_page(vm, file_end);
		if (result < 0)
			return (int)result;
	}
	if (end == file_pages_end)
		return 0;
	result = vm_map(vm, file_pages_end, end - file_pages_end, protection,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0);
	return result < 0 ? (int)result : 0;
}

static int map_segments(struct vm *vm, const struct elf_object *object)
{
	for (uint32_t i = 0; i < object->header.segment_count; i++) {
		const struct elf_segment *segment = &object->segments[i];
		int error = 0;

		if (segment->type == SEGMENT_LOAD && segment->memory_size)
			error = map_segment(vm, object, segment);
		if (error)
			return error;
	}
	return 0;
}

/* Where the program finds its own segment table in memory, or 0. */
static user_addr_t headers_in_memory(const struct elf_object *object)
{
	uint64_t offset = object->header.segments_offset;

	for (uint32_t i = 0; i < object->header.segment_count; i++) {
		const struct elf_segment *segment = &object->segments[i];

		if (segment->type == SEGMENT_HEADERS)
			return object->bias + segment->address;
		if (segment->type == SEGMENT_LOAD && offset >= segment->offset &&
		    offset - segment->offset < segment->file_size)
			return object->bias + segment->address + offset - segment->offset;
	}
	return 0;
}

/* The interpreter's inode with a reference; NULL and 0 when the program has none. */
static int find_interpreter(const struct elf_object *object, struct inode **interpreter)
{
	const struct elf_segment *segment = NULL;
	char path[INTERPRETER_PATH_MAX];

	*interpreter = NULL;
	for (uint32_t i = 0; i < object->header.segment_count && !segment; i++)
		if (object->segments[i].type == SEGMENT_INTERPRETER)
			segment = &object->segments[i];
	if (!segment)
		return 0;
	if (segment->file_size < 2 || segment->file_size > sizeof(path))
		return -ENOEXEC;
	if (inode_read(object->inode, path, segment->file_size, segment->offset) !=
		    (int64_t)segment->file_size ||
	    path[segment->file_size - 1] != '\0')
		return -ENOEXEC;
	int error = path_resolve(AT_FDCWD, path, true, interpreter);
	return error ? error : may_run(*interpreter);
}

/* `object` is storage for the interpreter's headers. */
static int load_interpreter(struct vm *vm, struct inode *inode, struct elf_object *object,
			    struct program *program)
{
	int error = read_object(object, inode);

	if (error)
		return error == -ENOEXEC ? -ELIBBAD : error;
	error = place_interpreter(object, vm);
	if (error)
		return error;
	program->interpreter = object->bias;
	program->start = object->bias + object->header.entry;
	return map_segments(vm, object);
}

static int load_program(struct vm *vm, struct inode *inode, struct elf_object *object,
			struct program *program)
{
	struct inode *interpreter;
	int error = read_object(object, inode);

	if (error)
		return error;
	place_program(object);
	error = map_segments(vm, object);
	if (error)
		return error;
	*program = (struct program){
		.start = object->bias + object->header.entry,
		.entry = object->bias + object->header.entry,
		.headers = headers_in_memory(object),
		.header_count = object->header.segment_count,
		.header_size = sizeof(struct elf_segment),
		.end = object->bias + object->highest,
	};
	error = find_interpreter(object, &interpreter);
	if (!error && interpreter)
		error = load_interpreter(vm, interpreter, object, program);
	inode_put(interpreter);
	return error;
}

int elf_load(struct vm *vm, struct inode *inode, struct program *program)
{
	struct elf_object *object = kmalloc(sizeof(*object));
	int error;

	if (!object)
		return -ENOMEM;
	error = load_program(vm, inode, object, program);
	kfree(object);
	return error;
}
