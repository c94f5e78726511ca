/*
 * System V shared memory: svipc(7), shmget(2), shmop(2), shmctl(2).
 *
 * A segment is a file without a name, found by a number or a key; attaching maps it. IPC_RMID
 * forgets number and key at once, so that nobody attaches any more; the memory goes with the last
 * that has it attached.
 */
#include "include/uapi/shm.h"

#include "include/uapi/capability.h"
#include "include/uapi/stat.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/area.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/procfs.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define SEGMENTS_MAX 4096
#define PERMISSIONS 0777

struct segment {
	struct list_head link;
	int32_t id, key;
	struct inode *inode; /* size, owner and mode; a reference */
	uint32_t creator_uid, creator_gid;
	int32_t creator_pid, last_pid;
	int64_t attached_s, detached_s, changed_s;
};

static struct list_head segments = LIST_HEAD_INIT(segments);
static uint32_t segment_count;
static int32_t last_id;

/* By this an area is known to be an attached segment. */
static const struct inode_ops segment_ops;

static int64_t now_s(void)
{
	return (int64_t)(clock_realtime_ns() / NSEC_PER_SEC);
}

static struct segment *find_id(int32_t id)
{
	struct segment *segment;

	list_for_each_entry(segment, &segments, link)
		if (segment->id == id)
			return segment;
	return NULL;
}

static struct segment *find_key(int32_t key)
{
	struct segment *segment;

	list_for_each_entry(segment, &segments, link)
		if (key != IPC_PRIVATE && segment->key == key)
			return segment;
	return NULL;
}

/* How often it is attached: the mappings of its first page. */
static uint64_t attachments(const struct segment *segment)
{
	const struct vm *vm;
	uint64_t count = 0;

	list_for_each_entry(vm, &vm_all, link)
		for (uint32_t i = 0; i < vm->area_count; i++)
			count += vm->areas[i].inode == segment->inode && vm->areas[i].offset == 0;
	return count;
}

static int64_t create(int32_t key, uint64_t size, uint32_t mode)
{
	struct segment *segment;

	if (size == 0 || size > page_statistics().total * PAGE_SIZE)
		return -EINVAL;
	if (segment_count == SEGMENTS_MAX)
		return -ENOSPC;
	segment = kzalloc(sizeof(*segment));
	if (!segment)
		return -ENOMEM;
	segment->inode = inode_create(FILESYSTEM_MEMORY, S_IFREG | (mode & PERMISSIONS));
	if (!segment->inode) {
		kfree(segment);
		return -ENOMEM;
	}
	segment->inode->ops = &segment_ops;
	segment->inode->size = size;
	segment->inode->stays = true;
	do
		last_id = last_id == INT32_MAX ? 0 : last_id + 1;
	while (find_id(last_id));
	segment->id = last_id;
	segment->key = key;
	segment->creator_uid = segment->inode->uid;
	segment->creator_gid = segment->inode->gid;
	segment->creator_pid = current_process()->pid;
	segment->changed_s = now_s();
	list_append(&segments, &segment->link);
	segment_count++;
	return segment->id;
}

/* What `mode` asks for as the bits of any of the three classes. */
static uint32_t wanted(uint32_t mode)
{
	return ((mode >> 6) | (mode >> 3) | mode) & (R_OK | W_OK);
}

SYSCALL3(shmget, int32_t, key, uint64_t, size, uint32_t, flags)
{
	const struct segment *segment = find_key(key);

	if (flags & ~(uint32_t)(IPC_CREAT | IPC_EXCL | PERMISSIONS))
		return -EINVAL; /* pages of other sizes */
	if (key == IPC_PRIVATE || (!segment && (flags & IPC_CREAT)))
		return create(key, size, flags);
	if (!segment)
		return -ENOENT;
	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	if (size > segment->inode->size)
		return -EINVAL;
	int error = may_access(segment->inode, wanted(flags));
	return error ? error : segment->id;
}

/* Where it is to be, and how to say so to vm_map. 0 or -EINVAL. */
static int attach_place(user_addr_t *address, uint32_t flags, uint32_t *map_flags)
{
	*map_flags = MAP_SHARED;
	if (!*address)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (flags & SHM_RND)
		*address = ALIGN_DOWN(*address, PAGE_SIZE);
	if (!IS_ALIGNED(*address, PAGE_SIZE))
		return -EINVAL;
	*map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	return 0;
}

SYSCALL3(shmat, int32_t, id, user_addr_t, address, uint32_t, flags)
{
	struct segment *segment = find_id(id);
	uint32_t protection = PROT_READ, map_flags;

	if (!segment)
		return -EINVAL;
	int error = attach_place(&address, flags, &map_flags);
	if (error)
		return error;
	if (flags & SHM_RDONLY)
		map_flags |= VM_MAP_NEVER_WRITE;
	else
		protection |= PROT_WRITE;
	if (flags & SHM_EXEC)
		protection |= PROT_EXEC;
	error = may_access(segment->inode, (flags & SHM_RDONLY ? R_OK : R_OK | W_OK) |
						   (flags & SHM_EXEC ? X_OK : 0));
	if (error)
		return error;
	int64_t result = vm_map(current_process()->vm, address, segment->inode->size, protection,
				map_flags, segment->inode, 0);
	if (result == -EEXIST)
		return -EINVAL;
	/* Mapping lets others run if all memory is to be locked; one may have removed it. */
	segment = find_id(id);
	if (result >= 0 && segment) {
		segment->last_pid = current_process()->pid;
		segment->attached_s = now_s();
	}
	return result;
}

/* All of the segment that begins there, however mprotect has split it. */
SYSCALL1(shmdt, user_addr_t, address)
{
	struct vm *vm = current_process()->vm;
	const struct area *area = area_find(vm, address);
	struct segment *segment;

	if (!area || area->start != address || area->offset != 0 || !area->inode ||
	    area->inode->ops != &segment_ops)
		return -EINVAL;
	const struct inode *inode = area->inode;
	user_addr_t end = area->end;
	for (area = area_find(vm, end);
	     area && area->inode == inode && area->offset == end - address;
	     area = area_find(vm, end))
		end = area->end;
	list_for_each_entry(segment, &segments, link)
		if (segment->inode == inode) {
			segment->last_pid = current_process()->pid;
			segment->detached_s = now_s();
		}
	return vm_unmap(vm, address, end - address);
}

static int64_t status_to_user(const struct segment *segment, user_addr_t to)
{
	const struct inode *inode = segment->inode;
	const struct shmid64_ds status = {
		.shm_perm = {.key = segment->key,
			     .uid = inode->uid,
			     .gid = inode->gid,
			     .cuid = segment->creator_uid,
			     .cgid = segment->creator_gid,
			     .mode = inode->mode & PERMISSIONS},
		.shm_segsz = inode->size,
		.shm_atime = segment->attached_s,
		.shm_dtime = segment->detached_s,
		.shm_ctime = segment->changed_s,
		.shm_cpid = segment->creator_pid,
		.shm_lpid = segment->last_pid,
		.shm_nattch = attachments(segment),
	};
	int error = may_access(inode, R_OK);

	return error ? error : copy_to_user(to, &status, sizeof(status));
}

static int64_t change(struct segment *segment, user_addr_t from)
{
	struct shmid64_ds status;

	if (copy_from_user(&status, from, sizeof(status)))
		return -EFAULT;
	segment->inode->uid = status.shm_perm.uid;
	segment->inode->gid = status.shm_perm.gid;
	segment->inode->mode = S_IFREG | (status.shm_perm.mode & PERMISSIONS);
	segment->changed_s = now_s();
	return 0;
}

static void forget(struct segment *segment)
{
	list_remove(&segment->link);
	segment_count--;
	segment->inode->stays = false;
	inode_put(segment->inode);
	kfree(segment);
}

/* The owner, who made it, or the superuser. */
static bool may_control(const struct segment *segment)
{
	uint32_t uid = current_process()->euid;

	return uid == segment->inode->uid || uid == segment->creator_uid || user_may(CAP_SYS_ADMIN);
}

SYSCALL3(shmctl, int32_t, id, int, command, user_addr_t, buffer)
{
	struct segment *segment = find_id(id);

	if (!segment || (command != IPC_RMID && command != IPC_SET && command != IPC_STAT))
		return -EINVAL;
	if (command == IPC_STAT)
		return status_to_user(segment, buffer);
	if (!may_control(segment))
		return -EPERM;
	if (command == IPC_SET)
		return change(segment, buffer);
	forget(segment);
	return 0;
}

/* proc(5): what ipcs(1) lists. */
static void show(struct text *text, void *context __unused)
{
	const struct segment *segment;

	text_printf(text,
		    "       key      shmid perms                  size  cpid  lpid nattch   uid   "
		    "gid  cuid  cgid      atime      dtime      ctime                   rss"
		    "                  swap\n");
	list_for_each_entry(segment, &segments, link) {
		const struct inode *inode = segment->inode;

		text_printf(text, "%10d %10d  %4o %21llu %5d %5d  %5llu %5u %5u %5u %5u ",
			    segment->key, segment->id, inode->mode & PERMISSIONS,
			    (unsigned long long)inode->size, segment->creator_pid,
			    segment->last_pid, (unsigned long long)attachments(segment), inode->uid,
			    inode->gid, segment->creator_uid, segment->creator_gid);
		text_printf(text, "%10lld %10lld %10lld %21llu %21u\n",
			    (long long)segment->attached_s, (long long)segment->detached_s,
			    (long long)segment->changed_s,
			    (unsigned long long)inode->pages.count * PAGE_SIZE, 0u);
	}
}

void shm_syscalls_init(void)
{
	syscall_register(SYS_shmget, sys_shmget);
	syscall_register(SYS_shmat, sys_shmat);
	syscall_register(SYS_shmdt, sys_shmdt);
	syscall_register(SYS_shmctl, sys_shmctl);
	if (proc_register("sysvipc/shm", show, NULL))
		panic("no memory for /proc/sysvipc");
}
