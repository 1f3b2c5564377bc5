"""What a host page shows: examples as they come over the wire, and how the page is served."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "nbner" / "widgets" / "static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
ORIGIN = "http://nbner.test/"
FILES = {
    "": (HERE / "host.html", "text/html"),
    "host.js": (HERE / "host.js", "text/javascript"),
    "host.css": (HERE / "host.css", "text/css"),
    "kernel": (HERE / "kernel_host.html", "text/html"),
    "kernel_host.js": (HERE / "kernel_host.js", "text/javascript"),
    **{one.name: (one, KINDS[one.suffix]) for one in HERE.glob("trace_host.*")},
    **{one.name: (one, KINDS[one.suffix]) for one in STATIC.glob("*.*")},
}
COLORS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#c9b800", "#8a8a8a")


def serve(page, origin=ORIGIN):
    """Give the page what it asks for, and nothing else: a request elsewhere fails."""

    def fulfill(route):
        path, kind = FILES.get(route.request.url.removeprefix(origin), (None, None))
        if path is None:
            route.abort()
        else:
            route.fulfill(
                body=path.read_text(encoding="utf-8"), content_type=f"{kind}; charset=utf-8"
            )

    page.route("**/*", fulfill)


def task(name, text, spans=(), **rest):
    """Cut a text at its spaces; ``spans`` are (start, end, label) in tokens."""
    words = text.split(" ")
    tokens = [[word, " " if i < len(words) - 1 else ""] for i, word in enumerate(words)]
    return tokenized(name, tokens, spans, **rest)


def tokenized(name, tokens, spans=(), **rest):
    return {
        "id": str(name),
        "lead": "",
        "tokens": tokens,
        "spans": [list(span) for span in spans],
        "also": [],
        "loose": [],
        "answer": None,
        "flagged": False,
        "note": "",
        "meta": {},
        "suggested": False,
        "draft": False,
        "by": "",
        **rest,
    }


def setup(labels=("ORG", "PERSON", "GPE"), **rest):
    colors = {label: COLORS[i % len(COLORS)] for i, label in enumerate(labels)}
    return {
        "key": "store-1",
        "version": "0.1.0",
        "dataset": "news",
        "split": "train",
        "mode": "manual",
        "annotator": "ann",
        "labels": list(labels),
        "colors": colors,
        "protocol": 2,
        **rest,
    }


def world(*tasks, labels=("ORG", "PERSON", "GPE"), past=(), views=1, analyses=(), **rest):
    return {
        "analyses": list(analyses),
        "setup": setup(labels, **rest),
        "tasks": list(tasks),
        "past": list(past),
        "views": views,
    }
