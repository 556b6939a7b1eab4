#!/usr/bin/env python3
"""Checks a Bailiwick ledger, or a proof from one, without Bailiwick. Written from docs/ledger.md alone.

    verify_ledger.py [--key FILE] [--checkpoint SAVED] DIR     every record, link, time and checkpoint
    verify_ledger.py [--key FILE] --proof FILE                 a file that `bailiwick audit prove` printed

Exit 0 if it is what was written, else 1 and what is wrong. Needs Python 3.9 and the package `cryptography`.
"""
import argparse, base64, hashlib, json, pathlib, re, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTE = re.compile(r"(?:[^\n]+\n){3,}\n(?:— [^ \n]+ [^ \n]+\n)+")  # C2SP tlog-checkpoint, signed-note
sha256 = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
node = lambda left, right: sha256(b"\x01", left, right)
b64 = lambda text: base64.b64decode(text, validate=True)

class Note:
    def __init__(self, text):
        if not NOTE.fullmatch(text):
            raise ValueError("a checkpoint is no signed note")
        body, signatures = text.split("\n\n")
        self.text = (body + "\n").encode()
        self.origin, size, root, *more = body.split("\n")
        self.size, self.root = int(size), b64(root)
        self.signatures = [line.split(" ")[1:] for line in signatures.splitlines()]
        self.rotation = next((line.split(" ")[1:] for line in more if line.startswith("rotate ")), None)
    def signed_by(self, key):
        name, key_id, encoded = key.split("+", 2)
        raw = b64(encoded)
        known = name == self.origin and raw[:1] == b"\x01" and sha256(name.encode(), b"\n", raw)[:4].hex() == key_id
        for signature in [b64(text) for signer, text in self.signatures if known and signer == name]:
            try:
                Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[4:], self.text)
                return signature[:4].hex() == key_id
            except InvalidSignature:
                pass
        return False

class Keys:
    """The key that is believed, and those that it was rotated to or from: a rotation is signed by both."""
    def __init__(self, given, notes):
        self.given, self.chain = given, []
        for note in sorted((note for note in notes if note.rotation), key=lambda note: note.size):
            old, new = note.rotation
            if note.signed_by(old) and note.signed_by(new) and (not self.chain or self.chain[-1][2] == old):
                self.chain.append((note.size, old, new))
        self.chain = self.chain if any(given in keys for _, *keys in self.chain) else []
    def check(self, note):
        before = [new for size, _, new in self.chain if size <= note.size][-1:]
        after = [old for size, old, _ in self.chain if size >= note.size][:1]
        if not any(note.signed_by(key) for key in (before + after if self.chain else [self.given])):
            raise ValueError(f"the checkpoint of size {note.size} is not signed with the ledger's key")

class Ledger:
    def __init__(self, folder, key, saved):
        self.segments = sorted(path for path in folder.iterdir() if re.fullmatch(r"\d{20}\.jsonl", path.name))
        paths = [path.with_suffix(".notes") for path in self.segments] + [folder / "checkpoint"]
        texts = [path.read_bytes().decode(errors="replace") for path in paths if path.exists()]
        if not all(text.endswith(NOTE.sub("", text)) for text in texts):
            raise ValueError("a file of checkpoints is damaged")
        notes = [Note(found.group()) for text in texts for found in NOTE.finditer(text)]
        self.keys = Keys(key, notes)
        self.ahead = sorted(notes + ([saved] if saved else []), key=lambda note: -note.size)
        self.index, self.signed, self.link, self.time, self.peaks = 0, 0, "0" * 16, "", []
    def meet(self):
        while self.ahead and self.ahead[-1].size == self.index:
            note, root = self.ahead.pop(), None
            for _, peak in reversed(self.peaks):
                root = node(peak, root) if root else peak
            self.keys.check(note)
            if note.root != (root or sha256()):
                raise ValueError(f"record {self.signed}: one from here to {self.index - 1} is not what was signed")
            self.signed = self.index
    def follow(self, line):
        try:
            version, index, link, time = map(json.loads(line).__getitem__, ("v", "index", "prev", "time"))
        except (ValueError, KeyError, TypeError, AttributeError):
            version = index = link = time = ""
        if (version, index, len(time), line[-1:]) != (1, self.index, 27, b"\n"):
            raise ValueError(f"record {self.index}: missing, out of order or no record")
        if link != self.link:
            raise ValueError(f"record {max(index - 1, 0)}: changed; the next one was written after another")
        if time < self.time:
            raise ValueError(f"record {index}: older than the one before it")
        size, peak = 1, sha256(b"\x00", line[:-1])
        self.index, self.link, self.time = index + 1, peak[:8].hex(), time
        while self.peaks and self.peaks[-1][0] == size:
            size, peak = 2 * size, node(self.peaks.pop()[1], peak)
        self.peaks.append((size, peak))
    def verify(self):
        for path in self.segments:
            for line in path.open("rb"):
                self.meet()
                if line.endswith(b"\n") or path != self.segments[-1]:  # else it is being written, or was cut off
                    self.follow(line)
        self.meet()
        if self.ahead or (self.index and not self.signed):
            raise ValueError(f"record {self.index}: missing, or no checkpoint signs it")
        return f"{self.index} records are what was written, {self.signed} of them signed"

def roots(low, high, place, path, leaf=None, known=None):
    """The roots that a path leads to (RFC 6962, 2.1.1 and 2.1.2): of the tree, and of the older one."""
    if high - low == 1 if leaf else place == high:
        root = leaf or known or path.pop(0)
        return root, root
    middle = low + (1 << ((high - low - 1).bit_length() - 1))
    if place <= middle:
        root, older = roots(low, middle, place, path, leaf, known)
        return node(root, path.pop(0)), older
    root, older = roots(middle, high, place, path, leaf)
    left = path.pop(0)
    return node(left, root), node(left, older)

def verify_proof(proof, key):
    own = {"inclusion": {"index", "record"}, "consistency": {"old"}}[proof["proof"]]
    if proof["v"] != 1 or set(proof) - {"rotations"} != own | {"proof", "v", "size", "path", "checkpoint", "key"}:
        raise ValueError("not a proof of version 1")
    note, path = Note(proof["checkpoint"]), [bytes.fromhex(part) for part in proof["path"]]
    keys = Keys(key or proof["key"], [Note(text) for text in proof.get("rotations", [])])
    keys.check(note)
    if "old" in proof:
        place, known = proof["old"]["size"], bytes.fromhex(proof["old"]["root"])
        found = 0 < place <= note.size
        for older in [Note(proof["old"]["checkpoint"])] if "checkpoint" in proof["old"] else []:
            keys.check(older)
            found = found and (older.size, older.root) == (place, known)
        found = found and roots(0, note.size, place, path, None, known) == (note.root, known)
    else:
        place, leaf = proof["index"] + 1, sha256(b"\x00", proof["record"].encode())
        found = 0 < place <= note.size and roots(0, note.size, place, path, leaf)[0] == note.root
        found = found and json.loads(proof["record"])["index"] == proof["index"]
    if not found or path or proof["size"] != note.size:
        raise ValueError("the proof does not lead to what was signed")
    return f"{note.size} records were signed; " + (f"they begin with the {place}" if "old" in proof else "it is one")

if __name__ == "__main__":
    options = argparse.ArgumentParser(usage=__doc__)
    for name, more in {"--key": {}, "--checkpoint": {}, "--proof": {}, "dir": {"nargs": "?"}}.items():
        options.add_argument(name, type=pathlib.Path, **more)
    given = options.parse_args()
    try:
        key = given.key and given.key.read_text().strip()
        if given.proof:
            sys.exit(print(verify_proof(json.loads(given.proof.read_text()), key)))
        saved = given.checkpoint and Note(given.checkpoint.read_text())
        print(Ledger(given.dir, key or (given.dir / "checkpoint.pub").read_text().strip(), saved).verify())
    except (ValueError, LookupError, TypeError, RecursionError) as bad:
        sys.exit(f"not what was written: {bad}")
