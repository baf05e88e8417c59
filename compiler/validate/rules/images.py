"""The rule about the images that containers run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compiler.validate.rule import BUNDLE_RULES, Finding, Subject, rule

_DIGESTED: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG: Final = re.compile(r":(?P<tag>[\w][\w.-]*)$")
_MOVING: Final = re.compile(r"latest|^(master|main|trunk|head|devel?|develop|edge|nightly|snapshot|stable|rolling)$")
"""Tags that say where they move to, and those of branches."""


@rule(BUNDLE_RULES, "OS039", "images have a fixed tag, from a registry that the site allows")
def fixed_images(subject: Subject) -> Iterator[Finding]:
    """Check that each image has a digest, or a tag that does not move, and comes from one of the site's `registries`.

    A tag that moves holds `latest`, or is that of a branch (`master`, `stable`, `nightly`, ...). A site without the key
    `registries` allows all.

    Why it matters: `latest` is another program tomorrow, and two pods of one Deployment may run two of them.

    Example: `image: quay.io/airshipit/kubernetes-entrypoint:latest-ubuntu`

    Use instead: the tag of a release, or a digest; `registries: [registry.example.org/kolla]` in the environment.
    """
    for manifest, made in subject.pods():
        for container in made.containers:
            image = str(container.spec.get("image") or "")
            whose = f"the container `{container.name}` of {manifest.id}"
            where = subject.field(manifest, *container.path, "image")
            for wrong, hint in _faults(image, subject.owner.registries):
                message = f"{whose} runs `{image}`, which must {wrong}" if image else f"{whose} names no image"
                yield Finding(message, subject.origin(manifest), hint, where, container.name)


def _faults(image: str, allowed: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What the image must be and is not, and what to do."""
    if _is_moving(image):
        yield "have a tag that never moves, or a digest", "the tag of a release, or `@sha256:...`"
    if image and allowed and not any(image.startswith(f"{registry.rstrip('/')}/") for registry in allowed):
        yield "come from one of the site's registries", ", ".join(f"`{registry}`" for registry in allowed)


def _is_moving(image: str) -> bool:
    if _DIGESTED.search(image):
        return False
    tag = _TAG.search(image)
    return tag is None or _MOVING.search(tag["tag"]) is not None
