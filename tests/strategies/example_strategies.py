"""What Hypothesis draws for the data room: texts that break careless offsets."""

from hypothesis import strategies as st

from nbner._common.alignment import tokens_from_offsets
from nbner.types import Example, Span

# Emoji of several code points, combining marks, CJK, right-to-left, odd spaces and ends of line.
SOLID = [
    *(
        "Add",
        "5",
        "ml",
        "a",
        "#",
        "-DOCSTART",
        "O",
        "B-X",
        "'",
        '"',
        ",",
        ";",
        "\\",
        "<b>",
        "&amp;",
    ),
    *(
        "🧪",
        "👩‍🔬",
        "🇩🇪",
        "é",
        "e\u0301",
        "Å\u0303",
        "水",
        "東京",
        "שלום",
        "مرحبا",
        "\u200f",
        "\u200b",
        "\ufeff",
    ),
    *("\U0001d518", "ﬁ", "\u00ad", "%", "°C", "{", "]"),
]
GAPS = [" ", " ", " ", "", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", " \n ", "\u2028", "\x85"]

labels = st.sampled_from(
    ["ORG", "B-ORG", "Measure-Type", "é", "标签", "I", "O", "a_b", "x:y", "🧪"]
)
odd_labels = labels | st.sampled_from(["a b", "tab\tbed", "line\nend", '"', "</script>", ";DROP"])
scalars = st.one_of(
    st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=5), st.none(), st.floats(0, 1)
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
plain_meta = st.dictionaries(
    st.text("abc é", min_size=1, max_size=4)
    .map(str.strip)
    .filter(lambda key: key not in ("", "text")),
    st.text("abc =é🧪", max_size=5),
    max_size=2,
)
hashes = st.integers(-(2**31), 2**31 - 1).filter(bool)


@st.composite
def texts_with_tokens(draw, gaps=tuple(GAPS)):
    """Give a text and the places of its words; words may stand wall to wall."""
    words = draw(st.lists(st.sampled_from(SOLID), min_size=1, max_size=8))
    text = draw(st.sampled_from(["", "", " ", "\n"])) if "\n" in gaps else ""
    places = []
    for word in words:
        places.append((len(text), len(text) + len(word)))
        text += word + draw(st.sampled_from(gaps))
    if "" not in gaps and text.endswith(gaps):
        text = text[:-1]
    return text, places


@st.composite
def spans_on(draw, places, names=labels, **details):
    """Give spans over runs of tokens that do not overlap."""
    borders = draw(st.lists(st.integers(0, len(places)), max_size=6, unique=True).map(sorted))
    pairs = list(zip(borders[::2], borders[1::2], strict=False))
    return tuple(
        Span(
            places[first][0],
            places[last - 1][1],
            draw(names),
            **{key: draw(value) for key, value in details.items()},
        )
        for first, last in pairs
    )


@st.composite
def examples(draw, *, names=labels, answers=("accept",), meta=plain_meta, given=True):
    """Give examples whose spans lie on their tokens."""
    text, places = draw(texts_with_tokens())
    answer = draw(st.sampled_from(answers))
    return Example(
        text=text,
        tokens=tokens_from_offsets(text, places) if given else (),
        spans=draw(spans_on(places, names)),
        answer=answer,
        flagged=draw(st.booleans()),
        note=draw(st.sampled_from(["", "why?", "a\nb", "<i>"])),
        meta=draw(meta),
        input_hash=draw(hashes),
        annotator=None if answer is None else draw(st.sampled_from(["import", "ann", "bob"])),
        pretokenized=given,
        created=None if answer is None else float(draw(st.integers(0, 2**31))),
    )
