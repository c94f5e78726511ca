/*
 * Kernel memory in size classes.
 *
 * A class hands out objects of one size, cut from slabs: blocks of pages, each with a `struct slab`
 * that counts its objects in use and chains its free ones. In front of the slabs each class has a
 * short stack of objects lately freed, so that the usual kmalloc is a pop and the usual kfree a
 * push. When the stack grows too tall, half of it goes back to the slabs, and a slab without
 * objects in use goes back to the page allocator.
 *
 * What is larger than the largest class is a block of pages of its own. Which it is, kfree sees at
 * the page: page->owner is the slab, or NULL.
 */
#include "kernel/mm/kmalloc.h"
#include "kernel/list.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/softirq.h"
#include "kernel/string.h"

#define CLASS_MAX 2048
#define CLASS_STEP 16

#define STACK_BYTES 65536 /* at most this much waits in a class's stack */
#define STACK_MIN 8
#define STACK_MAX 128

struct object {
	struct object *next;
};

struct slab {
	struct list_head link; /* of its class's partial list while it has a free object */
	struct size_class *class;
	struct page *page;
	struct object *free;
	uint32_t used;
};

static struct size_class {
	uint32_t size;
	uint32_t order; /* of a slab */
	uint32_t stack_max;
	uint32_t stack_count;
	struct object *stack;
	struct list_head partial;
} classes[] = {
	{.size = 16},
	{.size = 32},
	{.size = 48},
	{.size = 64},
	{.size = 96},
	{.size = 128},
	{.size = 192},
	{.size = 256},
	{.size = 384, .order = 1},
	{.size = 512, .order = 1},
	{.size = 768, .order = 2},
	{.size = 1024, .order = 2},
	{.size = 1536, .order = 3},
	{.size = 1792, .order = 3}, /* a TCP connection */
	{.size = 2048, .order = 3},
};

/* The class for sizes up to CLASS_STEP * (index + 1). */
static struct size_class *class_of_step[CLASS_MAX / CLASS_STEP];

static struct object *free_slab_structures; /* struct slab, carved from whole pages and kept */

void kmalloc_init(void)
{
	struct size_class *class = classes;

	for (size_t i = 0; i < ARRAY_SIZE(class_of_step); i++) {
		if (class->size < (i + 1) * CLASS_STEP)
			class ++;
		class_of_step[i] = class;
	}
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		list_init(&classes[i].partial);
		classes[i].stack_max = CLAMP(STACK_BYTES / classes[i].size, STACK_MIN, STACK_MAX);
	}
}

static struct size_class *class_for(size_t size)
{
	return class_of_step[(MAX(size, 1ul) - 1) / CLASS_STEP];
}

static struct slab *slab_structure_alloc(void)
{
	if (!free_slab_structures) {
		struct page *page = page_alloc();
		if (!page)
			return NULL;
		page_set_use(page, PAGE_USE_SLAB);
		struct slab *slabs = page_address(page);
		for (size_t i = 0; i < PAGE_SIZE / sizeof(*slabs); i++) {
			struct object *object = (struct object *)&slabs[i];
			object->next = free_slab_structures;
			free_slab_structures = object;
		}
	}
	struct object *object = free_slab_structures;
	free_slab_structures = object->next;
	return (struct slab *)object;
}

static void slab_structure_free(struct slab *slab)
{
	struct object *object = (struct object *)slab;

	object->next = free_slab_structures;
	free_slab_structures = object;
}

static struct slab *slab_create(struct size_class *class)
{
	struct slab *slab = slab_structure_alloc();
	struct page *page = slab ? page_alloc_order(class->order) : NULL;

	if (!page) {
		if (slab)
			slab_structure_free(slab);
		return NULL;
	}
	page_set_use(page, PAGE_USE_SLAB);
	*slab = (struct slab){.class = class, .page = page};
	for (uint32_t i = 0; i < 1u << class->order; i++)
		page[i].owner = slab;

	char *bytes = page_address(page);
	size_t room = PAGE_SIZE << class->order;
	for (size_t n = room / class->size; n > 0; n--) {
		struct object *object = (struct object *)(bytes + (n - 1) * class->size);
		object->next = slab->free;
		slab->free = object;
	}
	list_push(&class->partial, &slab->link);
	return slab;
}

static void slab_destroy(struct slab *slab)
{
	struct page *page = slab->page;

	list_remove(&slab->link);
	for (uint32_t i = 0; i < 1u << slab->class->order; i++)
		page[i].owner = NULL;
	page_put(page);
	slab_structure_free(slab);
}

static struct object *slab_take(struct size_class *class)
{
	struct slab *slab;

	if (list_empty(&class->partial))
		slab = slab_create(class);
	else
		slab = list_first_entry(&class->partial, struct slab, link);
	if (!slab)
		return NULL;
	struct object *object = slab->free;
	assert_always(object); /* or it would not be in the list */
	slab->free = object->next;
	slab->used++;
	if (!slab->free)
		list_remove(&slab->link);
	return object;
}

static void slab_give_back(struct object *object)
{
	struct slab *slab = page_of(object)->owner;

	if (!slab->free)
		list_push(&slab->class->partial, &slab->link);
	object->next = slab->free;
	slab->free = object;
	if (--slab->used == 0)
		slab_destroy(slab);
}

static void stack_drain(struct size_class *class)
{
	while (class->stack_count > class->stack_max / 2) {
		struct object *object = class->stack;
		class->stack = object->next;
		class->stack_count--;
		slab_give_back(object);
	}
}

static uint32_t order_for(size_t size)
{
	uint32_t order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

static void *alloc_pages(size_t size)
{
	if (size > PAGE_SIZE << PAGE_ORDER_MAX)
		return NULL;
	struct page *page = page_alloc_order(order_for(size));
	return page ? page_address(page) : NULL;
}

void *kmalloc(size_t size)
{
	if (size > CLASS_MAX)
		return alloc_pages(size);

	struct size_class *class = class_for(size);
	softirq_disable();
	struct object *object = class->stack;
	if (object) {
		class->stack = object->next;
		class->stack_count--;
	} else {
		object = slab_take(class);
	}
	softirq_enable();
	return object;
}

void *kzalloc(size_t size)
{
	void *memory = kmalloc(size);

	if (memory)
		memset(memory, 0, size);
	return memory;
}

void kfree(void *memory)
{
	if (!memory)
		return;
	struct slab *slab = page_of(memory)->owner;
	if (!slab) {
		page_put(page_of(memory));
		return;
	}
	struct size_class *class = slab->class;
	struct object *object = memory;
	softirq_disable();
	object->next = class->stack;
	class->stack = object;
	if (++class->stack_count > class->stack_max)
		stack_drain(class);
	softirq_enable();
}

size_t kmalloc_size(size_t size)
{
	if (size > CLASS_MAX)
		return PAGE_SIZE << order_for(size);
	return class_for(size)->size;
}
