"""The data room: alignment, hashing, formats, intake, and the append-only store."""
