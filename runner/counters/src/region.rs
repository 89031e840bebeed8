//! A group of counters around regions of this thread's work, through `perf_event_open`: no Python here.

use std::io;

use perf_event::events::{Event, Hardware, Software};
use perf_event::{Builder, Counter, Group};

/// What a region counted; times in ns say whether the kernel had to multiplex.
#[derive(Debug)]
pub struct Counts {
    /// One value per event, in the order asked for.
    pub values: Vec<u64>,
    /// How long the group was enabled.
    pub enabled_ns: u64,
    /// How long it was on the PMU; less than `enabled_ns` means that the values are no counts.
    pub running_ns: u64,
}

/// Counters that start and stop together, in user mode of this thread.
pub struct Region {
    group: Group,
    /// None: the clock, which is the time that the group was enabled.
    counters: Vec<Option<Counter>>,
}

impl Region {
    /// Opens a group with these events; names are those of `perf list`.
    ///
    /// # Errors
    /// `InvalidInput` for an unknown name; else what the kernel answers (`ENOENT`: no PMU, `EACCES`: not allowed).
    pub fn open(names: &[String]) -> io::Result<Self> {
        let mut group = Group::new()?;
        let counters = names.iter().map(|name| add(&mut group, name)).collect::<io::Result<_>>()?;
        Ok(Self { group, counters })
    }

    /// Begins a region: all counters at zero.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn start(&mut self) -> io::Result<()> {
        self.group.reset()?;
        self.group.enable()
    }

    /// Ends the region and reads it.
    ///
    /// # Errors
    /// What the kernel answers; `UnexpectedEof` when the group could not be put on the PMU.
    pub fn stop(&mut self) -> io::Result<Counts> {
        self.group.disable()?;
        let read = self.group.read()?;
        let ns = |time: Option<std::time::Duration>| {
            time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
        };
        let enabled_ns = ns(read.time_enabled());
        Ok(Counts {
            values: self.counters.iter().map(|one| one.as_ref().map_or(enabled_ns, |counter| read[counter])).collect(),
            enabled_ns,
            running_ns: ns(read.time_running()),
        })
    }
}

/// The kernel's own `task-clock` event stood at 0 in one process of seven (Linux 6.18 in a virtual machine without a PMU),
/// while the time that it keeps for every group went on: of a thread's group that is the time on the CPU.
fn add(group: &mut Group, name: &str) -> io::Result<Option<Counter>> {
    match name {
        "instructions" => add_event(group, Hardware::INSTRUCTIONS),
        "cycles" => add_event(group, Hardware::CPU_CYCLES),
        "branches" => add_event(group, Hardware::BRANCH_INSTRUCTIONS),
        "branch-misses" => add_event(group, Hardware::BRANCH_MISSES),
        "cache-misses" => add_event(group, Hardware::CACHE_MISSES),
        "task-clock" => Ok(None),
        "page-faults" => add_event(group, Software::PAGE_FAULTS),
        "context-switches" => add_event(group, Software::CONTEXT_SWITCHES),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("no event {name}"))),
    }
}

fn add_event(group: &mut Group, event: impl Event) -> io::Result<Option<Counter>> {
    group.add(&Builder::new(event)).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_event_is_named() {
        let error = Region::open(&["no-such-event".to_owned()]).err().expect("nothing of that name exists");
        assert!(error.kind() == io::ErrorKind::InvalidInput || error.raw_os_error().is_some(), "{error}");
    }

    /// Needs no PMU; a kernel that allows no perf events at all is passed over.
    #[test]
    fn the_clock_of_a_region_is_its_own() {
        let Ok(mut region) = Region::open(&["task-clock".to_owned()]) else { return };
        let mut spin = |n: u64| {
            region.start().expect("start");
            crate::loops::count_down(n).expect("this architecture has the loop");
            region.stop().expect("stop").values[0]
        };
        let (short, long) = (spin(1_000_000), spin(50_000_000));
        assert!(long > 5 * short, "{short} ns and {long} ns: the second region holds the first");
    }
}
