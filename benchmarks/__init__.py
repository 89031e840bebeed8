"""Benchmarks of tax-probe itself; run by ``make bench``, never by the tests."""
