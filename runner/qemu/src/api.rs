//! What qemu offers its plugins (`qemu-plugin.h`), looked up when the plugin is loaded. The versions differ in how
//! generated code increments a counter, and in how an instruction's bytes are read.

use std::ffi::{c_char, c_int, c_uint, c_void, CStr};
use std::mem::{size_of, transmute_copy};
use std::sync::atomic::{AtomicU64, Ordering};

/// A translation block or an instruction: known to qemu alone, and only while the block is translated.
pub type Handle = *mut c_void;
/// This plugin among those that are loaded.
pub type Id = u64;

/// `qemu_plugin_vcpu_udata_cb_t`
pub type BlockCallback = extern "C" fn(c_uint, *mut c_void);
/// `qemu_plugin_vcpu_mem_cb_t`
pub type AccessCallback = extern "C" fn(c_uint, u32, u64, *mut c_void);
/// `qemu_plugin_vcpu_syscall_cb_t`
pub type SyscallCallback = extern "C" fn(Id, c_uint, i64, u64, u64, u64, u64, u64, u64, u64, u64);

const NO_REGISTERS: c_int = 0;
const LOADS_AND_STORES: c_int = 3;
const ADD_U64: c_int = 0;

/// The first version that copies an instruction's bytes.
const COPIES: c_int = 3;
const LONGEST_INSTRUCTION: usize = 15;

/// `qemu_info_t`, its beginning.
#[repr(C)]
pub struct Info {
    target_name: *const c_char,
    oldest: c_int,
    /// The version of the interface.
    version: c_int,
}

impl Info {
    /// The architecture whose programs this qemu runs, as `uname -m` calls it.
    pub fn target(&self) -> &str {
        if self.target_name.is_null() {
            return "";
        }
        #[expect(unsafe_code)]
        // SAFETY: a string of qemu's own, which stays as long as it runs.
        unsafe { CStr::from_ptr(self.target_name) }.to_str().unwrap_or("")
    }
}

/// `qemu_plugin_u64`
#[repr(C)]
#[derive(Clone, Copy)]
struct Score {
    scoreboard: *mut c_void,
    offset: usize,
}

type AddShared = unsafe extern "C" fn(Handle, c_int, *mut u64, u64);
type AddScore = unsafe extern "C" fn(Handle, c_int, Score, u64);
type SumScore = unsafe extern "C" fn(Score) -> u64;

/// What generated code increments.
enum Counter {
    /// Version 1: one for all virtual CPUs, so exact while there is one of them.
    Shared(AddShared),
    /// From version 2 on: one for each.
    PerVcpu { score: Score, add: AddScore, sum: SumScore },
}

/// How an instruction's bytes are read.
enum Bytes {
    At(unsafe extern "C" fn(Handle) -> *const u8),
    Copied(unsafe extern "C" fn(Handle, *mut u8, usize) -> usize),
}

/// The functions of the qemu that loaded this plugin.
pub struct Api {
    counter: Counter,
    bytes: Bytes,
    instructions: unsafe extern "C" fn(Handle) -> usize,
    instruction: unsafe extern "C" fn(Handle, usize) -> Handle,
    size: unsafe extern "C" fn(Handle) -> usize,
    address: unsafe extern "C" fn(Handle) -> u64,
    host_address: unsafe extern "C" fn(Handle) -> *const u8,
    on_block: unsafe extern "C" fn(Handle, BlockCallback, c_int, *mut c_void),
    on_access: unsafe extern "C" fn(Handle, AccessCallback, c_int, c_int, *mut c_void),
    size_shift: unsafe extern "C" fn(u32) -> c_uint,
}

#[expect(unsafe_code)]
// SAFETY: qemu's functions may be called from any thread, and the score is but handed to them.
unsafe impl Send for Api {}
#[expect(unsafe_code)]
// SAFETY: as above.
unsafe impl Sync for Api {}

/// What a `Counter::Shared` increments.
static SHARED: AtomicU64 = AtomicU64::new(0);

extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// The function that is called so, of the program that loaded us; `T` is a pointer to it.
fn look_up<T>(name: &CStr) -> Result<T, String> {
    assert_eq!(size_of::<T>(), size_of::<*mut c_void>(), "T is a pointer");
    #[expect(unsafe_code)]
    // SAFETY: the name ends with 0; a null handle is RTLD_DEFAULT.
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    if found.is_null() {
        return Err(format!("this qemu has no {}", name.to_string_lossy()));
    }
    #[expect(unsafe_code)]
    // SAFETY: as large as a pointer; that the type is that of `qemu-plugin.h` is the caller's word.
    Ok(unsafe { transmute_copy(&found) })
}

/// The version of the interface that the plugin is for: what it finds is what it uses.
pub fn wanted_version() -> c_int {
    if look_up::<Handle>(c"qemu_plugin_scoreboard_new").is_ok() {
        2
    } else {
        1
    }
}

#[expect(unsafe_code)]
impl Api {
    /// Looks everything up.
    pub fn find(info: &Info) -> Result<Self, String> {
        let counter = match look_up::<AddScore>(c"qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu") {
            Ok(add) => {
                let new: unsafe extern "C" fn(usize) -> *mut c_void = look_up(c"qemu_plugin_scoreboard_new")?;
                // SAFETY: takes the size of an element, and is called while the plugin is installed.
                let score = Score { scoreboard: unsafe { new(size_of::<u64>()) }, offset: 0 };
                Counter::PerVcpu { score, add, sum: look_up(c"qemu_plugin_u64_sum")? }
            }
            Err(_) => Counter::Shared(look_up(c"qemu_plugin_register_vcpu_tb_exec_inline")?),
        };
        let bytes = c"qemu_plugin_insn_data";
        Ok(Self {
            counter,
            bytes: if info.version < COPIES { Bytes::At(look_up(bytes)?) } else { Bytes::Copied(look_up(bytes)?) },
            instructions: look_up(c"qemu_plugin_tb_n_insns")?,
            instruction: look_up(c"qemu_plugin_tb_get_insn")?,
            size: look_up(c"qemu_plugin_insn_size")?,
            address: look_up(c"qemu_plugin_insn_vaddr")?,
            host_address: look_up(c"qemu_plugin_insn_haddr")?,
            on_block: look_up(c"qemu_plugin_register_vcpu_tb_exec_cb")?,
            on_access: look_up(c"qemu_plugin_register_vcpu_mem_cb")?,
            size_shift: look_up(c"qemu_plugin_mem_size_shift")?,
        })
    }

    /// Whether `add` is exact with several virtual CPUs at once.
    pub fn adds_per_vcpu(&self) -> bool {
        matches!(self.counter, Counter::PerVcpu { .. })
    }

    /// Has each execution of `block` add `number` to the counter.
    pub fn add(&self, block: Handle, number: u64) {
        // SAFETY: the block is being translated; the counters live as long as the process.
        unsafe {
            match &self.counter {
                Counter::Shared(add) => add(block, ADD_U64, SHARED.as_ptr(), number),
                Counter::PerVcpu { score, add, .. } => add(block, ADD_U64, *score, number),
            }
        }
    }

    /// What was added so far.
    pub fn added(&self) -> u64 {
        match &self.counter {
            Counter::Shared(_) => SHARED.load(Ordering::Relaxed),
            // SAFETY: the score is one of this qemu.
            Counter::PerVcpu { score, sum, .. } => unsafe { sum(*score) },
        }
    }

    /// The instructions of `block`, in order.
    pub fn instructions(&self, block: Handle) -> Vec<Instruction> {
        // SAFETY: the block is being translated, and has that many.
        (0..unsafe { (self.instructions)(block) })
            .map(|index| {
                // SAFETY: as above.
                unsafe {
                    let handle = (self.instruction)(block, index);
                    Instruction { handle, address: (self.address)(handle), size: (self.size)(handle) }
                }
            })
            .collect()
    }

    /// The bytes of an instruction.
    pub fn bytes(&self, instruction: &Instruction) -> Vec<u8> {
        let mut bytes = vec![0; instruction.size.min(LONGEST_INSTRUCTION)];
        // SAFETY: the instruction's block is being translated; qemu has, or copies, as many bytes as it is long.
        unsafe {
            match self.bytes {
                Bytes::At(data) => data(instruction.handle).copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()),
                Bytes::Copied(copy) => {
                    let copied = copy(instruction.handle, bytes.as_mut_ptr(), bytes.len());
                    bytes.truncate(copied);
                }
            }
        }
        bytes
    }

    /// How far the program's addresses lie from ours; None: qemu does not tell.
    pub fn guest_base(&self, instruction: &Instruction) -> Option<u64> {
        // SAFETY: the instruction's block is being translated.
        let host = unsafe { (self.host_address)(instruction.handle) };
        (!host.is_null()).then(|| (host as u64).wrapping_sub(instruction.address))
    }

    /// Has `callback` called before each execution of `block`. It gets `data`.
    pub fn on_block(&self, block: Handle, callback: BlockCallback, data: *mut c_void) {
        // SAFETY: the block is being translated; the callback knows what `data` is.
        unsafe { (self.on_block)(block, callback, NO_REGISTERS, data) }
    }

    /// Has `callback` called at each load and store of `instruction`.
    pub fn on_access(&self, instruction: &Instruction, callback: AccessCallback) {
        // SAFETY: the instruction's block is being translated.
        unsafe {
            (self.on_access)(instruction.handle, callback, NO_REGISTERS, LOADS_AND_STORES, std::ptr::null_mut());
        }
    }

    /// How many bytes an access is wide. `access` is what a callback got, while it lasts.
    pub fn width(&self, access: u32) -> u64 {
        // SAFETY: any word is taken apart, none is followed.
        1 << unsafe { (self.size_shift)(access) }
    }
}

/// One instruction of a block that is being translated.
pub struct Instruction {
    handle: Handle,
    /// In the program.
    pub address: u64,
    /// In bytes.
    pub size: usize,
}

/// Has qemu call these as long as the process lives.
#[expect(unsafe_code)]
pub fn register(
    id: Id,
    on_vcpu: extern "C" fn(Id, c_uint),
    on_translation: extern "C" fn(Id, Handle),
    on_syscall: SyscallCallback,
    on_exit: extern "C" fn(Id, *mut c_void),
) -> Result<(), String> {
    type Vcpu = unsafe extern "C" fn(Id, extern "C" fn(Id, c_uint));
    type Translation = unsafe extern "C" fn(Id, extern "C" fn(Id, Handle));
    type Syscall = unsafe extern "C" fn(Id, SyscallCallback);
    type Exit = unsafe extern "C" fn(Id, extern "C" fn(Id, *mut c_void), *mut c_void);
    let vcpu: Vcpu = look_up(c"qemu_plugin_register_vcpu_init_cb")?;
    let translation: Translation = look_up(c"qemu_plugin_register_vcpu_tb_trans_cb")?;
    let syscall: Syscall = look_up(c"qemu_plugin_register_vcpu_syscall_cb")?;
    let exit: Exit = look_up(c"qemu_plugin_register_atexit_cb")?;
    // SAFETY: the id is this plugin's, and the callbacks are never unloaded.
    unsafe {
        vcpu(id, on_vcpu);
        translation(id, on_translation);
        syscall(id, on_syscall);
        exit(id, on_exit, std::ptr::null_mut());
    }
    Ok(())
}
