"""What answered each action; and a quick way to the references among them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of answerers, and point to it."""
    op.create_table(
        "answerer",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answerer", sa.String(length=64), nullable=True))
        batch_op.create_foreign_key("action_answerer", "answerer", ["answerer"], ["sha256"])
        batch_op.create_index("action_by_kind", ["kind"], unique=False)


def downgrade() -> None:
    """Forget them."""
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.drop_index("action_by_kind")
        batch_op.drop_constraint("action_answerer", type_="foreignkey")
        batch_op.drop_column("answerer")
    op.drop_table("answerer")
