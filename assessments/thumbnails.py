"""Small copies of pictures: made anew from the pixels, so that nothing else of the file, such as
the place where it was taken, is in them."""

from __future__ import annotations

import io
from typing import BinaryIO

from PIL import Image, ImageOps

from assessments.kinds import NotAccepted, open_image

MEDIA_TYPE = "image/webp"
_SIDE = 320
#: A picture that cannot be read at a reduced size is left alone above this many pixels.
_MAX_DECODED = 30_000_000


def small(file: BinaryIO, media_type: str, side: int = _SIDE) -> Image.Image | None:
    """The picture within `side` × `side` pixels, upright, on white; None where it cannot be read."""
    try:
        with open_image(file, media_type) as image:
            image.draft("RGB", (2 * side, 2 * side))  # JPEG is decoded at a reduced size
            if image.width * image.height > _MAX_DECODED:
                return None
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((side, side))
            flat = Image.new("RGB", upright.size, "white")
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                flat.paste(upright, mask=upright)
            else:
                flat.paste(upright.convert("RGB"))
    except NotAccepted:
        return None
    except Exception:  # Pillow's plugins raise whatever a damaged picture makes them
        return None
    return flat


def make(file: BinaryIO, media_type: str, side: int = _SIDE) -> bytes | None:
    """The picture as WebP of at most `side` × `side` pixels, upright; None where it cannot be read."""
    flat = small(file, media_type, side)
    if flat is None:
        return None
    target = io.BytesIO()
    flat.save(target, "WEBP", quality=75)
    return target.getvalue()
