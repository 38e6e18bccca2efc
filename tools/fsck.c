#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/open.h"
#include "tools/progress.h"
#include "tools/tool.h"

struct fsck {
	bool data, repair;
};

static bool option(void *ctx, int val, const char *value)
{
	struct fsck *fsck = ctx;

	(void)value;
	*(val == 'd' ? &fsck->data : &fsck->repair) = true;
	return true;
}

/* A check without repair opens the store read-only, which takes no lock: hold it, so that nobody changes the
 * store below the check. */
static int hold(const char *path, int *lock)
{
	char holder[128];

	*lock = store_lock(path, holder, sizeof holder);
	if (*lock == -EWOULDBLOCK)
		return tool_fail(TOOL_SYSTEM, path,
			"unmount it first; mithril scrub works on a mounted store",
			"the store is in use by %s", holder[0] ? holder : "another process");
	if (*lock == -EROFS)
		return TOOL_OK;
	return *lock < 0 ? tool_fail_errno(path, *lock) : TOOL_OK;
}

static int check(const char *path, const struct fsck *fsck)
{
	struct store_options options = {.read_only = !fsck->repair, .no_background = true};
	struct print_progress progress = {0};
	struct fsck_options how = {fsck->data, fsck->repair, progress_phase, progress_finding, &progress};
	struct store *store;
	int lock = -1, code = fsck->repair ? TOOL_OK : hold(path, &lock);
	int64_t found;

	if (!code)
		code = open_store(path, &options, &store);
	if (code)
		goto out;
	tool_catch_interrupt();
	found = fsck_run(&store->parts, &how);
	store_close(store);
	code = progress_done(&progress, path, found);
	if (found > 0) {
		printf("%lld findings%s\n", (long long)found, fsck->repair ? " not repaired" : "");
		code = TOOL_DATA;
	}
out:
	if (lock >= 0)
		close(lock);
	return code;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {
		{"data", no_argument, NULL, 'd'}, {"repair", no_argument, NULL, 'r'}, {0}};
	struct fsck fsck = {0};
	struct open_target target;
	int code = open_parse(tool, argc, argv, options, option, &fsck, &target);

	if (code >= 0)
		return code;
	if (target.live)
		return tool_fail(TOOL_SYSTEM, target.argument,
			"unmount it first; mithril scrub works on a mounted store", "the store is mounted");
	return check(target.store, &fsck);
}

const struct tool tool_fsck = {
	.name = "fsck",
	.arguments = "[--data] [--repair] STORE",
	.summary = "Check a store that is not mounted",
	.help = "  -d, --data    also decode and verify every byte\n"
		"  -r, --repair  mend what can be mended without losing anything\n\n"
		"Prints one line a finding. Exit code 0: sound; 1: there are findings.\n",
	.run = run,
};
