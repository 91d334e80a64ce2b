"""`python -m deploy.docker.base IMAGE`: makes the image's base of Debian's packages, where no image registry is reached.

Root on Debian, with debootstrap and a Docker daemon: `docker build --build-arg BASE=IMAGE …` then needs package registries only.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
AUTHORITIES = Path("/usr/local/share/ca-certificates")
"""Certificates that this machine trusts beside Debian's, such as its proxy's: the base trusts them too."""
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
NOT_KEPT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "var/log")


def make_root(folder: Path) -> None:
    """A small Debian with Python in a folder."""
    _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(folder))
    if AUTHORITIES.is_dir():
        shutil.copytree(AUTHORITIES, folder / AUTHORITIES.relative_to("/"), dirs_exist_ok=True)
        _run("chroot", str(folder), "update-ca-certificates")
    for name in NOT_KEPT:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)


def import_root(folder: Path, image: str) -> None:
    """The folder as an image of the local daemon."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        _run("tar", "-C", str(folder), "-cf", archive.name, ".")
        _run("docker", "import", f"--change=ENV PIP_CERT={BUNDLE}", archive.name, image)


def _run(name: str, *arguments: str) -> None:
    subprocess.run([_tool(name), *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 # our own command lines


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"error[no_tool]: {name} is not there - apt-get install {name}")
    return found


def main() -> None:
    """Make the base and name it as the command line says."""
    (image,) = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="creditbus-base-") as folder:
        make_root(Path(folder))
        import_root(Path(folder), image)


if __name__ == "__main__":
    main()
