//! `runmain script.py M`: the start-up path of `python3` itself, `Py_BytesMain`, in a program like `pyo3`.

use std::ffi::{c_char, c_int, CString};
use std::os::unix::ffi::OsStringExt;
use std::ptr;

/// Names the program that Python is to take this one for: it finds its virtual environment by that name.
const PROGRAM: &str = "TAX_PROBE_PROGRAM";

fn main() {
    let own = std::env::args_os().next();
    let arguments: Vec<CString> = std::env::var_os(PROGRAM)
        .or(own)
        .into_iter()
        .chain(std::env::args_os().skip(1))
        .map(|arg| CString::new(arg.into_vec()).expect("the kernel ends an argument at its first NUL"))
        .collect();
    let count = c_int::try_from(arguments.len()).expect("the kernel limits the number of arguments");
    let mut argv: Vec<*mut c_char> =
        arguments.iter().map(|arg| arg.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect();
    // SAFETY: `argv` holds `count` NUL-terminated strings and a null pointer, as for C's `main`, and outlives the
    // call; no thread of this process uses Python.
    #[expect(unsafe_code)]
    let exit = unsafe { pyo3::ffi::Py_BytesMain(count, argv.as_mut_ptr()) };
    std::process::exit(exit);
}
