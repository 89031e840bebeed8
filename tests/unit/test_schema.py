"""``docs/verdict.schema.json`` is that of the model, and every kept verdict is one of it."""

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.amortized import AmortizeVerdict
from profiler.analyze.causes.rebuilt import RebuildVerdict
from profiler.analyze.eliminated import EliminateVerdict
from profiler.model import SCHEMA, Verdict
from tests.recorded import RESULTS

TOP = Path(__file__).parents[2]
KINDS: dict[str, type[Verdict]] = {
    "amortize": AmortizeVerdict,
    "eliminate": EliminateVerdict,
    "rebuild": RebuildVerdict,
    "ipc": Verdict,
    "variants": Verdict,
}
VERDICTS = sorted(RESULTS.rglob("verdict.json"))


def test_the_schema_is_that_of_the_model() -> None:
    made = subprocess.run([TOP / "tools" / "verdict-schema"], capture_output=True, text=True, check=True).stdout
    assert (TOP / "docs" / "verdict.schema.json").read_text() == made, "make record writes it again"
    document = json.loads(made)
    assert document["properties"]["command"]["enum"] == list(KINDS)
    assert document["properties"]["schema"]["const"] == SCHEMA
    for rule, (command, kind) in zip(document["allOf"], KINDS.items(), strict=True):
        assert rule["if"]["properties"]["command"]["const"] == command
        assert rule["then"]["$ref"].removeprefix("#/$defs/") == kind.__name__
        assert kind.__name__ in document["$defs"]


@pytest.mark.parametrize("file", VERDICTS, ids=lambda file: str(file.parent.relative_to(RESULTS)))
def test_a_kept_verdict_is_one_of_the_schema(file: Path) -> None:
    """Read by the types that the schema is made of, strictly; what they do not know would be lost on the way back."""
    document = json.loads(file.read_text())
    read = msgspec.json.decode(file.read_bytes(), type=KINDS[document["command"]], strict=True)
    assert json.loads(msgspec.json.encode(read)) == document


def test_what_is_no_verdict_is_refused() -> None:
    """So the test above can fail."""
    document = json.loads(VERDICTS[0].read_text())
    document["comparisons"][0]["ratio"] = "1.2"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, KINDS[document["command"]], strict=True)
