"""SQL tables of a store: append-only examples and answers, and the tables derived from them.

Rows of ``examples`` and ``answers`` are only inserted, never changed.
``annotator_answers``, ``example_answers`` and the counts in ``splits`` are
derived from them in the same transaction, so that the next example and the
counts cost the same with a million answers as with ten.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

#: Incremented when the tables change; a store of a higher version is not opened.
SCHEMA_VERSION = 2

# SQLite generates row ids only where the type is INTEGER.
_ID = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

# One row: the identity of this store.
store = Table(
    "nbner_store",
    metadata,
    Column("key", Text, primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("created", Float, nullable=False),
)

datasets = Table(
    "nbner_datasets",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("labels", Text, nullable=False),
)

splits = Table(
    "nbner_splits",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("dataset_id", ForeignKey("nbner_datasets.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("total", Integer, nullable=False, default=0),
    Column("accept", Integer, nullable=False, default=0),
    Column("reject", Integer, nullable=False, default=0),
    Column("ignore", Integer, nullable=False, default=0),
    UniqueConstraint("dataset_id", "name"),
)

# Lists of labels that were allowed at some time; many answers share one.
label_sets = Table(
    "nbner_label_sets",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("labels", Text, nullable=False, unique=True),
)

examples = Table(
    "nbner_examples",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("split_id", ForeignKey("nbner_splits.id"), nullable=False),
    Column("input_hash", Integer, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("task_hash", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("tokens", Text),
    Column("spans", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("meta", Text, nullable=False),
    Column("extra", Text, nullable=False),
    # Time of insertion; NULL for rows that version 1 inserted.
    Column("created", Float),
    UniqueConstraint("split_id", "input_hash"),
    UniqueConstraint("split_id", "digest"),
    Index("nbner_examples_in_order", "split_id", "id"),
)

answers = Table(
    "nbner_answers",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("example_id", ForeignKey("nbner_examples.id"), nullable=False),
    Column("split_id", ForeignKey("nbner_splits.id"), nullable=False),
    Column("annotator", Text, nullable=False),
    Column("answer", Text),
    Column("spans", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("label_set_id", ForeignKey("nbner_label_sets.id"), nullable=False),
    Column("created", Float, nullable=False),
    Column("extra", Text, nullable=False),
    # Time of insertion, which for an imported answer differs from `created`.
    Column("stored", Float),
    Index("nbner_answers_in_order", "split_id", "id"),
    Index("nbner_answers_of_example", "example_id"),
)

# The newest answer of each annotator to each example.
annotator_answers = Table(
    "nbner_current",
    metadata,
    Column("example_id", ForeignKey("nbner_examples.id"), primary_key=True),
    Column("annotator", Text, primary_key=True),
    Column("split_id", ForeignKey("nbner_splits.id"), nullable=False),
    Column("answer_id", ForeignKey("nbner_answers.id"), nullable=False),
    Column("answer", Text),
    Index("nbner_current_in_order", "split_id", "annotator", "answer_id"),
    Index("nbner_current_by_answer", "split_id", "answer_id"),
)

# The answer that is shown for each example: the newest decision of any annotator, else the
# newest draft.
example_answers = Table(
    "nbner_standing",
    metadata,
    Column("example_id", ForeignKey("nbner_examples.id"), primary_key=True),
    Column("split_id", ForeignKey("nbner_splits.id"), nullable=False),
    Column("answer_id", ForeignKey("nbner_answers.id")),
    Column("answer", Text),
    Index("nbner_standing_in_order", "split_id", "answer", "example_id"),
)

runs = Table(
    "nbner_runs",
    metadata,
    Column("seq", _ID, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("dataset_id", ForeignKey("nbner_datasets.id"), nullable=False),
    Column("created", Float, nullable=False),
    Column("path", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("record", Text, nullable=False),
    Index("nbner_runs_in_order", "dataset_id", "seq"),
)

# Which annotator works on which example, and until when no other is given it.
claims = Table(
    "nbner_claims",
    metadata,
    Column("example_id", ForeignKey("nbner_examples.id"), primary_key=True),
    Column("annotator", Text, primary_key=True),
    Column("split_id", ForeignKey("nbner_splits.id"), nullable=False),
    Column("until", Float, nullable=False),
    Index("nbner_claims_of_annotator", "split_id", "annotator", "example_id"),
)

# Settings with their times; the newest value of a name holds, the older ones are its history.
settings = Table(
    "nbner_settings",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("dataset_id", ForeignKey("nbner_datasets.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("created", Float, nullable=False),
    Index("nbner_settings_by_name", "dataset_id", "name", "id"),
)
