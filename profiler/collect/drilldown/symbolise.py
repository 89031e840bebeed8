"""Which function and line a machine instruction stands in, by debug information or the file itself."""

from __future__ import annotations

from collections.abc import Mapping

from profiler.collect.drilldown.code import Code
from profiler.collect.drilldown.growth import Growth
from profiler.launch.source_lines import Frame, frames_of
from profiler.model import SymbolRow


class Symbols:
    """What is known of the instructions of all files that a session meets."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._done: set[tuple[str, int]] = set()

    def of(self, growth: Growth, entries: Mapping[str, Mapping[int, str]]) -> list[SymbolRow]:
        """Rows of the instructions that are new here; ``entries``: file → address → the opcode that begins there.

        Raises:
            MachineError: the machine's instructions are not known.
        """
        new: dict[str, dict[int, str]] = {}
        for (image, function), address in growth.counts:
            if image is not None and (image, address) not in self._done:
                new.setdefault(image, {})[address] = function
        rows: list[SymbolRow] = []
        for image, functions in new.items():
            self._done.update((image, address) for address in functions)
            code = self._code.of(image, functions)
            frames = frames_of(image, self._code.build_id(image), sorted(functions))
            for address, linked in sorted(functions.items()):
                instruction = code.get(address)
                own = frames.get(address) or (Frame(function=_named(linked), file=None, line=None),)
                rows += (
                    SymbolRow(
                        image=image,
                        build_id=self._code.build_id(image),
                        address=address,
                        depth=depth,
                        function=frame.function,
                        file=frame.file,
                        line=frame.line,
                        kind=None if instruction is None else instruction.kind,
                        entry=entries.get(image, {}).get(address),
                    )
                    for depth, frame in enumerate(own)
                )
        return rows


def _named(function: str) -> str | None:
    return None if function.startswith("0x") else function
