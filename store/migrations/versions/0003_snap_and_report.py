"""Followers, open drafts, hot spots; what a ticket and a photo tell in addition."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _extend_tickets()
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("role", sa.String(length=10), nullable=False, server_default="report")
        )
        batch_op.add_column(sa.Column("source_url", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("perceptual_hash", sa.String(length=16), nullable=True))
        batch_op.create_index("ix_media_role_size", ["role", "size"])
    _create_followers()
    _create_drafts()
    _create_hot_spots()


def downgrade() -> None:
    """Undo."""
    for table in ("hot_spot_reports", "hot_spots", "open_drafts", "ticket_followers"):
        op.drop_table(table)
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index("ix_media_role_size")
        for column in ("perceptual_hash", "source_url", "role"):
            batch_op.drop_column(column)
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index("ix_tickets_place")
        batch_op.drop_constraint("uq_tickets_progress_token", type_="unique")
        for column in (
            "contact",
            "occurred_at",
            "street",
            "resolve_hours",
            "respond_hours",
            "progress_token",
            "kind",
        ):
            batch_op.drop_column(column)


def _extend_tickets() -> None:
    """Add the columns; tickets filed before get a progress page of their own."""
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=10), nullable=False, server_default="complaint")
        )
        batch_op.add_column(sa.Column("progress_token", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("respond_hours", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("resolve_hours", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("street", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("contact", sa.LargeBinary(), nullable=True))
    tickets = sa.table("tickets", sa.column("id", sa.String), sa.column("progress_token"))
    connection = op.get_bind()
    for ticket_id in connection.execute(sa.select(tickets.c.id)).scalars().all():
        connection.execute(
            tickets.update()
            .where(tickets.c.id == ticket_id)
            .values(progress_token=secrets.token_urlsafe(24))
        )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.alter_column("progress_token", existing_type=sa.String(length=32), nullable=False)
        batch_op.create_unique_constraint("uq_tickets_progress_token", ["progress_token"])
        batch_op.create_index("ix_tickets_place", ["latitude", "longitude"])


def _create_followers() -> None:
    op.create_table(
        "ticket_followers",
        sa.Column("ticket_id", sa.String(length=16), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.id"]),
        sa.PrimaryKeyConstraint("ticket_id", "citizen_id"),
    )
    with op.batch_alter_table("ticket_followers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_followers_citizen_id"), ["citizen_id"])


def _create_drafts() -> None:
    op.create_table(
        "open_drafts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gap", sa.String(length=10), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("open_drafts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_open_drafts_citizen_id"), ["citizen_id"])
        batch_op.create_index(batch_op.f("ix_open_drafts_updated_at"), ["updated_at"])


def _create_hot_spots() -> None:
    op.create_table(
        "hot_spots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_report_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("district", sa.String(length=40), nullable=True),
        sa.Column("street", sa.String(length=40), nullable=True),
        sa.Column("alert_id", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("hot_spots", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hot_spots_category"), ["category"])
        batch_op.create_index(batch_op.f("ix_hot_spots_last_report_at"), ["last_report_at"])
    op.create_table(
        "hot_spot_reports",
        sa.Column("hot_spot_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["hot_spot_id"], ["hot_spots.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("hot_spot_id", "ticket_id"),
    )
    with op.batch_alter_table("hot_spot_reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hot_spot_reports_ticket_id"), ["ticket_id"])
