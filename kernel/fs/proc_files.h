/*
 * Inside /proc: how its files are made of show functions.
 */
#ifndef KERNEL_FS_PROC_FILES_H
#define KERNEL_FS_PROC_FILES_H

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/procfs.h"

struct process;

/*
 * /proc itself; the files that tell of processes; those that tell of the kernel. Boot, in this
 * order.
 */
void procfs_init(void);
void proc_pid_init(void);
void proc_system_init(void);

/* The directory /proc. */
struct inode *proc_root(void);

/* A symbolic link whose target ops->read_link makes up. 0 or -ENOMEM. */
int proc_register_link(const char *path, const struct inode_ops *ops);

/*
 * Opens `file` on the text that `show` makes, and with `store` (NULL: none) for writing. `context`
 * must live as long as file->inode. 0 or -ENOMEM.
 */
int proc_open_text(struct file *file, proc_show *show, proc_store *store, void *context);

/*
 * A file or link or directory of one process. `fd` is a descriptor's number under fd/, else -1; the
 * process is found anew at each use, so that an open file outlives it harmlessly.
 */
struct proc_pid_node {
	int32_t pid;
	int fd;
	void (*show)(struct text *text, struct process *process);
};

/*
 * A made-up inode in `directory` with such a node as its private. `number` is its st_ino, the same
 * at each lookup. NULL when memory is out.
 */
struct inode *proc_pid_inode(struct inode *directory, const char *name, uint32_t mode,
			     const struct inode_ops *ops, const struct proc_pid_node *node,
			     uint64_t number);
struct proc_pid_node *proc_pid_node(const struct inode *inode);

/* The process of a node; NULL: it has gone. */
struct process *proc_pid_process(const struct inode *inode);

/* release of every such inode: frees the node. */
void proc_pid_release(struct inode *inode);

/* Where the numbers of a process's inodes begin; `index` tells them apart. */
uint64_t proc_pid_number(int32_t pid, uint32_t index);

/* fd/ and the links exe, cwd, root: proc_pid_links.c. */
extern const struct inode_ops proc_fd_directory_ops;
extern const struct inode_ops proc_exe_ops, proc_cwd_ops, proc_root_ops;

/* The texts of a process's files: proc_pid_show.c. */
void proc_show_stat(struct text *text, struct process *process);
void proc_show_statm(struct text *text, struct process *process);
void proc_show_status(struct text *text, struct process *process);
void proc_show_cmdline(struct text *text, struct process *process);
void proc_show_environ(struct text *text, struct process *process);
void proc_show_comm(struct text *text, struct process *process);
void proc_show_maps(struct text *text, struct process *process);
void proc_show_limits(struct text *text, struct process *process);
void proc_show_mounts(struct text *text, struct process *process);

/* R, S, T or Z. */
char proc_state(const struct process *process);

#endif
