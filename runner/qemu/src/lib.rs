//! A plugin of qemu-user's code generator (TCG): exact instructions, and caches, TLBs and branches of a model.
//!
//! Arguments: `out=FILE` (each process appends to `FILE.PID`), and those of `geometry::Geometry` where a model is wanted.
//! Without them instructions alone are counted, by generated code itself.

mod api;
mod branch;
mod cache;
mod core;
mod counting;
mod exec;
mod geometry;
mod predictor;
mod report;

use std::collections::HashMap;
use std::ffi::{c_char, c_int, CStr};
use std::sync::atomic::{AtomicI32, Ordering};

use api::{Id, Info};
use geometry::Geometry;

/// The version of the interface that this plugin is for; qemu reads it before it calls `qemu_plugin_install`.
#[no_mangle]
#[allow(non_upper_case_globals)]
#[expect(unsafe_code)]
pub static qemu_plugin_version: AtomicI32 = AtomicI32::new(1);

/// Runs when the plugin is loaded, so before qemu reads the version.
#[used]
#[expect(unsafe_code)]
#[link_section = ".init_array"]
static CHOOSE_VERSION: extern "C" fn() = choose_version;

extern "C" fn choose_version() {
    qemu_plugin_version.store(api::wanted_version(), Ordering::Relaxed);
}

/// Called by qemu once, before the program begins; 0: the plugin is ready.
///
/// # Safety
/// `info` and the `count` strings of `words` are qemu's.
#[no_mangle]
#[expect(unsafe_code)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: Id,
    info: *const Info,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    // SAFETY: qemu's words, as the function's own contract says.
    let (info, words) = unsafe {
        let words = (0..usize::try_from(count).unwrap_or(0)).map(|index| CStr::from_ptr(*words.add(index)));
        (&*info, words.map(CStr::to_string_lossy).collect::<Vec<_>>())
    };
    match install(id, info, &words) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("tax-probe's plugin: {error}");
            1
        }
    }
}

fn install(id: Id, info: &Info, words: &[impl AsRef<str>]) -> Result<(), String> {
    let given: HashMap<&str, &str> = words.iter().filter_map(|word| word.as_ref().split_once('=')).collect();
    let out = given.get("out").ok_or("out= is missing")?;
    let geometry = given.contains_key("line").then(|| Geometry::parse(&given)).transpose()?;
    exec::without_chance();
    counting::begin(id, info, geometry, out)
}
