"""Which session a session plays again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    what = "whose part mailproxy played: client of 12, server of 12; empty where none"
    op.add_column("sessions", sa.Column("replays", sa.Text(), nullable=False, server_default="", comment=what))


def downgrade() -> None:
    op.drop_column("sessions", "replays")
