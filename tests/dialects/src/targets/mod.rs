//! Targets of the fuzzer.
