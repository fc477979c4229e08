"""Choices offered as numbers in a text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "offered_choices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=3), nullable=False),
        sa.Column("button", sa.LargeBinary(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("citizen_id", "number", name="uq_offered_choices"),
    )
    op.create_index("ix_offered_choices_citizen_id", "offered_choices", ["citizen_id"])
    op.create_index("ix_offered_choices_offered_at", "offered_choices", ["offered_at"])


def downgrade() -> None:
    """Revert."""
    op.drop_table("offered_choices")
