"""spaCy pipelines: loading, configuration, prediction, patterns and gold documents."""
