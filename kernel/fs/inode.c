/*
 * Inodes and the pages of regular files.
 *
 * The only limit on what all files hold is memory: the last part of it is kept back for processes
 * and the network, so that a full file system answers ENOSPC and the machine goes on.
 */
#include "kernel/fs/inode.h"

#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/event/inotify.h"
#include "kernel/fs/directory.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/process.h"
#include "kernel/string.h"

#define RESERVE_SHARE 16 /* files leave one page in so many free */

static uint64_t last_number;
static uint64_t inodes; /* that there are */

uint64_t inode_count(void)
{
	return inodes;
}

uint64_t inode_next_number(void)
{
	return ++last_number;
}

struct inode *inode_create(enum filesystem filesystem, uint32_t mode)
{
	struct inode *inode = kzalloc(sizeof(*inode));
	if (!inode)
		return NULL;
	struct process *process = current_process();
	inodes++;
	inode->references = 1;
	inode->mode = mode;
	inode->uid = process->fsuid;
	inode->gid = process->fsgid;
	inode->filesystem = filesystem;
	inode->number = inode_next_number();
	list_init(&inode->entries);
	list_init(&inode->watches);
	inode->next_position = DIRECTORY_FIRST_ENTRY;
	uint64_t now = clock_realtime_ns();
	inode->atime_ns = inode->mtime_ns = inode->ctime_ns = now;
	return inode;
}

struct inode *inode_get(struct inode *inode)
{
	inode->references++;
	return inode;
}

void inode_put(struct inode *inode)
{
	if (!inode || --inode->references > 0)
		return;
	inotify_inode_ends(inode);
	if (inode->ops && inode->ops->release)
		inode->ops->release(inode);
	page_index_free(&inode->pages);
	kfree(inode->link_target);
	/* An entry in a directory would hold a reference: this one was made up. */
	kfree(inode->entry);
	struct inode *parent = inode->parent;
	kfree(inode);
	inodes--;
	inode_put(parent);
}

void inode_modified(struct inode *inode)
{
	inode->mtime_ns = inode->ctime_ns = clock_realtime_ns();
}

void inode_changed(struct inode *inode)
{
	inode->ctime_ns = clock_realtime_ns();
}

static struct page *fill_hole(struct inode *inode, uint64_t index)
{
	struct page *page = page_alloc_zeroed();
	if (!page)
		return NULL;
	if (page_index_put(&inode->pages, index, page)) {
		page_put(page);
		return NULL;
	}
	page_set_use(page, PAGE_USE_FILE);
	return page;
}

bool file_system_full(void)
{
	struct page_statistics memory = page_statistics();
	return memory.free <= memory.total / RESERVE_SHARE;
}

struct page *inode_page_for_write(struct inode *inode, uint64_t index)
{
	struct page *page = inode_page_present(inode, index);
	if (page)
		return page;
	return file_system_full() ? NULL : fill_hole(inode, index);
}

static bool has_page(const struct inode *inode, uint64_t index)
{
	return S_ISREG(inode->mode) && inode->filesystem == FILESYSTEM_MEMORY &&
	       index < ALIGN_UP(inode->size, PAGE_SIZE) >> PAGE_SHIFT;
}

struct page *inode_page(struct inode *inode, uint64_t index)
{
	struct page *page = has_page(inode, index) ? inode_page_for_write(inode, index) : NULL;
	if (page)
		page_get(page);
	return page;
}

struct page *inode_page_for_fault(struct inode *inode, uint64_t index)
{
	if (inode->links > 0 || inode->stays || !has_page(inode, index) ||
	    inode_page_present(inode, index))
		return inode_page(inode, index);
	struct page *page = fill_hole(inode, index);
	if (page)
		page_get(page);
	return page;
}

struct inode *inode_of_pages(struct page *const *pages, uint64_t count)
{
	struct inode *inode = inode_create(FILESYSTEM_MEMORY, S_IFREG | 0600);
	if (!inode)
		return NULL;
	for (uint64_t index = 0; index < count; index++) {
		page_get(pages[index]);
		if (page_index_put(&inode->pages, index, pages[index])) {
			page_put(pages[index]);
			inode_put(inode);
			return NULL;
		}
	}
	inode->size = count * PAGE_SIZE;
	return inode;
}

void inode_free_pages(struct inode *inode, uint64_t first, uint64_t end)
{
	page_index_remove(&inode->pages, first, end);
}

void inode_clear_behind_end(struct inode *inode)
{
	uint64_t in_page = inode->size % PAGE_SIZE;
	struct page *last = in_page ? inode_page_present(inode, inode->size >> PAGE_SHIFT) : NULL;
	if (last)
		memset((char *)page_address(last) + in_page, 0, PAGE_SIZE - in_page);
}

int inode_truncate(struct inode *inode, uint64_t size)
{
	if (size > INODE_SIZE_MAX)
		return -EFBIG;
	if (size < inode->size) {
		uint64_t kept = ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT;
		vm_forget_file(inode, kept, UINT64_MAX, true);
		inode_free_pages(inode, kept, UINT64_MAX);
		inode->size = size;
	}
	inode_clear_behind_end(inode);
	inode->size = size;
	inode_modified(inode);
	return 0;
}

int64_t inode_read(struct inode *inode, void *to, uint64_t n, uint64_t position)
{
	if (!S_ISREG(inode->mode) || inode->filesystem != FILESYSTEM_MEMORY)
		return -EINVAL;
	if (position >= inode->size)
		return 0;
	n = MIN(n, inode->size - position);
	char *bytes = to;
	for (uint64_t done = 0; done < n;) {
		uint64_t in_page = (position + done) % PAGE_SIZE;
		uint64_t part = MIN(n - done, PAGE_SIZE - in_page);
		struct page *page = inode_page_present(inode, (position + done) >> PAGE_SHIFT);
		if (page)
			memcpy(bytes + done, (char *)page_address(page) + in_page, part);
		else
			memset(bytes + done, 0, part);
		done += part;
	}
	return (int64_t)n;
}
