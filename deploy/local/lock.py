"""`python -m deploy.local.lock`: makes the jar lock anew from Maven Central (what `make lock` runs)."""

from deploy.local.jars import LOCK, resolve, write_lock
from deploy.local.progress import showing_progress
from exchange.settings import Settings


def main() -> None:
    """Resolve, fetch, write."""
    settings = Settings()
    with showing_progress() as advance:
        jars = resolve(settings.cache, maven_url=settings.maven_url, advance=advance)
    write_lock(jars)
    print(f"{LOCK.name}: {len(jars)} jars")  # noqa: T201 # a command of its own


if __name__ == "__main__":
    main()
