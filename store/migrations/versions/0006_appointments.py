"""Appointments at windows of halls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("state = 'requested'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "appointments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("hall_id", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=40), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("service_name", sa.String(length=200), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("remind_at", MOMENT, nullable=True),
        sa.Column("follow_up_at", MOMENT, nullable=True),
        sa.CheckConstraint("seat >= 0", name="ck_appointments_seat"),
        sa.CheckConstraint("place >= 0 AND place < 3", name="ck_appointments_place"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_appointments_span"),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    _unique("uq_appointments_seat", "hall_id", "domain", "starts_at", "seat")
    _unique("uq_appointments_place", "citizen_id", "place")
    _unique("uq_appointments_item", "citizen_id", "service_id")
    op.create_index("ix_appointments_hall", "appointments", ["hall_id", "starts_at"])
    op.create_index("ix_appointments_citizen", "appointments", ["citizen_id", "starts_at"])
    for column in ("ends_at", "remind_at", "follow_up_at"):
        op.create_index(f"ix_appointments_{column}", "appointments", [column])


def downgrade() -> None:
    """Undo; the appointments are lost."""
    op.drop_table("appointments")


def _unique(name: str, *columns: str) -> None:
    """An index that holds for open appointments only: what is cancelled is free again."""
    op.create_index(
        name,
        "appointments",
        list(columns),
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
