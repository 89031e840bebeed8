//! `pyo3 script.py M`: run a script the way a typical PyO3 application does.
//!
//! Python starts through `Py_InitializeEx(0)`, as PyO3 has it, and is not finalised at the end, as PyO3 has it too.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use pyo3::prelude::*;

/// What CPython's own `main` returns when the last flush fails.
const FLUSH_FAILED: u8 = 120;

/// Set to start Python with its signal handlers, which PyO3 leaves out.
const SIGNALS: &str = "TAX_PROBE_SIGNALS";

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some(script) = args.first() else {
        eprintln!("usage: pyo3 script.py [argument…]");
        return ExitCode::from(2);
    };
    let source = match std::fs::read(script) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("pyo3: cannot read {}: {error}", Path::new(script).display());
            return ExitCode::from(2);
        }
    };

    if std::env::var_os(SIGNALS).is_some() {
        initialize_with_signal_handlers();
    }
    #[cfg(not(feature = "auto-initialize"))]
    Python::initialize();

    Python::attach(|py| {
        let ran = run(py, script, &source, &args);
        if let Err(error) = &ran {
            // Leaves the process here, flushed and with the asked code, when the exception is SystemExit.
            error.print(py);
        }
        match (flush(py), ran) {
            (Err(_), _) => ExitCode::from(FLUSH_FAILED),
            (Ok(()), Err(_)) => ExitCode::FAILURE,
            (Ok(()), Ok(())) => ExitCode::SUCCESS,
        }
    })
}

/// Starts Python as PyO3 does, but through `Py_InitializeEx(1)`.
fn initialize_with_signal_handlers() {
    // SAFETY: this is the main thread, and nothing has started Python before; as in PyO3, the thread state is released.
    #[expect(unsafe_code)]
    unsafe {
        pyo3::ffi::Py_InitializeEx(1);
        pyo3::ffi::PyEval_SaveThread();
    }
}

/// Runs `source` in `__main__` with `sys.argv`, `sys.path[0]` and `__file__` as `python3 script.py M` sets them.
fn run(py: Python<'_>, script: &OsStr, source: &[u8], args: &[OsString]) -> PyResult<()> {
    let sys = py.import("sys")?;
    sys.setattr("argv", args)?;
    let real = std::fs::canonicalize(script)?;
    let directory = real.parent().unwrap_or(Path::new("/"));
    sys.getattr("path")?.call_method1("insert", (0, directory.as_os_str()))?;

    let globals = py.import("__main__")?.dict();
    globals.set_item("__file__", script)?;
    let builtins = py.import("builtins")?;
    let code = builtins.call_method1("compile", (source, script, "exec"))?;
    builtins.call_method1("exec", (code, globals))?;
    Ok(())
}

/// Empties `sys.stdout` and `sys.stderr`; a failure is printed where it can be.
fn flush(py: Python<'_>) -> PyResult<()> {
    let sys = py.import("sys")?;
    for name in ["stdout", "stderr"] {
        let stream = sys.getattr(name)?;
        if !stream.is_none() {
            stream.call_method0("flush").inspect_err(|error| error.print(py))?;
        }
    }
    Ok(())
}
