"""The console: second factors, temporary passwords, and the audit by time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; whoever is logged in stays so."""
    with op.batch_alter_table("agents") as agents:
        agents.add_column(
            sa.Column("password_temporary", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        agents.add_column(sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
        agents.add_column(sa.Column("totp_pending", sa.LargeBinary(), nullable=True))
        agents.add_column(sa.Column("totp_step", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("agent_sessions") as sessions:
        sessions.add_column(
            sa.Column("whole", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    op.create_table(
        "agent_recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_agent_recovery_codes_agent_id", "agent_recovery_codes", ["agent_id"])
    op.create_index("ix_audit_at", "audit", ["at"])


def downgrade() -> None:
    """Revert; second factors are lost, and sessions that awaited one end."""
    op.drop_index("ix_audit_at", "audit")
    op.drop_table("agent_recovery_codes")
    op.execute(sa.text("DELETE FROM agent_sessions WHERE NOT whole"))
    with op.batch_alter_table("agent_sessions") as sessions:
        sessions.drop_column("whole")
    with op.batch_alter_table("agents") as agents:
        for name in ("totp_step", "totp_pending", "totp_secret", "password_temporary"):
            agents.drop_column(name)
