"""What single machine instructions do to the flow of control, and of which kind they are: disassembly by capstone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import capstone
from capstone import x86_const as x86

from profiler.errors import MachineError
from profiler.launch.binaries.elf import opened
from profiler.launch.binaries.memory_image import Segment, segments
from profiler.model import Noun

if TYPE_CHECKING:
    from capstone import CsInsn

Flow = Literal["next", "call", "branch", "jump", "indirect", "return"]
"""Where execution goes on: at the next instruction; there too, after a call; there or at the target of a conditional
jump; at a known target; at one from a register or from memory; in the caller."""

_LONGEST = 15
"""Bytes of an x86 instruction at most (Intel SDM, vol. 2, 2.3.11)."""


class Instruction(Noun, frozen=True, kw_only=True):
    """One machine instruction."""

    size: int
    flow: Flow
    kind: str
    """What it is there for, of few kinds, e.g. ``register move``, ``stack frame``."""


def decode(path: str, addresses: Iterable[int]) -> dict[int, Instruction]:
    """The instructions at these addresses, as the file is linked; without those that it does not hold or that are none.

    Raises:
        MachineError: the file is of a machine whose instructions are not known here.
        UsageError: it is damaged.
    """
    with opened(path) as elf:
        machine = str(elf["e_machine"])
        if machine != "EM_X86_64":
            raise MachineError(
                f"{path} is machine code of {machine.removeprefix('EM_').lower()}, of which no instructions are read",
                hint="measure on x86-64; tax-probe ipc and variants need no machine code",
            )
        loaded = [segment for segment in segments(elf) if segment.executable]
        section = elf.get_section_by_name(".got")
        got = (0, 0) if section is None else (section["sh_addr"], section["sh_addr"] + section["sh_size"])
    reader = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    reader.detail = True
    found = {}
    for address in addresses:
        code = next((_code(segment, address) for segment in loaded if _holds(segment, address)), b"")
        instruction = next(reader.disasm(code, address, 1), None)
        if instruction is not None:
            found[address] = Instruction(
                size=instruction.size, flow=_flow(instruction), kind=_kind(instruction, range(*got))
            )
    return found


def _holds(segment: Segment, address: int) -> bool:
    return segment.address <= address < segment.address + len(segment.data)


def _code(segment: Segment, address: int) -> bytes:
    return segment.data[address - segment.address : address - segment.address + _LONGEST]


def _flow(instruction: CsInsn) -> Flow:
    if instruction.group(capstone.CS_GRP_CALL):
        return "call"
    if instruction.group(capstone.CS_GRP_RET):
        return "return"
    if not instruction.group(capstone.CS_GRP_JUMP):
        return "next"
    if instruction.id not in (x86.X86_INS_JMP, x86.X86_INS_LJMP):
        return "branch"
    return "jump" if instruction.operands[0].type == x86.X86_OP_IMM else "indirect"


_BY_FLOW = {"call": "call or return", "return": "call or return", "branch": "conditional jump", "jump": "direct jump",
            "indirect": "indirect jump"}  # fmt: skip
_STACK = (x86.X86_REG_RSP, x86.X86_REG_ESP)
_ON_STACK = ("push", "pop", "pushfq", "popfq", "leave", "enter")
_BY_NAME = (
    (("nop", "endbr"), "no operation"),
    (("lea",), "address arithmetic"),
    (("cmp", "test", "ucomis", "comis", "bt"), "comparison"),
)
_MOVES = ("mov", "movabs", "movzx", "movsx", "movsxd", "movaps", "movups", "movdqa", "movdqu", "movq", "movd", "movsd",
          "movss", "movapd", "movhps", "movlps", "cmov")  # fmt: skip


def _kind(instruction: CsInsn, got: range) -> str:
    name, operands = instruction.mnemonic, instruction.operands
    if (flow := _flow(instruction)) != "next":
        return _BY_FLOW[flow]
    if name in _ON_STACK or (operands and operands[0].type == x86.X86_OP_REG and operands[0].reg in _STACK):
        return "stack frame"
    if name.startswith(_MOVES):
        return _kind_of_move(instruction, got)
    return next((kind for begins, kind in _BY_NAME if name.startswith(begins)), "arithmetic")


def _kind_of_move(instruction: CsInsn, got: range) -> str:
    operands = instruction.operands
    memory = next((operand.mem for operand in operands if operand.type == x86.X86_OP_MEM), None)
    if memory is None:
        return "register move"
    if memory.base in _STACK:
        return "spill or reload"
    if memory.base == x86.X86_REG_RIP and instruction.address + instruction.size + memory.disp in got:
        return "load from the GOT"
    return "store" if operands[0].type == x86.X86_OP_MEM else "load"
