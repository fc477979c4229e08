"""Channels that are pushed to: what came in, delivery of what goes out, offered buttons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
_CHANNEL = {
    "sqlite": "substr(citizen_id, 1, instr(citizen_id, ':') - 1)",
    "postgresql": "split_part(citizen_id, ':', 1)",
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "incoming_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("conversation_id", sa.String(length=100), nullable=False),
        sa.Column("album", sa.String(length=80), nullable=True),
        sa.Column("joined_to", sa.Integer(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "key", name="uq_incoming_messages"),
    )
    op.create_index(
        "ix_incoming_messages_conversation",
        "incoming_messages",
        ["state", "channel", "conversation_id"],
    )
    op.create_index("ix_incoming_messages_joined_to", "incoming_messages", ["joined_to"])
    op.create_table(
        "offered_buttons",
        sa.Column("token", sa.String(length=20), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index("ix_offered_buttons_citizen_id", "offered_buttons", ["citizen_id"])
    op.create_index("ix_offered_buttons_offered_at", "offered_buttons", ["offered_at"])
    with op.batch_alter_table("outgoing_messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(30), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column("state", sa.String(10), nullable=False, server_default="pending")
        )
        batch_op.add_column(sa.Column("due_at", MOMENT, nullable=True))
        batch_op.add_column(
            sa.Column("parts_sent", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("last_error", sa.String(200), nullable=True))
        batch_op.add_column(sa.Column("answer_to", sa.Integer(), nullable=True))
    moved = _CHANNEL[op.get_bind().dialect.name]
    op.execute(f"UPDATE outgoing_messages SET due_at = created_at, channel = {moved}")  # noqa: S608
    op.execute("UPDATE outgoing_messages SET state = 'sent' WHERE delivered_at IS NOT NULL")
    with op.batch_alter_table("outgoing_messages", schema=None) as batch_op:
        batch_op.alter_column("due_at", existing_type=MOMENT, nullable=False)
        batch_op.create_index("ix_outgoing_messages_channel", ["channel", "state", "citizen_id"])
        batch_op.create_index("ix_outgoing_messages_answer_to", ["answer_to"])


def downgrade() -> None:
    """Undo; what came in and is not answered yet is lost."""
    with op.batch_alter_table("outgoing_messages", schema=None) as batch_op:
        batch_op.drop_index("ix_outgoing_messages_answer_to")
        batch_op.drop_index("ix_outgoing_messages_channel")
        for name in (
            "answer_to", "last_error", "attempts", "parts_sent", "due_at", "state", "channel",
        ):  # fmt: skip
            batch_op.drop_column(name)
    op.drop_table("offered_buttons")
    op.drop_table("incoming_messages")
