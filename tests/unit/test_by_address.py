"""Callgrind's out file by machine instruction: addresses, jumps, calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import MachineError
from profiler.sources.by_address import read_addresses

FILE = """\
# callgrind format
part: 1

desc: Trigger: Client Request: region

positions: instr
events: Ir

ob=(1) /usr/bin/python3.11
fl=(1) ???
fn=(1) _PyEval_EvalFrameDefault
0x52b166 100
+9 100
jcnd=60/100 0x52b29d
*
+2 40
cob=(2) /usr/lib/libc.so.6
cfi=(2) memset.S
cfn=(2) memset
calls=40 0x153480
* 400
cfn=(3) 0x0000000000525860
calls=7 -4
+4 21
+5 40
jump=40 0x52b166
*

fn=(3)
0x525860 7
+2 14

ob=(2)
fn=(2)
0x153480 400

totals: 701
part: 2

desc: Trigger: Program termination

positions: instr
events: Ir

ob=(1)
fn=(4) _PyEval_EvalFrameDefault'2
0x52b166 3
-2 1
"""
EVAL = ("/usr/bin/python3.11", "_PyEval_EvalFrameDefault")
NAMELESS = ("/usr/bin/python3.11", "0x0000000000525860")


def test_counts_jumps_and_calls_are_by_address() -> None:
    region, rest = read_addresses(FILE)
    assert region.trigger == "Client Request: region"
    assert region.counts[EVAL, 0x52B166] == 100
    assert region.counts[EVAL, 0x52B16F] == 100
    assert region.counts[EVAL, 0x52B171] == 40
    assert sum(region.counts.values()) == 701
    assert region.jumps == {((EVAL, 0x52B16F), 0x52B29D): 60, ((EVAL, 0x52B176), 0x52B166): 40}
    memset = ("/usr/lib/libc.so.6", "memset")
    assert region.calls == {
        ((EVAL, 0x52B171), (memset, 0x153480)): (40, 400),
        ((EVAL, 0x52B175), (NAMELESS, 0x52B16D)): (7, 21),
    }
    assert rest.counts == {(EVAL, 0x52B166): 3, (EVAL, 0x52B164): 1}


def test_a_file_by_line_is_refused() -> None:
    with pytest.raises(MachineError, match="not by instruction"):
        read_addresses(FILE.replace("positions: instr", "positions: line"))


def test_a_name_that_is_not_defined_is_damage() -> None:
    with pytest.raises(MachineError, match="not readable"):
        read_addresses(FILE.replace("fn=(3)\n", "fn=(9)\n"))


@given(st.integers(0, len(FILE)))
def test_a_torn_file_is_read_or_refused(end: int) -> None:
    try:
        parts = read_addresses(FILE[:end])
    except MachineError:
        return
    assert sum(count for part in parts for count in part.counts.values()) <= 705
