//! The loops as Python functions; the GIL is released while they run.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;

use crate::loops::{self, Unsupported};

impl From<Unsupported> for PyErr {
    fn from(_: Unsupported) -> Self {
        PyNotImplementedError::new_err(format!("no such loop for {}", std::env::consts::ARCH))
    }
}

/// Loops of known cost.
#[pymodule(name = "_counters")]
mod counters {
    #[pymodule_export]
    use super::{clock_ghz, count_down};
}

/// Execute exactly 2 n instructions, n of them branches.
#[pyfunction]
fn count_down(py: Python<'_>, n: u64) -> PyResult<()> {
    Ok(py.detach(|| loops::count_down(n))?)
}

/// Estimate the core's clock in GHz from a chain of so many dependent multiplications.
#[pyfunction]
fn clock_ghz(py: Python<'_>, chain: u64) -> PyResult<f64> {
    Ok(py.detach(|| loops::clock_ghz(chain))?)
}
