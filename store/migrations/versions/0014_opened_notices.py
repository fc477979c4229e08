"""A notice is opened for itself, not with the others of its message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; of messages opened before, those about one policy alone tell which was meant."""
    op.add_column("policy_notices", sa.Column("opened_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE policy_notices SET opened_at = ("
        "SELECT min(d.opened_at) FROM notice_deliveries d"
        " WHERE d.digest_id = policy_notices.digest_id)"
        " WHERE digest_id IN (SELECT digest_id FROM policy_notices WHERE digest_id IS NOT NULL"
        " GROUP BY digest_id HAVING count(DISTINCT policy_id) = 1)"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_column("policy_notices", "opened_at")
