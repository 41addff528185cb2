"""`python -m sandbox [source] [destination] [slack] [traces] [mail]`: all faces, or the named ones, in one process."""

import sys

from sandbox.app import FACES, Face, main


def run(arguments: list[str]) -> int:
    faces: list[Face] = [face for face in FACES if face in arguments]
    if len(faces) != len(arguments):
        sys.stderr.write(f"usage: python -m sandbox [{'] ['.join(FACES)}]\n")
        return 2
    return main(*faces)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
