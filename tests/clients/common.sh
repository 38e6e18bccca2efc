# For client scripts in shell. Each is called with an empty directory on the mount, and exits 0 (fine), 77 (skipped, with the
# reason) or anything else. $work is a scratch directory beside it, not on the mount.
# shellcheck shell=bash
set -eu
# shellcheck disable=SC2034 # the scripts use it
dir=${1:?"usage: $0 DIR"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
	echo "skip: $*"
	exit 77
}

fail() {
	echo "$*"
	exit 1
}

need() { # need COMMAND...
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || skip "$command is not installed"
	done
}

# Waits until what was written is encoded, where the caller said how.
settle() {
	[ -z "${MITHRIL_SYNC-}" ] || sh -c "$MITHRIL_SYNC"
}

# Every name below a directory with its type, mode, owner, size, time and target; and every file's digest.
listing() {
	(cd "$1" && find . \( -type d -printf '%P %y %m %U %G %T@\n' \) -o -printf '%P %y %m %U %G %s %T@ %n %l\n' | LC_ALL=C sort)
}

digests() {
	(cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}

same() { # same A B: two trees agree in names, attributes and bytes
	diff <(listing "$1") <(listing "$2") || fail "$2 differs from $1 in its attributes"
	diff <(digests "$1") <(digests "$2") || fail "$2 differs from $1 in its bytes"
}

# A tree with what trees have: many small files, some large ones, links of both kinds, holes, modes, old times.
grow() {
	python3 - "$1" <<-'END'
		import os, random, sys
		top, rng = sys.argv[1], random.Random(7)
		words = [bytes(rng.randrange(97, 123) for _ in range(rng.randrange(2, 9))) for _ in range(500)]
		for d in range(12):
		    folder = os.path.join(top, f"dir{d}", "sub" * (d % 3 + 1))
		    os.makedirs(folder)
		    for f in range(15):
		        size = rng.choice([0, 1, 100, 3000, 9000, 70000])
		        data = rng.randbytes(size) if f % 2 else b" ".join(rng.choice(words) for _ in range(size // 6))
		        path = os.path.join(folder, f"file {f}.dat")
		        with open(path, "wb") as file:
		            file.write(data)
		        os.chmod(path, rng.choice([0o644, 0o600, 0o755, 0o444]))
		        os.utime(path, ns=(10**18 + rng.randrange(10**17), 10**18 + rng.randrange(10**17)))
		    os.symlink(f"../dir{d}/absent", os.path.join(top, f"dir{d}", "dangling"))
		    os.link(os.path.join(folder, "file 3.dat"), os.path.join(folder, "hard"))
		for n in range(3):
		    with open(os.path.join(top, f"large{n}"), "wb") as file:
		        file.write(rng.randbytes((n + 1) * 1500000 + n))
		with open(os.path.join(top, "holes"), "wb") as file:
		    file.seek(20 << 20)
		    file.write(b"end")
		os.mkfifo(os.path.join(top, "fifo"))
		os.mkdir(os.path.join(top, "empty"))
		for folder, subs, names in os.walk(top, topdown=False):
		    for name in subs + names + ["."]:
		        path = os.path.join(folder, name)
		        if os.path.islink(path) or not os.path.isfile(path) or folder == top:
		            os.utime(path, ns=(10**18, 10**18 + rng.randrange(10**17)), follow_symlinks=False)
	END
}
