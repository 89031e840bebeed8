//! Loops and regions as Python functions; the GIL is released while the loops run.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;

use crate::loops::{self, Unsupported};
use crate::{cpuid, qemu, region, valgrind};

impl From<Unsupported> for PyErr {
    fn from(_: Unsupported) -> Self {
        PyNotImplementedError::new_err(format!("no such loop for {}", std::env::consts::ARCH))
    }
}

/// Loops of known cost, and counters around regions of a process's own work.
#[pymodule(name = "_counters")]
mod counters {
    #[pymodule_export]
    use super::{
        clock_ghz, count_down, cpuid_leaf, qemu_start, qemu_stop, valgrind_depth, valgrind_start, valgrind_stop, Region,
    };
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

/// How deep in valgrinds this process runs; 0 on the bare machine.
#[pyfunction]
fn valgrind_depth() -> usize {
    valgrind::depth()
}

/// Begin a region under callgrind.
#[pyfunction]
fn valgrind_start() {
    valgrind::start();
}

/// End a region under callgrind: its costs go to the out file.
#[pyfunction]
fn valgrind_stop() {
    valgrind::stop();
}

/// Begin a region under qemu with our plugin.
#[pyfunction]
fn qemu_start() {
    qemu::start();
}

/// End a region under qemu: its counts go to the plugin's file.
#[pyfunction]
fn qemu_stop() {
    qemu::stop();
}

/// What the CPU says of itself: (eax, ebx, ecx, edx), or None where it has no such leaf.
#[pyfunction]
fn cpuid_leaf(leaf: u32, subleaf: u32) -> Option<(u32, u32, u32, u32)> {
    cpuid::leaf(leaf, subleaf)
}

/// Counters that start and stop together, in user mode of this thread.
#[pyclass(unsendable)]
struct Region(region::Region);

#[pymethods]
impl Region {
    #[new]
    #[expect(clippy::needless_pass_by_value)]
    fn new(events: Vec<String>) -> PyResult<Self> {
        Ok(Self(region::Region::open(&events)?))
    }

    /// Begin a region.
    fn start(&mut self) -> PyResult<()> {
        Ok(self.0.start()?)
    }

    /// End the region: (values, enabled_ns, running_ns).
    fn stop(&mut self) -> PyResult<(Vec<u64>, u64, u64)> {
        let counts = self.0.stop()?;
        Ok((counts.values, counts.enabled_ns, counts.running_ns))
    }
}
