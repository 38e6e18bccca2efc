// links: m_compilers
/* Fingerprints, what files of caches are, what keys are made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>

#include "tests/unit/scratch_dir.h"
#include "tools/compilers/artifact.h"
#include "tools/compilers/ccache.h"
#include "tools/compilers/clients.h"
#include "tools/compilers/compare.h"
#include "tools/compilers/explain.h"
#include "tools/compilers/fingerprint.h"
#include "tools/compilers/machine.h"
#include "tools/compilers/pickle.h"
#include "tools/compilers/place.h"
#include "tools/compilers/python.h"
#include "tools/compilers/runs.h"
#include "tools/compilers/scan.h"

static void selects_and_names(void **state)
{
	struct fingerprint all = {0}, some, parsed;
	char id[FINGERPRINT_ID], other[FINGERPRINT_ID], text[FINGERPRINT_TEXT];

	(void)state;
	fingerprint_add(&all, "torch", "2.13.0+cpu\n");
	fingerprint_add(&all, "gpu", "H100 sm_90");
	fingerprint_add(&all, "gpu", "A100 sm_80");
	fingerprint_add(&all, "driver", "");
	assert_int_equal(all.count, 2);
	assert_string_equal(fingerprint_get(&all, "torch"), "2.13.0+cpu ");
	assert_string_equal(fingerprint_get(&all, "gpu"), "H100 sm_90, A100 sm_80");
	assert_null(fingerprint_get(&all, "driver"));

	fingerprint_select(&all, "arch gpu  driver", &some);
	assert_int_equal(some.count, 1);
	fingerprint_id(&some, id);
	assert_int_equal(strlen(id), 16);
	fingerprint_add(&all, "driver", "550.1");
	fingerprint_select(&all, "arch gpu", &some);
	fingerprint_id(&some, other);
	assert_string_equal(id, other);
	fingerprint_select(&all, "gpu driver", &some);
	fingerprint_id(&some, other);
	assert_string_not_equal(id, other);
	fingerprint_select(&all, "", &some);
	fingerprint_id(&some, other);
	assert_string_equal(other, "any");

	assert_int_equal(fingerprint_parse(text, fingerprint_format(&all, text), &parsed), 0);
	assert_int_equal(fingerprint_diff(&all, &parsed, NULL, NULL), 0);
}

static void long_values_keep_a_digest(void **state)
{
	struct fingerprint a = {0}, b = {0};
	char value[3000];

	(void)state;
	memset(value, 'x', sizeof value);
	value[sizeof value - 1] = '\0';
	fingerprint_add(&a, "cpu", value);
	value[2500] = 'y';
	fingerprint_add(&b, "cpu", value);
	assert_int_equal(strlen(a.components[0].value), FINGERPRINT_VALUE - 1);
	assert_int_equal(fingerprint_diff(&a, &b, NULL, NULL), 1);
}

static void refuses_bad_fingerprints(void **state)
{
	static const char *const texts[] = {"torch", "torch 1", "torch\n", "torch \n", " 1\n",
		"torch 1\ntorch 2\n", "torch \x1b[2J\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1\n",
		"\n"};
	char many[40 * 8] = "";
	struct fingerprint out;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(fingerprint_parse(texts[i], strlen(texts[i]), &out), -EBADMSG);
	for (int i = 0; i < 40; i++)
		sprintf(many + strlen(many), "n%02d 1\n", i);
	assert_int_equal(fingerprint_parse(many, strlen(many), &out), -EBADMSG);
}

struct seen {
	int count;
	char text[512];
};

static void see(void *ctx, const char *name, const char *before, const char *now)
{
	struct seen *seen = ctx;

	seen->count++;
	sprintf(seen->text + strlen(seen->text), "%s:%s>%s ", name, before ? before : "-", now ? now : "-");
}

static void tells_differences(void **state)
{
	struct fingerprint a, b;
	struct seen seen = {0};

	(void)state;
	assert_int_equal(fingerprint_parse("torch 2.12\ngpu A\ncxx g++\n", 25, &a), 0);
	assert_int_equal(fingerprint_parse("torch 2.13\ncxx g++\nnumba 1\n", 27, &b), 0);
	assert_int_equal(fingerprint_diff(&a, &b, see, &seen), 3);
	assert_string_equal(seen.text, "torch:2.12>2.13 numba:->1 gpu:A>- ");
}

static void reads_cpus(void **state)
{
	char text[256];

	(void)state;
	machine_parse_cpu(
		"processor\t: 0\nflags\t\t: fpu avx2 md_clear avx512f avx hypervisor\nflags : sse\n", text,
		sizeof text);
	assert_string_equal(text, "avx avx2 avx512f");
	machine_parse_cpu("Features\t: fp sve asimd\n", text, sizeof text);
	assert_string_equal(text, "asimd fp sve");
	machine_parse_cpu("", text, sizeof text);
	assert_string_equal(text, "");
	machine_parse_cpu("flags\t: avx avx2 avx512f avx512bw", text, 10);
	assert_true(strlen(text) < 10);
}

/* The same package installed by pip and by uv, and another build of it. */
static void digests_records(void **state)
{
	static const char pip[] =
		"../../../bin/tool,sha256=aaa,1\npkg-1.dist-info/RECORD,,\npkg/a.py,sha256=b,2\n"
		"pkg/__pycache__/a.pyc,,\npkg/c.so,sha256=d,3\n";
	static const char uv[] =
		"pkg/c.so,sha256=d,3\r\npkg/a.py,sha256=b,2\r\npkg-1.dist-info/INSTALLER,sha256=e,2";
	static const char rebuilt[] = "pkg/c.so,sha256=x,3\npkg/a.py,sha256=b,2\n";

	(void)state;
	assert_true(python_record_digest(pip, sizeof pip - 1) == python_record_digest(uv, sizeof uv - 1));
	assert_true(python_record_digest(pip, sizeof pip - 1) !=
		    python_record_digest(rebuilt, sizeof rebuilt - 1));
	assert_true(python_record_digest("", 0) == 0);
}

static void reads_packages(void **state)
{
	struct fingerprint out = {0};
	char dir[SCRATCH_PATH], path[3 * SCRATCH_PATH];

	(void)state;
	scratch_make(dir);
	scratch_file(dir, "torch/version.py",
		"__version__ = '2.13.0+cu126'\ncuda: Optional[str] = '12.6'\n"
		"git_version = 'cf30153c4c131c81ffff'\nhip = None\n");
	scratch_file(dir, "triton-3.9.0.dist-info/RECORD", "triton/a.py,sha256=b,2\n");
	scratch_file(dir, "Nvidia_CUDA_nvcc-12.6.1.dist-info/RECORD", "x");
	scratch_file(dir, "requests-1.0.dist-info/RECORD", "x");
	snprintf(path, sizeof path, "/nowhere\n%s\n%s\n", dir, dir);
	python_read_path(path, &out);
	assert_string_equal(fingerprint_get(&out, "torch"), "2.13.0+cu126 cf30153c4c131c81 cuda 12.6");
	assert_string_equal(fingerprint_get(&out, "cuda"), "nvidia-cuda-nvcc 12.6.1");
	assert_non_null(strstr(fingerprint_get(&out, "triton"), "triton 3.9.0 "));
	assert_int_equal(out.count, 3);
	scratch_remove(dir);
}

static const char *environment[4][2];

static const char *get(const char *name)
{
	for (int i = 0; i < 4; i++)
		if (environment[i][0] && !strcmp(environment[i][0], name))
			return environment[i][1];
	return NULL;
}

static void collect(void *ctx, const char *name, const char *value)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%s=%s ", name, value);
}

static void never_overrides(void **state)
{
	const struct client *triton = client_find("triton", 6), *jax = client_find("jax", 3);
	char text[512] = "";

	(void)state;
	memset(environment, 0, sizeof environment);
	assert_int_equal(client_settings(triton, "/m/t", get, collect, text), 0);
	assert_string_equal(
		text, "TRITON_CACHE_DIR=/m/t/.triton/cache TRITON_HOME=/m/t TRITON_CACHE_AUTOTUNING=1 ");
	assert_null(client_placed(triton, get));
	environment[0][0] = "TRITON_HOME";
	environment[0][1] = "/home";
	environment[1][0] = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS";
	environment[1][1] = "5";
	assert_string_equal(client_placed(triton, get), "TRITON_HOME");
	assert_null(client_placed(jax, get));
	text[0] = '\0';
	assert_int_equal(client_settings(jax, "/m/j", get, collect, text), 0);
	assert_string_equal(
		text, "JAX_COMPILATION_CACHE_DIR=/m/j JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1 ");
	assert_null(client_find("tri", 3));
}

static void reads_ccache(void **state)
{
	(void)state;
	assert_true(ccache_config_has("max_size = 1G\n  cache_dir=/x\n", "cache_dir"));
	assert_false(ccache_config_has("# cache_dir = /x\nmax_size = 1G", "cache_dir"));
	assert_false(ccache_config_has("compression_level = 3", "compression"));
	assert_false(ccache_config_has("", "compression"));
}

static void tells_artifacts(void **state)
{
	static const struct {
		const char *client, *path, *kind, *group, *key;
		enum artifact_level level;
	} cases[] = {
		{"inductor", "fxgraph/r4/fr43/ee7b", "fx-graph", "fxgraph/r4/fr43", "fr43", ARTIFACT_GRAPH},
		{"inductor", "aotautograd/adit/agcz", "aot-graph", "aotautograd/adit", "adit",
			ARTIFACT_GRAPH},
		{"inductor", "24/c244.main.cpp", "kernel", "24/c244", "c244", ARTIFACT_SOURCE},
		{"inductor", "24/c244.main.so", "kernel", "24/c244", "c244", ARTIFACT_OBJECT},
		{"inductor", "uv/cuvt.py", "kernel", "uv/cuvt", "cuvt", ARTIFACT_SOURCE},
		{"inductor", "triton/0/KEY/k.cubin", "triton", "triton/0/KEY", "KEY", ARTIFACT_CUBIN},
		{"triton", ".triton/cache/KEY/__grp__k.json", "triton", ".triton/cache/KEY", "KEY",
			ARTIFACT_NOTE},
		{"triton", "KEY/k.ttgir", "triton", "KEY", "KEY", ARTIFACT_IR},
		{"torch-extensions", "py311_cpu/ext/build.ninja", "extension", "py311_cpu/ext", NULL,
			ARTIFACT_NOTE},
		{"torch-extensions", "ext/ext.so", "extension", "ext", NULL, ARTIFACT_OBJECT},
		{"jax", "jit_f-00ff-cache", "executable", "jit_f-00ff", "00ff", ARTIFACT_OBJECT},
		{"numba", "d/m.f-3.py311.nbi", "function", "d/m.f-3.py311", NULL, ARTIFACT_NOTE},
		{"numba", "d/m.f-3.py311.1.nbc", "function", "d/m.f-3.py311", NULL, ARTIFACT_OBJECT},
		{"ccache", "0/1/abcR", "entry", "0/1/abcR", NULL, ARTIFACT_ENTRY},
		{"vllm", "x/y/z.bin", "entry", "x/y", NULL, ARTIFACT_ENTRY},
		{"vllm", "z", "entry", "z", NULL, ARTIFACT_ENTRY},
	};
	static const char *const none[] = {
		"locks/a.lock", "24/c.lock", "24/.1.2.tmp", "KEY/tmp.pid_1_x/k.ttir", "x/lock", "x/", ""};
	struct artifact artifact;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(artifact_of(cases[i].client, cases[i].path, &artifact));
		assert_string_equal(artifact.kind, cases[i].kind);
		assert_int_equal(artifact.level, cases[i].level);
		assert_int_equal(artifact.group_len, strlen(cases[i].group));
		assert_memory_equal(cases[i].path, cases[i].group, artifact.group_len);
		assert_int_equal(artifact.key != NULL, cases[i].key != NULL);
		if (cases[i].key)
			assert_memory_equal(artifact.key, cases[i].key, artifact.key_len);
	}
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(artifact_of("inductor", none[i], &artifact));
}

#define DIGEST "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrs"
#define DIGEST2 "bbcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrs"

/* A string opcode of a pickle, behind some bytes that are none. */
static size_t put_string(uint8_t *entry, size_t at, const char *text)
{
	memcpy(entry + at, "\x80\x04", 2);
	entry[at + 2] = 0x8c;
	entry[at + 3] = (uint8_t)strlen(text);
	memcpy(entry + at + 4, text, strlen(text));
	entry[at + 4 + strlen(text)] = 0x94;
	return at + 5 + strlen(text);
}

static size_t make_entry(uint8_t *entry, const char *digest, const char *threads)
{
	char line[200];
	size_t len = put_string(entry, 0, "[" DIGEST "] gm: GraphModule()\ndef forward(self):");

	snprintf(line, sizeof line, "[%s] cpp_runtime_thread_count: %s", digest, threads);
	return put_string(entry, len, line);
}

static void compares_graphs(void **state)
{
	uint8_t a[512], b[512];
	size_t a_len = make_entry(a, DIGEST, "2"), b_len = make_entry(b, DIGEST2, "8"), at = 0;
	struct pickle_component component;
	char why[EXPLAIN_TEXT];

	(void)state;
	assert_true(pickle_component(a, a_len, &at, &component));
	assert_true(component.starts);
	assert_true(pickle_component(a, a_len, &at, &component));
	assert_int_equal(component.value_len, 1);
	assert_false(pickle_component(a, a_len, &at, &component));
	assert_int_equal(compare_aot(a, a_len, a, a_len, why), 0);
	assert_int_equal(compare_aot(a, a_len, b, b_len, why), 1);
	assert_string_equal(why, "cpp_runtime_thread_count is \"2\", before \"8\"");
	/* Truncated anywhere, it is only shorter. */
	for (size_t len = 0; len < a_len; len++)
		for (at = 0; pickle_component(a, len, &at, &component);)
			assert_true(at <= len);
}

static void reads_times(void **state)
{
	uint8_t entry[200];
	size_t len = put_string(entry, 0, "forward_time_taken_ns");

	(void)state;
	memcpy(entry + len, "\x8a\x05\x00\xe4\x0b\x54\x02", 7); /* 10 s */
	len = put_string(entry, len + 7, "backward_time_taken_ns");
	memcpy(entry + len, "M\x10\x27", 3); /* 10,000 */
	assert_int_equal(pickle_time_taken_ns(entry, len + 3 + 1), 10000010000);
	assert_int_equal(pickle_time_taken_ns(entry, 10), 0);
	len = put_string(entry, 0, "_time_taken_ns");
	memcpy(entry + len, "\x8a\xff", 2);
	assert_int_equal(pickle_time_taken_ns(entry, len + 2), 0);
	memcpy(entry + len, "\x8a\x01\x80\x00", 4); /* negative */
	assert_int_equal(pickle_time_taken_ns(entry, len + 4), 0);
}

static void compares_options(void **state)
{
	static const char a[] = "{\"hash\": \"1\", \"num_warps\": 4, \"target\": {\"arch\": 90}}";
	static const char b[] = "{\"hash\": \"2\", \"num_warps\": 8, \"target\": {\"arch\": 90}}";
	char why[EXPLAIN_TEXT];

	(void)state;
	assert_int_equal(compare_json(a, sizeof a - 1, b, sizeof b - 1, why), 1);
	assert_string_equal(why, "num_warps is 4, before 8");
	assert_int_equal(compare_json(a, sizeof a - 1, a, sizeof a - 1, why), 0);
	assert_int_equal(compare_json("{", 1, b, sizeof b - 1, why), 0);
}

static void keep_reason(void *ctx, const struct explain_miss *miss)
{
	snprintf(ctx, 1024, "%s|%s|%s|%s", miss->kind, miss->group, miss->nearest ? miss->nearest : "-",
		miss->why);
}

static void explains_a_kernel(void **state)
{
	char dir[SCRATCH_PATH], told[1024] = "";
	struct timespec now;
	size_t before;

	(void)state;
	scratch_make(dir);
	scratch_file(dir, "OLD/k.json", "{\"num_warps\": 4}");
	scratch_file(dir, "OLD/k.ttir", "#loc1\nadd\n");
	scratch_file(dir, "OTHER/z.json", "{\"num_warps\": 2}");
	scratch_file_age(dir, "OLD/k.json");
	scratch_file_age(dir, "OLD/k.ttir");
	scratch_file_age(dir, "OTHER/z.json");
	clock_gettime(CLOCK_REALTIME, &now);
	scratch_file(dir, "NEW/k.json", "{\"num_warps\": 4}");
	scratch_file(dir, "NEW/k.ttir", "#loc2\nadd\n");
	assert_int_equal(explain_misses("triton", dir, (int64_t)(now.tv_sec - 60) * 1000000000, &before,
				 keep_reason, told),
		1);
	assert_int_equal(before, 2);
	assert_string_equal(
		told, "triton|NEW|OLD|its Triton IR differs, first in line 1: \"#loc2\", before \"#loc1\"");
	scratch_remove(dir);
}

static void remembers_runs(void **state)
{
	char dir[SCRATCH_PATH], *argv[] = {"python", "train\n.py", NULL};
	bool use[32] = {true};
	struct fingerprint machine = {0};
	json_t *run;

	(void)state;
	scratch_make(dir);
	fingerprint_add(&machine, "torch", "1");
	assert_null(runs_get(dir, 1));
	for (int i = 0; i < 3000; i++)
		assert_int_equal(runs_add(dir, argv, &machine, use, i), 0);
	run = runs_get(dir, 1);
	assert_int_equal(json_integer_value(json_object_get(run, "started_ns")), 2999);
	assert_string_equal(json_string_value(json_object_get(run, "command")), "python train?.py");
	assert_int_equal(json_object_size(json_object_get(run, "namespaces")), 1);
	json_decref(run);
	run = runs_get(dir, 3);
	assert_int_equal(json_integer_value(json_object_get(run, "started_ns")), 2997);
	json_decref(run);
	assert_null(runs_get(dir, 2990));
	scratch_remove(dir);
}

static void finds_the_nearest(void **state)
{
	char dir[SCRATCH_PATH], id[FINGERPRINT_ID];
	struct fingerprint own, nearest;

	(void)state;
	scratch_make(dir);
	scratch_file(dir, "triton/aaaaaaaaaaaaaaaa/x", "");
	scratch_file(dir, "triton/aaaaaaaaaaaaaaaa" PLACE_SUFFIX, "gpu A\ntriton 1\n");
	scratch_file(dir, "triton/bbbbbbbbbbbbbbbb/x", "");
	scratch_file(dir, "triton/bbbbbbbbbbbbbbbb" PLACE_SUFFIX, "gpu B\ntriton 2\n");
	scratch_file(dir, "triton/cccccccccccccccc/x", "");
	scratch_file(dir, "triton/cccccccccccccccc" PLACE_SUFFIX, "damaged");
	assert_int_equal(fingerprint_parse("gpu B\ntriton 3\n", 15, &own), 0);
	assert_int_equal(explain_nearest(dir, "triton", &own, id, &nearest), 0);
	assert_string_equal(id, "bbbbbbbbbbbbbbbb");
	assert_int_equal(explain_nearest(dir, "jax", &own, id, &nearest), -ENOENT);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selects_and_names),
		cmocka_unit_test(long_values_keep_a_digest),
		cmocka_unit_test(refuses_bad_fingerprints),
		cmocka_unit_test(tells_differences),
		cmocka_unit_test(reads_cpus),
		cmocka_unit_test(digests_records),
		cmocka_unit_test(reads_packages),
		cmocka_unit_test(never_overrides),
		cmocka_unit_test(reads_ccache),
		cmocka_unit_test(tells_artifacts),
		cmocka_unit_test(compares_graphs),
		cmocka_unit_test(reads_times),
		cmocka_unit_test(compares_options),
		cmocka_unit_test(explains_a_kernel),
		cmocka_unit_test(remembers_runs),
		cmocka_unit_test(finds_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
