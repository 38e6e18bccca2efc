#include <stdio.h>
#include <unistd.h>

#include "tools/mount.h"
#include "tools/tool.h"

/* What mount(8) wants to hear. */
static int status_of(int code)
{
	enum { MOUNT_OK = 0, MOUNT_USAGE = 1, MOUNT_FAILED = 32 };

	return code == TOOL_OK ? MOUNT_OK : code == TOOL_USAGE ? MOUNT_USAGE : MOUNT_FAILED;
}

static int usage(void)
{
	fprintf(stderr, "usage: " MOUNT_HELPER " STORE MNT [-sfnv] [-o OPTIONS]\n");
	return status_of(TOOL_USAGE);
}

int mount_helper(int argc, char **argv)
{
	struct mount_order order = {0};
	const char *lists[16];
	size_t count = 0;
	bool sloppy = false, fake = false;
	int letter, code = TOOL_OK;

	while ((letter = getopt(argc, argv, "sfnvo:N:t:hV")) != -1) {
		if (letter == 'o' && count < sizeof lists / sizeof lists[0])
			lists[count++] = optarg;
		else if (letter == 's')
			sloppy = true;
		else if (letter == 'f')
			fake = true;
		else if (letter == 'v')
			order.verbose = true;
		else if (letter == 'V')
			return tool_print_version(), 0;
		else if (letter == '?' || letter == 'h')
			return usage();
	}
	if (argc - optind != 2)
		return usage();
	order.store = argv[optind];
	order.mountpoint = argv[optind + 1];
	for (size_t i = 0; i < count && !code; i++)
		code = mount_options_add(&order.options, lists[i], sloppy);
	if (code || fake)
		return status_of(code);
	return status_of(mount_run(&order));
}
