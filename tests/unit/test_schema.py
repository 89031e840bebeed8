"""``docs/verdict.schema.json`` is that of the model, and every kept verdict is one of it."""

import json
import subprocess
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from profiler.model import SCHEMA, Noun, Verdict
from profiler.model.amortization import Amortization
from profiler.model.drilldown import Drilldown, Whereabouts
from profiler.model.option_effects import Rebuilding
from profiler.model.statement_costs import StatementCosts
from profiler.model.suspects import Suspects
from profiler.model.verdict import part
from tests.recorded import RESULTS

TOP = Path(__file__).parents[2]
PARTS: dict[str, type[Noun]] = {
    "amortize": Amortization,
    "eliminate": Suspects,
    "opcodes": Drilldown,
    "opcodes --statements": StatementCosts,
    "rebuild": Rebuilding,
    "where": Whereabouts,
}
VERDICTS = sorted(RESULTS.rglob("verdict.json"))


def test_the_schema_is_that_of_the_model() -> None:
    made = subprocess.run([TOP / "tools" / "verdict-schema"], capture_output=True, text=True, check=True).stdout
    assert (TOP / "docs" / "verdict.schema.json").read_text() == made, "make record writes it again"
    document = json.loads(made)
    assert set(document["properties"]["command"]["enum"]) == {"ipc", "variants", "cross", *PARTS}
    assert document["properties"]["schema"]["const"] == SCHEMA
    reference, *rules = document["allOf"]
    assert reference["$ref"] == "#/$defs/Verdict"
    assert {rule["if"]["properties"]["command"]["const"]: tuple(rule["then"]["required"]) for rule in rules} == {
        command: kind.__struct_fields__ for command, kind in PARTS.items()
    }


def test_the_verdict_has_the_fields_of_its_sections_and_they_may_be_left_out() -> None:
    own, parts = get_type_hints(Verdict), {kind: get_type_hints(kind) for kind in PARTS.values()}
    optional = {name: known for name, known in own.items() if msgspec.UnsetType in get_args(known)}
    assert optional == {name: known | msgspec.UnsetType for part_ in parts.values() for name, known in part_.items()}


@pytest.mark.parametrize("file", VERDICTS, ids=lambda file: str(file.parent.relative_to(RESULTS)))
def test_a_kept_verdict_is_one_of_the_schema(file: Path) -> None:
    """Read by the types that the schema is made of, strictly; what they do not know would be lost on the way back."""
    document = json.loads(file.read_text())
    read = msgspec.json.decode(file.read_bytes(), type=Verdict, strict=True)
    assert json.loads(msgspec.json.encode(read)) == document
    has = [command for command, kind in PARTS.items() if part(read, kind) is not None]
    assert has == [command for command in PARTS if command == document["command"]], "a section that nobody asked for"


def test_what_is_no_verdict_is_refused() -> None:
    """So the test above can fail."""
    document = json.loads(VERDICTS[0].read_text())
    document["comparisons"][0]["ratio"] = "1.2"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, Verdict, strict=True)
