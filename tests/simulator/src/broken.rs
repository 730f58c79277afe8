//! Stores that break the protocol on purpose: the tests of the test. Each does one thing wrong, and
//! a world over it must show a violation.
