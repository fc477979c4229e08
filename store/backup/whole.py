"""A whole installation to and from one archive."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from base.errors import ConfigurationError
from base.settings import Settings
from store.backup import archive, rows
from store.blobs import blob_store
from store.database import downgrade, revision_of, revisions, upgrade
from store.models import utc_now

log = structlog.get_logger(__name__)

FORMAT = 1
_TABLES, _MEDIA, _CITY = "tables/", "media/", "city/"


@dataclass(frozen=True)
class Extent:
    """How much an archive holds."""

    tables: int
    rows: int
    media: int
    city_files: int


def back_up(target: Path, settings: Settings) -> Extent:
    """Write everything of the installation that cannot be made again into ``target``.

    Rows come first, so that every photo a row names was written before; one that is deleted
    while the archive is written is left out, as it would be a moment later.

    Raises:
        ConfigurationError: see :func:`store.backup.archive.write`; the database has no tables.
        UpstreamError: the media store is away.
    """
    if not settings.backup_recipient:
        raise ConfigurationError("SHIMIN_BACKUP_RECIPIENT is not set (`shimin backup-key FILE`)")
    extents: list[Extent] = []

    def fill(writer: archive.ArchiveWriter) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="shimin-backup-") as name:
            revision, counts = _dump(settings, Path(name))
            for table in counts:
                file = f"{table}{rows.SUFFIX}"
                writer.add_file(f"{_TABLES}{file}", Path(name) / file)
        media = _add_media(writer)
        city = _city_files(settings)
        for member, path in city.items():
            writer.add_file(f"{_CITY}{member}", path)
        extents.append(Extent(len(counts), sum(counts.values()), media, len(city)))
        made = utc_now().isoformat()
        return {"format": FORMAT, "made": made, "revision": revision, "rows": counts}

    archive.write(target, settings.backup_recipient, fill)
    return extents[0]


def _dump(settings: Settings, folder: Path) -> tuple[str, dict[str, int]]:
    with rows.snapshot(settings.database_url) as connection:
        revision = revision_of(connection)
        if revision is None:
            raise ConfigurationError("the database is empty: there is nothing to back up")
        return revision, rows.dump(connection, folder)


def _add_media(writer: archive.ArchiveWriter) -> int:
    store, added = blob_store(), 0
    for key in sorted(store.keys(utc_now() + timedelta(days=1))):
        if key.endswith(".part"):  # being written, or left by a crash
            continue
        try:
            writer.add(f"{_MEDIA}{key}", store.get(key))
        except LookupError:
            log.info("deleted_meanwhile", key=key)
        else:
            added += 1
    return added


def _city_files(settings: Settings) -> dict[str, Path]:
    """Return what a city replaces, by its name in the archive."""
    folders = {"policies": settings.policies_dir, "city": settings.city_dir}
    found = {
        f"{name}/{path.relative_to(folder)}": path
        for name, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    for path in (settings.categories_file, settings.routing_file, settings.desk_attributes_file):
        found[path.name] = path
    return found


def restore(
    source: Path, identity: str, settings: Settings, *, force: bool, city: Path | None
) -> Extent:
    """Put an archive back into the database and media store of the settings.

    The database may be of another kind than the one backed up. It is brought to the archive's
    migration, filled, and brought to the newest. Files of the city are unpacked into the folder
    ``city``, if one is given: where they belong is the settings' business.

    Raises:
        ConfigurationError: the archive cannot be opened or is damaged, comes from a newer
            version, or the target holds something and ``force`` does not say to replace it.
        UpstreamError: the media store is away.
    """
    with tempfile.TemporaryDirectory(prefix="shimin-restore-") as name:
        folder = Path(name)
        manifest = archive.extract(source, identity, folder)
        _check_version(manifest)
        _make_empty(settings, force)
        media = _put_media(folder / _MEDIA)
        counts = _load(settings, manifest, folder / _TABLES)
        files = [f for f in manifest["files"] if f.startswith(_CITY)]
        if city is not None:
            shutil.copytree(folder / _CITY, city, dirs_exist_ok=True)
    return Extent(len(counts), sum(counts.values()), media, len(files))


def _check_version(manifest: dict[str, Any]) -> None:
    if manifest.get("format") != FORMAT or manifest.get("revision") not in revisions():
        raise ConfigurationError(
            f"the archive is of a version this code does not know ({manifest.get('revision')})"
        )


def _make_empty(settings: Settings, force: bool) -> None:
    store = blob_store()
    keys = list(store.keys(utc_now() + timedelta(days=1)))
    with rows.snapshot(settings.database_url) as connection:
        revision, held = revision_of(connection), rows.held(connection)
    if (held or keys) and not force:
        raise ConfigurationError(
            f"the target is not empty ({held} rows, {len(keys)} media files); "
            "--force deletes what is there"
        )
    if revision is not None:
        downgrade("base", settings.database_url)
    for key in keys:
        store.delete(key)


def _put_media(folder: Path) -> int:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        blob_store().put(path.name, path.read_bytes())
    return len(paths)


def _load(settings: Settings, manifest: dict[str, Any], folder: Path) -> dict[str, int]:
    upgrade(settings.database_url, manifest["revision"])
    with rows.writing(settings.database_url) as connection:
        counts = rows.load(connection, folder)
        if counts != manifest["rows"]:
            raise ConfigurationError("the rows are not as many as the manifest says")
    upgrade(settings.database_url)
    return counts
