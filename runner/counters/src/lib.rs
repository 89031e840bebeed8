//! Loops of known cost, as a Python extension module.

#[cfg(feature = "binding")]
mod binding;
pub mod loops;
