/* virtio-net over the device model: slots that hold something else, devices that cannot be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/string.h"
#include "test/host/services/host.h"
#include "test/host/unit/rig.h"

static const bool layouts[] = {false, true}; /* legacy? */

static void test_empty_slot(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	options.device_id = 0;
	rig_start(&rig, &options);
	assert_null(rig.device);
	rig_stop(&rig);
}

/* Not a virtio device at all, and versions that nobody knows. */
static uint32_t odd_register, odd_value;

static uint32_t read_odd(void *context, uint32_t offset, uint32_t width)
{
	return offset == odd_register ? odd_value : model_read(context, offset, width);
}

static void test_slots_of_something_else(void **state __unused)
{
	static const struct virtio_mmio_io io = {.read = read_odd, .write = model_write};
	static const struct {
		uint32_t offset, value;
	} cases[] = {{VIRTIO_MMIO_MAGIC_VALUE, 0},
		     {VIRTIO_MMIO_MAGIC_VALUE, UINT32_MAX},
		     {VIRTIO_MMIO_VERSION, 0},
		     {VIRTIO_MMIO_VERSION, 3}};
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		odd_register = cases[i].offset;
		odd_value = cases[i].value;
		rig_prepare(&rig, &options);
		assert_null(virtio_mmio_create(&io, &rig.model, "odd"));
		assert_int_equal(rig.model.status, 0); /* untouched */
		rig_stop(&rig);
	}
}

static void test_other_device(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	options.device_id = 2; /* a disk */
	rig_start(&rig, &options);
	assert_non_null(rig.device);
	assert_null(rig.dev);
	rig_stop(&rig);
}

static void test_modern_device_without_version_1(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	options.features &= ~VIRTIO_F_VERSION_1;
	rig_start(&rig, &options);
	assert_null(rig.dev);
	assert_true(rig.model.status & VIRTIO_STATUS_FAILED);
	rig_stop(&rig);
}

static void test_features_refused(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	rig_prepare(&rig, &options);
	rig.model.refuse_features = true;
	rig_probe(&rig);
	assert_null(rig.dev);
	assert_true(rig.model.status & VIRTIO_STATUS_FAILED);
	rig_stop(&rig);
}

static void test_reset_without_end(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	rig_prepare(&rig, &options);
	rig.model.refuse_reset = true;
	rig_probe(&rig);
	assert_null(rig.dev);
	rig_stop(&rig);
}

static void test_queue_in_use(void **state __unused)
{
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct model_options options = rig_options(layouts[i], RIG_FEATURES_ALL);

		rig_prepare(&rig, &options);
		rig.model.queues_in_use = true;
		rig_probe(&rig);
		assert_null(rig.dev);
		rig_stop(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_slot),
		cmocka_unit_test(test_slots_of_something_else),
		cmocka_unit_test(test_other_device),
		cmocka_unit_test(test_modern_device_without_version_1),
		cmocka_unit_test(test_features_refused),
		cmocka_unit_test(test_reset_without_end),
		cmocka_unit_test(test_queue_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
