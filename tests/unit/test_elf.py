"""Facts and claims about ELF files whose truth is known, because the test built them."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from profiler.errors import UsageError
from profiler.launch.binaries.archive import read_archive
from profiler.launch.binaries.dwarf import gcc_producers
from profiler.launch.binaries.eh_frame import Frames, count_frames
from profiler.launch.binaries.elf import Elf, build_id, holds_eval_loop, is_elf, machine, needed, read_elf
from profiler.launch.evidence import describe_archive, describe_elf
from profiler.launch.file_claims import WITH_PROFILE, WITHOUT_PROFILE, lto_claim, pgo_claim
from tests.unit.elf_files import LIBPYTHON, MAIN, gcc, libpython, needs_gcc

pytestmark = needs_gcc

# Each function keeps values over calls (so it has a frame) and has a path that is never taken: with a profile gcc moves
# that path away, without one it cannot know.
BRANCHY = "#include <stdio.h>\nvolatile int sink;\n" + LIBPYTHON
BRANCHY += "__attribute__((noinline)) void touch(int x) { sink += x; }\n"
for number in range(40):
    BRANCHY += f"""
__attribute__((noinline)) int work_{number}(int x) {{
    int kept = sink + {number};
    for (int i = 0; i < x; i++) touch(i);
    if (sink < 0) {{ for (int i = 0; i < x; i++) touch(i * {number}); printf("%d %d", kept, x); puts("never"); }}
    return kept + x;
}}"""
BRANCHY += "\nint main(void) {" + "".join(f"work_{number}(9);" for number in range(40)) + "return 0; }\n"


def facts(path: Path) -> Elf:
    return read_elf(str(path))


def test_kind_of_program_and_build_id(tmp_path: Path) -> None:
    fixed = gcc(tmp_path, "fixed", MAIN, "-no-pie", "-fno-pie", "-Wl,--build-id=0xfeed01")
    pie = gcc(tmp_path, "pie", MAIN, "-pie", "-fPIE", "-Wl,--build-id=none")
    library = libpython(tmp_path)
    assert (facts(fixed).fixed_address, facts(fixed).pie) == (True, False)
    assert (facts(pie).fixed_address, facts(pie).pie) == (False, True)
    assert (facts(library).fixed_address, facts(library).pie) == (False, False)
    assert build_id(str(fixed)) == facts(fixed).build_id == "feed01"
    assert build_id(str(pie)) is None
    assert machine(str(fixed)) == machine("/proc/self/exe")


def test_names_for_the_loader(tmp_path: Path) -> None:
    library = libpython(tmp_path)
    use = "int PyNumber_Planted(int); int main(void) { return PyNumber_Planted(1); }"
    host = gcc(tmp_path, "host", use, str(library), "-Wl,--disable-new-dtags,-rpath,$ORIGIN/a:/b", "-Wl,--no-as-needed")
    assert facts(library).soname == "libpython3.11.so.1.0"
    assert facts(host).rpath == ("$ORIGIN/a", "/b")
    assert facts(host).runpath == ()
    assert "libpython3.11.so.1.0" in needed(str(host))


def test_eval_loop_is_found_exported_hidden_and_not_when_only_used(tmp_path: Path) -> None:
    library = libpython(tmp_path)
    hidden = gcc(tmp_path, "hidden", LIBPYTHON + MAIN)
    user = gcc(
        tmp_path, "user", "int _PyEval_EvalFrameDefault(void); int main(void) { return _PyEval_EvalFrameDefault(); }",
        str(library),
    )  # fmt: skip
    assert [holds_eval_loop(str(path)) for path in (library, hidden, user)] == [True, True, False]
    subprocess.run(["strip", str(library), str(hidden)], check=True, timeout=60)
    assert [holds_eval_loop(str(path)) for path in (library, hidden)] == [True, False]


def test_calls_of_the_own_api_stay_interposable_unless_bound_at_link_time(tmp_path: Path) -> None:
    plain = facts(libpython(tmp_path, "-O1", "-fno-inline"))
    assert (plain.own_api_slots, plain.symbolic) == (1, False)
    bound = facts(libpython(tmp_path, "-O1", "-fno-inline", "-Wl,-Bsymbolic"))
    assert (bound.own_api_slots, bound.symbolic) == (0, True)
    functions = facts(libpython(tmp_path, "-O1", "-fno-inline", "-Wl,-Bsymbolic-functions"))
    assert (functions.own_api_slots, functions.symbolic) == (0, False)


@pytest.mark.parametrize(
    ("options", "model"),
    [
        (("-shared", "-fPIC", "-ftls-model=global-dynamic", "-mtls-dialect=gnu"), "general-dynamic"),
        (("-shared", "-fPIC", "-ftls-model=global-dynamic", "-mtls-dialect=gnu2"), "tls-descriptors"),
        (("-shared", "-fPIC", "-ftls-model=initial-exec"), "initial-exec"),
        (("-no-pie", "-fno-pie", "-DPROGRAM"), "local-exec"),
    ],
)
def test_tls_model(tmp_path: Path, options: tuple[str, ...], model: str) -> None:
    if machine("/proc/self/exe").split()[0] != "x86_64":
        pytest.skip("-mtls-dialect is spelt for x86-64")
    source = LIBPYTHON + "__thread int state; int read_state(void) { return state; }\n#ifdef PROGRAM\n"
    path = gcc(tmp_path, "tls", f"{source}{MAIN}#endif\n", *options)
    assert described(path)["tls_model"] == model


def test_no_tls(tmp_path: Path) -> None:
    assert described(libpython(tmp_path))["tls_model"] == "none"


def described(path: Path, debug_root: Path = Path("/nonexistent")) -> dict[str, object]:
    program = describe_elf(facts(path), role="library", path=str(path), package=None, loads=None, debug_root=debug_root)
    return {name: getattr(program, name) for name in program.__struct_fields__}


def test_usdt_probes_of_python_count_and_others_do_not(tmp_path: Path) -> None:
    note = """
__asm__(".pushsection .note.stapsdt, \\"\\", \\"note\\"\\n.balign 4\\n.4byte 8, 2f-1f, 3\\n.asciz \\"stapsdt\\"\\n"
        "1: .8byte 1, 2, 3\\n.asciz \\"%s\\"\\n.asciz \\"line\\"\\n.asciz \\"\\"\\n2: .balign 4\\n.popsection");
"""
    probed = libpython(tmp_path, source=LIBPYTHON + note % "python" + note % "libc")
    assert facts(probed).python_probes == (("line", 1),)
    assert described(probed)["usdt"] is True
    assert described(libpython(tmp_path))["usdt"] is False


def test_a_profile_shows_in_debug_information_and_in_cold_code(tmp_path: Path) -> None:
    plain = gcc(tmp_path, "plain", BRANCHY, "-O2", "-g")
    trainer = gcc(tmp_path, "trained", BRANCHY, "-O2", "-fprofile-generate")
    subprocess.run([trainer], check=True, cwd=tmp_path, timeout=60)
    trained = gcc(tmp_path, "trained", BRANCHY, "-O2", "-g", "-fprofile-use", "-Werror=missing-profile")
    for path, truth in ((plain, False), (trained, True)):
        claim = pgo_claim(facts(path), gcc_producers(facts(path), tmp_path))
        assert claim.value is truth, claim.because
        assert "-fprofile-use" in claim.because
    subprocess.run(["strip", str(plain), str(trained)], check=True, timeout=60)
    assert gcc_producers(facts(trained), tmp_path) is None
    assert share_of_cold(plain) <= WITHOUT_PROFILE
    assert share_of_cold(trained) >= WITH_PROFILE


def share_of_cold(path: Path) -> float:
    frames = facts(path).frames
    assert frames is not None
    return frames.cold / frames.total


@pytest.mark.parametrize(
    ("cold", "total", "truth"),
    [
        (3131, 10221, True),  # Debian 12's python3.11
        (15, 6102, False),  # its libpython
        (74, 4492, False),  # 3.7.16 without a profile, the highest share seen
        (400, 6000, None),
        (3, 47, None),  # too few for a CPython
    ],
)
def test_share_of_cold_code_and_what_is_claimed(tmp_path: Path, cold: int, total: int, truth: bool | None) -> None:
    elf = msgspec.structs.replace(facts(libpython(tmp_path)), frames=Frames(total=total, cold=cold))
    assert pgo_claim(elf, None).value is truth
    with_clean_up = msgspec.structs.replace(elf, landing_pads=True)
    assert pgo_claim(with_clean_up, None).value is (False if truth is False else None)
    assert pgo_claim(msgspec.structs.replace(elf, frames=None), None).value is None
    assert pgo_claim(msgspec.structs.replace(elf, bolt=True), None).value is None


@pytest.mark.parametrize("compilers", [(), ("[Clang 20.1.0 ]",), ("GCC: 12.2.0", "clang version 18")])
def test_little_cold_code_proves_nothing_unless_gcc_built_it(tmp_path: Path, compilers: tuple[str, ...]) -> None:
    few = Frames(total=6000, cold=10)
    elf = msgspec.structs.replace(facts(libpython(tmp_path)), frames=few, compilers=compilers)
    assert pgo_claim(elf, None).value is None


def test_separate_debug_information_is_found_by_build_id(tmp_path: Path) -> None:
    library = libpython(tmp_path, "-g", "-O2", "-Wl,--build-id=0xabcdef")
    folder = tmp_path / ".build-id" / "ab"
    folder.mkdir(parents=True)
    subprocess.run(["objcopy", "--only-keep-debug", library, folder / "cdef.debug"], check=True, timeout=60)
    subprocess.run(["strip", library], check=True, timeout=60)
    producers = gcc_producers(facts(library), tmp_path)
    assert producers is not None
    assert producers.path == str(folder / "cdef.debug")
    assert (producers.profile_use, producers.link_time) == (False, False)


def test_the_compiler_is_known_without_a_comment_section(tmp_path: Path) -> None:
    library = libpython(tmp_path, source=LIBPYTHON + 'const char *compiler = "[Clang 20.1.0 ]";')
    subprocess.run(["objcopy", "--remove-section=.comment", library], check=True, timeout=60)
    assert facts(library).compilers == ("[Clang 20.1.0 ]",)


def test_lto_is_known_from_symbols_and_unknown_when_stripped(tmp_path: Path) -> None:
    other = tmp_path / "other.c"
    other.write_text(
        "static __attribute__((noinline)) int same(int x) { return x + 2; } int b(int x) { return same(x); }"
    )
    source = "int b(int); static __attribute__((noinline)) int same(int x) { return x * 5; }\n"
    source += LIBPYTHON + "int main(int n, char **v) { return same(n) + b(n); }"
    plain = gcc(tmp_path, "plain", source, str(other), "-O1", file="ceval.c")
    assert lto_claim(facts(plain), None, None).value is False
    linked = gcc(tmp_path, "linked", source, str(other), "-O1", "-flto", "-fno-ipa-icf", file="ceval.c")
    assert lto_claim(facts(linked), None, None).value is True
    assert not facts(linked).lists_eval_source
    subprocess.run(["strip", plain], check=True, timeout=60)
    assert lto_claim(facts(plain), None, None).value is None


def test_unknown_lto_names_the_package_that_would_tell(tmp_path: Path) -> None:
    library = libpython(tmp_path)
    subprocess.run(["strip", library], check=True, timeout=60)
    assert "libpython3.11-dbg" in lto_claim(facts(library), None, "libpython3.11 3.11.2-6").because
    assert "-dbg" not in lto_claim(facts(library), None, "google-cloud-cli 528").because


def test_lto_in_debug_information(tmp_path: Path) -> None:
    library = libpython(tmp_path, "-O2", "-g", "-flto")
    assert lto_claim(facts(library), gcc_producers(facts(library), tmp_path), None).value is True


def test_archives_pic_and_lto(tmp_path: Path) -> None:
    source = "extern int far[]; int _PyEval_EvalFrameDefault(int i) { return far[i]; }"
    claims = {}
    for name, options in {"pic": ("-fPIC",), "fixed": ("-fno-pie",), "lto": ("-fPIC", "-flto")}.items():
        member = gcc(tmp_path, f"{name}.o", source, "-c", "-O1", *options)
        subprocess.run(["ar", "rc", tmp_path / f"{name}.a", member], check=True, timeout=60)
        archive = read_archive(str(tmp_path / f"{name}.a"))
        assert archive.members == 1
        claims[name] = describe_archive(archive, package=None)
    if machine("/proc/self/exe").startswith("x86_64"):
        assert (claims["pic"].pic, claims["fixed"].pic) == (True, False)
    assert (claims["pic"].lto, claims["lto"].lto) == (False, True)
    assert claims["pic"].static_libpython is True


@pytest.mark.parametrize("content", [b"", b"no archive", b"!<thin>\n", b"!<arch>\n" + b"x" * 60])
def test_broken_archives_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "libpython3.11.a"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="damaged archive"):
        read_archive(str(path))


def test_no_elf(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("hello")
    assert not is_elf(str(text))
    assert not is_elf(str(tmp_path / "missing"))
    assert build_id(str(text)) is None
    assert needed(str(text)) == ()
    assert not holds_eval_loop(str(text))


@pytest.mark.parametrize("keep", [5, 40, 64, 700, 5000, 0.5, 0.9])
def test_files_cut_short_are_named_as_damaged(tmp_path: Path, keep: float) -> None:
    whole = libpython(tmp_path).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    with pytest.raises(UsageError, match="damaged ELF"):
        read_elf(str(cut))


def test_damaged_frames_are_a_value_error() -> None:
    with pytest.raises(ValueError, match="damaged"):
        count_frames(b"\x10\0\0\0\x55\0\0\0" + b"\0" * 12, address_size=8, little_endian=True, entry=(7, 8))
    with pytest.raises(ValueError, match="64-bit"):
        count_frames(b"\xff\xff\xff\xff" + b"\0" * 12, address_size=8, little_endian=True, entry=(7, 8))


def test_frames_by_hand() -> None:
    """One CIE (zR, pcrel sdata4), one ordinary FDE (begins with advance_loc), one cold one (def_cfa_offset 48)."""
    cie = b"\0\0\0\0" + b"\x01zR\0\x01\x78\x10\x01\x1b" + b"\x0c\x07\x08\x90\x01\0\0"
    section = len(cie).to_bytes(4, "little") + cie
    for first in (b"\x44\x0e\x10", b"\x0e\x30\x00"):
        body = (len(section) + 4).to_bytes(4, "little") + b"\0" * 8 + b"\0" + first
        section += len(body).to_bytes(4, "little") + body
    assert count_frames(section + b"\0\0\0\0", address_size=8, little_endian=True, entry=(7, 8)) == Frames(
        total=2, cold=1
    )
