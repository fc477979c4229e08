"""What citizens attach is looked at before it is decoded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from base.errors import ConfigurationError, InputError, UpstreamError
from base.settings import Settings
from channels.attachments import check_photo, check_video
from channels.message import Photo, Video
from channels.scanning import Clamd, check_upload, load_scanner
from tests.channels.photos import b64, encoded, scene
from tests.channels.scanners import EICAR, clamd
from tests.stack import free_port

CLEAN = b"a harmless photo" * 20_000  # several chunks


def settings(scanner: str, **more: object) -> Settings:
    return Settings(_env_file=None, upload_scanner=scanner, **more)  # type: ignore[arg-type]


def test_clamd_on_tcp_is_asked_in_its_own_protocol() -> None:
    with clamd() as port:
        scanner = load_scanner(settings(f"tcp://127.0.0.1:{port}"))
        assert scanner is not None
        assert scanner.threat(CLEAN) is None
        assert scanner.threat(b"") is None
        assert scanner.threat(CLEAN + EICAR) == "Eicar-Signature"
        with pytest.raises(InputError) as refused:
            check_upload(scanner, EICAR)
    assert refused.value.code == "upload_infected"
    assert "安全检查" in refused.value.message


def test_clamd_on_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "clamd.ctl")
    with clamd(path):
        scanner = load_scanner(settings(f"unix://{path}"))
        assert scanner is not None
        assert scanner.threat(EICAR) == "Eicar-Signature"


def test_a_scanner_that_gives_no_verdict_lets_nothing_through() -> None:
    with clamd(limit=100) as port:
        full = load_scanner(settings(f"tcp://127.0.0.1:{port}"))
        with pytest.raises(UpstreamError) as refused:
            check_upload(full, b"x" * 101)
    assert refused.value.code == "scanner_unavailable"
    assert "文字" in refused.value.message  # what still works
    away = Clamd(("127.0.0.1", free_port()), 2)
    with pytest.raises(UpstreamError, match="scanner_unavailable"):
        check_upload(away, CLEAN)


@pytest.mark.parametrize(("code", "raises"), [(0, None), (1, InputError), (2, UpstreamError)])
def test_a_command_gets_the_file_on_its_input(code: int, raises: type[Exception] | None) -> None:
    program = f"import sys; assert sys.stdin.buffer.read() == b'file'; sys.exit({code})"
    scanner = load_scanner(settings(f'command:{sys.executable} -c "{program}"'))
    if raises is None:
        check_upload(scanner, b"file")
    else:
        with pytest.raises(raises):
            check_upload(scanner, b"file")


def test_a_command_that_hangs_or_is_missing_lets_nothing_through() -> None:
    for named in (f"command:{sys.executable} -c 'import time; time.sleep(60)'", "command:/nowhere"):
        scanner = load_scanner(settings(named, upload_scanner_seconds=0.5))
        with pytest.raises(UpstreamError, match="scanner_unavailable"):
            check_upload(scanner, b"file")


def test_photos_and_videos_are_scanned_before_they_are_decoded() -> None:
    photo = encoded(scene())
    with clamd() as port:
        scanner = load_scanner(settings(f"tcp://127.0.0.1:{port}"))
        for data in (EICAR, photo + EICAR):  # not even a photo; hidden behind one
            with pytest.raises(InputError, match="upload_infected"):
                check_photo(
                    Photo(type="photo", content_type="image/jpeg", data=b64(data)),
                    settings(""),
                    scanner,
                )
        with pytest.raises(InputError, match="upload_infected"):
            check_video(
                Video(type="video", content_type="video/mp4", data=b64(EICAR)),
                settings(""),
                scanner,
            )
        clean = Photo(type="photo", content_type="image/jpeg", data=b64(encoded(scene())))
        assert check_photo(clean, settings(""), scanner).content_type == "image/jpeg"


@pytest.mark.parametrize("named", ["clamd", "http://x", "unix://relative", "command:", "tcp://a:b"])
def test_a_setting_that_makes_no_sense_is_refused(named: str) -> None:
    with pytest.raises(ConfigurationError, match="SHIMIN_UPLOAD_SCANNER"):
        load_scanner(settings(named))


def test_without_a_scanner_nothing_is_asked() -> None:
    assert load_scanner(settings("")) is None
    check_upload(None, EICAR)
