"""Make the gallery from what ``opcheck repro --all --no-gan --out OUT`` wrote.

    python docs/gallery/build.py OUT

copies OUT's page of all papers here, with its figures at a size for a page, in 64 colours.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from PIL import Image

WIDTH = 720
COLOURS = 64
HERE = Path(__file__).parent


def reduced(picture: Path) -> Image.Image:
    """At most WIDTH wide, in COLOURS colours."""
    image = Image.open(picture).convert("RGB")
    if image.width > WIDTH:
        height = round(image.height * WIDTH / image.width)
        image = image.resize((WIDTH, height), Image.Resampling.LANCZOS)
    return image.quantize(COLOURS, dither=Image.Dither.NONE)


def build(outputs: Path) -> None:
    """Write README.md and PAPER/FIGURE.png beside this file from the folder ``outputs``."""
    text = (outputs / "README.md").read_text(encoding="utf-8")
    for old in HERE.glob("*/*.png"):
        old.unlink()
    for name in re.findall(r"^!\[.*\]\((\S+)\)$", text, flags=re.MULTILINE):
        place = HERE / name
        place.parent.mkdir(exist_ok=True)
        reduced(outputs / name).save(place, optimize=True)
    pages = re.sub(r"\]\((\w+)/README\.md\)", r"](../../paper_repro/\1/README.md)", text)
    (HERE / "README.md").write_text(pages, encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
