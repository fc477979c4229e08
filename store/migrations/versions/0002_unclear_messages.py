"""Messages that were not understood, for review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "unclear_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("ranking", sa.JSON(), nullable=False),
        sa.Column("chosen", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("intent", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("unclear_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unclear_messages_at"), ["at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_unclear_messages_message_id"), ["message_id"], unique=False
        )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("unclear_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unclear_messages_message_id"))
        batch_op.drop_index(batch_op.f("ix_unclear_messages_at"))

    op.drop_table("unclear_messages")
