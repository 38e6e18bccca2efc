#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tool.h"

bool tool_parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGTPE";
	const char *unit;
	double factor = 1, value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	value = strtod(text, &end);
	if (*end && *end != 'B') {
		unit = strchr(units, *end == 'k' ? 'K' : *end);
		if (!unit)
			return false;
		factor = exp2(10.0 * (double)(unit - units + 1));
		end++;
		if (*end == 'i')
			end++;
	}
	if (*end == 'B')
		end++;
	if (*end || !(value * factor < 0x1p63))
		return false;
	*bytes = (uint64_t)(value * factor);
	return true;
}
