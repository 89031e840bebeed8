//! Where qemu's callbacks meet the counters: of one process, all of its threads, and the children that it forks.
//!
//! One virtual CPU is one thread. While there is one, generated code itself adds instructions up; where qemu has a
//! shared counter alone, a second thread has each of them count in a place of its own. With a model each has a core.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::api::{self, Api, Handle, Id, Info, Instruction};
use crate::branch::kind_of;
use crate::core::{Block, Branch, Core, Counts, INSTRUCTIONS, NAMES};
use crate::exec::Exec;
use crate::geometry::Geometry;
use crate::report::Report;

/// System calls that no Linux has: they begin and end a region.
const REGION_BEGINS: i64 = 0x7470_0001;
const REGION_ENDS: i64 = 0x7470_0002;

#[cfg(target_arch = "x86_64")]
const EXECVE: i64 = 59;
#[cfg(target_arch = "aarch64")]
const EXECVE: i64 = 221;

/// No process of a Linux as it comes has more threads.
const MOST_THREADS: usize = 1 << 16;

struct Plugin {
    api: Api,
    /// None: instructions alone are counted.
    geometry: Option<Geometry>,
    report: Report,
    /// None: of another architecture than this machine's, of whose programs the kernel cannot start one in the place of
    /// another; and the number of the call is another one there.
    exec: Option<Exec>,
    /// What had been counted when the process began: of a fork it is the parent's.
    inherited: Mutex<Counts>,
    /// What had been counted when the last region began.
    region: Mutex<Counts>,
}

static PLUGIN: OnceLock<Plugin> = OnceLock::new();
static CORES: [AtomicPtr<Core>; MOST_THREADS] = [const { AtomicPtr::new(null_mut()) }; MOST_THREADS];
/// Instructions of each thread, where generated code cannot add them up.
static COUNTED: [AtomicU64; MOST_THREADS] = [const { AtomicU64::new(0) }; MOST_THREADS];
static SEVERAL_THREADS: AtomicBool = AtomicBool::new(false);

extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: extern "C" fn(),
    ) -> c_int;
}

/// Sets everything up before the program's first instruction.
pub fn begin(id: Id, info: &Info, geometry: Option<Geometry>, out: &str) -> Result<(), String> {
    if geometry.is_some() && info.target() != std::env::consts::ARCH {
        return Err(format!("the model knows the branches of {}, not of {}", std::env::consts::ARCH, info.target()));
    }
    let plugin = Plugin {
        api: Api::find(info)?,
        geometry,
        report: Report::new(out),
        exec: (info.target() == std::env::consts::ARCH).then(Exec::new),
        inherited: Mutex::default(),
        region: Mutex::default(),
    };
    plugin.begins();
    if PLUGIN.set(plugin).is_err() {
        return Err("it is loaded twice".to_owned());
    }
    api::register(id, on_thread, on_translation, on_syscall, on_exit)?;
    #[expect(unsafe_code)]
    // SAFETY: the function is never unloaded.
    let refused = unsafe { pthread_atfork(None, None, on_fork) };
    if refused == 0 {
        Ok(())
    } else {
        Err(format!("pthread_atfork: {refused}"))
    }
}

impl Plugin {
    fn names(&self) -> &'static [&'static str] {
        if self.geometry.is_some() {
            &NAMES
        } else {
            &NAMES[..=INSTRUCTIONS]
        }
    }

    fn begins(&self) {
        self.report.say("begin", self.names(), &[]);
    }

    /// In all threads, ended ones too.
    fn counts(&self) -> Counts {
        let mut sums = Counts::default();
        if self.geometry.is_none() {
            let apart: u64 = COUNTED.iter().map(|count| count.load(Ordering::Relaxed)).sum();
            sums[INSTRUCTIONS] = self.api.added() + apart;
            return sums;
        }
        for core in &CORES {
            let core = core.load(Ordering::Acquire);
            if core.is_null() {
                continue;
            }
            #[expect(unsafe_code)]
            // SAFETY: a core is never freed. Another thread may be counting in it: what it counts at this moment is in
            // the figure or not.
            let counts = unsafe { std::ptr::addr_of!((*core).counts).read_volatile() };
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        sums
    }

    fn say(&self, word: &str, since: &Mutex<Counts>) {
        let now = self.counts();
        let before = *since.lock().unwrap_or_else(PoisonError::into_inner);
        let figures: Vec<u64> = now.iter().zip(before).map(|(now, before)| now - before).collect();
        self.report.say(word, &[], &figures[..self.names().len()]);
    }

    fn set(&self, since: &Mutex<Counts>) {
        *since.lock().unwrap_or_else(PoisonError::into_inner) = self.counts();
    }

    fn translate(&self, block: Handle) {
        let instructions = self.api.instructions(block);
        let Some(first) = instructions.first() else { return };
        if let Some(exec) = &self.exec {
            exec.learn(self.api.guest_base(first));
        }
        if let Some(geometry) = &self.geometry {
            let known = Box::new(self.describe(geometry, &instructions));
            // Never freed: qemu may run the block until the process ends, and does not say when it forgets it.
            self.api.on_block(block, on_modelled_block, Box::into_raw(known).cast());
            for instruction in &instructions {
                self.api.on_access(instruction, on_access);
            }
        } else if self.api.adds_per_vcpu() || !SEVERAL_THREADS.load(Ordering::Relaxed) {
            self.api.add(block, instructions.len() as u64);
        } else {
            self.api.on_block(block, on_counted_block, instructions.len() as *mut c_void);
        }
    }

    fn describe(&self, geometry: &Geometry, instructions: &[Instruction]) -> Block {
        let (first, last) = (&instructions[0], &instructions[instructions.len() - 1]);
        let next = last.address + last.size as u64;
        let branch = |kind| Branch { kind, pc: last.address, next };
        Block {
            start: first.address,
            instructions: instructions.len() as u64,
            lines: (first.address >> geometry.line_bits, (next - 1) >> geometry.line_bits),
            branch: kind_of(&self.api.bytes(last)).map(branch),
        }
    }
}

extern "C" fn on_thread(_: Id, vcpu: c_uint) {
    let Some(plugin) = PLUGIN.get() else { return };
    assert!((vcpu as usize) < MOST_THREADS, "more than {MOST_THREADS} threads");
    if vcpu > 0 {
        // Qemu has forgotten all blocks by now (begin_parallel_context): those to come are translated for several.
        SEVERAL_THREADS.store(true, Ordering::Relaxed);
    }
    let core = &CORES[vcpu as usize];
    if let Some(geometry) = plugin.geometry.as_ref().filter(|_| core.load(Ordering::Acquire).is_null()) {
        core.store(Box::into_raw(Box::new(Core::new(geometry))), Ordering::Release);
    }
}

extern "C" fn on_translation(_: Id, block: Handle) {
    if let Some(plugin) = PLUGIN.get() {
        plugin.translate(block);
    }
}

extern "C" fn on_counted_block(vcpu: c_uint, instructions: *mut c_void) {
    let counted = &COUNTED[vcpu as usize % MOST_THREADS];
    // One thread alone writes it.
    counted.store(counted.load(Ordering::Relaxed) + instructions as u64, Ordering::Relaxed);
}

#[expect(unsafe_code)]
extern "C" fn on_modelled_block(vcpu: c_uint, block: *mut c_void) {
    // SAFETY: what `translate` handed over, never freed; the core is this thread's, and was made when it began.
    unsafe { (*CORES[vcpu as usize % MOST_THREADS].load(Ordering::Relaxed)).execute(&*block.cast::<Block>()) }
}

#[expect(unsafe_code)]
extern "C" fn on_access(vcpu: c_uint, access: u32, address: u64, _: *mut c_void) {
    // SAFETY: the core is this thread's, and was made when it began.
    let core = unsafe { &mut *CORES[vcpu as usize % MOST_THREADS].load(Ordering::Relaxed) };
    core.access(address, || PLUGIN.get().map_or(1, |plugin| plugin.api.width(access)));
}

extern "C" fn on_syscall(
    _: Id,
    _: c_uint,
    number: i64,
    a: u64,
    b: u64,
    c: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
) {
    let Some(plugin) = PLUGIN.get() else { return };
    match number {
        REGION_BEGINS => plugin.set(&plugin.region),
        REGION_ENDS => plugin.say("region", &plugin.region),
        EXECVE => {
            if let Some(exec) = &plugin.exec {
                exec.follow(a, b, c, || plugin.say("exec", &plugin.inherited));
            }
        }
        _ => {}
    }
}

extern "C" fn on_exit(_: Id, _: *mut c_void) {
    if let Some(plugin) = PLUGIN.get() {
        plugin.say("total", &plugin.inherited);
    }
}

/// In a child: what its parent has counted is not its own.
extern "C" fn on_fork() {
    if let Some(plugin) = PLUGIN.get() {
        plugin.set(&plugin.inherited);
        plugin.begins();
    }
}
