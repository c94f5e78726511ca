/*
 * Intrusive balanced binary search trees. The owner orders the nodes: it descends from the root by
 * itself (comparing its own keys) and says where a new node goes; the tree keeps its depth
 * logarithmic. Locking is the owner's business; nothing is allocated.
 *
 *	struct tree_node **link = &tree->root, *parent = NULL;
 *	while (*link) {
 *		parent = *link;
 *		link = key < key_of(parent) ? &parent->left : &parent->right;
 *	}
 *	tree_insert(tree, node, parent, link);
 */
#ifndef KERNEL_LIB_TREE_H
#define KERNEL_LIB_TREE_H

#include "kernel/types.h"

struct tree_node {
	struct tree_node *left, *right, *parent;
	int32_t height;
};

struct tree {
	struct tree_node *root; /* NULL: empty */
};

void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent,
		 struct tree_node **link);
void tree_remove(struct tree *tree, struct tree_node *node);

/* In order; NULL at the ends. */
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_last(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_previous(const struct tree_node *node);

#define tree_entry(node, type, member) container_of(node, type, member)

#endif
