"""Example queues behind the widgets: labelling, adjudication, correction, error review."""
