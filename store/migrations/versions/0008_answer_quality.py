"""Counts and ratings of service answers, and questions without an answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "answer_counts",
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("hand_overs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("service_id", "day"),
    )
    op.create_table(
        "answer_ratings",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("useful", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_answer_ratings_service_id", "answer_ratings", ["service_id"])
    op.create_index("ix_answer_ratings_day", "answer_ratings", ["day"])
    op.create_table(
        "unanswered_questions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_unanswered_questions_at", "unanswered_questions", ["at"])


def downgrade() -> None:
    """Undo."""
    for table in ("unanswered_questions", "answer_ratings", "answer_counts"):
        op.drop_table(table)
