"""Draw: who is inspected, by chance and by class. The same seed and frame give the same firms, so anybody can draw again and compare.

Each firm's place in the draw is a hash of the seed and of its id: no order of the frame, no clock and no generator comes in.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

from exchange.domain.risk.model import CLASSES

WHOLE = 10_000
"""All firms, in hundredths of a per cent."""


class Member(NamedTuple):
    """A firm of the frame and its class."""

    subject: str
    letter: str


class Stratum(NamedTuple):
    """A class in a draw: how many firms it has, and how many of them are drawn."""

    letter: str
    firms: int
    drawn: int


class Draw(NamedTuple):
    """The outcome; `frame` is the checksum of all that could have been drawn."""

    frame: str
    strata: tuple[Stratum, ...]
    drawn: tuple[Member, ...]


def place_of(seed: str, subject: str) -> str:
    """A firm's place in a draw; the lowest are drawn."""
    return sha256(f"{seed}\n{subject}".encode()).hexdigest()


def checksum_of(members: Iterable[Member]) -> str:
    """A checksum of a frame, whatever its order."""
    text = "".join(f"{one.subject} {one.letter}\n" for one in sorted(set(members)))
    return sha256(text.encode()).hexdigest()


def draw(members: Iterable[Member], shares: Mapping[str, int], seed: str) -> Draw:
    """Draw from each class its share, rounded up: of a class that has anybody and any share at least one is drawn.

    Args:
        members: the frame; a firm named twice counts once.
        shares: class to hundredths of a per cent.
        seed: any text, best one that nobody could choose, such as a lottery's number of that day.

    >>> draw([Member("org:1", "D"), Member("org:2", "A")], {"A": 0, "D": 10_000}, "seed").drawn
    (Member(subject='org:1', letter='D'),)
    """
    frame = sorted(set(members))
    strata, drawn = [], []
    for letter in CLASSES:
        ordered = sorted((one for one in frame if one.letter == letter), key=lambda one: place_of(seed, one.subject))
        count = min(len(ordered), -(-len(ordered) * shares.get(letter, 0) // WHOLE))
        strata.append(Stratum(letter, len(ordered), count))
        drawn += ordered[:count]
    return Draw(checksum_of(frame), tuple(strata), tuple(drawn))
