"""For client scripts in Python. Each is called with an empty directory on the mount, and exits 0 (fine), 77 (skipped,
with the reason) or anything else."""
import hashlib
import os
import subprocess
import sys

if len(sys.argv) < 2:
    sys.exit(f"usage: {sys.argv[0]} DIR")
DIR = sys.argv[1]


def skip(reason):
    print(f"skip: {reason}")
    sys.exit(77)


def need(*modules):
    """The modules, or a skip that names the one that cannot be imported."""
    loaded = []
    for name in modules:
        try:
            loaded.append(__import__(name, fromlist=["_"]))
        except ImportError as error:
            skip(f"{name} cannot be imported ({error})")
    return loaded if len(loaded) > 1 else loaded[0]


def settle():
    """Waits until what was written is encoded, where the caller said how."""
    if os.environ.get("MITHRIL_SYNC"):
        subprocess.run(os.environ["MITHRIL_SYNC"], shell=True, check=True)


def at(*parts):
    return os.path.join(DIR, *parts)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def training_state(torch, steps=0, seed=0, width=192):
    """Parameters and Adam moments of a small model after `steps` of drift; about 20 * width**2 * 4 bytes."""
    generator = torch.Generator().manual_seed(seed)
    model, optimizer = {}, {}
    for layer in range(3):
        for name, shape in (("attn.qkv.weight", (3 * width, width)), ("mlp.weight", (4 * width, width)),
                            ("norm.bias", (width,))):
            key = f"layers.{layer}.{name}"
            model[key] = torch.randn(shape, generator=generator) * 0.02
            optimizer[key] = {"exp_avg": torch.randn(shape, generator=generator) * 1e-4,
                              "exp_avg_sq": torch.rand(shape, generator=generator) * 1e-8,
                              "step": torch.tensor(float(steps))}
    drift = torch.Generator().manual_seed(seed + 1)
    for _ in range(steps):
        for value in model.values():
            value += torch.randn(value.shape, generator=drift) * 1e-5
    return {"model": model, "optimizer": optimizer, "step": steps}


def same_tensors(torch, a, b):
    """Bit-equality of nested dictionaries of tensors."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(
            a.contiguous().view(-1).view(torch.uint8), b.contiguous().view(-1).view(torch.uint8))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_tensors(torch, a[k], b[k]) for k in a)
    return a == b


def mithril(*words, **options):
    """Runs the mithril command; $MITHRIL names it, else it is that of this checkout's build."""
    tool = os.environ.get("MITHRIL") or os.path.join(os.path.dirname(__file__), "../../build/release/mithril")
    if not os.access(tool, os.X_OK):
        skip(f"{tool} is not built")
    return subprocess.run([tool, *words], text=True, **options)


def cached_job(root, script, *words, env=None, **options):
    """Runs a Python script as a job whose caches are below `root`; what it prints."""
    job = mithril("cache", "run", "--dir", root, "--", sys.executable, "-c", script, *words, stdout=subprocess.PIPE,
                  env={**os.environ, **(env or {})}, **options)
    assert job.returncode == 0, job
    return job.stdout


def artifacts(root):
    """Every file below a directory that is no lock, with its size and the time of its last change."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith("lock") and os.path.dirname(path) != root:
                stat = os.stat(path)
                found[path] = stat.st_size, stat.st_mtime_ns
    return found
