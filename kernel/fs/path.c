/*
 * Path resolution, path_resolution(7).
 *
 * The walk holds one directory and what is left of the path. A symbolic link's target is put in
 * front of what is left, so that nothing recurses and the 40-link limit is a counter.
 */
#include "kernel/fs/path.h"

#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/file.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/string.h"
#include "kernel/user.h"

struct walk {
	struct inode *at; /* the directory reached so far: a reference */
	char *rest;       /* what is left, in `buffer` */
	char *buffer;     /* PATH_MAX bytes, kmalloc'ed */
	uint32_t links;   /* symbolic links followed */
	enum path_end end;
	const struct subject *subject; /* who has to be allowed to search the directories */
};

static struct inode *process_root(void)
{
	struct inode *root = current_process()->root;
	return root ? root : fs_root();
}

static struct inode *process_cwd(void)
{
	struct inode *cwd = current_process()->cwd;
	return cwd ? cwd : fs_root();
}

/* Where the walk begins. 0, -EBADF or -ENOTDIR. */
static int start_directory(int directory_fd, const char *path, struct inode **start)
{
	if (path[0] == '/' || directory_fd == AT_FDCWD) {
		*start = inode_get(path[0] == '/' ? process_root() : process_cwd());
		return 0;
	}
	struct file *file = fd_get_path(directory_fd);
	if (!file)
		return -EBADF;
	bool usable = file->inode && S_ISDIR(file->inode->mode);
	if (usable)
		*start = inode_get(file->inode);
	file_put(file);
	return usable ? 0 : -ENOTDIR;
}

static void move_to(struct walk *walk, struct inode *directory)
{
	inode_put(walk->at);
	walk->at = directory;
}

static void move_to_parent(struct walk *walk)
{
	if (walk->at != process_root() && walk->at->parent)
		move_to(walk, inode_get(walk->at->parent));
}

static void skip_slashes(struct walk *walk)
{
	while (*walk->rest == '/')
		walk->rest++;
}

/* Takes the next name off the path. 0 or -ENAMETOOLONG. */
static int next_name(struct walk *walk, char name[NAME_MAX + 1])
{
	size_t length = 0;
	while (walk->rest[length] != '\0' && walk->rest[length] != '/')
		length++;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, walk->rest, length);
	name[length] = '\0';
	walk->rest += length;
	return 0;
}

int64_t path_read_link(struct inode *link, char *target, size_t size)
{
	if (!S_ISLNK(link->mode))
		return -EINVAL;
	if (link->ops && link->ops->read_link)
		return link->ops->read_link(link, target, size);
	return (int64_t)strscpy(target, link->link_target, size);
}

/* Puts the link's target in front of the rest of the path. */
static int expand_link(struct walk *walk, struct inode *link)
{
	if (++walk->links > PATH_LINKS_MAX)
		return -ELOOP;
	char *buffer = kmalloc(PATH_MAX);
	if (!buffer)
		return -ENOMEM;
	int64_t length = path_read_link(link, buffer, PATH_MAX);
	size_t rest = strlen(walk->rest) + 1;
	int error = length < 0 ? (int)length : length == 0 ? -ENOENT : 0;
	if (!error && (size_t)length + rest > PATH_MAX)
		error = -ENAMETOOLONG;
	if (error) {
		kfree(buffer);
		return error;
	}
	memcpy(buffer + length, walk->rest, rest);
	kfree(walk->buffer);
	walk->buffer = walk->rest = buffer;
	if (buffer[0] == '/')
		move_to(walk, inode_get(process_root()));
	return 0;
}

/* What to do after a name has been looked at. */
enum step { STEP_ON, STEP_DONE };

/* The name is the last one: fills in the result. */
static enum step finish(struct walk *walk, struct path *result, struct inode *inode, bool slash)
{
	result->parent = inode_get(walk->at);
	result->inode = inode;
	result->trailing_slash = slash;
	return STEP_DONE;
}

/*
 * Follows a symbolic link; owns `link`. STEP_DONE when it led straight to the object at the end of
 * the path.
 */
static int follow_link(struct walk *walk, struct path *result, struct inode *link, bool last,
		       bool slash)
{
	if (!link->ops || !link->ops->follow) {
		int error = expand_link(walk, link);
		inode_put(link);
		return error ? error : STEP_ON;
	}
	struct inode *target;
	int error = link->ops->follow(link, &target);
	inode_put(link);
	if (error)
		return error;
	if (last) {
		result->parent = NULL;
		result->inode = target;
		result->trailing_slash = slash;
		return STEP_DONE;
	}
	if (!S_ISDIR(target->mode)) {
		inode_put(target);
		return -ENOTDIR;
	}
	move_to(walk, target);
	return STEP_ON;
}

/* Takes one name. An enum step, or a negative errno. */
static int walk_name(struct walk *walk, struct path *result)
{
	int error = next_name(walk, result->name);
	if (error)
		return error;
	bool slash = *walk->rest == '/';
	char *after_name = walk->rest;
	skip_slashes(walk);
	bool last = *walk->rest == '\0';

	if (!S_ISDIR(walk->at->mode))
		return -ENOTDIR;
	error = result->name[0] ? subject_may(walk->subject, walk->at, X_OK) : 0;
	if (error)
		return error;
	if (result->name[0] == '\0' || strcmp(result->name, ".") == 0)
		return last ? finish(walk, result, inode_get(walk->at), slash) : STEP_ON;
	if (strcmp(result->name, "..") == 0) {
		move_to_parent(walk);
		return last ? finish(walk, result, inode_get(walk->at), slash) : STEP_ON;
	}

	struct inode *inode = directory_lookup(walk->at, result->name);
	if (!inode)
		return last ? (int)finish(walk, result, NULL, slash) : -ENOENT;
	bool follow = !last || walk->end == PATH_FOLLOW || (slash && walk->end == PATH_NO_FOLLOW);
	if (S_ISLNK(inode->mode) && follow) {
		walk->rest = after_name; /* so that the slash stands behind the target */
		return follow_link(walk, result, inode, last, slash);
	}
	if (last)
		return finish(walk, result, inode, slash);
	move_to(walk, inode);
	return STEP_ON;
}

int path_walk_as(const struct subject *subject, int directory_fd, const char *path,
		 enum path_end end, struct path *result)
{
	struct walk walk = {.end = end, .subject = subject};
	*result = (struct path){0};
	size_t size = strlen(path) + 1;
	if (size == 1)
		return -ENOENT;
	if (size > PATH_MAX)
		return -ENAMETOOLONG;
	int error = start_directory(directory_fd, path, &walk.at);
	if (error)
		return error;
	walk.buffer = walk.rest = kmalloc(size);
	if (!walk.buffer) {
		inode_put(walk.at);
		return -ENOMEM;
	}
	memcpy(walk.buffer, path, size);

	int step;
	do {
		skip_slashes(&walk);
		step = walk_name(&walk, result);
	} while (step == STEP_ON);

	kfree(walk.buffer);
	inode_put(walk.at);
	if (step < 0)
		return step;
	bool want_directory = result->trailing_slash && end != PATH_NAME_ONLY;
	if (want_directory && result->inode && !S_ISDIR(result->inode->mode)) {
		path_release(result);
		return -ENOTDIR;
	}
	return 0;
}

int path_walk(int directory_fd, const char *path, enum path_end end, struct path *result)
{
	struct subject subject = subject_acting();
	return path_walk_as(&subject, directory_fd, path, end, result);
}

void path_release(struct path *path)
{
	inode_put(path->parent);
	inode_put(path->inode);
}

bool path_ends_in_dots(const struct path *path)
{
	return path->name[0] == '\0' || strcmp(path->name, ".") == 0 ||
	       strcmp(path->name, "..") == 0;
}

static int resolve_as(const struct subject *subject, int directory_fd, const char *path,
		      bool follow_last_link, struct inode **result)
{
	struct path found;
	enum path_end end = follow_last_link ? PATH_FOLLOW : PATH_NO_FOLLOW;
	int error = path_walk_as(subject, directory_fd, path, end, &found);
	if (error)
		return error;
	*result = found.inode;
	found.inode = NULL;
	path_release(&found);
	return *result ? 0 : -ENOENT;
}

int path_resolve(int directory_fd, const char *path, bool follow_last_link, struct inode **result)
{
	struct subject subject = subject_acting();
	return resolve_as(&subject, directory_fd, path, follow_last_link, result);
}

char *path_from_user(user_addr_t path, int *error)
{
	char *copy = kmalloc(PATH_MAX);
	if (!copy) {
		*error = -ENOMEM;
		return NULL;
	}
	int64_t length = copy_string_from_user(copy, path, PATH_MAX);
	if (length >= 0)
		return copy;
	kfree(copy);
	*error = (int)length;
	return NULL;
}

/* The descriptor itself, for AT_EMPTY_PATH. */
static int inode_of_fd(int fd, struct inode **result)
{
	if (fd == AT_FDCWD) {
		*result = inode_get(process_cwd());
		return 0;
	}
	struct file *file = fd_get_path(fd);
	if (!file)
		return -EBADF;
	*result = file->inode ? inode_get(file->inode) : NULL;
	file_put(file);
	return *result ? 0 : -EINVAL;
}

int path_at_as(const struct subject *subject, int directory_fd, user_addr_t path, uint32_t flags,
	       struct inode **result)
{
	int error;
	char *name = path_from_user(path, &error);
	if (!name)
		return error;
	if (name[0] == '\0' && (flags & AT_EMPTY_PATH))
		error = inode_of_fd(directory_fd, result);
	else
		error = resolve_as(subject, directory_fd, name, !(flags & AT_SYMLINK_NOFOLLOW),
				   result);
	kfree(name);
	return error;
}

int path_at(int directory_fd, user_addr_t path, uint32_t flags, struct inode **result)
{
	struct subject subject = subject_acting();
	return path_at_as(&subject, directory_fd, path, flags, result);
}

/* Writes `text` before *at, or reports that it does not fit. */
static bool prepend(const char *text, char *path, size_t *at)
{
	size_t length = strlen(text);
	if (length > *at)
		return false;
	while (length > 0)
		path[--*at] = text[--length];
	return true;
}

int64_t inode_path(struct inode *inode, char *path, size_t size)
{
	struct inode *root = process_root();
	if (size < 2)
		return -ENAMETOOLONG;
	size_t at = size - 1;
	path[at] = '\0';
	bool deleted = inode != root && inode != fs_root() && !inode->entry;
	if (deleted && !prepend(" (deleted)", path, &at))
		return -ENAMETOOLONG;
	while (inode != root && inode->entry) {
		if (!prepend(inode->entry->name, path, &at) || !prepend("/", path, &at))
			return -ENAMETOOLONG;
		inode = inode->entry->directory;
	}
	if (path[at] != '/' && !prepend("/", path, &at))
		return -ENAMETOOLONG;
	memmove(path, path + at, size - at);
	return (int64_t)(size - at - 1);
}
