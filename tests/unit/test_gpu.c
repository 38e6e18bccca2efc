// links: m_compilers
/* The GPUs of a fingerprint, with libraries of the test's own in place of NVIDIA's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/scratch_dir.h"
#include "tools/compilers/gpu.h"

#define FILES_SAY "NVIDIA H100 80GB HBM3"
#define LIBRARY_SAYS "NVIDIA A100-SXM4-80GB sm_80, NVIDIA H100 80GB HBM3 sm_90"

/* A machine with NVIDIA's driver. */
static void driver_make(char root[SCRATCH_PATH])
{
	scratch_make(root);
	scratch_file(root, "proc/driver/nvidia/version", "NVRM version: ...\n");
	scratch_file(root, "proc/driver/nvidia/gpus/0000:4e:00.0/information",
		"Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 18\n");
	scratch_file(root, "proc/driver/nvidia/gpus/0000:5f:00.0/information",
		"Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 19\n");
	scratch_file(root, "sys/module/nvidia/version", "570.124.06\n");
}

static void expect(const char *root, const char *library, const char *gpus)
{
	struct fingerprint seen = {0};

	gpu_read_at(root, library, &seen);
	if (gpus)
		assert_string_equal(fingerprint_get(&seen, "gpu"), gpus);
	else
		assert_int_equal(seen.count, 0);
}

static void library_tells_each_kind_once(void **state)
{
	char root[SCRATCH_PATH];

	(void)state;
	driver_make(root);
	expect(root, NVML_WHOLE, LIBRARY_SAYS);
	scratch_remove(root);
}

static void without_a_library_the_files_tell(void **state)
{
	char root[SCRATCH_PATH];

	(void)state;
	driver_make(root);
	expect(root, "/nonexistent/libnvidia-ml.so.1", FILES_SAY);
	expect(root, NVML_LACKING, FILES_SAY);
	scratch_remove(root);
}

static void a_library_that_fails_is_as_none(void **state)
{
	static const char *const calls[] = {"init", "count", "name", "capability"};
	char root[SCRATCH_PATH];

	(void)state;
	driver_make(root);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		setenv("FAKE_NVML", calls[i], 1);
		expect(root, NVML_WHOLE, FILES_SAY);
	}
	setenv("FAKE_NVML", "second handle", 1);
	expect(root, NVML_WHOLE, "NVIDIA H100 80GB HBM3 sm_90");
	unsetenv("FAKE_NVML");
	scratch_remove(root);
}

static void without_a_driver_nothing_is_loaded(void **state)
{
	char root[SCRATCH_PATH];
	struct fingerprint seen = {0};

	(void)state;
	scratch_make(root);
	expect(root, NVML_WHOLE, NULL);
	gpu_read_driver(root, &seen);
	assert_int_equal(seen.count, 0);
	scratch_file(root, "dev/nvidiactl", ""); /* as in containers */
	expect(root, NVML_WHOLE, LIBRARY_SAYS);
	scratch_remove(root);
}

static void driver_has_a_version(void **state)
{
	char root[SCRATCH_PATH];
	struct fingerprint seen = {0};

	(void)state;
	driver_make(root);
	gpu_read_driver(root, &seen);
	assert_string_equal(fingerprint_get(&seen, "driver"), "570.124.06");
	scratch_remove(root);
}

static void amd_gpus_are_nodes_of_kfd(void **state)
{
	char root[SCRATCH_PATH];

	(void)state;
	scratch_make(root);
	scratch_file(root, "sys/class/kfd/kfd/topology/nodes/0/properties",
		"cpu_cores_count 64\ngfx_target_version 0\n");
	scratch_file(root, "sys/class/kfd/kfd/topology/nodes/1/properties",
		"cpu_cores_count 0\ngfx_target_version 90402\n");
	scratch_file(root, "sys/class/kfd/kfd/topology/nodes/2/properties", "cpu_cores_count 0\n");
	expect(root, NVML_WHOLE, "gfx 90402");
	scratch_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(library_tells_each_kind_once),
		cmocka_unit_test(without_a_library_the_files_tell),
		cmocka_unit_test(a_library_that_fails_is_as_none),
		cmocka_unit_test(without_a_driver_nothing_is_loaded),
		cmocka_unit_test(driver_has_a_version),
		cmocka_unit_test(amd_gpus_are_nodes_of_kfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
