"""The model room: build and load pipelines, train them, predict with them."""
