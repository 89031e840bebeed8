"""From the target's own build to one combination."""

from profiler.rebuild.recipe import linker_words, setup_local


def test_what_a_distribution_tells_the_linker_is_kept_and_what_its_machine_needed_is_not() -> None:
    said = "gcc -shared -Wl,-O1 -Wl,-Bsymbolic-functions -L/build/lib -Wl,-rpath,/opt/lib -g -fwrapv -O2 -Wl,-z,relro"
    assert linker_words(said) == ("-Wl,-O1", "-Wl,-Bsymbolic-functions", "-Wl,-z,relro")
    assert linker_words("") == ()


def test_modules_that_the_target_has_built_in_are_built_in() -> None:
    setup = "#_csv _csv.c\n#_ssl _ssl.c -lssl -lcrypto\narray arraymodule.c\n"
    assert setup_local(("_csv", "array", "_ssl", "posix"), ("posix",), setup) == (
        "*static*\n_csv _csv.c\n_ssl _ssl.c -lssl -lcrypto\n"
    )
    assert setup_local(("posix",), ("posix",), setup) == ""
