"""Count functions and cold function parts in ``.eh_frame``, which survives stripping.

Format: Linux Standard Base, Core, "Exception Frames", and DWARF 5 §6.4. Read directly, because pyelftools builds
an object for each of some ten thousand entries (1.2 s for one CPython) where only their first row is wanted.
"""

from __future__ import annotations

import struct

from profiler.model import Noun

_EXTENDED_LENGTH = 0xFFFFFFFF
_PERSONALITY, _LSDA, _CODE_POINTER = "P", "L", "R"
_FIXED_SIZES = {0x02: 2, 0x03: 4, 0x04: 8, 0x0A: 2, 0x0B: 4, 0x0C: 8}
"""Bytes by the low nibble of a DW_EH_PE encoding; 0 is an address."""

_ADVANCE = frozenset({0x01, 0x02, 0x03, 0x04, 0x1D})
"""DW_CFA_set_loc, _advance_loc1, 2 and 4, _MIPS_advance_loc8: the first row ends. Numbers of DWARF 5 table 7.29."""
_OPERANDS = {
    **dict.fromkeys((0x00, 0x2C, 0x2D), ""),
    **dict.fromkeys((0x06, 0x07, 0x08, 0x2E), "u"),
    **dict.fromkeys((0x05, 0x09, 0x11, 0x14, 0x15, 0x2F), "uu"),
    **dict.fromkeys((0x10, 0x16), "ub"),
}
"""LEB128 operands (``u``) and blocks (``b``) of the instructions that leave the CFA as it is: rules of registers, and
vendors' own, as DW_CFA_AARCH64_negate_ra_state (0x2d), with which code under pointer authentication begins."""
_REMEMBER, _RESTORE = 0x0A, 0x0B

_Rule = tuple[object, object]
"""Register and offset of the CFA, or None and an expression's bytes."""


ENTRY_RULES: dict[str, _Rule] = {
    "EM_X86_64": (7, 8),
    "EM_386": (4, 4),
    "EM_AARCH64": (31, 0),
    "EM_PPC64": (1, 0),
    "EM_S390": (15, 160),
    "EM_RISCV": (2, 0),
    "EM_LOONGARCH": (3, 0),
}
"""The CFA where a function is entered: the stack pointer's DWARF number and the offset that the ABI's call leaves
(processor supplements of the System V ABI, "DWARF Register Number Mapping").
"""


class Frames(Noun, frozen=True, kw_only=True):
    """Entries of one ``.eh_frame``.

    A cold entry is one whose first row has another CFA than the one where a function is entered: its code is entered by
    a jump from the middle of a function, i.e. it is the part that the compiler moved away as never executed (gcc's
    ``NAME.cold``). With a profile, gcc for x86 splits nearly every function so; without one, only paths that end in a
    function known as cold. Where that CFA stands depends on the toolchain: with gcc 10 and gas 2.35 (Debian
    11) in a common entry (CIE) of its own, with later ones in the entry itself.
    """

    total: int
    cold: int


class _Common(Noun, frozen=True, kw_only=True):
    """What a frame entry (FDE) needs of its common entry (CIE)."""

    pointer_size: int
    augmented: bool
    data_alignment: int
    rule: _Rule
    """After its own instructions."""


def count_frames(section: bytes, *, address_size: int, little_endian: bool, entry: _Rule) -> Frames:
    """Count the frame entries of an ``.eh_frame`` section; ``address_size`` in bytes, ``entry`` of ``ENTRY_RULES``.

    Raises:
        ValueError: the section is damaged, or uses a form that no known toolchain emits.
    """
    word = struct.Struct("<I" if little_endian else ">I")
    common: dict[int, _Common] = {}
    total = cold = at = 0
    try:
        while at + word.size <= len(section):
            (length,) = word.unpack_from(section, at)
            if length == _EXTENDED_LENGTH:
                raise ValueError("64-bit entries in .eh_frame")
            body, end = at + word.size, at + word.size + length
            # A zero terminator may stand between the contributions of two object files.
            if length:
                (back,) = word.unpack_from(section, body)
                if back == 0:
                    common[at] = _common(section, body + word.size, end, address_size)
                else:
                    total += 1
                    own = common[body - back]
                    first = _first_instruction(section, body + word.size, own)
                    cold += _first_rule(section, first, end, own.rule, own.data_alignment) != entry
            at = end
    except (IndexError, KeyError, struct.error) as error:
        raise ValueError(f"damaged .eh_frame near byte {at}") from error
    return Frames(total=total, cold=cold)


def _common(section: bytes, at: int, end: int, address_size: int) -> _Common:
    version = section[at]
    name_at = at + 1
    name_end = section.index(b"\0", name_at)
    augmentation = section[name_at:name_end].decode("ascii", "replace")
    at = _skip_leb128(section, name_end + 1)[1]
    data_alignment, at = _signed_leb128(section, at)
    at = at + 1 if version == 1 else _skip_leb128(section, at)[1]
    encoding = 0
    if augmentation.startswith("z"):
        size, at = _skip_leb128(section, at)
        instructions = at + size
        for letter in augmentation[1:]:
            if letter == _CODE_POINTER:
                encoding = section[at]
                at += 1
            elif letter == _LSDA:
                at += 1
            elif letter == _PERSONALITY:
                at += 1 + _pointer_size(section[at], address_size)
        at = instructions
    return _Common(
        pointer_size=_pointer_size(encoding, address_size),
        augmented=augmentation.startswith("z"),
        data_alignment=data_alignment,
        rule=_first_rule(section, at, end, (None, None), data_alignment),
    )


def _first_rule(section: bytes, at: int, end: int, rule: _Rule, data_alignment: int) -> _Rule:
    """The CFA of the first row: ``rule`` as the instructions from ``at`` on change it, before the location advances."""
    kept = []
    while at < end:
        code = section[at]
        if 0x40 <= code < 0x80 or code in _ADVANCE:
            break
        at += 1
        if code >= 0x80:
            # DW_CFA_offset has its register in the low bits and an operand, DW_CFA_restore has none.
            at = _skip_leb128(section, at)[1] if code < 0xC0 else at
        elif code in _OPERANDS:
            for kind in _OPERANDS[code]:
                value, at = _skip_leb128(section, at)
                at += value if kind == "b" else 0
        elif code == _REMEMBER:
            kept.append(rule)
        elif code == _RESTORE:
            rule = kept.pop()
        else:
            rule, at = _changed(section, at, code, rule, data_alignment)
    return rule


def _changed(section: bytes, at: int, code: int, rule: _Rule, data_alignment: int) -> tuple[_Rule, int]:
    if code == 0x13:  # DW_CFA_def_cfa_offset_sf
        factored, at = _signed_leb128(section, at)
        return (rule[0], factored * data_alignment), at
    value, at = _skip_leb128(section, at)
    if code == 0x0C:  # DW_CFA_def_cfa
        offset, at = _skip_leb128(section, at)
        return (value, offset), at
    if code == 0x0D:  # DW_CFA_def_cfa_register
        return (value, rule[1]), at
    if code == 0x0E:  # DW_CFA_def_cfa_offset
        return (rule[0], value), at
    if code == 0x0F:  # DW_CFA_def_cfa_expression
        return (None, section[at : at + value]), at + value
    if code == 0x12:  # DW_CFA_def_cfa_sf
        factored, at = _signed_leb128(section, at)
        return (value, factored * data_alignment), at
    raise ValueError(f"unknown instruction {code:#x} in .eh_frame")


def _first_instruction(section: bytes, at: int, common: _Common) -> int:
    at += 2 * common.pointer_size
    if common.augmented:
        length, at = _skip_leb128(section, at)
        at += length
    return at


def _pointer_size(encoding: int, address_size: int) -> int:
    return _FIXED_SIZES.get(encoding & 0x0F, address_size)


def _skip_leb128(section: bytes, at: int) -> tuple[int, int]:
    """The unsigned LEB128 value at ``at`` and the offset behind it (DWARF 5 §7.6)."""
    value = shift = 0
    while True:
        byte = section[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def _signed_leb128(section: bytes, at: int) -> tuple[int, int]:
    value, behind = _skip_leb128(section, at)
    bits = 7 * (behind - at)
    return value - (1 << bits) if value >> (bits - 1) & 1 else value, behind
