/*
 * Inside /proc: how its files are made of show functions.
 */
#ifndef KERNEL_PROCFS_PROC_FILES_H
#define KERNEL_PROCFS_PROC_FILES_H

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/procfs/procfs.h"

struct process;
struct thread;

/*
 * /proc itself; the files that tell of processes; those that tell of the kernel. Boot, in this
 * order.
 */
void procfs_init(void);
void proc_pid_init(void);
void proc_system_init(void);
void sysfs_init(void);           /* /sys, likewise */
void file_statistics_init(void); /* sys/fs */

/* The directory /proc. */
struct inode *proc_root(void);

/*
 * As proc_register_writable and for a directory, but below `top`, which may be of another file
 * system of this kind. 0 or -ENOMEM; NULL: no memory, or the name is taken.
 */
int proc_register_below(struct inode *top, const char *path, proc_show *show, proc_store *store,
			void *context);
struct inode *proc_directory_below(struct inode *top, const char *path);

/* A symbolic link whose target ops->read_link makes up. 0 or -ENOMEM. */
int proc_register_link(const char *path, const struct inode_ops *ops);

/*
 * Opens `file` on the text that `show` makes, and with `store` (NULL: none) for writing. `context`
 * must live as long as file->inode. 0 or -ENOMEM.
 */
int proc_open_text(struct file *file, proc_show *show, proc_store *store, void *context);

/*
 * An inode of root's that `directory` makes up as it is looked into, with a copy of `node` as its
 * private, which `ops->release` frees. NULL when memory is out.
 */
struct inode *proc_made_up_inode(struct inode *directory, const char *name, uint32_t mode,
				 const struct inode_ops *ops, const void *node, size_t size);

/*
 * A file or link or directory of one process, or of one thread (below task/). `fd` is a
 * descriptor's number under fd/, else -1; process and thread are found anew at each use, so that an
 * open file outlives them harmlessly.
 */
struct proc_pid_file;
struct proc_pid_node {
	int32_t pid;
	int32_t tid; /* 0: the process as a whole */
	int fd;
	const struct proc_pid_file *file;
};

/*
 * The text of a process's file; of one thread where that makes a difference, and `thread` is not
 * NULL. `store` takes what was written: 0 or a negative errno.
 */
typedef void proc_pid_show(struct text *text, struct process *process, struct thread *thread);
typedef int proc_pid_store(const char *text, struct process *process, struct thread *thread);

struct proc_pid_file {
	const char *name;
	uint32_t mode;
	const struct inode_ops *ops; /* NULL: a text */
	proc_pid_show *show;
	proc_pid_store *store;
	bool guarded; /* opened only by who may inspect the process, whatever its mode */
};

/* The directories /proc/PID/task and what is in them: proc_task.c. */
extern const struct inode_ops proc_task_directory_ops;

/* Looks up and lists what is in a directory of a process or thread. */
struct inode *proc_pid_lookup(struct inode *directory, const char *name,
			      const struct proc_pid_file *files, uint32_t count);
int proc_pid_list(struct inode *directory, struct file *file, struct directory_sink *sink,
		  const struct proc_pid_file *files, uint32_t count);

/* A pid in decimal as /proc writes it, or 0. */
int32_t proc_parse_pid(const char *name);

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

/* The number of an inode of a process or thread; `index` tells them apart. */
uint64_t proc_pid_number(int32_t pid, uint32_t index);

/* fd/, fdinfo/ and the links exe, cwd, root: proc_pid_links.c, proc_fdinfo.c. */
extern const struct inode_ops proc_fd_directory_ops, proc_fdinfo_directory_ops;
extern const struct inode_ops proc_exe_ops, proc_cwd_ops, proc_root_ops;

/* For both directories: a descriptor's number in decimal, or -1; the entries of a listing. */
int proc_parse_fd(const char *name);
int proc_list_fds(struct inode *directory, struct file *file, struct directory_sink *sink,
		  uint32_t mode, uint32_t first_number);

/* The texts of a process's files: proc_pid_show.c, proc_pid_status.c, proc_pid_memory.c. */
proc_pid_show proc_show_stat, proc_show_statm, proc_show_status, proc_show_comm;
proc_pid_show proc_show_cmdline, proc_show_environ, proc_show_auxv;
proc_pid_show proc_show_maps, proc_show_smaps, proc_show_smaps_rollup;
proc_pid_show proc_show_limits, proc_show_cgroup, proc_show_oom_score, proc_show_oom_score_adj;
proc_pid_store proc_store_comm, proc_store_oom_score_adj;

/* /proc/PID/mounts and mountinfo: mounts.c. */
proc_pid_show proc_show_mounts, proc_show_mountinfo;

/* R, S, T or Z: of a thread, or with NULL of the process. */
char proc_state(const struct process *process, const struct thread *thread);

struct signal_sets {
	uint64_t pending, shared_pending, blocked, ignored, caught;
};
struct signal_sets signals_of(const struct process *process, const struct thread *thread);

/* Decimal text, all of it, as a number in [min, max]. False: it is none. */
bool proc_parse_number(const char *text, int64_t min, int64_t max, int32_t *number);

#endif
