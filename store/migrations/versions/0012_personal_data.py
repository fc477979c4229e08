"""Audit chained by hash; consents; exports of one's own data."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BEGINNING = "0" * 64


def upgrade() -> None:
    """Apply."""
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.Column("cut_id", sa.Integer(), nullable=False),
        sa.Column("cut_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("audit", sa.Column("hash", sa.String(length=64), nullable=True))
    last_id, last_hash = _chain_what_is_there()
    with op.batch_alter_table("audit") as audit:
        audit.alter_column("hash", existing_type=sa.String(length=64), nullable=False)
    row = {"id": 1, "last_id": last_id, "last_hash": last_hash}
    op.bulk_insert(head, [row | {"cut_id": 0, "cut_hash": _BEGINNING}])
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_consents_citizen_id", "consents", ["citizen_id"])
    op.create_table(
        "data_exports",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("citizen_id", sa.String(length=160), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_data_exports_citizen_id", "data_exports", ["citizen_id"])
    op.create_index("ix_data_exports_expires_at", "data_exports", ["expires_at"])


def downgrade() -> None:
    """Undo."""
    for table in ("data_exports", "consents", "audit_head"):
        op.drop_table(table)
    with op.batch_alter_table("audit") as audit:
        audit.drop_column("hash")


def _chain_what_is_there() -> tuple[int, str]:
    """Chain the entries of older versions, in their order; the form is that of store.audit."""
    audit = sa.table(
        "audit",
        sa.column("id", sa.Integer),
        sa.column("at", sa.DateTime(timezone=True)),
        *(sa.column(name, sa.String) for name in ("actor", "purpose", "record", "field", "hash")),
    )
    connection = op.get_bind()
    last, previous = 0, _BEGINNING
    page = sa.select(audit).order_by(audit.c.id).limit(1000)
    while rows := connection.execute(page.where(audit.c.id > last)).all():
        for row in rows:
            at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)
            moment = at.astimezone(UTC).isoformat(timespec="microseconds")
            told = [previous, row.id, moment, row.actor, row.purpose, row.record, row.field]
            previous = hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()
            last = row.id
            connection.execute(audit.update().where(audit.c.id == last).values(hash=previous))
    return last, previous
