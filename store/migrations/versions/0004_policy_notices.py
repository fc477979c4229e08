"""Consent by channel, contacts, notices of policies and what became of them."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply; a subscription of before is one to the chat."""
    with op.batch_alter_table("citizens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("told", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("profile_changed_at", MOMENT, nullable=True))
    _split_subscriptions()
    _create_contacts()
    _create_watches()
    _create_notices()
    _create_deliveries()


def downgrade() -> None:
    """Undo; subscriptions to anything but the chat are lost."""
    for table in (
        "notice_deliveries",
        "policy_notices",
        "notice_digests",
        "policy_feedback",
        "notice_watches",
        "policy_versions",
        "notice_contacts",
    ):
        op.drop_table(table)
    old = _light("channel")
    rows = op.get_bind().execute(sa.select(old).where(old.c.channel == "chat")).mappings()
    kept = [{name: row[name] for name in _light().c.keys()} for row in rows]  # noqa: SIM118
    op.drop_table("subscriptions")
    op.create_table("subscriptions", *_subscription(), sa.PrimaryKeyConstraint("citizen_id"))
    op.bulk_insert(_light(), kept)
    # not in a batch: SQLite would make the table anew, which its references do not allow
    op.drop_column("citizens", "profile_changed_at")
    op.drop_column("citizens", "told")


def _subscription() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.id"]),
    ]


def _light(*more: str) -> sa.TableClause:
    """The columns that subscriptions had before, and ``more`` of text."""
    return sa.table(
        "subscriptions",
        sa.column("citizen_id", sa.String()),
        sa.column("created_at", MOMENT),
        sa.column("ended_at", MOMENT),
        *(sa.column(name, sa.String()) for name in more),
    )


def _split_subscriptions() -> None:
    """Give each subscription its channel and link; the table is made anew for its key."""
    kept = [
        {**row, "channel": "chat", "link_id": secrets.token_urlsafe(24)}
        for row in op.get_bind().execute(sa.select(_light())).mappings()
    ]
    op.drop_table("subscriptions")
    op.create_table(
        "subscriptions",
        *_subscription(),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("link_id", sa.String(length=32), nullable=False),
        sa.Column("consent", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("citizen_id", "channel"),
        sa.UniqueConstraint("link_id"),
    )
    op.bulk_insert(_light("channel", "link_id"), kept)


def _create_contacts() -> None:
    op.create_table(
        "notice_contacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("citizen_id", "channel", name="uq_notice_contacts"),
    )


def _create_watches() -> None:
    op.create_table(
        "policy_versions",
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "version"),
    )
    op.create_table(
        "notice_watches",
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("looked_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.id"]),
        sa.PrimaryKeyConstraint("citizen_id"),
    )
    with op.batch_alter_table("notice_watches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_watches_next_at"), ["next_at"])


def _create_notices() -> None:
    op.create_table(
        "notice_digests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("notice_digests", schema=None) as batch_op:
        batch_op.create_index("ix_notice_digests_citizen", ["citizen_id", "created_at"])
    op.create_table(
        "policy_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(length=10), nullable=False),
        sa.Column("trigger", sa.String(length=10), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.id"]),
        sa.ForeignKeyConstraint(["digest_id"], ["notice_digests.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("citizen_id", "policy_id", "version", "slot", name="uq_policy_notices"),
    )
    with op.batch_alter_table("policy_notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_policy_notices_digest_id"), ["digest_id"])
    op.create_table(
        "policy_feedback",
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("feedback", sa.String(length=10), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.id"]),
        sa.PrimaryKeyConstraint("citizen_id", "policy_id"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "notice_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("delivered_at", MOMENT, nullable=True),
        sa.Column("opened_at", MOMENT, nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["digest_id"], ["notice_digests.id"]),
        sa.ForeignKeyConstraint(["message_id"], ["outgoing_messages.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest_id", "channel", name="uq_notice_deliveries"),
    )
    with op.batch_alter_table("notice_deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_notice_deliveries_due", ["state", "due_at"])
        batch_op.create_index(batch_op.f("ix_notice_deliveries_message_id"), ["message_id"])
