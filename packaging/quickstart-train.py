#!/usr/bin/env python3
"""The training of packaging/quickstart, in two parts, so that the caches can be emptied in between.

  quickstart-train.py save MNT DISK [--from DIR]
      trains a small network (torch where it can be imported, else numpy) and saves the same checkpoints to MNT and to DISK, in every format
      there is a library for; with --from copies the files of DIR instead. Leaves the times in DISK/times.json.
  quickstart-train.py load MNT DISK --stored BYTES
      loads everything back from both, compares it bit by bit, and prints the table. Exit code 1: something differs.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import struct
import sys
import sysconfig
import time
import warnings

WARM, CHECKPOINTS, STEPS = 12, 4, 4  # checkpoints after WARM steps, and after every STEPS from there


def importable(name):
    try:
        return __import__(name)
    except ImportError:
        return None


numpy, torch = importable("numpy"), importable("torch")
safetensors_torch = importable("safetensors.torch") if torch else None
if safetensors_torch:
    from safetensors.torch import load_file, save_file
if torch:
    try:
        import torch.distributed.checkpoint as dcp
    except ImportError:
        dcp = None


def text():
    """The source of Python's library: something real to learn from."""
    paths = sorted(pathlib.Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return b"".join(path.read_bytes() for path in paths)[: 8 << 20]


def flat(value, name=""):
    """(name, leaf) of every leaf of nested dicts and lists."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else None
    if pairs is None:
        yield name, value
        return
    for key, inner in pairs:
        yield from flat(inner, f"{name}.{key}" if name else str(key))


# --- with torch ---


def torch_states(seed):
    """A small GPT and AdamW: yields the state after every few steps."""
    torch.manual_seed(seed)
    width, context = 256, 48
    layer = torch.nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
    model = torch.nn.ModuleDict({
        "token": torch.nn.Embedding(256, width), "position": torch.nn.Embedding(context, width),
        "blocks": torch.nn.TransformerEncoder(layer, 5, enable_nested_tensor=False), "head": torch.nn.Linear(width, 256)})
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    words = torch.frombuffer(bytearray(text()), dtype=torch.uint8).long()
    mask = torch.nn.Transformer.generate_square_subsequent_mask(context)
    for step in range(1, WARM + (CHECKPOINTS - 1) * STEPS + 1):
        at = torch.randint(len(words) - context - 1, (4, 1)) + torch.arange(context + 1)
        x = model["token"](words[at[:, :-1]]) + model["position"].weight
        logits = model["head"](model["blocks"](x, mask=mask, is_causal=True))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), words[at[:, 1:]].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step >= WARM and (step - WARM) % STEPS == 0:
            print(f"  step {step}: loss {loss.item():.3f}", flush=True)
            yield step, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}


def load_dcp(path):
    """Back into tensors of the right shapes, as the metadata tells them."""
    metadata = dcp.FileSystemReader(path).read_metadata().state_dict_metadata
    state = {name: torch.empty(m.size, dtype=m.properties.dtype) for name, m in metadata.items() if hasattr(m, "size")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcp.load(state, checkpoint_id=path, no_dist=True)
    return state


def save_dcp(state, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcp.save(state, checkpoint_id=path, no_dist=True)


def torch_formats():
    formats = {"torch.save": (".pt", torch.save, lambda path: torch.load(path, weights_only=True))}
    if safetensors_torch:
        formats["safetensors"] = (".safetensors", lambda state, path: save_file(state["model"], path), load_file)
    if dcp:
        formats["torch DCP"] = (".dcp", save_dcp, load_dcp)
    return formats


def same_leaf(a, b):
    if not torch.is_tensor(a):
        return repr(a) == repr(b)
    bits = [t.contiguous().view(-1).view(torch.uint8) for t in (a, b)]
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(*bits)


# --- with numpy only ---


def numpy_states(seed):
    """Guesses the next byte from the eight before it: embedding, two wide layers, Adam, all by hand."""
    rng = numpy.random.default_rng(seed)
    words = numpy.frombuffer(text(), dtype=numpy.uint8)
    shapes = {"embed": (256, 64), "w1": (512, 640), "b1": (640,), "w2": (640, 640), "b2": (640,), "w3": (640, 256),
              "b3": (256,)}
    weights = {n: (rng.standard_normal(s) * (0 if len(s) == 1 else s[0] ** -0.5)).astype("f4") for n, s in shapes.items()}
    first, second = ({n: numpy.zeros_like(w) for n, w in weights.items()} for _ in range(2))
    for step in range(1, WARM + (CHECKPOINTS - 1) * STEPS + 1):
        at = rng.integers(len(words) - 9, size=(256, 1)) + numpy.arange(9)
        gradients, loss = numpy_gradients(weights, words[at[:, :8]], words[at[:, 8]])
        for name, g in gradients.items():
            first[name] += (g - first[name]) * numpy.float32(0.1)
            second[name] += (g * g - second[name]) * numpy.float32(0.001)
            m, v = first[name] / (1 - 0.9**step), second[name] / (1 - 0.999**step)
            weights[name] -= (3e-4 * m / (numpy.sqrt(v) + 1e-8)).astype("f4")
        if step >= WARM and (step - WARM) % STEPS == 0:
            print(f"  step {step}: loss {loss:.3f}", flush=True)
            kinds = {"model": weights, "exp_avg": first, "exp_avg_sq": second}
            yield step, {f"{kind}.{n}": t for kind, tensors in kinds.items() for n, t in tensors.items()}


def numpy_gradients(w, context, target):
    count = len(target)
    x = w["embed"][context].reshape(count, -1)
    h1 = numpy.maximum(x @ w["w1"] + w["b1"], 0)
    h2 = numpy.maximum(h1 @ w["w2"] + w["b2"], 0)
    logits = h2 @ w["w3"] + w["b3"]
    p = numpy.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    loss = -numpy.log(p[numpy.arange(count), target] + 1e-9).mean()
    p[numpy.arange(count), target] -= 1
    p /= count
    d2 = (p @ w["w3"].T) * (h2 > 0)
    d1 = (d2 @ w["w2"].T) * (h1 > 0)
    embed = numpy.zeros_like(w["embed"])
    numpy.add.at(embed, context.reshape(-1), (d1 @ w["w1"].T).reshape(-1, w["embed"].shape[1]))
    return {"embed": embed, "w1": x.T @ d1, "b1": d1.sum(0), "w2": h1.T @ d2, "b2": d2.sum(0), "w3": h2.T @ p,
            "b3": p.sum(0)}, loss


def save_safetensors(state, path):
    """The format by hand: le64 length, a JSON header, the tensors."""
    header, at = {"__metadata__": {"format": "np"}}, 0
    for name, array in state.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(encoded)) + encoded)
        for array in state.values():
            f.write(array.tobytes())


def load_safetensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        body = f.read()
    header.pop("__metadata__")
    return {name: numpy.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
            for name, entry in header.items()}


def numpy_formats():
    return {"safetensors": (".safetensors", save_safetensors, load_safetensors),
            "npz": (".npz", lambda state, path: numpy.savez(path, **state), lambda path: dict(numpy.load(path)))}


# --- a user's own files ---


def file_formats(suffixes):
    def load(path):
        with open(path, "rb") as f:
            while f.read(1 << 20):
                pass
        return path

    return {suffix or "other": (suffix, shutil.copyfile, load) for suffix in suffixes}


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.digest()


# --- both parts ---


def timed(work, *args):
    started = time.perf_counter()
    result = work(*args)
    return result, time.perf_counter() - started


def size(path):
    return sum(p.stat().st_size for p in path.rglob("*")) if path.is_dir() else path.stat().st_size


def save_one(times, kind, save, state, name, places):
    """To the two places, in turns first."""
    order = sorted(places.items(), reverse=len(times["order"]) % 2 == 1)
    times["order"].append(name)
    for place, folder in order:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        took = timed(save, state, folder / name)[1]
        times["save"].setdefault(kind, {}).setdefault(place, []).append(took)
    times["files"].setdefault(kind, []).append(name)


def save(args, places):
    times = {"order": [], "save": {}, "files": {}, "own": bool(args.origin)}
    if args.origin:
        found = sorted(p for p in args.origin.rglob("*") if p.is_file() and not p.is_symlink())
        for path in found:
            kind = path.suffix or "other"
            save_one(times, kind, shutil.copyfile, path, str(path.relative_to(args.origin)), places)
    else:
        formats = torch_formats() if torch else numpy_formats()
        for step, state in (torch_states if torch else numpy_states)(int(time.time())):
            for kind, (suffix, save_format, _) in formats.items():
                save_one(times, kind, save_format, state, f"checkpoint-{step}{suffix}", places)
    (args.disk / "times.json").write_text(json.dumps(times))


def same(a, b, own):
    if own:
        return digest(a) == digest(b)
    left, right = dict(flat(a)), dict(flat(b))
    if left.keys() != right.keys():
        return False
    if torch:
        return all(same_leaf(leaf, right[name]) for name, leaf in left.items())
    return all((x.dtype, x.shape, x.tobytes()) == (right[n].dtype, right[n].shape, right[n].tobytes())
               for n, x in left.items())


def load(args, places):
    times = json.loads((args.disk / "times.json").read_text())
    suffixes = {os.path.splitext(n)[1] for names in times["files"].values() for n in names}
    formats = file_formats(suffixes) if times["own"] else torch_formats() if torch else numpy_formats()
    rows, wrong, raw = [], 0, 0
    for kind, names in times["files"].items():
        took, exact, logical = {"disk": 0.0, "mnt": 0.0}, 0, 0
        for name in names:
            loaded = {}
            for place, folder in places.items():
                loaded[place], t = timed(formats[kind][2], folder / name)
                took[place] += t
            exact += same(loaded["mnt"], loaded["disk"], times["own"])
            logical += size(places["disk"] / name)
        saved = {place: sum(t) for place, t in times["save"][kind].items()}
        rows.append((kind, len(names), logical, saved["disk"], saved["mnt"], took["disk"], took["mnt"], exact))
        wrong, raw = wrong + len(names) - exact, raw + logical
    show(rows, raw, args.stored)
    return 1 if wrong else 0


def show(rows, raw, stored):
    print(f"\n{'':12} {'':>6} {'':>10} {'save (s)':>17} {'load (s)':>17}")
    print(f"{'format':12} {'files':>6} {'MB':>10} {'disk':>8} {'mithril':>8} {'disk':>8} {'mithril':>8}  bit-exact")
    for kind, count, logical, *seconds, exact in rows:
        cells = " ".join(f"{s:8.2f}" for s in seconds)
        print(f"{kind:12} {count:6} {logical / 1e6:10.1f} {cells}  {f'all {count}' if exact == count else f'ONLY {exact}'}")
    print(f"\nlogical {raw / 1e6:.1f} MB, stored {stored / 1e6:.1f} MB: {raw / max(stored, 1):.2f}x smaller\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("save", "load"))
    parser.add_argument("mnt", type=pathlib.Path)
    parser.add_argument("disk", type=pathlib.Path)
    parser.add_argument("--from", dest="origin", type=pathlib.Path)
    parser.add_argument("--stored", type=int, default=0)
    args = parser.parse_args()
    places = {"disk": args.disk, "mnt": args.mnt}
    sys.exit(save(args, places) if args.part == "save" else load(args, places))


main()
