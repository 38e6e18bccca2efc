#include "tools/progress.h"

#include <errno.h>
#include <stdio.h>

#include "tools/tool.h"

int progress_phase(void *ctx, const char *phase, double share)
{
	print_progress(ctx, "%s %.0f%%", phase, 100 * share);
	return tool_interrupted();
}

void progress_finding(void *ctx, const char *line)
{
	print_progress_end(ctx);
	printf("%s\n", line);
}

bool progress_line(struct print_progress *progress, json_t *object)
{
	const char *phase = json_string_value(json_object_get(object, "phase"));

	if (!phase)
		return false;
	progress_phase(progress, phase, json_number_value(json_object_get(object, "share")));
	return true;
}

int progress_done(struct print_progress *progress, const char *path, int64_t result)
{
	print_progress_end(progress);
	if (result == -EINTR)
		tool_end_interrupted();
	return result < 0 ? tool_fail_errno(path, (int)result) : TOOL_OK;
}
