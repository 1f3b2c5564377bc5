"""Reading and writing of data: one module for each file format, and the checks of an import."""
