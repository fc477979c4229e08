"""Measure what docs/photos.md states: plates, faces, hashes, time of the filing path.

    PYTHONPATH=. python benchmarks/photos/measure.py plates|faces|hashes|time [--skimage FOLDER]

Backgrounds and faces are the real photos that installed packages bring along: scikit-learn's two,
matplotlib's portrait in the Rasa runtime. ``--skimage`` adds those of an unpacked scikit-image
wheel (``pip download --no-deps scikit-image==0.25.2``, then unzip it), among them 100 faces and
100 pictures without one (lfw_subset).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import sklearn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from PIL import Image, ImageEnhance

from base.pictures import examine
from base.settings import ROOT
from benchmarks.photos.compose import KINDS, Pixels, covered, draw_plate, place
from channels.pictures import blurred_copy, clean_copy
from channels.redaction import MARGIN, Region, find_faces, find_plates, private_regions
from store.media import SAME_PICTURE, SAME_SHOT, hash_distance

HOPPER = "lib/python3.10/site-packages/matplotlib/mpl-data/sample_data/grace_hopper.jpg"
FACES = {"astronaut.png": (176, 65, 98, 98), "grace_hopper.jpg": (165, 120, 210, 230)}
MAX_PIXELS = 50_000_000


def photos(skimage: Path | None) -> dict[str, Pixels]:
    """Every real colour photo at hand, by file name."""
    folder = Path(sklearn.__file__).parent / "datasets" / "images"
    paths = [folder / "china.jpg", folder / "flower.jpg", ROOT / ".venv-rasa" / HOPPER]
    if skimage:
        names = ("astronaut", "motorcycle_left", "coffee", "chelsea", "brick", "gravel", "grass")
        paths += [skimage / "data" / f"{name}.png" for name in names]
        paths += [skimage / "data" / f"{name}.jpg" for name in ("rocket", "hubble_deep_field")]
    return {path.name: cv2.imread(str(path)) for path in paths if path.is_file()}


def grown(regions: Iterable[Region]) -> list[tuple[int, int, int, int]]:
    """Regions with the margin that is hidden with them."""
    return [
        (
            round(r.left - r.width * MARGIN),
            round(r.top - r.height * MARGIN),
            round(r.width * (1 + 2 * MARGIN)),
            round(r.height * (1 + 2 * MARGIN)),
        )
        for r in regions
    ]


def backgrounds(known: dict[str, Pixels]) -> list[Pixels]:
    """Photos without people, 1200 pixels wide."""
    names = ("china.jpg", "flower.jpg", "motorcycle_left.png", "coffee.png", "rocket.jpg")
    chosen = [known[name] for name in names if name in known]
    return [cv2.resize(p, (1200, round(1200 * p.shape[0] / p.shape[1]))) for p in chosen]


def plates(known: dict[str, Pixels], count: int) -> None:
    """Composed plates by colour and width; hidden when 80 % of the plate is covered."""
    scenes = backgrounds(known)
    for number, scene in enumerate(scenes):
        mask = np.zeros(scene.shape[:2], bool)
        for left, top, width, height in grown(private_regions(scene)):
            mask[max(0, top) : top + height, max(0, left) : left + width] = True
        print(f"scene {number}, nothing in it: {mask.mean():.1%} of it hidden", flush=True)
    for kind in KINDS:
        for width in (40, 60, 100, 180, 350):
            chance = random.Random(f"{kind}{width}")
            hits = 0
            for number in range(count):
                seen = place(draw_plate(kind, chance), scenes[number % len(scenes)], width, chance)
                hits += covered(seen.box, grown(find_plates(seen.picture))) >= 0.8
            print(f"{kind} {width} pixels wide: {hits}/{count} hidden", flush=True)


def faces(known: dict[str, Pixels], skimage: Path | None, count: int) -> None:
    """Portraits and small faces put into scenes; hidden when 60 % of the face is covered."""
    scenes = backgrounds(known)
    heads = []
    for name, (left, top, width, height) in FACES.items():
        if name in known:
            heads.append(known[name][top : top + height, left : left + width])
    for wide in (30, 60, 120, 240):
        chance = random.Random(wide)
        hits = 0
        for number in range(count):
            head = heads[number % len(heads)]
            head = head[:, ::-1] if number % 3 == 0 else head
            scene = scenes[number % len(scenes)]
            seen = place(np.ascontiguousarray(head), scene, wide, chance, 0.04)
            hits += covered(seen.box, grown(find_faces(seen.picture))) >= 0.6
        print(f"{len(heads)} portraits {wide} pixels wide: {hits}/{count} hidden", flush=True)
    if skimage:
        small = np.load(skimage / "data" / "lfw_subset.npy")
        found = [0, 0]
        for number, face in enumerate(small):
            picture = cv2.resize(
                (face * 255).astype(np.uint8), (75, 75), interpolation=cv2.INTER_CUBIC
            )
            picture = cv2.copyMakeBorder(picture, 40, 40, 40, 40, cv2.BORDER_REPLICATE)
            hidden = grown(find_faces(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)))
            found[number // 100] += covered((50, 50, 55, 55), hidden) >= 0.6
        print(f"lfw_subset at 75 pixels: {found[0]}/100 faces, {found[1]}/100 of no face")


def _again(image: Image.Image, quality: int) -> Image.Image:
    output = io.BytesIO()
    image.save(output, "JPEG", quality=quality)
    return Image.open(io.BytesIO(output.getvalue()))


def _cut(part: float) -> Callable[[Image.Image], Image.Image]:
    def cut(image: Image.Image) -> Image.Image:
        across, down = round(image.width * part), round(image.height * part)
        return image.crop((across, down, image.width - across, image.height - down))

    return cut


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG quality 60": lambda image: _again(image, 60),
    "JPEG quality 30": lambda image: _again(image, 30),
    "half size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "quarter size, JPEG 60": lambda i: _again(i.resize((i.width // 4 + 8, i.height // 4 + 8)), 60),
    "brighter by 30 %": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "darker by 30 %": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "1 % cut off each side": _cut(0.01),
    "2 % cut off each side": _cut(0.02),
    "5 % cut off each side": _cut(0.05),
    "turned by 2 degrees": lambda image: image.rotate(2, resample=Image.Resampling.BICUBIC),
}


def hashes(known: dict[str, Pixels]) -> None:
    """Distances of edited copies, and of different pictures, of the photos and cuttings of them."""
    chance = random.Random(3)
    groups: list[list[Image.Image]] = []
    for pixels in known.values():
        image = Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
        groups.append([image])
        for _ in range(5):
            part = chance.uniform(0.45, 0.6)
            left = chance.randrange(int(image.width * (1 - part)))
            top = chance.randrange(int(image.height * (1 - part)))
            right, bottom = left + int(image.width * part), top + int(image.height * part)
            groups[-1].append(image.crop((left, top, right, bottom)))
    hashed = [[_hash(image) for image in group] for group in groups]
    for name, edit in EDITS.items():
        apart = sorted(
            hash_distance(one, _hash(edit(image)))
            for group, ones in zip(groups, hashed, strict=True)
            for image, one in zip(group, ones, strict=True)
        )
        within = [
            sum(d <= limit for d in apart) / len(apart) for limit in (SAME_SHOT, SAME_PICTURE)
        ]
        print(
            f"{name}: median {apart[len(apart) // 2]}, largest {apart[-1]}, "
            f"within {SAME_SHOT}: {within[0]:.0%}, within {SAME_PICTURE}: {within[1]:.0%}"
        )
    flat = [one for ones in hashed for one in ones]
    pairs = [hash_distance(a, b) for n, a in enumerate(flat) for b in flat[:n]]
    close = sum(d <= SAME_PICTURE for d in pairs)
    print(f"{len(pairs)} pairs of different pictures: smallest {min(pairs)}, {close} within")


def _hash(image: Image.Image) -> str:
    output = io.BytesIO()
    image.convert("RGB").save(output, "PNG")
    return examine(output.getvalue(), MAX_PIXELS).perceptual_hash or "0" * 16


def timing(known: dict[str, Pixels]) -> None:
    """The filing path and the copies, for a 12-megapixel JPEG."""
    photo = cv2.resize(known["china.jpg"], (4032, 3024), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(1).normal(0, 5, (3024, 4032, 1))
    _, encoded = cv2.imencode(".jpg", np.clip(photo + noise, 0, 255).astype(np.uint8))
    data = encoded.tobytes()
    print(f"{len(data) / 1e6:.1f} MB")
    cipher = AESGCM(AESGCM.generate_key(256))
    steps: dict[str, Callable[[], object]] = {
        "decode alone": lambda: Image.open(io.BytesIO(data)).load(),
        "examine": lambda: examine(data, MAX_PIXELS),
        "encrypt and digest": lambda: (
            cipher.encrypt(bytes(12), data, None),
            hashlib.sha256(data).hexdigest(),
        ),
        "clean copy": lambda: clean_copy(data),
        "public copy": lambda: blurred_copy(data, private_regions),
    }
    for name, step in steps.items():
        spent = []
        for _ in range(5):
            started = time.process_time()  # of all threads: others may use the machine too
            step()
            spent.append(time.process_time() - started)
        print(f"{name}: {sorted(spent)[2] * 1000:.0f} ms of processor time")


def main() -> None:
    """Run one measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("plates", "faces", "hashes", "time"))
    parser.add_argument("--skimage", type=Path)
    parser.add_argument("--count", type=int, default=20)
    given = parser.parse_args()
    known = photos(given.skimage)
    if given.what == "plates":
        plates(known, given.count)
    elif given.what == "faces":
        faces(known, given.skimage, given.count)
    elif given.what == "hashes":
        hashes(known)
    else:
        timing(known)


if __name__ == "__main__":
    main()
