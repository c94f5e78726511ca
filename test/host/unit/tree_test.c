/* kernel/lib/tree.c against a sorted array: order, links and balance after every change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/lib/tree.h"

#define KEYS 300
#define CHANGES 20000

struct item {
	struct tree_node node;
	uint32_t key;
};

static struct item *item_of(struct tree_node *node)
{
	return node ? tree_entry(node, struct item, node) : NULL;
}

static void insert(struct tree *tree, struct item *item)
{
	struct tree_node **link = &tree->root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item->key < item_of(parent)->key ? &parent->left : &parent->right;
	}
	tree_insert(tree, &item->node, parent, link);
}

/* Parents, heights and balance below a node. Returns its height. */
static int32_t check_node(const struct tree_node *node, const struct tree_node *parent)
{
	int32_t left, right;

	if (!node)
		return 0;
	assert_ptr_equal(node->parent, parent);
	left = check_node(node->left, node);
	right = check_node(node->right, node);
	assert_in_range(left - right + 1, 0, 2);
	assert_int_equal(node->height, 1 + MAX(left, right));
	return node->height;
}

/* The tree holds exactly the items that are `in`, in the order of their keys, both ways. */
static void check(const struct tree *tree, const struct item *items, const bool *in)
{
	struct tree_node *at = tree_first(tree), *last = NULL;

	check_node(tree->root, NULL);
	for (uint32_t i = 0; i < KEYS; i++) {
		if (!in[i])
			continue;
		assert_ptr_equal(item_of(at), &items[i]);
		assert_ptr_equal(tree_previous(at), last);
		last = at;
		at = tree_next(at);
	}
	assert_null(at);
	assert_ptr_equal(tree_last(tree), last);
}

static void prepare(struct item *items)
{
	for (uint32_t i = 0; i < KEYS; i++)
		items[i].key = i;
}

static void test_empty(void **state __unused)
{
	const struct tree tree = {NULL};

	assert_null(tree_first(&tree));
	assert_null(tree_last(&tree));
}

static void test_rising_then_falling(void **state __unused)
{
	static struct item items[KEYS];
	struct tree tree = {NULL};
	bool in[KEYS] = {false};

	prepare(items);
	for (uint32_t i = 0; i < KEYS; i++) {
		insert(&tree, &items[i]);
		in[i] = true;
		check(&tree, items, in);
	}
	assert_in_range(tree.root->height, 9, 10); /* 300 nodes: 8.2 levels at least */
	for (uint32_t i = 0; i < KEYS; i++) {
		tree_remove(&tree, &items[i].node);
		in[i] = false;
		check(&tree, items, in);
	}
	assert_null(tree.root);
	for (uint32_t i = KEYS; i-- > 0;) {
		insert(&tree, &items[i]);
		in[i] = true;
	}
	check(&tree, items, in);
	for (uint32_t i = KEYS; i-- > 0;) {
		tree_remove(&tree, &items[i].node);
		in[i] = false;
		check(&tree, items, in);
	}
}

/* As a scoreboard does: splits put a node behind another, what is acknowledged leaves in front. */
static void test_random(void **state __unused)
{
	static struct item items[KEYS];
	struct tree tree = {NULL};
	bool in[KEYS] = {false};

	prepare(items);
	srand(1);
	for (uint32_t i = 0; i < CHANGES; i++) {
		uint32_t which = (uint32_t)rand() % KEYS;

		if (in[which])
			tree_remove(&tree, &items[which].node);
		else
			insert(&tree, &items[which]);
		in[which] = !in[which];
		if (i < KEYS || i % 16 == 0)
			check(&tree, items, in);
	}
	check(&tree, items, in);
}

/* The root goes each time: mostly a node with two children. */
static void test_removing_the_root(void **state __unused)
{
	static struct item items[KEYS];
	struct tree tree = {NULL};
	bool in[KEYS] = {false};

	prepare(items);
	for (uint32_t i = 0; i < KEYS; i++) {
		insert(&tree, &items[i]);
		in[i] = true;
	}
	while (tree.root) {
		in[item_of(tree.root)->key] = false;
		tree_remove(&tree, tree.root);
		check(&tree, items, in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_rising_then_falling),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_removing_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
