"""An attack step by step, under a slider that does not wait for the server."""

import base64
from hashlib import sha256
from typing import Any

from advprop_core.text import percent
from app.elements.declare import declare
from app.figures.reel import Reel
from app.language.text import _

_mount = declare("film")


def film(reel: Reel, key: str = "film", *, level: int = 5, at_end: bool = False) -> None:
    """The slider, the pictures of a frame, and what each branch says of it.

    Args:
        reel: What is shown.
        key: Of this film; no other on the page has it.
        level: Of the headings of what the branches say: one more than of the heading above.
        at_end: Whether it opens at its last frame.
    """
    classes = list(reel.classes)
    if reel.target_place is not None:
        classes[reel.target_place] += _(" (target)")
    if reel.true_place is not None:
        classes[reel.true_place] = f"✓ {reel.classes[reel.true_place]}"
    frames = [
        {
            "title": _(frame.title),
            "pictures": [
                f"data:image/webp;base64,{base64.b64encode(picture).decode()}"
                for picture in frame.pictures
            ],
            "shares": frame.shares,
            "answers": [f"{name} {percent(share)}" for name, share in frame.answers],
        }
        for frame in reel.frames
    ]
    content: dict[str, Any] = {
        "captions": [_(caption) for caption in reel.captions],
        "branches": [
            {"name": name, "colour": colour}
            for name, colour in zip(reel.branches, reel.colours, strict=True)
        ],
        "words": {
            "play": _("Play"),
            "pause": _("Pause"),
            "step": _("Step"),
            "says": _("{branch} says {answer}"),
            "path": _("{name}, from {start} to the last step, 0 to 100 %"),
            "start": _(reel.start),
        },
        "exact": reel.exact,
        "lead": reel.target_place or 0,
        "classes": classes,
        "frames": frames,
    }
    # By this the browser knows whether it has this film, in this language, already.
    content["key"] = sha256(repr(content).encode()).hexdigest()[:16]
    content |= {"level": level, "opens_at": len(reel.frames) - 1 if at_end else 0}
    _mount(key=key, data=content)
