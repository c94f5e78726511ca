/* AVL trees: the heights of two siblings never differ by more than one. See tree.h. */
#include "kernel/lib/tree.h"

static int32_t height(const struct tree_node *node)
{
	return node ? node->height : 0;
}

static void update_height(struct tree_node *node)
{
	int32_t left = height(node->left), right = height(node->right);

	node->height = 1 + (left > right ? left : right);
}

/* Whoever points at `node` points at `to` instead. */
static void replace_child(struct tree *tree, struct tree_node *node, struct tree_node *to)
{
	struct tree_node *parent = node->parent;

	if (!parent)
		tree->root = to;
	else if (parent->left == node)
		parent->left = to;
	else
		parent->right = to;
	if (to)
		to->parent = parent;
}

/* The right child comes up, `node` becomes its left one. Returns the child. */
static struct tree_node *rotate_left(struct tree *tree, struct tree_node *node)
{
	struct tree_node *up = node->right;

	replace_child(tree, node, up);
	node->right = up->left;
	if (node->right)
		node->right->parent = node;
	up->left = node;
	node->parent = up;
	update_height(node);
	update_height(up);
	return up;
}

static struct tree_node *rotate_right(struct tree *tree, struct tree_node *node)
{
	struct tree_node *up = node->left;

	replace_child(tree, node, up);
	node->left = up->right;
	if (node->left)
		node->left->parent = node;
	up->right = node;
	node->parent = up;
	update_height(node);
	update_height(up);
	return up;
}

/* From `node` up to the root: heights, and rotations where two siblings differ by two. */
static void rebalance(struct tree *tree, struct tree_node *node)
{
	while (node) {
		int32_t lean = height(node->left) - height(node->right);

		update_height(node);
		if (lean > 1) {
			if (height(node->left->left) < height(node->left->right))
				rotate_left(tree, node->left);
			node = rotate_right(tree, node);
		} else if (lean < -1) {
			if (height(node->right->right) < height(node->right->left))
				rotate_right(tree, node->right);
			node = rotate_left(tree, node);
		}
		node = node->parent;
	}
}

void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent,
		 struct tree_node **link)
{
	node->left = node->right = NULL;
	node->parent = parent;
	node->height = 1;
	*link = node;
	rebalance(tree, parent);
}

/* The successor, which has no left child, takes the place of `node`, which has two children. */
static struct tree_node *put_successor(struct tree *tree, struct tree_node *node)
{
	struct tree_node *successor = node->right, *changed;

	while (successor->left)
		successor = successor->left;
	changed = successor->parent == node ? successor : successor->parent;
	replace_child(tree, successor, successor->right);
	replace_child(tree, node, successor);
	successor->left = node->left;
	successor->right = node->right;
	if (successor->left)
		successor->left->parent = successor;
	if (successor->right)
		successor->right->parent = successor;
	return changed;
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
	struct tree_node *changed = node->parent;

	if (node->left && node->right)
		changed = put_successor(tree, node);
	else
		replace_child(tree, node, node->left ? node->left : node->right);
	rebalance(tree, changed);
}

static struct tree_node *leftmost(struct tree_node *node)
{
	while (node && node->left)
		node = node->left;
	return node;
}

static struct tree_node *rightmost(struct tree_node *node)
{
	while (node && node->right)
		node = node->right;
	return node;
}

struct tree_node *tree_first(const struct tree *tree)
{
	return leftmost(tree->root);
}

struct tree_node *tree_last(const struct tree *tree)
{
	return rightmost(tree->root);
}

struct tree_node *tree_next(const struct tree_node *node)
{
	if (node->right)
		return leftmost(node->right);
	while (node->parent && node->parent->right == node)
		node = node->parent;
	return node->parent;
}

struct tree_node *tree_previous(const struct tree_node *node)
{
	if (node->left)
		return rightmost(node->left);
	while (node->parent && node->parent->left == node)
		node = node->parent;
	return node->parent;
}
