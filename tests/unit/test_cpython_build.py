"""What CPython's own test runner printed, read: as a training and as a check of a remedy."""

from profiler.rebuild.cpython_build import mismatches, outcome, ran_and_failed

TRAINING = """\
0:00:14 load avg: 8.81 [ 8/44] test_cmath -- test_bz2 skipped
0:00:15 load avg: 8.81 [ 9/44] test_codecs -- test_cmath failed (uncaught exception)
0:00:16 load avg: 8.81 [10/44] test_collections
test test_embed failed
0:00:35 load avg: 7.86 [17/44] test_float -- test_embed failed (37 errors, 1 failure)
0:00:36 [43/44/5] test_xml_etree
Tests result: FAILURE
"""
CHECK = """\
0:00:00 load avg: 0.50 [1/3] test_embed
test test_embed failed -- Traceback (most recent call last):
======================================================================
FAIL: test_init_pybuilddir (test.test_embed.InitConfigTests.test_init_pybuilddir)
----------------------------------------------------------------------
ERROR: test_old_names (test.test_embed.InitConfigTests)
0:00:20 load avg: 0.61 [2/3/1] test_sys -- test_embed failed (1 failure)
test test_sys crashed -- Traceback (most recent call last):
0:00:30 load avg: 0.61 [3/3/2] test_list
== Tests result: FAILURE ==
"""


def test_test_files_of_a_training_that_taught_nothing_are_named() -> None:
    assert ran_and_failed(TRAINING) == (5, ("test_bz2", "test_cmath", "test_embed"))
    assert ran_and_failed("") == (0, ())


def test_failed_cases_are_named_once_whatever_the_runner_calls_them() -> None:
    failed, told = outcome(CHECK.replace("== Tests result: FAILURE ==", "1 test OK.\n2 tests failed:\nResult: FAILURE"))
    assert failed == {
        "test.test_embed.InitConfigTests.test_init_pybuilddir",
        "test.test_embed.InitConfigTests.test_old_names",
        "test_sys",
    }
    assert told == "1 test OK, 2 tests failed"


def test_a_run_of_tests_that_was_cut_off_is_a_failure() -> None:
    failed, told = outcome(CHECK.partition("== Tests")[0])
    assert "the tests did not come to an end" in failed
    assert told == ""


def test_a_clean_run_fails_nothing() -> None:
    text = "0:00:00 [1/1] test_list\n\n== Tests result: SUCCESS ==\n\nAll 1 test OK.\nTests result: SUCCESS\n"
    assert outcome(text) == (frozenset(), "All 1 test OK")


def test_functions_without_counts_are_counted_once() -> None:
    text = (
        "work.c: In function 'work':\nwork.c:1:1: warning: profile count data [-Wcoverage-mismatch]\n"
        "work.c:1:1: warning: number of counters [-Wcoverage-mismatch]\n"
    )
    assert mismatches(text) == 1
