//! `pyo3 script.py M`: run a script the way a typical PyO3 application does.
//!
//! Python starts through `Py_InitializeEx(0)`, as PyO3 has it, and is not finalised at the end, as PyO3 has it too.

use std::ffi::{c_int, c_ulong, CString, OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use pyo3::ffi::{
    PyConfig, PyConfig_Clear, PyConfig_InitIsolatedConfig, PyStatus_Exception, Py_ExitStatusException,
    Py_InitializeFromConfig,
};
use pyo3::prelude::*;
use pyo3::types::{PyCode, PyCodeInput, PyCodeMethods};

/// What CPython's own `main` returns when the last flush fails.
const FLUSH_FAILED: u8 = 120;

/// Set to start Python with its signal handlers, which PyO3 leaves out.
const SIGNALS: &str = "TAX_PROBE_SIGNALS";

/// Set to start Python without the site module, as `python3 -S` does.
const NO_SITE: &str = "TAX_PROBE_NO_SITE";

/// Set to finalise Python at the end, as `python3` does and PyO3 does not.
const FINALIZE: &str = "TAX_PROBE_FINALIZE";

/// Set to start Python from an isolated configuration without the site module.
const ISOLATED: &str = "TAX_PROBE_ISOLATED";

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

    if std::env::var_os(NO_SITE).is_some() {
        leave_site_out();
    }
    if std::env::var_os(SIGNALS).is_some() {
        initialize_with_signal_handlers();
    } else if std::env::var_os(ISOLATED).is_some() {
        initialize_isolated();
    }
    #[cfg(not(feature = "auto-initialize"))]
    Python::initialize();

    Python::attach(|py| {
        let ran = run(py, script, &source, &args);
        if let Err(error) = &ran {
            // Leaves the process here, flushed and with the asked code, when the exception is SystemExit.
            error.print(py);
        }
        let code = match (flush(py), ran) {
            (Err(_), _) => FLUSH_FAILED,
            (Ok(()), Err(_)) => 1,
            (Ok(()), Ok(())) => 0,
        };
        if std::env::var_os(FINALIZE).is_some() {
            finalize(code);
        }
        ExitCode::from(code)
    })
}

/// Has Python start without importing site.
fn leave_site_out() {
    // SAFETY: nothing has started Python, so nothing reads the flag at the same time.
    #[expect(unsafe_code)]
    #[allow(deprecated)]
    unsafe {
        pyo3::ffi::Py_NoSiteFlag = 1;
    }
}

/// Finalises Python and leaves the process.
fn finalize(code: u8) -> ! {
    // SAFETY: this is the main thread and is attached; nothing of Python is touched afterwards, since the process ends.
    #[expect(unsafe_code)]
    unsafe {
        pyo3::ffi::Py_FinalizeEx();
    }
    std::process::exit(i32::from(code))
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

/// Starts Python from `PyConfig_InitIsolatedConfig` without site; the hash seed stays that of the environment.
fn initialize_isolated() {
    let seed: Option<c_ulong> = std::env::var("PYTHONHASHSEED").ok().and_then(|seed| seed.parse().ok());
    let mut config = MaybeUninit::<PyConfig>::zeroed();
    // SAFETY: as above; `PyConfig_InitIsolatedConfig` sets every field before one is changed or read.
    #[expect(unsafe_code)]
    unsafe {
        PyConfig_InitIsolatedConfig(config.as_mut_ptr());
        let config = config.assume_init_mut();
        config.site_import = 0;
        config.use_hash_seed = c_int::from(seed.is_some());
        config.hash_seed = seed.unwrap_or(0);
        let status = Py_InitializeFromConfig(config);
        PyConfig_Clear(config);
        if PyStatus_Exception(status) != 0 {
            Py_ExitStatusException(status);
        }
        pyo3::ffi::PyEval_SaveThread();
    }
}

/// Runs `source` in `__main__` with `sys.argv`, `sys.path[0]` and `__file__` as `python3 script.py M` sets them.
///
/// Compiled through `Py_CompileString`, as `Python::run` has it: `builtins.compile` would make all types of `ast` first,
/// which costs a fifth of the whole start-up.
fn run(py: Python<'_>, script: &OsStr, source: &[u8], args: &[OsString]) -> PyResult<()> {
    let sys = py.import("sys")?;
    sys.setattr("argv", args)?;
    let real = std::fs::canonicalize(script)?;
    let directory = real.parent().unwrap_or(Path::new("/"));
    sys.getattr("path")?.call_method1("insert", (0, directory.as_os_str()))?;

    let globals = py.import("__main__")?.dict();
    globals.set_item("__file__", script)?;
    let code = PyCode::compile(py, &CString::new(source)?, &CString::new(script.as_bytes())?, PyCodeInput::File)?;
    code.run(Some(&globals), None)?;
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
