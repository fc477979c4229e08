"""Groups of unanswered questions that an editor has dealt with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "settled_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("settled_by", sa.String(length=160), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_settled_groups_settled_at", "settled_groups", ["settled_at"])
    with op.batch_alter_table("unanswered_questions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("settled_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            "fk_unanswered_questions_settled_id", "settled_groups", ["settled_id"], ["id"]
        )
        batch_op.create_index("ix_unanswered_questions_settled_id", ["settled_id"])


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("unanswered_questions", schema=None) as batch_op:
        batch_op.drop_index("ix_unanswered_questions_settled_id")
        batch_op.drop_constraint("fk_unanswered_questions_settled_id", type_="foreignkey")
        batch_op.drop_column("settled_id")
    op.drop_table("settled_groups")
