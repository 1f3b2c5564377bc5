"""What stands in a cell: views of plain values, and the desk they talk to."""
