#include "tools/progress.h"

#include "tools/tool.h"

int progress_phase(void *ctx, const char *phase, double share)
{
	print_progress(ctx, "%s %.0f%%", phase, 100 * share);
	return tool_interrupted();
}

bool progress_line(struct print_progress *progress, json_t *object)
{
	const char *phase = json_string_value(json_object_get(object, "phase"));

	if (!phase)
		return false;
	progress_phase(progress, phase, json_number_value(json_object_get(object, "share")));
	return true;
}
