/*
 * Intrusive doubly linked lists: the link is a member of the object, so linking allocates nothing.
 *
 * A `struct list_head` is either a list's head or an object's link. `struct hlist_head` is a head
 * of one pointer, for the buckets of hash tables. Locking is the owner's business.
 */
#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H

#include "kernel/types.h"

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)     \
	{                        \
		&(name), &(name) \
	}

static inline void list_init(struct list_head *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_insert_between(struct list_head *link, struct list_head *prev,
				       struct list_head *next)
{
	link->prev = prev;
	link->next = next;
	prev->next = link;
	next->prev = link;
}

/* Puts `link` first. */
static inline void list_push(struct list_head *head, struct list_head *link)
{
	list_insert_between(link, head, head->next);
}

/* Puts `link` last. */
static inline void list_append(struct list_head *head, struct list_head *link)
{
	list_insert_between(link, head->prev, head);
}

/* Unlinks and re-initialises, so that a second removal is harmless and list_empty(link) holds. */
static inline void list_remove(struct list_head *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Moves all of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice(struct list_head *to, struct list_head *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(link, type, member) container_of(link, type, member)

#define list_first_entry(head, type, member) list_entry((head)->next, type, member)

#define list_for_each_entry(entry, head, member)                               \
	for ((entry) = list_entry((head)->next, __typeof__(*(entry)), member); \
	     &(entry)->member != (head);                                       \
	     (entry) = list_entry((entry)->member.next, __typeof__(*(entry)), member))

/* As above; the body may unlink or free `entry`. */
#define list_for_each_entry_safe(entry, following, head, member)                          \
	for ((entry) = list_entry((head)->next, __typeof__(*(entry)), member),            \
	    (following) = list_entry((entry)->member.next, __typeof__(*(entry)), member); \
	     &(entry)->member != (head); (entry) = (following),                           \
	    (following) = list_entry((following)->member.next, __typeof__(*(entry)), member))

struct hlist_node {
	struct hlist_node *next, **link; /* `link` points at whatever points here */
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void hlist_push(struct hlist_head *head, struct hlist_node *node)
{
	node->next = head->first;
	node->link = &head->first;
	if (head->first)
		head->first->link = &node->next;
	head->first = node;
}

/* Harmless on a node that is not linked (link == NULL). */
static inline void hlist_remove(struct hlist_node *node)
{
	if (!node->link)
		return;
	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
	node->next = NULL;
	node->link = NULL;
}

#define hlist_for_each_entry(entry, head, member)                                             \
	for (struct hlist_node *hlist_at = (head)->first;                                     \
	     hlist_at && ((entry) = container_of(hlist_at, __typeof__(*(entry)), member), 1); \
	     hlist_at = hlist_at->next)

/* As above; the body may unlink or free `entry`. */
#define hlist_for_each_entry_safe(entry, following, head, member)                            \
	for (struct hlist_node *hlist_at = (head)->first, *following = NULL;                 \
	     hlist_at && (following = hlist_at->next,                                        \
			 (entry) = container_of(hlist_at, __typeof__(*(entry)), member), 1); \
	     hlist_at = following)

#endif
