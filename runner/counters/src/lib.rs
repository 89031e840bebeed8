//! Loops of known cost and counters around regions of a process's own work, as a Python extension module.

#[cfg(feature = "binding")]
mod binding;
pub mod cpuid;
pub mod loops;
pub mod qemu;
pub mod region;
pub mod valgrind;
