"""``shimin keys rotate|status``, ``shimin audit``, ``shimin retention`` as operators run them."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError
from sqlalchemy import LargeBinary, delete, select, type_coerce, update

from base.settings import ROOT, get_settings
from store import audit
from store.blobs import blob_store
from store.database import reading, unit_of_work
from store.keyring import key_id
from store.media import read_media, save_media
from store.models import AuditEntry, Citizen, Media, OutgoingMessage, plain, utc_now
from store.people import queue_message, save_profile
from store.privacy import note_access, reveal
from tests.cli.conftest import Command
from tests.isolated import isolated, isolated_environment
from tests.stack import SHIMIN, free_port
from tests.store.rasa import RasaStore

PEOPLE = 5
Configure = Callable[..., None]


@pytest.fixture
def configure(command: Command, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Change settings of the installation that ``command`` runs in."""

    def change(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"SHIMIN_{name}", value)
        get_settings.cache_clear()

    return change


def fill(people: int = PEOPLE) -> None:
    with unit_of_work() as session:
        for number in range(people):
            save_profile(session, f"web:{number}", "resident", {"age": number})
            session.get_one(Citizen, f"web:{number}").phone = plain(f"1380013{number:04d}")
        save_media(session, "web:1", b"a photo", "image/jpeg", None)


def phones() -> dict[str, object]:
    with unit_of_work() as session:
        return {
            row.id: reveal(session, row, "phone", actor="test", purpose="test")
            for row in session.scalars(select(Citizen))
        }


def stored_phones() -> list[bytes]:
    stored = type_coerce(Citizen.phone, LargeBinary)
    with reading() as session:
        return list(session.scalars(select(stored).order_by(Citizen.id)))


def current_key() -> str:
    return get_settings().data_key.get_secret_value()


# --- keys ---------------------------------------------------------------------------------


def test_a_key_is_changed_and_the_old_one_taken_away(
    command: Command, configure: Configure
) -> None:
    fill()
    assert command("keys", "status").returncode == 0
    old, new = current_key(), Fernet.generate_key().decode()
    configure(DATA_KEY=new, DATA_KEYS_OLD=old)
    before = command("keys", "status")
    assert before.returncode == 1
    assert "values need an old key" in before.stderr
    assert f"citizens.phone: {key_id(urlsafe_b64decode(old))} {PEOPLE}" in before.stdout
    done = command("keys", "rotate")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"citizens: {PEOPLE} rows" in done.stdout
    assert "media: 1 files written" in done.stdout
    assert "no old key is needed" in done.stdout
    configure(DATA_KEY=new, DATA_KEYS_OLD="")
    assert phones()["web:4"] == "13800130004"
    with unit_of_work() as session:
        media = session.scalars(select(Media)).one()
        assert read_media(session, media.id, actor="a", purpose="p")[1] == b"a photo"


def test_a_rotation_with_nothing_to_do_writes_nothing(command: Command) -> None:
    empty = command("keys", "rotate")
    assert (empty.returncode, empty.stderr) == (0, "")
    fill()
    before = stored_phones()
    sealed = {
        name: blob_store().get(name) for name in blob_store().keys(utc_now() + timedelta(days=1))
    }
    done = command("keys", "rotate")
    assert done.returncode == 0
    assert "rows" not in done.stdout
    assert "media: 0 files written" in done.stdout
    assert stored_phones() == before
    assert {name: blob_store().get(name) for name in sealed} == sealed


def test_without_the_old_key_a_rotation_names_what_it_cannot_open(
    command: Command, configure: Configure
) -> None:
    fill()
    old, stranger = current_key(), Fernet.generate_key().decode()
    configure(DATA_KEY=stranger, DATA_KEYS_OLD="")
    done = command("keys", "rotate")
    assert done.returncode == 2
    assert "citizens:web:0.phone needs key" in done.stderr
    assert "SHIMIN_DATA_KEYS_OLD" in done.stderr
    assert command("keys", "status").returncode == 1
    configure(DATA_KEY=old)
    assert phones()["web:0"] == "13800130000"  # nothing was lost


@pytest.mark.parametrize("key", ["", "not-a-key", "AAAA"])
def test_a_malformed_key_is_refused(command: Command, configure: Configure, key: str) -> None:
    fill()
    configure(DATA_KEY=key)
    done = command("keys", "rotate")
    assert done.returncode == 2
    assert "SHIMIN_DATA_KEY" in done.stderr
    assert not key or key not in done.stderr


def test_a_rotation_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    with isolated(tmp_path) as settings:
        fill(people=500)  # three units of work
        old = settings.data_key.get_secret_value()
        new = Fernet.generate_key().decode()
    keys = {"data_key": new, "data_keys_old": old}
    rotating = subprocess.Popen(
        [str(SHIMIN), "keys", "rotate"],
        cwd=ROOT,
        env={**os.environ, **isolated_environment(tmp_path, **keys)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert rotating.stdout is not None
    assert rotating.stdout.readline() == "citizens: 200 rows\n"
    rotating.kill()
    rotating.communicate()
    again = subprocess.run(
        [str(SHIMIN), "keys", "rotate"],
        cwd=ROOT,
        env={**os.environ, **isolated_environment(tmp_path, **keys)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert "no old key is needed" in again.stdout
    assert "citizens: 500 rows" not in again.stdout  # what was written stays written
    with isolated(tmp_path, data_key=new, database_url=settings.database_url):
        assert len(phones()) == 500


# --- audit --------------------------------------------------------------------------------


def read_some(count: int) -> None:
    for number in range(count):
        with unit_of_work() as session:
            note_access(session, "official:李敏", "核查", f"tickets:SM{number}", "contact")


def test_an_empty_chain_and_a_whole_one_hold(command: Command) -> None:
    empty = command("audit", "verify")
    assert (empty.returncode, empty.stdout) == (0, "the chain holds: 0 entries\n")
    read_some(4)
    again = command("audit", "verify").stdout
    assert again == "the chain holds: 5 entries\n"  # that it was verified is an entry itself


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (update(AuditEntry).where(AuditEntry.id == 3).values(actor="nobody"), "entry 3: the entry"),
        (delete(AuditEntry).where(AuditEntry.id == 2), "entry 2: entry 2 is missing"),
        (delete(AuditEntry).where(AuditEntry.id == 4), "entry 4: entries 4 to 4 are missing"),
    ],
)
def test_a_broken_chain_ends_with_code_1_and_names_the_entry(
    command: Command, tamper: object, told: str
) -> None:
    read_some(4)
    with unit_of_work() as session:
        session.execute(tamper)  # type: ignore[call-overload]
    done = command("audit", "verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr


def test_an_anchor_is_found_again_and_a_forged_history_is_not(
    command: Command, configure: Configure, tmp_path: Path
) -> None:
    configure(AUDIT_KEY="an audit key")
    read_some(3)
    anchor = tmp_path / "anchor.json"
    anchor.write_text(command("audit", "anchor").stdout)
    assert json.loads(anchor.read_text())["last_id"] == 3
    read_some(2)
    held = command("audit", "verify", "--anchor", str(anchor))
    assert (held.returncode, held.stdout) == (0, "the chain holds: 5 entries\n")
    with unit_of_work() as session:
        session.execute(delete(AuditEntry))
    assert command("audit", "verify", "--anchor", str(anchor)).returncode == 1


def test_an_anchor_of_somebody_else_is_refused(
    command: Command, configure: Configure, tmp_path: Path
) -> None:
    configure(AUDIT_KEY="another key")
    read_some(1)
    anchor = tmp_path / "anchor.json"
    anchor.write_text(command("audit", "anchor").stdout)
    configure(AUDIT_KEY="an audit key")
    foreign = command("audit", "verify", "--anchor", str(anchor))
    assert foreign.returncode == 2
    assert "anchor_invalid" in foreign.stderr
    anchor.write_text("no JSON")
    assert command("audit", "verify", "--anchor", str(anchor)).returncode == 2


def test_without_its_key_nothing_is_signed(command: Command, configure: Configure) -> None:
    configure(AUDIT_KEY="")
    done = command("audit", "anchor")
    assert (done.returncode, done.stdout) == (2, "")
    assert "SHIMIN_AUDIT_KEY is not set" in done.stderr


# --- retention ----------------------------------------------------------------------------


def told(done_stdout: str) -> dict[str, int]:
    rows = (line.split(": ") for line in done_stdout.splitlines())
    return {name: int(rest.split()[0]) for name, rest in rows}


def test_a_new_installation_has_nothing_to_forget(command: Command) -> None:
    for arguments in (("--dry-run",), ()):
        done = command("retention", "run", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert set(told(done.stdout)) == {
            "audit", "messages", "contacts", "consents", "exports", "conversations"
        }  # fmt: skip
        assert not any(told(done.stdout).values())


def test_a_dry_run_counts_and_a_run_forgets_what_is_over(command: Command) -> None:
    days = get_settings().message_keep_days
    with unit_of_work() as session:
        save_profile(session, "web:1", "resident", {"age": 40})
        for age in (days + 1, days - 1):
            message = queue_message(session, "web:1", [{"text": "您好"}])
            message.delivered_at = utc_now() - timedelta(days=age)
        queue_message(session, "web:1", [{"text": "还没看到"}])
    counted = command("retention", "run", "--dry-run")
    assert told(counted.stdout)["messages"] == 1
    assert f"messages: 1 older than {days} days" in counted.stdout
    assert waiting() == 3
    assert told(command("retention", "run").stdout)["messages"] == 1
    assert waiting() == 2
    assert told(command("retention", "run").stdout)["messages"] == 0


def test_conversations_are_counted_and_forgotten_in_rasas_own_database(
    command: Command, configure: Configure
) -> None:
    settings = get_settings()
    rasa = RasaStore(settings.tracker_url, settings.tracker_key.get_secret_value())
    rasa.make()
    long_ago = utc_now() - timedelta(days=settings.conversation_keep_days + 1)
    rasa.turn("web:1", long_ago, session=True)
    rasa.turn("web:2", utc_now(), session=True)
    assert told(command("retention", "run", "--dry-run").stdout)["conversations"] == 4
    assert told(command("retention", "run").stdout)["conversations"] == 4
    assert (rasa.moments("web:1"), len(rasa.moments("web:2"))) == ([], 1)
    configure(TRACKER_URL=f"postgresql://shimin:hidden@127.0.0.1:{free_port()}/rasa")
    away = command("retention", "run")
    assert (away.returncode, "exports" in away.stdout) == (2, True)
    assert "conversations_unavailable" in away.stderr and "hidden" not in away.stderr


def test_logs_are_not_forgotten_before_the_law_allows(
    command: Command, configure: Configure
) -> None:
    configure(AUDIT_KEEP_DAYS="182")
    with pytest.raises(ValidationError, match="audit_keep_days"):
        get_settings()
    configure(AUDIT_KEEP_DAYS="183")
    assert "audit: 0 older than 183 days" in command("retention", "run").stdout


def test_a_run_cuts_the_audit_and_the_chain_still_holds(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = utc_now() - timedelta(days=get_settings().audit_keep_days + 1)
    with monkeypatch.context() as then:
        then.setattr(audit, "utc_now", lambda: long_ago)
        read_some(3)
    read_some(2)
    assert told(command("retention", "run", "--dry-run").stdout)["audit"] == 3
    assert told(command("retention", "run").stdout)["audit"] == 3
    held = command("audit", "verify")  # two that stay, and the one that tells of the cut
    assert (held.returncode, held.stdout) == (0, "the chain holds: 3 entries\n")


def waiting() -> int:
    with reading() as session:
        return len(session.scalars(select(OutgoingMessage.id)).all())
