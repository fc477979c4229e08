"""Temporary passwords end; the audit is found by who acted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_DAYS = 3


def upgrade() -> None:
    """Apply; who has a temporary password has three days from now on."""
    op.add_column("agents", sa.Column("password_expires_at", sa.DateTime(timezone=True)))
    agents = sa.table(
        "agents",
        sa.column("password_temporary", sa.Boolean),
        sa.column("password_expires_at", sa.DateTime(timezone=True)),
    )
    end = datetime.now(UTC) + timedelta(days=_DAYS)
    op.execute(agents.update().where(agents.c.password_temporary).values(password_expires_at=end))
    op.create_index("ix_audit_actor", "audit", ["actor"])


def downgrade() -> None:
    """Undo; temporary passwords last again until they are changed."""
    op.drop_index("ix_audit_actor", "audit")
    op.drop_column("agents", "password_expires_at")
