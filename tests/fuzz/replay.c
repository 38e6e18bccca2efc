/* Feeds every file of the given directories to a fuzz target: the kept corpus as a plain test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return 1;
	fseek(f, 0, SEEK_END);
	long size = ftell(f);
	rewind(f);
	uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
	int bad = size < 0 || !data || fread(data, 1, (size_t)size, f) != (size_t)size;
	fclose(f);
	if (!bad)
		LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	return bad;
}

int main(int argc, char **argv)
{
	size_t files = 0;
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *e;
		char path[4096];
		if (!d) {
			perror(argv[i]);
			return 1;
		}
		while ((e = readdir(d))) {
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
			if (replay_file(path)) {
				perror(path);
				return 1;
			}
			files++;
		}
		closedir(d);
	}
	printf("%zu inputs replayed\n", files);
	return files ? 0 : 1;
}
