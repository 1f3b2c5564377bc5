"""The message types of Python and TypeScript have the same fields."""

import re
from pathlib import Path
from typing import get_origin

import pytest
from typing_extensions import NotRequired, get_type_hints, is_typeddict

from nbner.teaching.trace import trace_viewer
from nbner.widgets import error_messages, messages

JS = Path(__file__).parents[2] / "js/src"
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
INTERFACE = re.compile(r"interface (\w+)(?: extends (\w+))? \{(.*?)\n?\}", re.DOTALL)
FIELD = re.compile(r"readonly (\w+)(\?)?:")

# A name that the modules import for type checkers alone.
ONLY_FOR_TYPES = {"NotRequired": NotRequired}
# Python's name of a type of the page's, where it is another one.
RENAMED = {
    "Counts": "CountsMessage",
    "DailyTarget": "DailyTargetMessage",
    "ExampleFilter": "WireFilter",
    "Snapshot": "WindowSnapshot",
}
# Parts of requests, whose fields Python states in each of them.
PARTS = {"OccurrenceQuery", "BulkEdit"}
# Python's types without a counterpart: bases, the page's state, which has a test of its own, and
# what the loader exchanges before the page has the front end.
BASES = {"Request", "KernelMessage", "PageState", "BundleRequest", "BundleReply"}


def source(path):
    return COMMENT.sub("", (JS / path).read_text(encoding="utf-8"))


def fields_of(text):
    """Return the fields of an object type, and whether each is optional."""
    return {name: mark == "?" for name, mark in FIELD.findall(text)}


def page_types(path):
    """Return the fields of each interface in a file."""
    declared = {name: (base, body) for name, base, body in INTERFACE.findall(source(path))}

    def fields(name):
        base, body = declared[name]
        return {**(fields(base) if base else {}), **fields_of(body)}

    return {name: fields(name) for name in declared}


PAGE = page_types("shared/protocol.ts")


def page_requests():
    """Return the fields of each request: an interface, or an object type with interfaces."""
    (union,) = re.findall(
        r"type KernelRequest =(.*?);\n\n", source("shared/protocol.ts"), re.DOTALL
    )
    found = []
    for member in re.split(r"\n\s*\| ", union):
        fields = fields_of(member)
        for name in re.findall(r"(?:^|& )([A-Z]\w+)", member):
            fields |= PAGE[name]
        found.append(fields)
    return [fields for fields in found if fields]


def kernel_types(module):
    """Return the fields of each TypedDict that a module defines."""
    found = {}
    for name, kind in vars(module).items():
        if is_typeddict(kind) and kind.__module__ == module.__name__:
            hints = get_type_hints(kind, localns=ONLY_FOR_TYPES, include_extras=True)
            found[name] = {
                field: get_origin(hint) is NotRequired or not kind.__total__
                for field, hint in hints.items()
            }
    return found


KERNEL = kernel_types(messages)


def test_both_sides_have_the_same_version():
    assert f"PROTOCOL = {messages.PROTOCOL_VERSION};" in source("shared/protocol.ts")


def is_request(name):
    return name.endswith(("Request", "AnswerMessage"))


@pytest.mark.parametrize("name", sorted(one for one in {*PAGE} - PARTS if not is_request(one)))
def test_a_type_of_the_page_has_the_same_fields_in_python(name):
    fields = dict(PAGE[name])
    # What the page makes of these two when it parses them.
    if name == "NoticeMessage":
        fields.pop("stays")
    if name == "ShowMessage":
        fields["task"] = fields.pop("tasks")
    assert fields == KERNEL[RENAMED.get(name, name)]


def test_requests_have_the_same_fields_in_python():
    # The transport adds these to every request, and to answers.
    sent = [{**fields, "id": True} for fields in page_requests()]
    sent.append({**PAGE["AnswerMessage"], "id": True, "have": False})
    kernel = [fields for name, fields in KERNEL.items() if is_request(name) and name not in BASES]
    assert sorted(map(sorted, sent)) == sorted(map(sorted, kernel))
    assert all(fields in kernel for fields in sent)


def test_python_has_no_type_that_the_page_lacks():
    page = {RENAMED.get(name, name) for name in PAGE}
    assert {name for name in {*KERNEL} - page if not is_request(name)} == {
        one for one in BASES if not is_request(one)
    }


def test_the_page_state_has_the_same_fields_in_python():
    (sent,) = re.findall(
        r"const message = \{(.*?)\n    \};", source("annotator/model/pageStateSync.ts"), re.DOTALL
    )
    fields = re.findall(r"(?:^|\{)\s*(\w+):", sent, re.MULTILINE)
    assert sorted(fields) == sorted(KERNEL["PageState"])


EXPLORER = kernel_types(error_messages)


def test_conditions_on_findings_have_the_same_fields_in_python():
    page = page_types("errorExplorer/messages.ts")
    assert page["FindingFilter"] == EXPLORER["FindingFilter"]


def test_the_overview_has_the_same_fields_in_python():
    # The reference to the open findings is parsed apart.
    page = page_types("errorExplorer/messages.ts")
    assert {**page["Overview"], "at": False} == EXPLORER["Overview"]


@pytest.mark.parametrize(
    ("parser", "name", "unread"),
    [
        ("parseOverview", "Overview", {"at"}),
        ("parseFilter", "FindingFilter", set()),
        ("parseFindings", "FindingsReply", {"at", "re", "type"}),
        ("parseFinding", "Finding", set()),
        ("parseErrorRates", "ErrorRatesReply", {"re", "type"}),
    ],
)
def test_a_parser_of_the_error_explorer_reads_all_fields(parser, name, unread):
    text = source("errorExplorer/messages.ts")
    (body,) = re.findall(rf"function {parser}\(.*?\n\}}", text, re.DOTALL)
    assert set(re.findall(r"\bfrom\.(\w+)", body)) == set(EXPLORER[name]) - unread


def test_requests_of_the_error_explorer_have_the_same_fields_in_python():
    sent = re.findall(r"\brequest\(\{ (type.*?) \}[,)]", source("errorExplorer/explorer.ts"))
    fields = {tuple(sorted({"id", *re.findall(r"(?:^|, )(\w+)", one)})) for one in sent}
    kernel = {tuple(sorted(one)) for name, one in EXPLORER.items() if is_request(name)}
    assert fields == kernel


def test_a_trace_has_the_same_fields_in_python():
    page = page_types("traceViewer/trace.ts")
    assert page["ParserTrace"] == kernel_types(trace_viewer)["TraceMessage"]
